"""The composer in a browser: the walk of a new marketer, focus and sentence, and every step by axe.

The walk is "re-send to those who did not open, with two exceptions", from /compose to published:
at most 25 clicks (ux.md B11). A choice in a list counts as one, and typing as none.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.browser.conftest import PATIENCE_MS
from tests.support.composing import campaign, publish
from tests.support.members import PASSWORD, Member, member
from tests.support.servers import SegueServer

pytestmark = pytest.mark.slow

AXE = Path(__file__).parents[2] / "frontend/node_modules/axe-core/axe.min.js"
CLICKS_MAX = 25
STEPS = ("message", "delivery", "audience", "limits", "conversions", "review")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SegueServer]:
    with SegueServer(tmp_path_factory.mktemp("composer") / "data") as server:
        yield server


@pytest.fixture(scope="module")
def publisher(server: SegueServer) -> Member:
    return member(server, "publisher")


@pytest.fixture(scope="module")
def sale(server: SegueServer) -> str:
    slug = campaign(server, "sale")
    publish(server, slug)
    return slug


@pytest.fixture
def tab(browser: Browser, server: SegueServer, publisher: Member) -> Iterator[Page]:
    context = signed_in(browser, server, publisher)
    yield opened(context)
    context.close()


def signed_in(
    browser: Browser, server: SegueServer, publisher: Member, **options: object
) -> BrowserContext:
    context = browser.new_context(**options)  # type: ignore[arg-type]
    tab = opened(context)
    tab.goto(f"{server.url}/sign-in")
    tab.fill("#email", publisher.email)
    tab.fill("#password", PASSWORD)
    tab.get_by_role("button", name="Sign in").click()
    tab.wait_for_url(f"{server.url}/")
    tab.close()
    return context


def opened(context: BrowserContext) -> Page:
    tab = context.new_page()
    tab.set_default_timeout(PATIENCE_MS)
    return tab


def named(tab: Page, name: str) -> Locator:
    return tab.locator(f'[name="{name}"]')


class Hand:
    """A hand on the mouse that counts its clicks."""

    def __init__(self, tab: Page) -> None:
        self.tab = tab
        self.clicks = 0

    def press(self, name: str, role: str = "button") -> None:
        self.clicks += 1
        self.tab.get_by_role(role, name=name).click()  # type: ignore[arg-type]
        self.tab.wait_for_load_state()

    def choose(self, name: str, value: str) -> None:
        """Choose in a list, and wait until the page has taken it in."""
        self.clicks += 1
        with self.tab.expect_response(lambda one: one.request.method == "POST"):
            named(self.tab, name).select_option(value)


def test_a_resend_with_two_exceptions_takes_at_most_25_clicks(
    tab: Page, server: SegueServer, sale: str
) -> None:
    hand = Hand(tab)
    tab.goto(f"{server.url}/compose")
    hand.clicks += 1
    tab.locator("#campaign-resend").select_option(sale)
    hand.press("Begin: Re-send to those who did not open")
    hand.press("Continue to Delivery")
    hand.press("Add an exception")
    hand.choose("delivery.exceptions[1].kind", "purchase")
    expect(tab.locator("#sentence")).to_contain_text("makes a purchase")
    hand.clicks += 1
    tab.locator("#step-review").click()
    hand.press("Publish …", "link")
    button = tab.get_by_role("button", name="Publish", exact=True)
    button.wait_for()
    for box in tab.locator('input[name="accept"]').all():
        hand.clicks += 1
        box.check()
    hand.clicks += 1
    button.click()
    expect(tab.get_by_role("status").filter(has_text="is published")).to_be_visible()
    assert hand.clicks <= CLICKS_MAX, hand.clicks
    found = server.api.get("/api/v1/campaigns?limit=100").json()["data"]
    made = max(found, key=lambda one: one["id"])
    assert made["status"] == "active"
    assert len(made["document"]["delivery"]["exceptions"]) == 2


def test_the_same_walk_goes_by_keys_alone(tab: Page, server: SegueServer, sale: str) -> None:
    tab.goto(f"{server.url}/compose")
    tab.locator("#campaign-resend").focus()
    tab.keyboard.press("Tab")
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/message")
    press_by_keys(tab, "Continue to Delivery")
    tab.wait_for_url("**/delivery")
    press_by_keys(tab, "Add an exception")
    tab.wait_for_url("**/delivery#*")
    kind = named(tab, "delivery.exceptions[1].kind")
    expect(kind).to_be_focused()  # the button led on to what it made
    with tab.expect_response(lambda one: one.request.method == "POST"):
        tab.keyboard.type("makes a pur")
        tab.keyboard.press("Tab")
    expect(tab.locator("#sentence")).to_contain_text("makes a purchase")
    expect(named(tab, "delivery.exceptions[1].purchase.product_id")).to_be_visible()
    tab.locator("#step-review").focus()
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/review")
    tab.get_by_role("link", name="Publish …").focus()
    tab.keyboard.press("Enter")
    button = tab.get_by_role("button", name="Publish", exact=True)
    button.wait_for()
    for box in tab.locator('input[name="accept"]').all():
        box.focus()
        tab.keyboard.press("Space")
    button.focus()
    tab.keyboard.press("Enter")
    expect(tab.get_by_role("status").filter(has_text="is published")).to_be_visible()


def press_by_keys(tab: Page, name: str) -> None:
    """Press a button that the Tab key comes to."""
    tab.locator("#main").focus()
    for _ in range(80):
        tab.keyboard.press("Tab")
        if tab.evaluate("() => document.activeElement.innerText.trim()") == name:
            tab.keyboard.press("Enter")
            return
    raise AssertionError(f"Tab does not come to {name!r}")


def begin(tab: Page, server: SegueServer, sale: str, step: str) -> str:
    """Begin a re-send, and go to a step of it; return the address before the step."""
    tab.goto(f"{server.url}/compose")
    tab.locator("#campaign-resend").select_option(sale)
    tab.get_by_role("button", name="Begin: Re-send").click()
    tab.wait_for_url("**/message")
    base = tab.url.rpartition("/")[0]
    tab.goto(f"{base}/{step}")
    return base


def test_a_change_rewrites_the_sentence_and_leaves_the_focus_where_it_is(
    tab: Page, server: SegueServer, sale: str
) -> None:
    begin(tab, server, sale, "delivery")
    unit = tab.locator('[name="delivery.delay.after.unit"]')
    tab.fill('[name="delivery.delay.after"]', "3")
    unit.focus()  # leaving the amount tells it
    expect(tab.locator("#sentence")).to_contain_text("wait 3 days")
    expect(unit).to_be_focused()
    expect(tab.locator(".drawing")).to_contain_text("wait 3 days")
    assert "go=" not in tab.url


def test_conditions_come_one_after_another_and_are_not_repeated(
    tab: Page, server: SegueServer, sale: str
) -> None:
    begin(tab, server, sale, "delivery")
    place = "delivery.triggers[0]"
    named(tab, f"{place}.kind").select_option("event")
    named(tab, f"{place}.event").fill("added_to_cart")
    named(tab, f"{place}.event.where[0].property").fill("value")
    tab.keyboard.press("Tab")
    named(tab, f"{place}.event.where[0].more0").select_option("gte")
    named(tab, f"{place}.event.where[0].gte").fill("100")
    tab.keyboard.press("Tab")
    named(tab, f"{place}.event.where[0].more1").select_option("lt")
    named(tab, f"{place}.event.where[0].lt").fill("200")
    tab.keyboard.press("Tab")
    with tab.expect_response(lambda one: one.request.method == "POST"):
        named(tab, f"{place}.event.where[0].gte.operator").select_option("gt")
    expect(named(tab, f"{place}.event.where[0].gt")).to_have_value("100")
    expect(named(tab, f"{place}.event.where[0].gte")).to_have_count(0)
    expect(named(tab, f"{place}.event.where[0].lt")).to_have_value("200")
    expect(tab.locator(f'[name="{place}.event.where[1].property"]')).to_have_value("")


def test_a_jump_lands_in_its_field_where_it_is_folded_away_too(
    tab: Page, server: SegueServer, sale: str
) -> None:
    base = begin(tab, server, sale, "review")
    tab.get_by_role("link", name="Edit Slug").click()
    tab.wait_for_url(f"{base}/message#slug")
    expect(tab.locator("#slug")).to_be_focused()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_any_step_and_nothing_scrolls_sideways(
    browser: Browser, server: SegueServer, publisher: Member, sale: str, theme: str
) -> None:
    size = {"width": 320, "height": 640}
    context = signed_in(browser, server, publisher, color_scheme=theme, viewport=size)
    tab = opened(context)
    told: list[str] = []
    tab.on("console", lambda one: told.append(one.text) if one.type == "error" else None)
    tab.on("pageerror", lambda one: told.append(str(one)))
    base = begin(tab, server, sale, "message")
    for step in (*STEPS, "outlook", "compare"):
        tab.goto(f"{base}/{step}")
        tab.evaluate(AXE.read_text())
        found = tab.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
        assert [(one["id"], one["nodes"][0]["html"]) for one in found["violations"]] == [], step
        assert tab.evaluate("() => document.documentElement.scrollWidth") == 320, step
    context.close()
    assert told == []


def test_every_step_works_without_scripts(
    browser: Browser, server: SegueServer, publisher: Member, sale: str
) -> None:
    context = signed_in(browser, server, publisher, java_script_enabled=False)
    tab = opened(context)
    base = begin(tab, server, sale, "delivery")
    tab.get_by_role("button", name="Add an exception").click()
    named(tab, "delivery.exceptions[1].kind").select_option("event")
    tab.get_by_role("button", name="Save").last.click()
    named(tab, "delivery.exceptions[1].event").fill("unsubscribed")
    tab.get_by_role("button", name="Continue to Audience").click()
    tab.goto(f"{base}/review")
    expect(tab.locator("main")).to_contain_text("the user does the event")
    tab.get_by_role("link", name="Publish …").click()
    tab.get_by_role("link", name="Show it when it is ready").click()
    tab.get_by_role("button", name="Publish", exact=True).click()
    expect(tab.get_by_role("status")).to_contain_text("is published")
    context.close()
