"""The device SDK in a real browser, on a page of another origin with a strict content policy."""

import hmac
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.support.servers import SegueServer, eventually
from tests.support.shop_page import shop_page

pytestmark = pytest.mark.slow


def follows(campaign: str, name: str, **options: Any) -> dict[str, Any]:
    return {"interact_with_campaign": {"campaign": campaign, "interaction": name, **options}}


def in_app(body: str, **more: Any) -> dict[str, Any]:
    return {"in_app_message": {"body": body, **more}}


# Followers first: so they are published.
CAMPAIGNS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "third": (
        follows("second", "content_card_dismiss"),
        in_app("You did not want it.", style="slide_up"),
    ),
    "second": (
        follows("first", "in_app_message_button_click", button="claim"),
        {"content_card": {"title": "Your offer", "body": "For you, {{ first_name }}."}},
    ),
    "first": (
        {"event": "looked"},
        in_app(
            "Ten per cent off",
            title="Offer",
            buttons=[{"id": "claim", "text": "Claim"}, {"id": "no", "text": "No"}],
        ),
    ),
    "bought": (
        {"purchase": {}},
        {"content_card": {"title": "Thank you", "pinned": True, "link": "/?user=thanked"}},
    ),
}


@pytest.fixture(scope="module")
def segue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SegueServer]:
    with SegueServer(tmp_path_factory.mktemp("browser") / "data") as server:
        for slug, (trigger, message) in CAMPAIGNS.items():
            delivery = {"type": "action", "triggers": [trigger]}
            document = {"slug": slug, "name": slug, "delivery": delivery, "messages": [message]}
            server.create(document)
        for slug in CAMPAIGNS:
            server.publish(slug)
        yield server


@pytest.fixture(scope="module")
def shop(segue: SegueServer) -> Iterator[str]:
    with shop_page(segue.url, segue.key_for("sdk")) as url:
        yield url


def acts(segue: SegueServer, user_id: str) -> list[tuple[str, str | None]]:
    """Return what is told to have happened to a user, with campaign, and what was sent."""
    return [
        (line.get("name") or line["decision"], line.get("campaign"))
        for line in segue.timeline(user_id)
        if "name" in line or line.get("decision") == "send"
    ]


def expect_no_problem(page: Page) -> None:
    expect(page.locator("#problems li")).to_have_count(0)


def test_a_click_brings_a_card_and_its_dismissal_the_third_message(
    segue: SegueServer, shop: str, page: Page
) -> None:
    page.goto(f"{shop}?user=ann")
    page.click("#look")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Ten per cent off")
    dialog.get_by_role("button", name="Claim").click()
    expect(dialog).to_have_count(0)

    card = page.get_by_role("listitem").filter(has_text="Your offer")
    expect(card).to_contain_text("For you, Ann.")
    eventually(
        lambda: ("content_card_view", "second") in acts(segue, "ann"), "the view of the card"
    )
    card.get_by_role("button", name="Dismiss").click()
    expect(card).to_have_count(0)

    expect(page.get_by_role("status")).to_contain_text("You did not want it.")
    expect_no_problem(page)
    eventually(
        lambda: ("in_app_message_view", "third") in acts(segue, "ann"), "the view of the third"
    )
    told = acts(segue, "ann")
    assert told[:2] == [("session_start", None), ("looked", None)]
    assert [one for one in told if one[1]] == [
        ("send", "first"),
        ("in_app_message_view", "first"),
        ("in_app_message_click", "first"),
        ("send", "second"),
        ("content_card_view", "second"),
        ("content_card_dismiss", "second"),
        ("send", "third"),
        ("in_app_message_view", "third"),
    ]


def test_escape_closes_a_message_that_was_shown_and_the_focus_goes_back(
    segue: SegueServer, shop: str, page: Page
) -> None:
    page.goto(f"{shop}?user=bob")
    page.focus("#look")
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Offer")
    expect(dialog.get_by_role("button", name="Claim")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(page.locator("#look")).to_be_focused()
    page.reload()  # shown once: it does not come again
    page.click("#buy")
    expect(page.get_by_role("listitem")).to_contain_text("Thank you")
    expect(page.get_by_role("dialog")).to_have_count(0)
    clicks = [one for one in acts(segue, "bob") if one[0] == "in_app_message_click"]
    assert clicks == []


def test_a_pinned_card_has_no_button_that_dismisses_it(shop: str, page: Page) -> None:
    page.goto(f"{shop}?user=cid")
    page.click("#buy")
    card = page.get_by_role("listitem")
    expect(card).to_contain_text("Thank you")
    expect(card.get_by_role("button")).to_have_count(0)
    expect_no_problem(page)


def test_what_is_reported_while_the_server_is_away_goes_out_from_the_next_page_once(
    segue: SegueServer, shop: str, page: Page
) -> None:
    away = "**/sdk/v1/**"

    def refuse(route: Route) -> None:
        route.abort()

    page.route(away, refuse)
    page.goto(f"{shop}?user=dan")
    page.click("#look")
    page.click("#buy")
    page.reload()
    assert acts(segue, "dan") == []
    page.unroute(away, refuse)
    page.reload()
    expect(page.get_by_role("dialog")).to_contain_text("Ten per cent off")
    told = [one for one, campaign in acts(segue, "dan") if campaign is None]
    assert told == ["session_start", "looked", "purchase"]


def test_a_page_that_gets_no_stream_asks_from_time_to_time(shop: str, page: Page) -> None:
    page.route("**/sdk/v1/stream?*", lambda route: route.fulfill(status=429, body="{}"))
    page.goto(f"{shop}?user=fay")
    page.click("#look")
    expect(page.get_by_role("dialog")).to_contain_text("Ten per cent off")


def test_a_clock_that_is_wrong_hides_nothing(shop: str, page: Page) -> None:
    page.clock.set_fixed_time("2199-01-01T00:00:00Z")
    page.goto(f"{shop}?user=gil")
    page.click("#look")
    expect(page.get_by_role("dialog")).to_contain_text("Ten per cent off")


def test_a_device_that_shows_the_users_signature_speaks_for_them(
    page: Page, tmp_path_factory: pytest.TempPathFactory
) -> None:
    secret = "a-secret-of-the-shop"
    folder = tmp_path_factory.mktemp("signed") / "data"
    with SegueServer(folder, SEGUE_SDK__IDENTITY_SECRET=secret) as server:
        identity = hmac.new(secret.encode(), b"ann", "sha256").hexdigest()
        with shop_page(server.url, server.key_for("sdk"), identity) as url:
            page.goto(f"{url}?user=bob")
            expect(page.locator("#problems li").first).to_contain_text("Segue-Identity")
            page.goto(f"{url}?user=ann")
            page.click("#look")
            eventually(lambda: ("looked", None) in acts(server, "ann"), "the event")
            expect_no_problem(page)
        assert server.api.get("/api/v1/users/bob").status_code == 404
        page.goto("about:blank")  # closes the stream


def test_a_click_on_a_card_opens_its_link_and_is_reported_though_the_page_is_left(
    segue: SegueServer, shop: str, page: Page
) -> None:
    page.goto(f"{shop}?user=eve")
    page.click("#buy")
    page.get_by_role("link", name="Thank you").click()
    page.wait_for_url(f"{shop}?user=thanked")
    eventually(lambda: ("content_card_click", "bought") in acts(segue, "eve"), "the click")
    expect_no_problem(page)


def test_a_visitor_who_is_not_named_stays_the_same_on_the_next_page(
    segue: SegueServer, shop: str, page: Page
) -> None:
    page.goto(f"{shop}?")
    page.click("#look")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.reload()
    page.click("#buy")
    expect(page.get_by_role("listitem")).to_contain_text("Thank you")
    stored = page.evaluate("Object.entries(localStorage)")
    [visitor] = [value for name, value in stored if name.endswith(":user")]
    assert visitor.startswith("anonymous:")
    told = [one for one, campaign in acts(segue, visitor) if campaign is None]
    assert told == ["session_start", "looked", "purchase"]
    expect_no_problem(page)
