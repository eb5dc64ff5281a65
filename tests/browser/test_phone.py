"""The phone in a browser: a chain of three campaigns by taps, mails in their frame, no script."""

import re
from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.browser.conftest import PATIENCE_MS, complaints
from tests.support.members import PASSWORD, member
from tests.support.phone_shop import open_shop
from tests.support.servers import SegueServer, eventually

pytestmark = pytest.mark.slow

LONG_MS = 4 * PATIENCE_MS
# What a headless browser calls itself is known as that of a link preview, which clicks nothing.
AGENT = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/140.0.0.0 Safari/537.36"
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SegueServer]:
    with SegueServer(tmp_path_factory.mktemp("phone") / "data") as server:
        for role in ("author", "viewer"):
            member(server, role)
        open_shop(server)
        yield server


def signed_in(
    browser: Browser, server: SegueServer, role: str, *, with_script: bool = True
) -> BrowserContext:
    context = browser.new_context(user_agent=AGENT, java_script_enabled=with_script)
    context.set_default_timeout(LONG_MS)
    tab = context.new_page()
    tab.goto(f"{server.url}/sign-in")
    tab.fill("#email", f"{role}@shop.test")
    tab.fill("#password", PASSWORD)
    tab.get_by_role("button", name="Sign in").click()
    tab.wait_for_url(f"{server.url}/")
    tab.close()
    return context


@pytest.fixture
def tab(browser: Browser, server: SegueServer) -> Iterator[Page]:
    context = signed_in(browser, server, "author")
    tab = context.new_page()
    yield tab
    context.close()


def opened(tab: Page, server: SegueServer, path: str) -> None:
    """Open phones, and wait until they hear of what comes."""
    tab.goto(server.url + path)
    expect(tab.locator("[data-state]")).to_have_text("Live", timeout=LONG_MS)


def lines(tab: Page, text: str) -> Locator:
    """Return the lines beside the phone that came of a tap, and say something."""
    return tab.locator(".lines .is-of-tap").filter(has_text=text)


def show(tab: Page, view: str) -> None:
    tab.get_by_role("link", name=re.compile(f"^{view}")).click()


def test_a_chain_goes_from_an_event_to_the_third_campaigns_text(
    tab: Page, server: SegueServer
) -> None:
    server.user("ann", test_user=True, first_name="Ann")
    opened(tab, server, "/phone/ann")
    expect(tab.get_by_text("No push has come to ann")).to_be_visible()
    server.event("ann", "sale_started")  # elsewhere, so that nothing is because of a tap
    push = tab.get_by_role("article", name="Push from Spring sale: Spring sale, Ann")
    expect(push).to_be_visible(timeout=LONG_MS)
    expect(tab.get_by_role("status")).to_contain_text("New: Push from Spring sale")
    expect(tab.locator(".lines li").filter(has_text="enters “Spring sale”")).to_have_count(1)
    expect(tab.locator(".is-of-tap")).to_have_count(0)

    claim = push.get_by_role("button", name="Claim 10 %: Push from Spring sale: Spring sale, Ann")
    claim.press("Enter")
    expect(lines(tab, "ann enters “Your 10 %”.")).to_have_count(1, timeout=LONG_MS)
    expect(lines(tab, 'clicked the button "claim"')).to_contain_text("because of your tap")
    expect(push).to_contain_text("button pressed")
    expect(claim).to_be_focused()

    show(tab, "App")
    app = tab.frame_locator("iframe[title='Sample app of ann']")
    expect(app.get_by_text("10 % for you")).to_be_visible(timeout=LONG_MS)
    expect(lines(tab, "ann saw the content card of “Your 10 %”.")).to_have_count(1, timeout=LONG_MS)
    app.get_by_role("button", name="Dismiss").click()
    expect(app.get_by_text("10 % for you")).to_have_count(0)
    expect(lines(tab, "ann enters “Reminder”.")).to_have_count(1, timeout=LONG_MS)
    expect(tab.get_by_role("status")).to_contain_text("New: Text from Reminder", timeout=LONG_MS)
    expect(tab.get_by_role("region", name="App of ann")).to_contain_text("seen, dismissed")

    show(tab, "Texts")
    expect(tab.get_by_role("article", name="Text from Reminder")).to_be_visible()
    tab.get_by_role("button", name="Follow “link-1”").click()
    expect(tab.get_by_role("status")).to_contain_text("It leads to https://shop.test/s?a=1")
    expect(lines(tab, "ann followed a link in the SMS")).to_have_count(1, timeout=LONG_MS)
    tab.get_by_label("Text back").fill("Which sizes?")
    tab.get_by_label("Text back").press("Enter")
    expect(tab.get_by_role("article", name="Texted back by ann")).to_contain_text("Which sizes?")
    assert server.decisions("ann", "reminder") == [("enter", None), ("send", None)]


def test_a_mail_that_is_read_loads_its_pixel_and_its_links_lead_on(
    tab: Page, server: SegueServer
) -> None:
    server.user("ben", test_user=True)
    opened(tab, server, "/phone/ben?view=mail")
    tab.get_by_label("Send an event of ben").fill("signed_up")
    tab.get_by_role("button", name="Send the event").click()
    mail = tab.get_by_role("link", name=re.compile("^Mail from Welcome: .* not opened$"))
    expect(mail).to_be_visible(timeout=LONG_MS)
    tab.wait_for_timeout(2_500)  # an open within two seconds is a machine's
    mail.click()
    frame = tab.frame_locator("iframe[title^='Mail from Welcome']")
    expect(frame.get_by_text("Look at")).to_be_visible()
    expect(lines(tab, "ben opened “Welcome”.")).to_have_count(1, timeout=LONG_MS)
    # The frame is not loaded anew by what comes meanwhile.
    server.event("ben", "elsewhere")
    expect(tab.locator(".lines li").filter(has_text="elsewhere")).to_have_count(1, timeout=LONG_MS)
    with tab.context.expect_page() as beside:
        frame.get_by_role("link", name="the sale").click()
    beside.value.close()
    expect(lines(tab, 'ben clicked the link "cta" in “Welcome”.')).to_have_count(1, timeout=LONG_MS)
    assert tab.url.startswith(f"{server.url}/phone/ben")
    opens = [one for one in server.timeline("ben") if one.get("name") == "email_open"]
    assert len(opens) == 1
    tab.get_by_role("button", name="Unsubscribe").click()
    expect(lines(tab, "ben unsubscribed from email by “Welcome”.")).to_have_count(
        1, timeout=LONG_MS
    )
    tab.get_by_role("link", name="All mail").click()
    expect(
        tab.get_by_role(
            "link", name=re.compile("^Mail from Welcome: .* opened, link followed, unsubscribed$")
        )
    ).to_be_visible()


def test_an_in_app_message_is_shown_by_the_sdk_over_the_sample_app(
    tab: Page, server: SegueServer
) -> None:
    server.user("cem", test_user=True)
    opened(tab, server, "/phone/cem?view=app")
    tab.get_by_label("Send an event of cem").fill("signed_up")
    tab.get_by_role("button", name="Send the event").click()
    app = tab.frame_locator("iframe[title='Sample app of cem']")
    dialog = app.get_by_role("dialog", name="Hello")
    expect(dialog).to_be_visible(timeout=LONG_MS)
    dialog.get_by_role("button", name="Go").click()
    expect(lines(tab, 'clicked the button "go" in the in-app message')).to_have_count(
        1, timeout=LONG_MS
    )
    show(tab, "Webhooks")
    expect(tab.get_by_role("article", name="Webhook from Tell the CRM")).to_contain_text(
        "POST https://crm.test/hook"
    )


def test_phones_side_by_side_hear_each_of_their_own(tab: Page, server: SegueServer) -> None:
    for user_id in ("dan", "eli"):
        server.user(user_id, test_user=True, first_name=user_id.capitalize())
    opened(tab, server, "/phone?users=dan,eli")
    dan, eli = (tab.get_by_role("region", name=f"Phone of {one}") for one in ("dan", "eli"))
    eli.get_by_label("Send an event of eli").fill("sale_started")
    eli.get_by_role("button", name="Send the event").click()
    expect(eli.get_by_role("article", name="Push from Spring sale")).to_be_visible(timeout=LONG_MS)
    eli.get_by_role("button", name="Page 2: Hats").click()
    expect(eli.get_by_role("article")).to_contain_text("page pressed", timeout=LONG_MS)
    expect(dan.get_by_text("No push has come to dan")).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_on_a_phone_that_has_everything(
    tab: Page, server: SegueServer, theme: Literal["light", "dark"]
) -> None:
    user_id = f"{theme}-hue"
    server.user(user_id, test_user=True)
    for event in ("sale_started", "signed_up"):
        server.event(user_id, event)
    tab.emulate_media(color_scheme=theme)
    tab.set_viewport_size({"width": 320, "height": 640})
    opened(tab, server, f"/phone/{user_id}")
    claim = tab.get_by_role("button", name="Claim 10 %")
    expect(claim).to_be_visible(timeout=LONG_MS)
    claim.click()
    expect(lines(tab, "enters “Your 10 %”.")).to_have_count(1, timeout=LONG_MS)
    for view, part in {
        "Lock screen": "Push from Spring sale",
        "App": "Card from Your 10 %",
        "Webhooks": "Webhook from Tell the CRM",
    }.items():
        show(tab, view)
        expect(tab.get_by_role("article", name=part)).to_be_visible()
        assert complaints(tab) == [], view
    show(tab, "Mail")
    assert complaints(tab) == []
    tab.get_by_role("link", name=re.compile("^Mail from Welcome")).click()
    expect(tab.get_by_role("heading", name="Welcome to the shop")).to_be_focused()
    assert complaints(tab) == []
    assert tab.evaluate("() => document.documentElement.scrollWidth") == 320


def test_a_viewer_looks_on_and_is_offered_nothing_to_tap(
    browser: Browser, server: SegueServer
) -> None:
    server.user("fay", test_user=True)
    context = signed_in(browser, server, "viewer")
    tab = context.new_page()
    opened(tab, server, "/phone/fay")
    server.event("fay", "sale_started")
    server.event("fay", "signed_up")
    push = tab.get_by_role("article", name="Push from Spring sale")
    expect(push).to_be_visible(timeout=LONG_MS)
    expect(push.get_by_role("button")).to_have_count(0)
    show(tab, "App")
    expect(tab.get_by_role("article", name="In-app message from Hello")).to_be_visible()
    assert tab.locator("iframe").count() == 0
    show(tab, "Mail")
    tab.get_by_role("link", name=re.compile("Mail from Welcome")).click()
    frame = tab.frame_locator("iframe[title^='Mail from Welcome']")
    frame.get_by_role("link", name="the sale").click()
    expect(frame.get_by_text("Look at")).to_be_visible()
    context.close()
    names = {one.get("name") for one in server.timeline("fay")}
    assert not {"email_open", "email_click", "in_app_message_view", "session_start"} & names


def test_without_a_script_a_button_is_pressed_by_a_form(
    browser: Browser, server: SegueServer
) -> None:
    server.user("gil", test_user=True)
    context = signed_in(browser, server, "author", with_script=False)
    tab = context.new_page()
    tab.goto(f"{server.url}/phone/gil")
    tab.get_by_label("Send an event of gil").fill("sale_started")
    tab.get_by_role("button", name="Send the event").click()
    expect(tab.locator(".is-of-tap").first).to_contain_text("gil")
    api = "/api/v1/phones/gil/messages"
    eventually(lambda: server.api.get(api).json()["data"], "the push")
    tab.goto(f"{server.url}/phone/gil")
    tab.get_by_role("button", name="Claim 10 %").click()
    expect(tab.locator(".flash")).to_contain_text("Done: Claim 10 %.")
    eventually(lambda: len(server.api.get(api).json()["data"]) == 2, "the card")
    show(tab, "App")
    tab.get_by_role("button", name="Dismiss").click()
    expect(lines(tab, "gil enters “Reminder”.")).to_have_count(1)
    context.close()


def test_a_rehearsal_goes_on_by_taps_after_a_skip_and_says_when_it_has_ended(
    tab: Page, server: SegueServer
) -> None:
    server.user("hal", test_user=True, first_name="Hal")
    tab.goto(f"{server.url}/phone/hal")
    tab.get_by_role("button", name="Rehearse with hal").click()
    tab.get_by_label("Send an event of hal").fill("sale_started")
    tab.get_by_role("button", name="Send the event").click()
    show(tab, "Lock screen")
    claim = tab.get_by_role("button", name="Claim 10 %")
    expect(claim).to_be_visible(timeout=LONG_MS)
    tab.get_by_role("button", name="Skip 1 day").click()  # past the life of every token
    expect(tab.locator(".time")).to_contain_text("1 day ahead")
    claim.click()
    expect(lines(tab, "hal enters “Your 10 %”.")).to_have_count(1, timeout=LONG_MS)
    show(tab, "App")
    app = tab.frame_locator("iframe[title='Sample app of hal']")
    expect(app.get_by_text("10 % for you")).to_be_visible(timeout=LONG_MS)
    app.get_by_role("button", name="Dismiss").click()
    expect(lines(tab, "hal enters “Reminder”.")).to_have_count(1, timeout=LONG_MS)
    show(tab, "Texts")
    expect(tab.get_by_role("article", name="Text from Reminder")).to_be_visible(timeout=LONG_MS)
    tab.get_by_role("button", name="Follow “link-1”").click()
    expect(tab.locator("[data-said]")).to_contain_text("It leads to https://shop.test/s?a=1")
    assert server.decisions("hal", "spring-sale") == []
    path = re.sub(r"/phone.*", "", tab.url)
    tab.context.request.post(f"{path}/end", form={"nothing": ""})
    expect(tab.locator("main")).to_contain_text("This rehearsal has ended", timeout=LONG_MS)
