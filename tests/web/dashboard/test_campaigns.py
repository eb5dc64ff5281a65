"""The campaigns' pages over HTTP: list, filters, what a role may do, and the tabs of one."""

import csv
import io
import re
import time
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from tests.support.documents import email, follower, interaction
from tests.support.members import Member, Team, member
from tests.support.servers import SegueServer, eventually, mail_server

pytestmark = pytest.mark.slow

MARKUP = "<script>alert(1)</script>"
SHOP = {"Sale", "Sale, again", "Pushed", MARKUP, "By the clock"}  # what no test changes
HTML = [email(html='<a href="{{ unsubscribe_url }}">Bye</a>', **{"from": "hi@shop.test"})]
PUSH = [{"push": {"title": "Hello"}}]
TABS = ("", "/connections", "/sends", "/waiting", "/changes")
USERS = ("ann", "bob", "=1+1")


def document(slug: str, *triggers: dict[str, Any], **parts: Any) -> dict[str, Any]:
    return follower(slug, *triggers, **{"name": slug.title(), "messages": HTML, **parts})


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SegueServer]:
    data = tmp_path_factory.mktemp("campaigns") / "data"
    with mail_server() as (_, url), SegueServer(data, SEGUE_CHANNELS__EMAIL__SMTP_URL=url) as one:
        yield one


@pytest.fixture(scope="module", autouse=True)
def shop(server: SegueServer) -> None:
    """Let three users start a sale, of which one follower waits, and others be there."""
    opened = interaction("email_receive", "sale")
    waits = {"triggers": [opened], "delay": {"after": "7d"}, "exceptions": [{"event": "bought"}]}
    server.create(
        document("sale", {"event": "began"}, tags=["spring"], conversions=[{"purchase": {}}])
    )
    server.create(document("again", delivery=waits, name="Sale, again"))
    server.create(document("pushed", {"event": "x"}, messages=PUSH, tags=["spring", "apps"]))
    server.create(document("marked", {"event": MARKUP}, name=MARKUP, tags=[MARKUP]))
    server.create(document("timed", name="By the clock", delivery=timed()))
    for slug in ("again", "sale", "marked"):
        server.publish(slug)
    for user in USERS:
        server.user(user, email=f"{len(user)}@people.test")
        server.event(user, "began")
    server.event("nobody", "began")
    for user in USERS:
        eventually(lambda user=user: ("enter", None) in server.decisions(user, "again"), user)
    server.event("ann", "purchase", product_id="sku-1", price=5, currency="EUR")
    eventually(lambda: ("convert", None) in server.decisions("ann", "sale"), "the conversion")


def timed() -> dict[str, Any]:
    return {"type": "scheduled", "schedule": {"cron": "0 9 * * 1"}}


def rows(text: str) -> list[str]:
    """Return the rows of a page's first table as texts."""
    body = text[text.index("<tbody>") : text.index("</tbody>")]
    found = re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL)
    return [unescape(" ".join(re.sub(r"<[^>]+>", " ", row).split())) for row in found]


def names(text: str) -> list[str]:
    """Return the names in the list of campaigns."""
    return [
        unescape(one) for one in re.findall(r'<td class="name"><a href="[^"]+">([^<]+)</a>', text)
    ]


def words(text: str) -> str:
    """Return what a page says."""
    main = text[text.index("<main") :]
    return unescape(" ".join(re.sub(r"<[^>]+>", " ", main).split()))


# The list


def test_the_list_tells_state_channels_connections_and_the_weeks_numbers(team: Team) -> None:
    found = {row.split("  ")[0]: row for row in rows(team["viewer"].page("/campaigns"))}
    [sale] = [row for row in found if row.startswith("Sale spring")]
    assert "active action-based email leads to 1 → 1 3 3 1" in sale
    [pushed] = [row for row in found if row.startswith("Pushed")]
    assert "draft action-based push notification" in pushed or "draft action-based push" in pushed
    assert "– – – –" in pushed


def test_the_sparkline_says_its_days_in_words(team: Team) -> None:
    text = team["viewer"].page("/campaigns?q=sale")
    assert 'aria-label="Sent by day, today last: 0, 0, 0, 0, 0, 0, 3"' in text


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("state=draft", {"Pushed", "By the clock"}),
        ("state=active&tag=spring", {"Sale"}),
        ("channel=push", {"Pushed"}),
        ("tag=apps", {"Pushed"}),
        ("q=CLOCK", {"By the clock"}),
        ("q=apps", {"Pushed"}),
        ("state=archived", set()),
        ("state=nonsense&channel=smoke", SHOP),
    ],
)
def test_filters_stand_in_the_address(team: Team, query: str, expected: set[str]) -> None:
    text = team["viewer"].page(f"/campaigns?{query}")
    assert SHOP & {*names(text)} == expected


def test_each_filter_that_holds_has_a_chip_that_takes_it_away(team: Team) -> None:
    text = team["viewer"].page("/campaigns?state=active&tag=spring&q=sa")
    found = re.findall(r'class="chip" href="([^"]+)" aria-label="[^:]+: ([^"]+)"', text)
    chips = {unescape(name): unescape(path) for path, name in found}
    assert chips == {
        "state: “active”": "/campaigns?tag=spring&q=sa",
        "tag: “spring”": "/campaigns?state=active&q=sa",
        "text: “sa”": "/campaigns?state=active&tag=spring",
    }


def test_nothing_that_matches_says_which_filters_and_how_to_clear_them(team: Team) -> None:
    text = words(team["viewer"].page("/campaigns?q=nothing-has-this"))
    assert "No campaign matches" in text
    assert "text: “nothing-has-this”" in text
    assert "Clear the filters" in text


def test_a_search_finds_campaigns(team: Team) -> None:
    text = team["viewer"].page("/search?q=by the clock")
    assert 'href="/campaigns/timed"' in text


def test_the_search_finds_by_tag_and_slug(team: Team) -> None:
    for asked, slug in (("apps", "pushed"), ("again", "again")):
        assert f'href="/campaigns/{slug}"' in team["viewer"].page(f"/search?q={asked}")


# What each role is offered


@pytest.mark.parametrize(
    ("role", "offered"),
    [
        ("viewer", set()),
        ("author", {"Edit", "Rehearse", "Duplicate"}),
        ("publisher", {"Edit", "Rehearse", "Duplicate", "Stop…", "Archive…"}),
    ],
)
def test_a_role_is_offered_what_it_may_do(team: Team, role: Any, offered: set[str]) -> None:
    text = team[role].page("/campaigns/sale")
    shown = text[text.index("campaign-actions") : text.index('class="tabs"')]
    assert {one for one in words(f"<main{shown}").split() if one[0].isupper()} == offered
    listed = team[role].page("/campaigns")
    assert ('aria-label="Choose Sale"' in listed) == (role == "publisher")
    assert ('aria-label="Stop Sale"' in listed) == (role == "publisher")
    assert ('aria-label="Edit Sale"' in listed) == (role != "viewer")


def test_what_is_offered_depends_on_the_state(team: Team) -> None:
    draft = words(team["publisher"].page("/campaigns/pushed"))
    assert "Review and publish" in draft
    assert "Delete…" in draft
    assert "Stop…" not in draft


def test_viewers_and_authors_may_not_stop_and_viewers_not_duplicate(team: Team) -> None:
    stop = {"verb": "stop", "chosen": "sale"}
    for role in ("viewer", "author"):
        assert team[role].post("/campaigns/_change", stop).status_code == 403  # type: ignore[index]
    assert team["viewer"].post("/campaigns/sale/duplicate").status_code == 403
    assert team["viewer"].post("/campaigns/_delete", {"chosen": "pushed"}).status_code == 403
    assert "active" in rows(team["viewer"].page("/campaigns?q=sale"))[0]


@pytest.mark.parametrize(
    ("slug", "button", "step"),
    [("pushed", "Review and publish", "review"), ("sale", "Edit", "message")],
)
def test_editing_and_publishing_lead_into_the_composer(
    team: Team, slug: str, button: str, step: str
) -> None:
    publisher = team["publisher"]
    text = publisher.page(f"/campaigns/{slug}")
    form = next(
        one
        for one in re.findall(r'<form method="post" action="/compose">.*?</form>', text, re.DOTALL)
        if button in one
    )
    fields = dict(re.findall(r'name="([^"]+)" value="([^"]+)"', form))
    answer = publisher.post("/compose", fields)
    assert (answer.status_code, answer.headers["location"].rpartition("/")[2]) == (303, step)
    assert slug.title() in publisher.page(answer.headers["location"])


# Stop, archive, delete, duplicate


def test_stopping_says_who_is_cancelled_and_stops_what_can_be(
    team: Team, server: SegueServer
) -> None:
    publisher = team["publisher"]
    delivery = {"triggers": [{"event": "waited"}], "delay": {"after": "7d"}}
    server.create(document("waits", delivery=delivery))
    server.publish("waits")
    server.event("eve", "waited")
    eventually(lambda: server.decisions("eve", "waits"), "the wait")
    server.create(document("idle", {"event": "y"}))
    asked = words(publisher.page("/campaigns/_change?verb=stop&chosen=waits&chosen=idle"))
    assert "Stop 2 campaigns?" in asked
    assert "1 user waits: they are cancelled" in asked
    assert "it is draft; only active campaigns can be stopped" in asked
    assert "Stop 1 campaign" in asked
    form = {"verb": "stop", "chosen": ["waits", "idle"]}
    answer = publisher.post("/campaigns/_change", form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/campaigns")
    told = words(publisher.page("/campaigns"))
    assert "“Waits” is stopped. Not done: idle is draft" in told
    assert "stopped" in rows(publisher.page("/campaigns?q=waits"))[0]
    changes = words(team["admin"].page("/settings/changes"))
    assert "changed campaigns waits stopped" in changes


def test_one_campaign_is_archived_for_good_and_leaves_the_lists(
    team: Team, server: SegueServer
) -> None:
    publisher = team["publisher"]
    server.create(document("old", {"event": "z"}))
    assert "This is for good" in publisher.page("/campaigns/_change?verb=archive&chosen=old")
    answer = publisher.post("/campaigns/_change", {"verb": "archive", "chosen": "old"})
    assert answer.headers["location"] == "/campaigns/old"
    assert "Old" not in names(publisher.page("/campaigns"))
    assert names(publisher.page("/campaigns?state=archived")) == ["Old"]
    shown = words(publisher.page("/campaigns/old"))
    assert "archived" in shown
    assert "Edit" not in shown.split("Overview")[0]


def test_a_draft_is_deleted_and_a_published_one_not(team: Team, server: SegueServer) -> None:
    author = team["author"]
    server.create(document("gone", {"event": "z"}))
    assert "was never published" in author.page("/campaigns/_delete?chosen=gone")
    assert author.post("/campaigns/_delete", {"chosen": "gone"}).status_code == 303
    assert author.get("/campaigns/gone").status_code == 404
    author.post("/campaigns/_delete", {"chosen": "sale"})
    assert "Not done: sale was published" in author.page("/campaigns")
    assert author.get("/campaigns/sale").status_code == 200


def test_a_copy_is_a_draft_of_its_own(team: Team) -> None:
    author = team["author"]
    answer = author.post("/campaigns/sale/duplicate")
    assert answer.headers["location"] == "/campaigns/sale-copy"
    text = words(author.page("/campaigns/sale-copy"))
    assert "Copy of Sale" in text
    assert "never published" in text
    author.post("/campaigns/_delete", {"chosen": "sale-copy"})


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"verb": "stop"}, "0 campaigns chosen"),
        ({"verb": "burn", "chosen": "sale"}, "'burn' cannot be done"),
        ({"verb": "stop", "chosen": [f"c{n}" for n in range(101)]}, "101 campaigns chosen"),
    ],
)
def test_a_faulty_form_says_what_is_wrong(team: Team, form: dict[str, Any], said: str) -> None:
    answer = team["publisher"].post("/campaigns/_change", form)
    assert answer.status_code == 422
    assert said in unescape(answer.text)


# The tabs


@pytest.mark.parametrize("tab", TABS)
def test_each_tab_has_state_version_and_sentence(team: Team, tab: str) -> None:
    text = team["viewer"].page(f"/campaigns/again{tab}")
    told = words(text)
    assert "active · version 1" in told
    assert "When a user receives the email of “Sale” , wait 7 days" in told
    assert re.findall(r'<a href="([^"]+)" aria-current="page">', text[text.index("<main") :]) == [
        f"/campaigns/again{tab}"
    ]


@pytest.mark.parametrize("path", [f"/campaigns/nothing{tab}" for tab in (*TABS, "/sends.csv")])
def test_a_campaign_that_is_not_there_is_a_page_that_says_so(team: Team, path: str) -> None:
    answer = team["viewer"].get(path)
    assert answer.status_code == 404
    assert "there is no campaign" in answer.text


def test_the_overview_names_what_each_number_is_of(team: Team) -> None:
    told = words(team["viewer"].page("/campaigns/sale"))
    assert "Delivered 100.0 % 3 of 3 sent" in told
    assert "Converted (A) 33.3 % 1 of 3 users who received it" in told
    assert "Triggered 4 –" in told
    assert "1 skipped : The user has no address for this channel. no_address" in told
    assert "Nothing to compare" in told
    for days in ("7", "30", "90", "all", "nonsense"):
        assert "Sends 3" in words(team["viewer"].page(f"/campaigns/sale?days={days}"))


def test_a_draft_has_no_numbers_yet(team: Team) -> None:
    assert "Nothing to count yet" in team["viewer"].page("/campaigns/pushed")


def test_sends_are_told_with_reasons_and_by_kind(team: Team) -> None:
    viewer = team["viewer"]
    found = rows(viewer.page("/campaigns/sale/sends"))
    assert len(found) == 4
    assert "nobody skipped The user has no address for this channel." in found[0]
    assert "=1+1 sent" in found[1]
    assert len(rows(viewer.page("/campaigns/sale/sends?kind=skip"))) == 1
    assert "None found: refused" in viewer.page("/campaigns/sale/sends?kind=refuse")
    assert viewer.get("/campaigns/sale/sends?cursor=x").status_code == 422


def test_the_file_of_sends_is_safe_in_a_spreadsheet(team: Team) -> None:
    answer = team["viewer"].get("/campaigns/sale/sends.csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert 'filename="sale-sends.csv"' in answer.headers["content-disposition"]
    [head, *found] = list(csv.reader(io.StringIO(answer.text)))
    assert head[:4] == ["at", "user_id", "decision", "reason"]
    told = [(row[1], row[2], row[3]) for row in found]
    assert told == [
        ("nobody", "skip", "no_address"),
        ("'=1+1", "send", ""),
        ("bob", "send", ""),
        ("ann", "send", ""),
    ]


def test_who_waits_is_told_since_when_and_until_when(team: Team) -> None:
    text = team["viewer"].page("/campaigns/again/waiting")
    assert "3 users wait" in text
    found = rows(text)
    assert {row.split()[0] for row in found} == {"ann", "bob", "=1+1"}
    assert all(row.count("UTC") == 2 for row in found)
    assert "no delay" in team["viewer"].page("/campaigns/sale/waiting")


def test_changes_are_told_in_words_by_whom(team: Team, server: SegueServer) -> None:
    server.create(document("edited", {"event": "z"}))
    for name in ("first", "second"):
        path = "/api/v1/campaigns/edited"
        changed = document("edited", {"event": name}, tags=[name], name=f"Edited {name}")
        assert team["publisher"].client.put(path, json=changed).status_code == 200
        team["publisher"].client.post(f"{path}/publish")
    text = team["viewer"].page("/campaigns/edited/changes")
    told = words(text)
    assert "Version 2 edited" in told
    assert "by publisher@shop.test" in told
    assert "Tags first second" in told
    assert "Delivery, trigger 1, event first second" in told
    assert 'When a user does the event "second"' in told
    assert "{" not in told
    assert "Never published" in team["viewer"].page("/campaigns/pushed/changes")


def test_a_changed_text_is_shown_by_its_lines(team: Team, server: SegueServer) -> None:
    server.create(document("texts", {"event": "z"}))
    server.publish("texts")
    for text in ("one\ntwo\nthree", f"one\n{MARKUP}\nthree"):
        changed = document("texts", {"event": "z"}, messages=[email(text=text)])
        assert server.api.put("/api/v1/campaigns/texts", json=changed).status_code == 200
    shown = team["viewer"].page("/campaigns/texts/changes")
    assert "<del>-two</del>" in shown
    assert "<ins>+&lt;script&gt;alert(1)&lt;/script&gt;</ins>" in shown


# Names are text


@pytest.mark.parametrize(
    "path",
    [
        "/campaigns",
        f"/campaigns?tag={MARKUP}&q={MARKUP}",
        "/campaigns/_change?verb=stop&chosen=marked",
        "/search?q=script",
        *(f"/campaigns/marked{tab}" for tab in TABS),
    ],
)
def test_a_name_of_markup_is_text(team: Team, path: str) -> None:
    text = team["publisher"].page(path)
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text


# Many


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Member]:
    """A server with 300 campaigns, each following the one before it."""
    with SegueServer(tmp_path_factory.mktemp("many") / "data") as server:
        admin = member(server, "admin")
        for number in range(300):
            before = interaction("email_click", f"c{number - 1}")
            trigger = before if number % 30 else {"event": "began"}
            server.create(document(f"c{number}", trigger, tags=[f"t{number // 30}"]))
        for start in range(0, 300, 100):
            ids = [f"c{number}" for number in range(start, start + 100)]
            answer = server.api.post("/api/v1/campaigns/publish", json={"ids": ids})
            assert answer.status_code == 200, answer.text
        yield admin


def test_three_hundred_campaigns_are_listed_by_pages_each_once(many: Member) -> None:
    path, found = "/campaigns", []
    while path:
        text = many.page(path)
        found += names(text)
        following = re.findall(r'href="([^"]+)" rel="next"', text)
        path = unescape(following[0]) if following else ""
    assert sorted(found) == sorted(f"C{number}" for number in range(300))


@pytest.mark.parametrize(
    "path",
    [
        "/campaigns",
        "/campaigns?tag=t3",
        *(f"/campaigns/c45{tab}" for tab in TABS),
        "/connections",
        "/connections?view=table",
        "/connections?tag=t3",
        "/connections/data",
    ],
)
def test_a_page_of_three_hundred_campaigns_takes_less_than_a_tenth_of_a_second(
    many: Member, path: str
) -> None:
    took: list[float] = []
    # The least counts, since others use the machine too.
    while min(took, default=1) >= 0.1 and len(took) < 30:
        begin = time.perf_counter()
        many.page(path)
        took.append(time.perf_counter() - begin)
    assert min(took) < 0.1, took


def test_the_drawing_of_three_hundred_campaigns_stands_by_tag(many: Member) -> None:
    found = many.get("/connections/data").json()
    assert found["is_by_tag"]
    assert {one["name"] for one in found["nodes"]} == {f"t{number}" for number in range(10)}
    few = many.get("/connections/data?tag=t3").json()
    assert (few["is_by_tag"], len(few["nodes"]), len(few["edges"])) == (False, 30, 29)


# Nothing yet


def test_without_campaigns_three_recipes_are_offered_to_who_may_draft(tmp_path: Path) -> None:
    with SegueServer(tmp_path / "data") as server:
        for path in ("/campaigns", "/connections"):
            for role in ("viewer", "author"):
                who = member(server, role, f"{role}{len(path)}")  # type: ignore[arg-type]
                text = who.page(path)
                assert "Re-send to those who did not open" in text
                recipes = re.findall(r'name="recipe" value="([^"]+)"', text)
                offered = ["resend", "next_offer", "cart"] if role == "author" else []
                assert recipes == offered
