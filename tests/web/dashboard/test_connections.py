"""The connections' page over HTTP: tables, data of the drawing, notices, and how to follow."""

import json
import re
from html import unescape
from typing import Any

import pytest
from tests.support.documents import did_not, email, follower, interaction
from tests.support.members import Team
from tests.support.servers import SegueServer

pytestmark = pytest.mark.slow

MARKUP = "<script>alert(1)</script>"
HTML = [email(html='<a data-alias="cta" href="{{ unsubscribe_url }}">Bye</a>')]


def document(slug: str, *triggers: dict[str, Any], **parts: Any) -> dict[str, Any]:
    return follower(slug, *triggers, **{"name": slug.title(), "messages": HTML, **parts})


@pytest.fixture(scope="module", autouse=True)
def shop(server: SegueServer) -> None:
    """Write a sale, one that follows after a week, a loop of three, and ones that go wrong."""
    waits = {
        "triggers": [interaction("email_receive", "sale")],
        "delay": {"after": "7d"},
        "exceptions": [interaction("email_open", "sale"), {"purchase": {}}],
    }
    server.create(document("sale", {"event": "began"}, tags=["spring"]))
    server.create(document("again", delivery=waits, tags=["spring"]))
    server.create(document("unopened", did_not("email_other_open", "sale", within="3d")))
    for slug, before in (("one", "three"), ("two", "one"), ("three", "two")):
        server.create(document(slug, interaction("email_click", before), tags=["loop"]))
    server.create(document("pushed", interaction("push_direct_open", "sale")))
    server.create(document("marked", {"event": "x"}, name=MARKUP))
    server.create(document("marks", interaction("email_click", "marked"), name=f'"{MARKUP}&'))
    server.create(document("old", {"event": "x"}))
    server.create(document("late", interaction("email_click", "old")))
    assert server.api.post("/api/v1/campaigns/old/archive").status_code == 200


@pytest.fixture
def picture(team: Team) -> Any:
    return team["author"].get("/connections/data").json()


def words(text: str) -> str:
    main = text[text.index("<main") :]
    return unescape(" ".join(re.sub(r"<[^>]+>", " ", main).split()))


def row_of(text: str, *parts: str) -> str:
    """Return the table row in which all of these texts are."""
    found = [words(f"<main{row}") for row in re.findall(r"<tr>(.*?)</tr>", text, re.DOTALL)]
    [row] = [row for row in found if all(part in row for part in parts)]
    return row


# Tables


def test_the_tables_say_what_the_graph_shows(team: Team) -> None:
    text = team["viewer"].page("/connections?view=table")
    again = row_of(text, "Sale", "Again")
    assert "Receive email Again 7 days opens “Sale” or makes a purchase 0 0 0" in again
    assert "Not: open email (person) Unopened 3 days" in row_of(text, "Unopened", "3 days")
    assert "part of a loop" in row_of(text, "One", "Two", "Click email")
    assert "draft email 0 0 0 0 3" in row_of(text, "Sale", "draft")


def test_the_tables_are_there_without_a_script(team: Team) -> None:
    text = team["viewer"].page("/connections")
    tables = text[text.index('id="tables"') :]
    assert "7 days" in tables
    assert 'id="tables" hidden' not in text
    assert "<segue-graph" in text
    assert "<segue-graph" not in team["viewer"].page("/connections?view=table")


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("tag=spring", {"sale", "again"}),
        ("near=two", {"one", "two", "three"}),
        ("near=again", {"sale", "again"}),
        ("q=unop", {"unopened"}),
        ("state=active", set()),
        ("channel=push", set()),
        ("near=nothing", set()),
    ],
)
def test_filters_choose_what_is_drawn_and_listed(team: Team, query: str, shown: set[str]) -> None:
    found = team["viewer"].get(f"/connections/data?{query}").json()
    assert {one["key"] for one in found["nodes"]} == shown
    text = team["viewer"].page(f"/connections?{query}&view=table")
    assert ("No campaign matches" in text) == (not shown)
    if shown:
        table = text[text.index('id="campaigns-table"') :]
        table = table[: table.index("</table>")]
        assert set(re.findall(r'href="/campaigns/([^"/]+)"', table)) == shown


@pytest.mark.parametrize("page", ["0", "-1", "x", "99999999999", "²"])
def test_a_page_that_is_none_is_an_empty_or_the_first_one(team: Team, page: str) -> None:
    answer = team["viewer"].get("/connections", params={"view": "table", "page": page})
    assert answer.status_code == 200


# The drawing's data


def test_a_node_reads_what_it_is(picture: dict[str, Any]) -> None:
    sale = next(one for one in picture["nodes"] if one["key"] == "sale")
    assert sale["reads"] == "Sale, email, draft, 0 sent, leads to 3 campaigns"
    assert (sale["path"], sale["state"], sale["icons"]) == ("/campaigns/sale", "draft", ["mail"])
    assert "old" not in {one["key"] for one in picture["nodes"]}


def test_an_arrow_reads_what_it_is(picture: dict[str, Any]) -> None:
    again = next(one for one in picture["edges"] if one["target"] == "again")
    assert again["reads"] == (
        "Sale leads to Again; Receive email; after 7 days; "
        "unless the user opens “Sale” or makes a purchase; 0 entered, 0 waiting, 0 cancelled"
    )
    loop = [(one["source"], one["target"]) for one in picture["edges"] if one["is_in_cycle"]]
    assert sorted(loop) == [("one", "two"), ("three", "one"), ("two", "three")]


def test_only_who_may_draft_is_led_to_following(team: Team, picture: dict[str, Any]) -> None:
    assert {bool(one["follow_path"]) for one in picture["nodes"]} == {True}
    seen = team["viewer"].get("/connections/data").json()
    assert {one["follow_path"] for one in seen["nodes"]} == {""}
    assert "Follow it" not in team["viewer"].page("/connections")


def test_markup_in_names_is_text_in_pages_data_and_mermaid(team: Team) -> None:
    author = team["author"]
    for path in ("/connections", "/connections/follow?campaign=marked", "/connections?near=marked"):
        text = author.page(path)
        assert "<script>alert" not in text
        assert "&lt;script&gt;alert(1)" in text
    answer = author.get("/connections/data?near=marked")
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.headers["x-content-type-options"] == "nosniff"
    names = [one["name"] for one in json.loads(answer.text)["nodes"]]
    assert names == [f'"{MARKUP}&', MARKUP]
    mermaid = re.findall(r'id="mermaid"[^>]*>([^<]*)<', author.page("/connections?near=marked"))
    assert "c2[&#34;#lt;script#gt;alert(1)#lt;/script#gt;&#34;]" in mermaid[0]


# Notices


def test_notices_say_what_is_wrong_and_what_to_do(team: Team) -> None:
    text = words(team["viewer"].page("/connections"))
    assert "Loop. These campaigns follow each other in a circle" in text
    assert "“One” → “Two” → “Three” → “One”" in text
    assert "Can never happen. Nothing can start “Pushed” by this trigger: sale has no push" in text
    assert "Follows an archived campaign. “Late” follows “Old”, which is archived" in text
    assert "Choose another campaign to follow" in text
    near = words(team["viewer"].page("/connections?near=again"))
    assert "Loop." not in near


def test_a_campaigns_page_has_its_own_notices_and_neighbours(team: Team) -> None:
    text = words(team["viewer"].page("/campaigns/two/connections"))
    assert "Loop." in text
    assert "It follows" in text
    assert "Further away" in text
    alone = words(team["viewer"].page("/campaigns/late/connections"))
    assert "Follows an archived campaign" in alone
    assert "Not connected" in alone
    gone = words(team["viewer"].page("/campaigns/old/connections"))
    assert "Archived campaigns are in no graph" in gone


def test_drafts_are_told_in_the_order_to_publish_them(team: Team) -> None:
    text = team["viewer"].page("/connections")
    order = re.findall(r'/campaigns/([^"]+)"', text[text.index('class="order"') :])
    assert order.index("again") < order.index("sale")
    assert order.index("unopened") < order.index("sale")


# Following


def test_following_offers_what_can_happen_and_leads_to_the_composer(team: Team) -> None:
    text = team["author"].page("/connections/follow?campaign=sale")
    offered = re.findall(r'name="interaction" value="([^"]+)"', text)
    assert "email_receive" in offered
    assert "email_alias_click" in offered
    assert not {"push_direct_open", "control_group_enroll", "conversion"} & {*offered}
    form = text[text.index('action="/compose"') :]
    assert 'name="begin" value="follower"' in form
    assert 'name="campaign" value="sale"' in form
    assert form.count("checked") == 1
    fields = {"begin": "follower", "campaign": "sale", "interaction": "email_alias_click"}
    answer = team["author"].post("/compose", fields)
    assert answer.status_code == 303
    written = team["author"].page(answer.headers["location"].replace("/message", "/delivery"))
    assert "email_alias_click" in written


@pytest.mark.parametrize(
    ("role", "campaign", "status"),
    [("viewer", "sale", 403), ("author", "nothing", 404), ("author", "old", 409)],
)
def test_what_cannot_be_followed_is_refused(
    team: Team, role: Any, campaign: str, status: int
) -> None:
    answer = team[role].get(f"/connections/follow?campaign={campaign}")
    assert answer.status_code == status


def test_pages_break_no_policy(team: Team) -> None:
    inline = re.compile(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)")
    for path in ("/connections", "/campaigns", "/campaigns/sale/connections", "/campaigns/sale"):
        assert not inline.findall(team["author"].page(path)), path
