"""Filters, segments and counts in a browser: as one edits, by keys, and without scripts."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.browser.conftest import PATIENCE_MS
from tests.support.members import PASSWORD, Member, member
from tests.support.servers import SegueServer

pytestmark = pytest.mark.slow

AXE = Path(__file__).parents[2] / "frontend/node_modules/axe-core/axe.min.js"
EVERYTHING = {
    "all": [
        {"attribute": "country", "in": ["FR", "BE"]},
        {"not": {"any": [{"segment": "martians"}, {"opened": {"within": "7d"}}]}},
        {"event": {"name": "go", "where": [{"property": "price", "gte": 2}], "count": {"gte": 2}}},
        {"subscription": {"email": "opted_in"}},
        {"interact_with_campaign": {"interaction": "email_alias_click", "alias": "cta"}},
    ]
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SegueServer]:
    with SegueServer(tmp_path_factory.mktemp("segments") / "data") as server:
        for number in range(7):
            server.user(f"martian-{number}", planet="Mars")
        server.user("venusian", planet="Venus")
        save(server, "martians", {"attribute": "planet", "eq": "Mars"})
        save(server, "everything", EVERYTHING)
        yield server


@pytest.fixture(scope="module")
def publisher(server: SegueServer) -> Member:
    return member(server, "publisher")


@pytest.fixture
def tab(browser: Browser, server: SegueServer, publisher: Member) -> Iterator[Page]:
    context = signed_in(browser, server, publisher)
    yield opened(context)
    context.close()


def save(server: SegueServer, slug: str, node: object) -> None:
    body = {"slug": slug, "name": slug.title(), "filter": node}
    assert server.api.post("/api/v1/segments", json=body).status_code == 201


def signed_in(
    browser: Browser, server: SegueServer, publisher: Member, **options: object
) -> BrowserContext:
    context = browser.new_context(**options)  # type: ignore[arg-type]
    form = {"email": publisher.email, "password": PASSWORD}
    context.request.post(f"{server.url}/sign-in", form=form)
    return context


def opened(context: BrowserContext) -> Page:
    tab = context.new_page()
    tab.set_default_timeout(PATIENCE_MS)
    return tab


def at(tab: Page, place: str) -> Locator:
    return tab.locator(f"[id='{place}']")


def counted(tab: Page, text: str) -> None:
    expect(tab.locator("#count-panel .count-number")).to_contain_text(text, timeout=PATIENCE_MS)


def test_the_count_follows_what_is_written(tab: Page, server: SegueServer) -> None:
    tab.goto(f"{server.url}/segments/~new")
    expect(tab.locator("#count-panel")).to_contain_text("Not counted.")
    at(tab, "filter.all[0].attribute").fill("planet")
    at(tab, "filter.all[0].eq").fill("Mars")
    counted(tab, "7 of")
    expect(tab.locator(".sample li")).to_have_count(7)
    tab.keyboard.press("Tab")
    expect(at(tab, "filter.all[0]")).to_contain_text("It holds that planet is")
    at(tab, "filter.all[0].eq").fill("Venus")
    counted(tab, "1 of")
    # A choice of another kind brings its fields, and the focus stays.
    at(tab, "filter.all[0].kind").focus()
    at(tab, "filter.all[0].kind").select_option("segment")
    at(tab, "filter.all[0].segment").select_option("martians")
    counted(tab, "7 of")
    at(tab, "filter.all[0].holds").select_option("no")
    counted(tab, "1 of")
    expect(at(tab, "filter.all[0].not")).to_contain_text("It does not hold that")


def test_what_is_left_after_a_removal_shows_what_the_server_says(
    tab: Page, server: SegueServer
) -> None:
    tab.goto(f"{server.url}/segments/~new")
    tab.get_by_role("button", name="Add a filter").click()
    at(tab, "filter.all[1].kind").select_option("segment")
    at(tab, "filter.all[1].segment").select_option("martians")
    at(tab, "filter.all[0].kind").select_option("reachable")
    expect(at(tab, "filter.all[0].reachable")).to_be_visible()
    tab.get_by_role("button", name="Remove filter 1").click()
    expect(at(tab, "filter.all[1]")).to_have_count(0)
    expect(at(tab, "filter.all[0].kind")).to_have_value("segment")
    expect(at(tab, "filter.all[0].segment")).to_have_value("martians")
    counted(tab, "7 of")
    tab.get_by_label("Name").fill("Left over")
    tab.get_by_role("button", name="Save the segment").click()
    tab.wait_for_url(f"{server.url}/segments/left-over")
    saved = server.api.get("/api/v1/segments/left-over").json()
    assert saved["filter"] == {"all": [{"segment": "martians"}]}


def test_a_user_is_tested_by_enter_and_a_sample_by_its_button(
    tab: Page, server: SegueServer
) -> None:
    tab.goto(f"{server.url}/segments/martians")
    counted(tab, "7 of")
    tab.get_by_label("Does this user match, and why?").fill("venusian")
    tab.keyboard.press("Enter")
    expect(tab.locator("#test-result")).to_contain_text("venusian does not match")
    expect(tab.locator("#test-result")).to_contain_text('it is "Venus"')
    tab.get_by_role("button", name="Why does martian-3 match?").click()
    expect(tab.locator("#test-result")).to_contain_text("martian-3 matches.")
    assert tab.url.endswith("/segments/martians")


def test_the_audience_step_counts_and_keeps_while_one_writes(
    tab: Page, server: SegueServer
) -> None:
    tab.goto(f"{server.url}/compose")
    tab.get_by_role("button", name="Start blank").click()
    base = tab.url.rsplit("/", 1)[0]
    tab.goto(f"{base}/audience")
    counted(tab, "of 8 users (100 %)")
    tab.get_by_label("A segment").check()
    at(tab, "audience.segment").select_option("martians")
    counted(tab, "7 of 8")
    expect(tab.locator("#sentence")).to_contain_text("the segment")
    tab.get_by_label("Users who pass filters").check()
    expect(at(tab, "audience.all[0].segment")).to_have_value("martians")
    tab.get_by_role("button", name="Add a filter").click()
    at(tab, "audience.all[1].attribute").fill("planet")
    at(tab, "audience.all[1].eq").fill("Venus")
    counted(tab, "0 of 8")
    tab.keyboard.press("Tab")
    expect(at(tab, "audience.all[1]")).to_contain_text("It holds that planet is")
    expect(tab.locator("#count-panel")).to_contain_text("Nobody matches")
    tab.reload()
    expect(at(tab, "audience.all[1].eq")).to_have_value("Venus")
    counted(tab, "0 of 8")


@pytest.mark.parametrize("where", ["composer", "segment"])
def test_a_button_pressed_right_after_typing_loses_neither(
    tab: Page, server: SegueServer, where: str
) -> None:
    place = "filter" if where == "segment" else "audience"
    if where == "segment":
        tab.goto(f"{server.url}/segments/~new")
    else:
        tab.goto(f"{server.url}/compose")
        tab.get_by_role("button", name="Start blank").click()
        tab.goto(f"{tab.url.rsplit('/', 1)[0]}/audience")
        tab.get_by_label("Users who pass filters").check()
    for number in range(6):
        at(tab, f"{place}.all[{number}].attribute").fill(f"name-{number}")
        at(tab, f"{place}.all[{number}].eq").fill(f"value-{number}")
        tab.get_by_role("button", name="Add a filter").click()
        expect(at(tab, f"{place}.all[{number + 1}]")).to_be_visible()
    for number in range(6):
        expect(at(tab, f"{place}.all[{number}].attribute")).to_have_value(f"name-{number}")
        expect(at(tab, f"{place}.all[{number}].eq")).to_have_value(f"value-{number}")


def test_without_a_script_a_segment_is_written_counted_and_saved(
    browser: Browser, server: SegueServer, publisher: Member
) -> None:
    context = signed_in(browser, server, publisher, java_script_enabled=False)
    tab = opened(context)
    tab.goto(f"{server.url}/segments/~new")
    tab.get_by_label("Name").fill("By hand")
    tab.get_by_role("button", name="Add a filter").click()
    assert tab.url.endswith("/segments/~new#filter.all")
    at(tab, "filter.all[1].kind").select_option("segment")
    tab.get_by_role("button", name="Show the fields of what I chose").click()
    at(tab, "filter.all[1].segment").select_option("martians")
    tab.get_by_role("button", name="Remove filter 1").click()
    tab.get_by_role("button", name="Count", exact=True).click()
    expect(tab.locator(".count-number")).to_contain_text("7 of")
    tab.get_by_role("button", name="Back").click()
    tab.get_by_role("button", name="Save the segment").click()
    tab.wait_for_url(f"{server.url}/segments/by-hand")
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "path", ["/segments", "/segments/everything", "/segments/everything/edit", "/segments/~new"]
)
def test_axe_finds_nothing_and_narrow_pages_do_not_scroll_sideways(
    browser: Browser, server: SegueServer, publisher: Member, path: str, scheme: str
) -> None:
    context = signed_in(browser, server, publisher, color_scheme=scheme)
    tab = opened(context)
    for width in (1280, 320):
        tab.set_viewport_size({"width": width, "height": 800})
        tab.goto(server.url + path, wait_until="networkidle")
        assert tab.evaluate("() => document.documentElement.scrollWidth") == width
        tab.evaluate(AXE.read_text())
        found = tab.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
        told = [(one["id"], one["nodes"][0]["html"][:200]) for one in found["violations"]]
        assert told == [], (path, width)
    context.close()
