"""Every registered page in a browser: axe, both themes, 320 pixels, keys, bytes, no script."""

import re
from collections.abc import Iterator

import pytest
from msgspec import Struct
from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, expect

from segue.web.dashboard.registry import PAGES
from tests.browser.conftest import PATIENCE_MS, complaints
from tests.support.dashboard import Demo, demo_server, sign_in, signed_in_context

pytestmark = pytest.mark.slow

THEMES = ("light", "dark")
ADDRESSES = [(address, page.is_public) for page in PAGES for address in page.addresses]
BYTES_MAX = 100_000  # the first time, with everything that a page loads
BYTES_AGAIN_MAX = 15_000
TABS_MAX = 80
PAINTED = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
NARROW = {"width": 320, "height": 640}


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    with demo_server() as demo:
        yield demo


class Visit(Struct, frozen=True):
    """What was seen of a page in the one visit that several tests look at."""

    complaints: dict[str, list[str]]  # of axe, by theme, and of 320 pixels
    grounds: dict[str, str]  # the page's background by theme
    errors: list[str]  # what the browser's console told
    widths: list[int]  # at 320 pixels: of the document, its body, and the window
    bytes_first: float
    bytes_again: float


@pytest.fixture(scope="module")
def contexts(browser: Browser, demo: Demo) -> Iterator[dict[bool, BrowserContext]]:
    """A context for public pages, and one that is signed in."""
    made = {True: browser.new_context(), False: signed_in_context(browser, demo)}
    yield made
    for context in made.values():
        context.close()


@pytest.fixture(scope="module", params=ADDRESSES, ids=[address for address, _ in ADDRESSES])
def visit(
    request: pytest.FixtureRequest, contexts: dict[bool, BrowserContext], demo: Demo
) -> Visit:
    address, is_public = request.param
    tab = opened(contexts[is_public])
    errors: list[str] = []
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.on("console", lambda told: errors.append(told.text) if told.type == "error" else None)
    transferred = Bytes(tab)
    tab.goto(demo.url + address, wait_until="networkidle")
    first = transferred.count
    found, grounds = {}, {}
    for theme in THEMES:
        tab.emulate_media(color_scheme=theme)
        tab.evaluate(PAINTED)  # a busy browser recolours element by element
        found[theme] = complaints(tab)
        grounds[theme] = tab.evaluate("() => getComputedStyle(document.body).backgroundColor")
    tab.set_viewport_size(NARROW)
    before = transferred.count
    tab.goto(demo.url + address)
    again = transferred.count - before
    widths = tab.evaluate(
        "() => [document.documentElement.scrollWidth, document.body.scrollWidth, innerWidth]"
    )
    found["narrow"] = complaints(tab)
    tab.close()
    return Visit(found, grounds, errors, widths, first, again)


@pytest.fixture
def guest(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    yield opened(context)
    context.close()


@pytest.fixture
def tab(browser: Browser, demo: Demo) -> Iterator[Page]:
    context = signed_in_context(browser, demo)
    yield opened(context)
    context.close()


def opened(context: BrowserContext) -> Page:
    tab = context.new_page()
    tab.set_default_timeout(PATIENCE_MS)
    return tab


class Bytes:
    """How many bytes came over the network for a tab, which begins with nothing in its cache."""

    def __init__(self, tab: Page) -> None:
        self.count = 0.0
        session: CDPSession = tab.context.new_cdp_session(tab)
        session.send("Network.enable")
        session.send("Network.clearBrowserCache")
        session.on("Network.loadingFinished", self._finished)

    def _finished(self, event: dict[str, float]) -> None:
        self.count += event["encodedDataLength"]


# What holds for every page


def test_axe_finds_nothing_and_no_policy_is_broken(visit: Visit) -> None:
    assert visit.complaints == {"light": [], "dark": [], "narrow": []}
    assert [one for one in visit.errors if "404" not in one] == []
    assert visit.grounds == {"light": "rgb(252, 252, 253)", "dark": "rgb(19, 20, 24)"}


def test_a_page_of_320_pixels_does_not_scroll_sideways(visit: Visit) -> None:
    assert visit.widths == [320, 320, 320]


def test_a_page_is_small_the_first_time_and_smaller_again(visit: Visit) -> None:
    assert 5_000 < visit.bytes_first < BYTES_MAX
    assert visit.bytes_again < BYTES_AGAIN_MAX


# Keys


def focused_in_navigation(tab: Page) -> str:
    script = "() => document.activeElement?.closest('#navigation a')?.getAttribute('href') ?? ''"
    return str(tab.evaluate(script))


def test_everything_is_reached_by_tab_and_enter(guest: Page, demo: Demo) -> None:
    guest.goto(demo.url)
    for text in (demo.email, demo.password):
        while guest.evaluate("() => document.activeElement?.tagName") != "INPUT":
            guest.keyboard.press("Tab")
        guest.keyboard.type(text)
        guest.keyboard.press("Tab")
    guest.keyboard.press("Enter")
    guest.wait_for_url(f"{demo.url}/")
    for page in [one for one in PAGES if one.is_in_navigation]:
        guest.goto(f"{demo.url}/account")
        for _ in range(TABS_MAX):
            guest.keyboard.press("Tab")
            if focused_in_navigation(guest) == page.path:
                break
        guest.keyboard.press("Enter")
        guest.wait_for_url(demo.url + page.path)
        expect(guest.locator("#navigation [aria-current=page]")).to_have_attribute(
            "href", page.path
        )


def test_the_first_tab_skips_to_the_content(tab: Page, demo: Demo) -> None:
    tab.goto(f"{demo.url}/settings/team")
    tab.keyboard.press("Tab")
    expect(tab.get_by_role("link", name="Skip to content")).to_be_focused()
    tab.keyboard.press("Enter")
    expect(tab.locator("#main")).to_be_focused()


def test_keys_search_help_and_go(tab: Page, demo: Demo) -> None:
    tab.goto(demo.url)
    tab.keyboard.press("/")
    expect(tab.locator("#search")).to_be_focused()
    tab.keyboard.type("g t?")  # what is typed is typed
    expect(tab.locator("#search")).to_have_value("g t?")
    tab.keyboard.press("Escape")
    tab.locator("#main").focus()
    tab.keyboard.press("?")
    expect(tab.get_by_role("dialog", name="Keyboard")).to_be_visible()
    tab.keyboard.press("g")
    tab.keyboard.press("t")
    tab.keyboard.press("Escape")
    expect(tab.get_by_role("dialog", name="Keyboard")).not_to_be_visible()
    assert tab.url == f"{demo.url}/"
    tab.keyboard.press("g")
    tab.keyboard.press("t")
    tab.wait_for_url(f"{demo.url}/settings/team")
    tab.keyboard.press("n")
    tab.wait_for_url(f"{demo.url}/settings/team/invite")


def test_keys_can_be_turned_off(tab: Page, demo: Demo) -> None:
    tab.goto(f"{demo.url}/account")
    tab.get_by_label("Single keys do something").uncheck()
    tab.get_by_role("button", name="Save looks and keys").click()
    tab.locator("#main").focus()
    tab.keyboard.press("/")
    expect(tab.locator("#search")).not_to_be_focused()
    tab.get_by_label("Single keys do something").check()
    tab.get_by_role("button", name="Save looks and keys").click()
    tab.locator("#main").focus()
    tab.keyboard.press("/")
    expect(tab.locator("#search")).to_be_focused()


def test_what_is_wrong_gets_the_focus_and_leads_to_the_field(tab: Page, demo: Demo) -> None:
    tab.goto(f"{demo.url}/settings/team/invite")
    tab.get_by_label("Email address").fill("ann@")
    tab.evaluate("() => document.querySelector('form.narrow').noValidate = true")
    tab.get_by_role("button", name="Make the account").click()
    summary = tab.locator(".summary")
    expect(summary).to_be_focused()
    summary.get_by_role("link").click()
    expect(tab.get_by_label("Email address")).to_be_focused()
    assert complaints(tab) == []


# What a script adds, and what goes without


def test_home_renews_itself(tab: Page, demo: Demo) -> None:
    tab.clock.install()
    tab.goto(demo.url)
    tab.evaluate("() => { document.querySelector('#newest').dataset.old = 'yes'; }")
    tab.clock.fast_forward("01:00")
    expect(tab.locator("#newest[data-old]")).to_have_count(0, timeout=PATIENCE_MS)
    expect(tab.locator("#now tbody tr")).to_have_count(10)


def test_the_colours_that_were_chosen_win_over_the_systems(tab: Page, demo: Demo) -> None:
    tab.emulate_media(color_scheme="light")
    tab.goto(demo.url)
    tab.get_by_role("button", name="Change to light").click()
    tab.get_by_role("button", name="Change to dark").click()
    expect(tab.locator("html")).to_have_attribute("data-theme", "dark")
    expect(tab.locator("body")).to_have_css("background-color", "rgb(19, 20, 24)")
    tab.get_by_role("button", name="Change to system").click()
    expect(tab.locator("body")).to_have_css("background-color", "rgb(252, 252, 253)")


def test_the_menu_of_a_narrow_page_opens_and_leads_on(browser: Browser, demo: Demo) -> None:
    context = signed_in_context(browser, demo, viewport=NARROW, java_script_enabled=False)
    tab = opened(context)
    tab.goto(demo.url)
    team = tab.get_by_role("link", name="Team")
    expect(team).not_to_be_visible()
    tab.get_by_role("button", name="Menu").click()
    team.click()
    tab.wait_for_url(f"{demo.url}/settings/team")
    context.close()


def test_without_a_script_one_signs_in_makes_a_key_and_signs_out(
    browser: Browser, demo: Demo
) -> None:
    context = browser.new_context(java_script_enabled=False)
    tab = opened(context)
    sign_in(tab, demo)
    tab.goto(f"{demo.url}/settings/keys/new")
    tab.get_by_label("What is it for?").fill("no script")
    tab.get_by_label("read", exact=True).check()
    tab.get_by_role("button", name="Make the key").click()
    expect(tab.get_by_label("API key")).to_have_value(re.compile(r"sk_\S{20,}"))
    tab.get_by_role("link", name="Done").click()
    expect(tab.get_by_role("cell", name="no script", exact=True)).to_be_visible()
    tab.get_by_role("button", name="Sign out").click()
    tab.wait_for_url(f"{demo.url}/sign-in")
    context.close()
