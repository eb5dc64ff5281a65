"""The graph of connections in a browser: by keyboard, live, as text, and without a script."""

import re
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PATIENCE_MS
from tests.support.dashboard import Demo, demo_server, signed_in_context
from tests.support.documents import email, follower, interaction

pytestmark = pytest.mark.slow

MARKUP = "<script>alert(1)</script>"
HTML = [email(html='<a href="{{ unsubscribe_url }}">Bye</a>', **{"from": "hi@shop.test"})]


def create(demo: Demo, *documents: dict[str, Any]) -> None:
    headers = {"Authorization": f"Bearer {demo.key}"}
    for document in documents:
        answer = httpx2.post(f"{demo.url}/api/v1/campaigns", json=document, headers=headers)
        assert answer.status_code == 201, answer.text


def draft(slug: str, *triggers: dict[str, Any], **parts: Any) -> dict[str, Any]:
    return follower(slug, *triggers, **{"name": slug, "messages": HTML, **parts})


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    """The shop; a chain of three after the sale, a loop, and a name of markup."""
    with demo_server() as demo:
        create(
            demo,
            draft("second", interaction("email_click", "spring-sale"), name="Second"),
            draft("third", interaction("email_click", "second"), name="Third"),
            draft("here", interaction("email_click", "there"), tags=["loop"]),
            draft("there", interaction("email_click", "here"), tags=["loop"]),
            draft("marked", interaction("email_click", "cart"), name=MARKUP),
        )
        yield demo


@pytest.fixture
def tab(browser: Browser, demo: Demo) -> Iterator[Page]:
    context = signed_in_context(browser, demo)
    tab = context.new_page()
    tab.set_default_timeout(PATIENCE_MS)
    alerts: list[str] = []
    tab.on("dialog", lambda dialog: (alerts.append(dialog.message), dialog.dismiss()))
    tab.on("pageerror", lambda error: alerts.append(str(error)))
    yield tab
    context.close()
    assert alerts == []


def opened(tab: Page, demo: Demo, query: str = "") -> None:
    tab.goto(f"{demo.url}/connections{query}")
    expect(tab.locator("segue-graph .node").first).to_be_visible(timeout=PATIENCE_MS)


def focused(tab: Page) -> str:
    """Return which campaign has the focus."""
    return str(tab.evaluate("() => document.activeElement?.dataset?.key ?? ''"))


def test_tab_leads_into_the_graph_arrows_along_it_and_enter_opens(tab: Page, demo: Demo) -> None:
    opened(tab, demo, "?near=second")
    tab.locator("#table-tab").focus()
    walked = []
    for key in ("Tab", "ArrowLeft", "ArrowRight", "ArrowRight", "ArrowRight", "Home", "ArrowRight"):
        tab.keyboard.press(key)
        walked.append(focused(tab))
    assert walked == [
        "second",  # the one that is asked about
        "spring-sale",
        "second",
        "third",
        "third",  # it leads to nothing
        "spring-sale",
        "second",
    ]
    tab.keyboard.press("Enter")
    tab.wait_for_url(f"{demo.url}/campaigns/second")


def test_up_and_down_lead_to_those_beside(tab: Page, demo: Demo) -> None:
    opened(tab, demo, "?near=spring-sale")
    tab.locator("#table-tab").focus()
    walked = set()
    for key in ("Tab", "ArrowRight", "ArrowUp", "ArrowUp", "ArrowDown"):
        tab.keyboard.press(key)
        walked.add(focused(tab))
    assert walked == {"spring-sale", "second", "resend"}


def test_one_tab_leads_out_of_the_graph_to_what_can_be_done_with_the_node(
    tab: Page, demo: Demo
) -> None:
    opened(tab, demo, "?near=third")
    tab.locator('.node[data-key="third"]').focus()
    expect(tab.locator(".graph-detail")).to_contain_text("Third 0 entered")
    expect(tab.locator(".graph-detail")).to_contain_text("Second leads to Third; Click email")
    tab.keyboard.press("Tab")
    tab.keyboard.press("Enter")
    tab.wait_for_url(f"{demo.url}/connections/follow?campaign=third")


def test_a_node_reads_name_channel_state_numbers_and_neighbours(tab: Page, demo: Demo) -> None:
    opened(tab, demo)
    second = tab.get_by_role("link", name=re.compile("^Second, email, draft, 0 sent, follows 1"))
    expect(second).to_have_attribute("href", "/campaigns/second")
    sale = tab.get_by_role(
        "link", name=re.compile(r"^Spring sale, email, active, [\d,]+ sent, leads to 2 campaigns$")
    )
    expect(sale).to_have_count(1)


def test_t_changes_between_graph_and_table_and_g_t_still_goes(tab: Page, demo: Demo) -> None:
    opened(tab, demo)
    expect(tab.locator("#tables")).to_be_hidden()
    tab.locator("#main").focus()
    tab.keyboard.press("t")
    tab.wait_for_url(re.compile("view=table"))
    expect(tab.locator("#tables")).to_be_visible()
    tab.locator("#main").focus()
    tab.keyboard.press("t")
    tab.wait_for_url(f"{demo.url}/connections")
    expect(tab.locator("segue-graph .node").first).to_be_visible(timeout=PATIENCE_MS)
    tab.locator("#main").focus()
    tab.keyboard.press("g")
    tab.keyboard.press("t")
    tab.wait_for_url(f"{demo.url}/settings/team")


def test_what_is_typed_in_a_filter_is_typed(tab: Page, demo: Demo) -> None:
    opened(tab, demo)
    tab.locator("#q").fill("")
    tab.locator("#q").press_sequentially("thir")
    tab.locator("#q").press("Enter")
    tab.wait_for_url(re.compile("q=thir"))
    expect(tab.locator("segue-graph .node")).to_have_count(1, timeout=PATIENCE_MS)


def test_numbers_are_renewed_in_place_and_the_focus_stays(tab: Page, demo: Demo) -> None:
    opened(tab, demo)
    sale = tab.locator('.node[data-key="spring-sale"]')
    before = sale.get_attribute("aria-label") or ""
    sale.focus()
    sale.evaluate("(one) => { one.dataset.old = 'yes'; }")
    expect(sale).not_to_have_attribute("aria-label", before, timeout=2 * PATIENCE_MS)
    assert focused(tab) == "spring-sale"
    expect(sale).to_have_attribute("data-old", "yes")
    expect(tab.locator(".graph-status")).to_contain_text("As of")


def test_a_server_that_does_not_answer_is_said_and_not_hidden(tab: Page, demo: Demo) -> None:
    opened(tab, demo)
    tab.route("**/connections/data*", lambda route: route.abort())
    expect(tab.locator(".graph-status")).to_contain_text("reconnecting", timeout=2 * PATIENCE_MS)
    expect(tab.locator("segue-graph .node").first).to_be_visible()
    tab.unroute("**/connections/data*")


def test_a_loop_is_drawn_back_and_said(tab: Page, demo: Demo) -> None:
    opened(tab, demo, "?tag=loop")
    expect(tab.locator(".edge")).to_have_count(2)
    expect(tab.locator(".edge.is-in-cycle")).to_have_count(2)
    expect(tab.locator(".edge.is-back")).to_have_count(1)
    expect(tab.locator(".edge").first).to_contain_text("loop")
    expect(tab.locator(".notices")).to_contain_text("follow each other in a circle")


def test_a_name_of_markup_is_text_in_the_drawing(tab: Page, demo: Demo) -> None:
    opened(tab, demo, "?near=marked")
    node = tab.locator('.node[data-key="marked"]')
    expect(tab.locator(".seen").filter(has_text=MARKUP[:20])).to_have_count(1)
    expect(node).to_have_attribute("aria-label", re.compile(f"^{re.escape(MARKUP)}, email"))
    assert tab.locator("segue-graph script").count() == 0
    node.focus()
    expect(tab.locator(".graph-detail strong")).to_have_text(MARKUP)


def test_the_text_for_wikis_is_copied(browser: Browser, demo: Demo) -> None:
    context = signed_in_context(browser, demo, permissions=["clipboard-read", "clipboard-write"])
    tab = context.new_page()
    tab.set_default_timeout(PATIENCE_MS)
    opened(tab, demo)
    tab.get_by_text("As Mermaid", exact=True).click()
    tab.get_by_role("button", name="Copy as Mermaid").click()
    expect(tab.get_by_role("button", name="Copied")).to_be_visible()
    assert tab.evaluate("() => navigator.clipboard.readText()").startswith("flowchart LR\n")
    context.close()


def test_without_a_script_the_tables_say_it(browser: Browser, demo: Demo) -> None:
    context = signed_in_context(browser, demo, java_script_enabled=False)
    tab = context.new_page()
    tab.goto(f"{demo.url}/connections")
    expect(tab.locator("#tables")).to_be_visible()
    expect(tab.get_by_role("cell", name="Third").first).to_be_visible()
    tab.get_by_role("link", name="Follow it: Third").click()
    tab.get_by_label("Receive email").check()
    tab.get_by_role("button", name="Write the campaign").click()
    tab.wait_for_url(re.compile("/compose/.+"))
    expect(tab.locator("main")).to_contain_text("Third")
    context.close()


def test_with_reduced_motion_nothing_runs_along_the_arrows(browser: Browser, demo: Demo) -> None:
    for motion, runs in (("reduce", "none"), ("no-preference", "segue-flow")):
        context = signed_in_context(browser, demo, reduced_motion=motion)
        tab = context.new_page()
        tab.set_default_timeout(PATIENCE_MS)
        opened(tab, demo)
        tab.locator(".edge").first.evaluate("(one) => one.classList.add('has-grown')")
        expect(tab.locator(".edge path").first).to_have_css("animation-name", runs)
        context.close()


def test_three_hundred_campaigns_stand_by_tag_and_a_tag_opens(browser: Browser) -> None:
    many = [
        draft(
            f"many-{number}",
            interaction("email_click", f"many-{number - 1}") if number % 30 else {"event": "x"},
            tags=[f"part-{number // 30}"],
        )
        for number in range(300)
    ]
    with demo_server() as crowded:
        create(crowded, *many)
        context = signed_in_context(browser, crowded)
        tab = context.new_page()
        tab.set_default_timeout(PATIENCE_MS)
        opened(tab, crowded)
        expect(tab.locator(".node")).to_have_count(11)  # ten parts, and the shop without a tag
        tab.get_by_role("link", name=re.compile("^Tag part-3, 30 campaigns")).press("Enter")
        tab.wait_for_url(re.compile("tag=part-3"))
        expect(tab.locator(".node")).to_have_count(30, timeout=PATIENCE_MS)
        expect(tab.locator(".edge")).to_have_count(29)
        context.close()
