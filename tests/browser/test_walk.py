"""One walk through the dashboard as a new person makes it, from the first start to the numbers.

First link, demo data, a follower for those who do not open, published with what it follows,
its wait skipped in a rehearsal, why somebody else got nothing, the graph. Nothing in it sleeps.
"""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import PATIENCE_MS
from tests.support.members import PASSWORD
from tests.support.rehearsing import PERSON
from tests.support.servers import SegueServer

pytestmark = pytest.mark.slow

CLICKS_MAX = 25  # to compose and publish; a choice in a list is one, and typing none
LONG_MS = 2 * PATIENCE_MS
SLUG = "first-message-again-to-non-openers"
FIRST, AGAIN = "First message", "First message: again to non-openers"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SegueServer]:
    sender = {"SEGUE_CHANNELS__EMAIL__FROM": "Shop <hi@shop.test>"}
    with SegueServer(tmp_path_factory.mktemp("walk") / "data", **sender) as server:
        yield server


class Hand:
    """A hand on the mouse that counts its clicks."""

    def __init__(self, tab: Page) -> None:
        self.tab = tab
        self.clicks = 0

    def click(self, target: Locator) -> None:
        self.clicks += 1
        target.click()

    def press(self, name: str, role: str = "button") -> None:
        self.click(self.tab.get_by_role(role, name=name, exact=True))  # type: ignore[arg-type]

    def choose(self, selector: str, value: str) -> None:
        self.clicks += 1
        self.tab.locator(selector).select_option(value)


def test_a_new_person_connects_two_campaigns_and_sees_both_work(
    browser: Browser, server: SegueServer
) -> None:
    context = browser.new_context(user_agent=PERSON)
    context.set_default_timeout(LONG_MS)
    tab = context.new_page()
    begin(tab, server)
    compose_and_publish(tab)
    receive_live(tab, server)
    rehearse(tab)
    ask_why(tab)
    see_both_numbers(tab)
    context.close()


def begin(tab: Page, server: SegueServer) -> None:
    """Make the first account by its link, and put demo data in."""
    tab.goto(server.first_link)
    tab.get_by_label("Email address").fill("ines@shop.test")
    tab.get_by_label("Password").fill(PASSWORD)
    tab.get_by_role("button", name="Create the account").click()
    tab.get_by_role("button", name="Try with demo data").click()
    expect(status(tab)).to_contain_text("6 connected campaigns are active")


def compose_and_publish(tab: Page) -> None:
    """Write a re-send with two exceptions after a new campaign; publish both, follow-on first."""
    hand = Hand(tab)
    hand.press("Compose", "link")
    hand.choose("#campaign-resend", "")
    hand.press("Begin: Re-send to those who did not open")
    hand.press("Continue to Delivery")
    hand.press("Add an exception")
    kind = '[name="delivery.exceptions[1].kind"]'
    with tab.expect_response(lambda one: one.request.method == "POST"):
        hand.choose(kind, "purchase")
    sentence = tab.locator("#sentence")
    expect(sentence).to_contain_text("wait 7 days")
    expect(sentence).to_contain_text("opens “First message”")
    expect(sentence).to_contain_text("makes a purchase")
    hand.click(tab.locator("#step-review"))
    hand.press("Keep as a draft")
    hand.click(tab.locator("#navigation").get_by_role("link", name="Campaigns"))
    hand.press(FIRST, "link")
    hand.press("Review and publish")
    hand.press("Publish …", "link")
    # The warning about the order, and what to do about it.
    warning = f"{SLUG} follows this campaign and is a draft: what happens before it is published"
    expect(tab.get_by_role("group", name="Warnings")).to_contain_text(warning)
    order = tab.get_by_role("region", name="Drafts that go with it")
    expect(order.get_by_role("listitem")).to_have_text([AGAIN, FIRST])
    hand.click(tab.get_by_label("Publish both, follow-on first"))
    for box in tab.locator('input[name="accept"]').all():
        hand.click(box)
    hand.press("Publish")
    expect(status(tab)).to_contain_text(f"is published, with {SLUG} at the same instant")
    assert hand.clicks <= CLICKS_MAX, hand.clicks


def receive_live(tab: Page, server: SegueServer) -> None:
    """Let a test user get the first message on their phone, and not open it."""
    tab.goto(f"{server.url}/phone/ada?view=mail")
    send_event(tab, "ada", "signed_up")
    expect(mails(tab).filter(has_text="Hello, Ada")).to_have_count(1)
    expect(tab.locator(".lines")).to_contain_text(f"ada waits for “{AGAIN}”")


def rehearse(tab: Page) -> None:
    """Skip the wait in a rehearsal: who does not open the first message gets the second."""
    tab.goto(f"{origin(tab)}/campaigns/{SLUG}")
    tab.get_by_role("button", name="Rehearse on a phone").click()
    expect(tab.locator("segue-phone")).to_have_count(2)
    lazy, keen = tab.locator("segue-phone").all()
    for phone in (lazy, keen):
        send_event(phone, name_of(phone), "signed_up")
        expect(mails(phone)).to_have_count(1)
    time = tab.locator(".time")
    expect(time).to_contain_text(re.compile(rf"“{AGAIN}” for \w+, in 6 days 23 h"))
    time.get_by_role("button", name="Skip 1 hour").click()  # an open at once is a machine's
    mails(keen).click()
    expect(keen.locator(".lines")).to_contain_text(f"{name_of(keen)} opened “{FIRST}”")
    expect(time).to_contain_text(f"“{AGAIN}” for {name_of(lazy)}, in 6 days 22 h")
    time.get_by_role("button", name="Skip to the next waiting send").click()
    expect(status(tab)).to_contain_text(f"“{AGAIN}” for {name_of(lazy)} was due")
    tab.goto(re.sub(r"/phone\?.*", "", tab.url))
    expect(mails(lazy)).to_have_count(2)
    expect(mails(keen)).to_have_count(1)


def ask_why(tab: Page) -> None:
    """Ask why the other one got nothing."""
    keen = tab.locator("segue-phone").last
    name = name_of(keen)
    keen.get_by_role("link", name=f"Why did {name} get something, or not?").click()
    tab.get_by_label("Which campaign").select_option(AGAIN)
    tab.get_by_role("button", name="Why?").click()
    answer = tab.locator(".answer")
    expect(answer).to_contain_text("cancelled")
    expect(answer).to_contain_text(f"{name} opened “{FIRST}”")


def see_both_numbers(tab: Page) -> None:
    """See in the graph what is live: one got the first message, and waits for the second."""
    tab.goto(f"{origin(tab)}/connections?near=first-message")
    node = tab.get_by_role("link", name=f"{FIRST}, email, active, 1 sent, leads to 1 campaign")
    node.focus()
    expect(tab.locator(".graph-detail")).to_contain_text("1 entered, 1 waiting, 0 cancelled")


def name_of(phone: Locator) -> str:
    return phone.get_attribute("data-user") or ""


def status(tab: Page) -> Locator:
    return tab.locator(".flash[role=status]")


def mails(within: Page | Locator) -> Locator:
    return within.locator("a.mail")


def send_event(within: Page | Locator, user_id: str, name: str) -> None:
    within.get_by_label(f"Send an event of {user_id}").fill(name)
    within.get_by_role("button", name="Send the event").click()


def origin(tab: Page) -> str:
    return "/".join(tab.url.split("/")[:3])
