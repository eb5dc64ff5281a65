"""Activity and Why? in a browser: lines come by themselves, pause, and survive a restart."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PATIENCE_MS
from tests.support.members import PASSWORD, member
from tests.support.servers import SegueServer, free_port

pytestmark = pytest.mark.slow

MARKUP = "<img src=x onerror=alert(1)>"
LONG_MS = 4 * PATIENCE_MS  # a server starts again meanwhile


def document(slug: str, **more: Any) -> dict[str, Any]:
    return {
        "slug": slug,
        "name": f"{slug} {MARKUP}",
        "delivery": {"triggers": [{"event": f"{slug}-began"}]},
        "messages": [{"content_card": {"title": "Look"}}],
        **more,
    }


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SegueServer]:
    data: Path = tmp_path_factory.mktemp("activity") / "data"
    with SegueServer(data, port=free_port()) as server:
        member(server, "viewer")
        server.create(document("card"))
        server.create(document("french", audience={"attribute": "country", "eq": "FR"}))
        for slug in ("card", "french"):
            server.publish(slug)
        yield server


@pytest.fixture
def tab(browser: Browser, server: SegueServer) -> Iterator[Page]:
    context = browser.new_context()
    tab = context.new_page()
    tab.set_default_timeout(LONG_MS)
    tab.goto(f"{server.url}/sign-in")
    tab.fill("#email", "viewer@shop.test")
    tab.fill("#password", PASSWORD)
    tab.get_by_role("button", name="Sign in").click()
    tab.wait_for_url(f"{server.url}/")
    yield tab
    context.close()


def test_a_line_comes_after_an_event_and_its_names_are_text(tab: Page, server: SegueServer) -> None:
    tab.goto(f"{server.url}/activity")
    expect(tab.locator("[data-state]")).to_have_text("Live", timeout=LONG_MS)
    server.event(MARKUP, "card-began")
    first = tab.locator(".feed > li").first
    expect(first).to_contain_text("is there for the device", timeout=LONG_MS)
    lines = tab.locator(".feed > li")
    expect(lines.filter(has_text=f"{MARKUP} enters “card {MARKUP}”.")).to_have_count(1)
    expect(lines.filter(has_text=f'{MARKUP} did "card-began".')).to_have_count(1)
    assert tab.locator(".feed img").count() == 0
    lines.filter(has_text="is handed over").first.get_by_role("link", name="why").click()
    expect(tab.locator(".summary-sentence")).to_contain_text(f"{MARKUP} got “card {MARKUP}”")


def test_a_paused_page_counts_and_shows_when_it_goes_on(tab: Page, server: SegueServer) -> None:
    tab.goto(f"{server.url}/activity?user=pam")
    state = tab.locator("[data-state]")
    expect(state).to_have_text("Live", timeout=LONG_MS)
    tab.get_by_role("button", name="Pause").click()
    for number in range(3):
        server.event("pam", f"step-{number}")
    expect(state).to_have_text("Paused: 3 new", timeout=LONG_MS)
    expect(tab.locator(".feed > li")).to_have_count(0)
    tab.get_by_role("button", name="Go on").click()
    expect(tab.locator(".feed > li")).to_have_count(3)
    expect(tab.locator(".feed > li").first).to_contain_text("step-2")
    expect(tab.get_by_role("status")).to_have_text("3 new lines", timeout=LONG_MS)


def test_only_so_many_lines_are_kept(tab: Page, server: SegueServer) -> None:
    tab.goto(f"{server.url}/activity?user=many")
    expect(tab.locator("[data-state]")).to_have_text("Live", timeout=LONG_MS)
    tab.evaluate("() => { document.querySelector('segue-activity').keeps = 5; }")
    for number in range(8):
        server.event("many", f"step-{number}")
    expect(tab.locator(".feed > li").first).to_contain_text("step-7", timeout=LONG_MS)
    expect(tab.locator(".feed > li")).to_have_count(5)


def test_a_page_goes_on_after_the_server_was_restarted(tab: Page, server: SegueServer) -> None:
    tab.goto(f"{server.url}/activity?user=rae")
    state = tab.locator("[data-state]")
    expect(state).to_have_text("Live", timeout=LONG_MS)
    server.event("rae", "before")
    expect(tab.locator(".feed > li")).to_have_count(1, timeout=LONG_MS)
    server.stop()
    expect(state).to_have_text("Paused: reconnecting", timeout=LONG_MS)
    server.start()
    expect(state).to_have_text("Live", timeout=LONG_MS)
    expect(tab.locator(".feed > li.gap")).to_have_count(1)
    server.event("rae", "after")
    expect(tab.locator(".feed > li").first).to_contain_text("after", timeout=LONG_MS)
    expect(tab.locator(".feed > li").filter(has_text="before")).to_have_count(1)


def test_an_answer_comes_into_the_page(tab: Page, server: SegueServer) -> None:
    server.user("uma", country="BE")
    server.event("uma", "french-began")
    tab.goto(f"{server.url}/users/uma")
    tab.evaluate("() => { document.body.dataset.same = 'yes'; }")
    tab.get_by_label("Why did uma get it, or not?").select_option("french")
    tab.get_by_role("button", name="Why?").click()
    expect(tab.locator(".summary-sentence")).to_contain_text("uma did not get")
    expect(tab.locator(".tree").first).to_contain_text('country is "FR"; it is "BE"')
    expect(tab.locator("body[data-same]")).to_have_count(1)
    assert tab.url == f"{server.url}/users/uma/why?campaign=french"
    expect(tab.locator("#answer-title")).to_be_focused()
    expect(tab.locator("#answer")).not_to_have_attribute("aria-busy", "true")
