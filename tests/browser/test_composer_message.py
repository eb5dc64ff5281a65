"""The composer's first step in a browser: the preview follows what is typed, on both grounds."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, FrameLocator, Page, expect

from tests.browser.conftest import PATIENCE_MS
from tests.support.composing import Writing, campaign
from tests.support.members import PASSWORD, Member, member
from tests.support.servers import SegueServer

pytestmark = pytest.mark.slow

AXE = Path(__file__).parents[2] / "frontend/node_modules/axe-core/axe.min.js"
# What the email says for dark inboxes is not for the inliner to move.
HTML = (
    "<html><head><style>@media (prefers-color-scheme: dark) { h1 { color: rgb(1, 2, 3) } }</style>"
    "</head><body><h1>Hi {{ first_name }}</h1><script>document.title = 'ran'</script>"
    "<p>{{ unsubscribe_url }}</p></body></html>"
)
MESSAGES = [
    {"email": {"from": "Shop <hi@shop.test>", "subject": "Hi", "html": HTML}},
    {"push": {"title": "A push", "body": "for {{ first_name }}"}},
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SegueServer]:
    with SegueServer(tmp_path_factory.mktemp("message") / "data") as server:
        server.user("ann", first_name="Ann", email="ann@shop.test")
        yield server


@pytest.fixture(scope="module")
def author(server: SegueServer) -> Member:
    return member(server, "author")


@pytest.fixture
def writing(server: SegueServer, author: Member) -> Writing:
    slug = campaign(server, "seen", messages=MESSAGES)
    return Writing(author, begin="edit", campaign=slug)


@pytest.fixture
def context(browser: Browser, server: SegueServer, author: Member) -> Iterator[BrowserContext]:
    context = browser.new_context(color_scheme="light")
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    context.request.post(
        f"{server.url}/sign-in", form={"email": author.email, "password": PASSWORD}
    )
    yield context
    context.close()


@pytest.fixture
def tab(context: BrowserContext, server: SegueServer, writing: Writing) -> Page:
    tab = context.new_page()
    tab.set_default_timeout(PATIENCE_MS)
    tab.goto(f"{server.url}{writing.path}/message", wait_until="load")
    return tab


def frame(tab: Page) -> FrameLocator:
    return tab.frame_locator("#preview iframe")


def test_the_preview_follows_what_is_typed_and_keeps_it(tab: Page, writing: Writing) -> None:
    expect(frame(tab).locator("h1")).to_have_text("Hi Ann", timeout=PATIENCE_MS)
    before = tab.evaluate("history.length")
    html = tab.locator("[id='messages[0].email.html']")
    html.fill("<h1>Dear {{ first_name }}</h1>{{ unsubscribe_url }}")
    expect(frame(tab).locator("h1")).to_have_text("Dear Ann", timeout=PATIENCE_MS)
    html.press("End")
    html.press_sequentially(" <h1>and</h1>")
    expect(frame(tab).locator("h1")).to_have_count(2, timeout=PATIENCE_MS)
    expect(html).to_be_focused()
    assert tab.evaluate("history.length") == before
    assert "and" in dict(writing.form("message"))["messages[0].email.html"]
    subject = tab.locator("[id='messages[0].email.subject']")
    subject.fill("Hi <script>alert(1)</script> {{ first_nme }}")
    expect(tab.locator("#preview-subject")).to_contain_text("<script>alert(1)</script>")
    note = tab.locator(".notes li").filter(has_text="nearest: first_name")
    note.get_by_role("link").click()
    expect(subject).to_be_focused()


def test_the_ground_turns_dark_for_what_the_email_says_of_it(tab: Page) -> None:
    title = frame(tab).locator("h1")
    expect(title).to_have_css("color", "rgb(0, 0, 0)", timeout=PATIENCE_MS)
    tab.get_by_label("Ground").select_option("dark")
    expect(title).to_have_css("color", "rgb(1, 2, 3)", timeout=PATIENCE_MS)
    expect(frame(tab).locator("p")).to_have_css("color", "rgb(255, 255, 255)")
    expect(tab.locator("html")).to_have_css("color-scheme", "light dark")  # ours stays as it is
    tab.get_by_label("Width").select_option("640")
    expect(tab.locator(".mail-frame[data-width='640'] iframe")).to_have_css("width", "640px")


def test_the_preview_goes_along_with_the_message_that_is_written(tab: Page) -> None:
    tab.locator("[id='messages[1].push.title']").click()
    expect(frame(tab).locator(".note h1")).to_have_text("A push", timeout=PATIENCE_MS)
    expect(tab.get_by_label("Message", exact=True)).to_have_value("messages[1]")
    # Settings outlast a button that writes the page anew.
    tab.get_by_text("Attributes and event").click()
    tab.get_by_label("Attributes, as JSON").fill('{"first_name": "Zoë"}')
    expect(frame(tab).locator(".note p")).to_have_text("for Zoë", timeout=PATIENCE_MS)
    tab.get_by_role("button", name="Add a button").first.click()
    expect(tab.locator("[id='messages[1].push.buttons[0].id']")).to_be_focused()
    expect(frame(tab).locator(".note p")).to_have_text("for Zoë", timeout=PATIENCE_MS)


def test_an_id_that_is_typed_is_of_the_user_who_is_meant(tab: Page) -> None:
    tab.get_by_label("User’s id").fill("nobody")
    expect(tab.locator("[id='preview.user-fault']")).to_contain_text("There is no user 'nobody'")
    tab.get_by_label("User’s id").fill("ann")
    expect(tab.locator(".as-whom")).to_contain_text("As ann", timeout=PATIENCE_MS)
    expect(frame(tab).locator("h1")).to_have_text("Hi Ann")


def test_the_reference_is_copied_from(tab: Page) -> None:
    tab.get_by_text("What Liquid can say here").click()
    tab.get_by_role("button", name="Copy {{ first_name }}").click()
    expect(tab.get_by_role("button", name="Copy {{ first_name }}")).to_have_text("Copied")
    assert tab.evaluate("navigator.clipboard.readText()") == "{{ first_name }}"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_the_pane_and_nothing_scrolls_sideways(tab: Page, theme: str) -> None:
    tab.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    tab.locator("[id='messages[0].email.subject']").fill("{{ first_nme }}")
    expect(tab.locator(".notes li").first).to_be_visible(timeout=PATIENCE_MS)
    for details in tab.locator("#preview details, .message details").all():
        details.evaluate("(one) => { one.open = true; }")
    for width in (1280, 320):
        tab.set_viewport_size({"width": width, "height": 700})
        tab.evaluate(AXE.read_text())
        found = tab.evaluate(
            "() => axe.run(document, {resultTypes: ['violations'], iframes: false})"
        )
        assert [
            (one["id"], [n["html"][:200] for n in one["nodes"]]) for one in found["violations"]
        ] == []
        assert tab.evaluate("document.documentElement.scrollWidth") == width
