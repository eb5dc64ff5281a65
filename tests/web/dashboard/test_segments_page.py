"""The pages of segments, their counts and the composer's Audience step, over HTTP."""

import re
from html import unescape
from typing import Any

import httpx2
import pytest
from selectolax.lexbor import LexborHTMLParser
from tests.support.documents import campaign
from tests.support.forms import changed, form_of
from tests.support.members import Member, Team
from tests.support.servers import SegueServer, eventually

pytestmark = pytest.mark.slow

NEW = "/segments/~new"
COUNT = "/segments/~count"
TEST = "/segments/~test"
MARKUP = "<script>alert(1)</script>"
PART = {"HX-Request": "true"}


def save(server: SegueServer, slug: str, node: Any, name: str = "") -> None:
    body = {"slug": slug, "name": name or slug.title(), "filter": node}
    answer = server.api.post("/api/v1/segments", json=body)
    assert answer.status_code == 201, answer.text


def saved(server: SegueServer, slug: str) -> dict[str, Any]:
    answer = server.api.get(f"/api/v1/segments/{slug}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def text_of(html: str) -> str:
    """Return what a page says, without markup."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def written(member: Member, path: str, values: dict[str, str], button: str = "go=save") -> Any:
    """Fill in a form as it stands in a page, and press a button."""
    name, _, value = button.partition("=")
    pairs = changed(form_of(member.page(path), path), values)
    return member.send(path, [*pairs, (name, value)])


def asked(place: str, tree: dict[str, str], **more: str) -> list[tuple[str, str]]:
    """Return the fields of a filter in a form."""
    pairs = [(f"{place}.{name}" if name else place, value) for name, value in tree.items()]
    return [("count_place", place), *pairs, *more.items()]


def on_planet(planet: str, place: str = "filter") -> list[tuple[str, str]]:
    return asked(place, {"kind": "attribute", "attribute": "planet", "eq": planet})


@pytest.fixture(scope="module")
def people(server: SegueServer) -> SegueServer:
    for number in range(12):
        address = {"email": f"{number}@people.test"} if number < 5 else {}
        server.user(f"user-{number:02}", planet="Mars" if number < 11 else "Venus", **address)
    for user in ("user-00", "user-01", "user-00"):
        server.event(user, "landed", properties={"pad": "north"})
    return server


# Writing


def test_a_segment_is_written_by_buttons_and_fields_and_saved(
    server: SegueServer, team: Team
) -> None:
    author = team["author"]
    pairs = changed(
        form_of(author.page(NEW), NEW),
        {"name": "Keen people", "filter.all[0].attribute": "country", "filter.all[0].eq": "FR"},
    )
    added = author.send(NEW, [*pairs, ("edit_filter", "add filter.all")])
    assert added.status_code == 200
    chosen = {"filter.all[1].kind": "received", "filter.all[1].holds": "no"}
    shown = author.send(NEW, changed(form_of(added.text, NEW), chosen))
    pairs = changed(form_of(shown.text, NEW), {"filter.all[1].not.received.within": "7"})
    answer = author.send(NEW, [*pairs, ("go", "save")])
    assert answer.status_code == 303, text_of(answer.text)
    assert answer.headers["location"] == "/segments/keen-people"
    assert saved(server, "keen-people")["filter"] == {
        "all": [
            {"attribute": "country", "eq": "FR"},
            {"not": {"received": {"within": "7d"}}},
        ]
    }
    page = text_of(author.page("/segments/keen-people"))
    assert 'country is "FR"' in page
    assert "it does not hold that the user has received any campaign in the last 7 days" in page


def test_faults_stand_at_their_fields_and_nothing_is_saved(team: Team) -> None:
    answer = written(team["author"], NEW, {"slug": "Bad Slug"})
    assert answer.status_code == 422
    page = LexborHTMLParser(answer.text)
    wrong = {one.attributes["id"] for one in page.css("[aria-invalid=true]")}
    assert wrong == {"name", "slug", "filter.all[0].eq"}
    links = {one.attributes["href"] for one in page.css(".summary a")}
    ids = {one.attributes.get("id") for one in page.css("[id]")}
    assert links
    assert {link.removeprefix("#") for link in links if link} <= ids
    assert "needs a value to compare with" in answer.text
    # From then on the form tells faults as they come and go.
    pairs = changed(
        form_of(answer.text, NEW), {"name": "Named", "slug": "", "filter.all[0].eq": "1"}
    )
    again = team["author"].send(NEW, pairs)
    assert again.status_code == 200
    assert 'id="name-fault"' not in again.text
    assert 'id="filter.all[0].attribute-fault"' in again.text


def test_a_slug_that_is_taken_is_told_at_its_field(server: SegueServer, team: Team) -> None:
    save(server, "taken", {"attribute": "a", "eq": 1})
    values = {"name": "T", "slug": "taken", "filter.all[0].attribute": "a", "filter.all[0].eq": "1"}
    answer = written(team["author"], NEW, values)
    assert answer.status_code == 422
    fault = LexborHTMLParser(answer.text).css_first("#slug-fault")
    assert fault is not None
    assert "is taken by another segment" in fault.text()


def test_a_segment_is_changed_as_it_was_shown(server: SegueServer, team: Team) -> None:
    node = {"any": [{"event": "go"}, {"purchase": {"count": {"gte": 2}, "within": "30d"}}]}
    save(server, "changing", node)
    path = "/segments/changing/edit"
    values = {"name": "Changed", "description": "Why.", "filter.any[1].purchase.count.gte": "3"}
    answer = written(team["publisher"], path, values)
    assert answer.headers["location"] == "/segments/changing"
    node["any"][1]["purchase"]["count"]["gte"] = 3
    assert saved(server, "changing") == {
        "slug": "changing",
        "name": "Changed",
        "description": "Why.",
        "filter": node,
    }
    assert "is saved" in team["publisher"].page("/segments/changing")


def test_segments_may_not_go_in_a_circle_by_the_form_either(
    server: SegueServer, team: Team
) -> None:
    save(server, "round", {"attribute": "a", "eq": 1})
    save(server, "about", {"segment": "round"})
    answer = written(
        team["publisher"],
        "/segments/round/edit",
        {"filter.kind": "segment", "filter.was": "segment", "filter.segment": "about"},
    )
    assert answer.status_code == 422
    assert "may not go in a circle" in unescape(answer.text)


def test_what_is_offered_comes_from_this_workspace(people: SegueServer, team: Team) -> None:
    save(people, "offered", {"attribute": "asked_for", "eq": 1}, "Offered to all")
    people.create(campaign("offered-campaign", name="Offered campaign"))
    html = written(team["author"], NEW, {"filter.all[0].kind": "segment"}, "x=y").text
    assert '<option value="offered">Offered to all</option>' in html
    assert '<option value="asked_for">' in html
    # The log and the profiles are looked at from time to time, at the latter as checkpoints go.
    for name in ("landed", "planet"):
        eventually(lambda name=name: f'<option value="{name}">' in team["author"].page(NEW), name)
    html = written(team["author"], NEW, {"filter.all[0].kind": "clicked"}, "x=y").text
    assert '<option value="offered-campaign">Offered campaign (draft)</option>' in html


# Showing and deleting


def test_the_list_says_who_is_in_it_who_uses_it_and_how_many(
    people: SegueServer, team: Team
) -> None:
    save(people, "martians", {"attribute": "planet", "eq": "Mars"}, f"Martians {MARKUP}")
    save(people, "user-of-martians", {"not": {"segment": "martians"}}, "Others")
    document = campaign("to-martians", name="To Mars", audience={"segment": "martians"})
    people.create(document)
    viewer = team["viewer"]
    html = viewer.page("/segments")
    assert "<script>alert" not in html
    row = next(
        one.html or "" for one in LexborHTMLParser(html).css("tr") if "martians" in one.text()
    )
    assert 'planet is "Mars"' in text_of(row)
    assert "campaign To Mars, segment Others" in text_of(row)
    assert "not since the server started" in row
    answer = viewer.post("/segments/martians/count")
    assert answer.headers["location"] == "/segments"
    told = text_of(viewer.page("/segments"))
    assert '"martians" has 11 of' in told
    assert " 11 just now" in told
    assert "counted just now" in text_of(viewer.page("/segments/martians"))
    # What was counted is not what the segment is any more.
    changed_to = {"name": "Martians", "filter": {"attribute": "planet", "eq": "Venus"}}
    people.api.put("/api/v1/segments/martians", json=changed_to)
    assert "counted just now" not in text_of(viewer.page("/segments/martians"))


def test_a_segment_that_is_used_says_so_and_stays(server: SegueServer, team: Team) -> None:
    save(server, "kept", {"attribute": "a", "eq": 1})
    save(server, "keeper", {"segment": "kept"}, "The keeper")
    publisher = team["publisher"]
    page = publisher.page("/segments/kept")
    assert "cannot be deleted while it is used" in page
    assert 'href="/segments/keeper">The keeper</a>' in page
    assert 'action="/segments/kept/delete"' not in page
    answer = publisher.post("/segments/kept/delete")
    assert answer.status_code == 409
    assert "the segment keeper" in answer.text
    assert publisher.post("/segments/keeper/delete").headers["location"] == "/segments"
    assert publisher.post("/segments/kept/delete").status_code == 303
    assert publisher.get("/segments/kept").status_code == 404


def test_roles_see_everything_and_change_what_the_api_lets_them(
    server: SegueServer, team: Team
) -> None:
    save(server, "guarded", {"attribute": "a", "eq": 1})
    paths = {"new": NEW, "edit": "/segments/guarded/edit"}
    answers = {
        role: [member.get(one).status_code for one in paths.values()]
        for role, member in team.items()
    }
    assert answers == {
        "viewer": [403, 403],
        "author": [200, 403],
        "publisher": [200, 200],
        "admin": [200, 200],
    }
    assert team["author"].post("/segments/guarded/delete").status_code == 403
    assert "/edit" not in team["author"].page("/segments/guarded")
    assert "New segment" not in team["viewer"].page("/segments")
    assert saved(server, "guarded")["name"] == "Guarded"


@pytest.mark.parametrize("path", ["/segments/none", "/segments/none/edit", "/segments/~counts/x"])
def test_what_is_not_there_is_a_page_that_says_so(team: Team, path: str) -> None:
    answer = team["admin"].get(path)
    assert answer.status_code == 404
    assert "<h1>Not found</h1>" in answer.text


def test_a_search_finds_segments_by_name_slug_and_description(
    server: SegueServer, team: Team
) -> None:
    save(server, "found-by-slug", {"attribute": "a", "eq": 1}, "Somebody’s Name")
    for text in ("found-by", "somebody"):
        html = team["viewer"].page(f"/search?q={text}")
        assert 'href="/segments/found-by-slug"' in html


def test_changes_are_in_the_audit_trail_and_looks_are_not(server: SegueServer, team: Team) -> None:
    values = {"name": "Audited", "filter.all[0].attribute": "a", "filter.all[0].eq": "1"}
    written(team["author"], NEW, values)
    team["author"].send(NEW, form_of(team["author"].page(NEW), NEW))
    team["author"].send(COUNT, on_planet("Mars"), headers=PART)
    page = team["admin"].page("/settings/changes")
    trail = text_of(page[page.index("<tbody>") : page.index("</tbody>")])
    assert "made a segment audited" in trail
    assert not re.search(r"made a segment [^a-z]", trail)  # each of them has a name
    assert "count " not in trail.replace("account ", "")


# Counting and testing


def count_part(member: Member, pairs: list[tuple[str, str]]) -> str:
    answer = member.send(COUNT, pairs, headers=PART)
    assert answer.status_code == 200, answer.text
    return answer.text


def test_a_filter_is_counted_with_channels_and_some_of_its_users(
    people: SegueServer, team: Team
) -> None:
    html = count_part(team["viewer"], [*on_planet("Mars"), ("count_channels", "email,nonsense")])
    told = text_of(html)
    assert re.search(r"11 of \d+ users", told)
    assert "email 5" in told
    assert "SMS" not in told
    users = [one.text() for one in LexborHTMLParser(html).css(".sample code")]
    assert len(users) == len(set(users)) == 10
    assert all(one.startswith("user-") for one in users)
    few = count_part(team["viewer"], on_planet("Venus"))
    assert "All of them" in few
    assert "SMS 0" in text_of(few)
    nobody = text_of(count_part(team["viewer"], on_planet("Pluto")))
    assert "Nobody matches at present." in nobody


def test_everyone_is_counted_and_a_segment_by_its_name(people: SegueServer, team: Team) -> None:
    everyone = text_of(count_part(team["viewer"], asked("audience", {"who": "everyone"})))
    assert "(100 %)" in everyone
    save(people, "on-venus", {"attribute": "planet", "eq": "Venus"})
    pairs = asked("audience", {"who": "segment", "segment": "on-venus"})
    assert re.search(r"\b1 of \d+ users", text_of(count_part(team["viewer"], pairs)))


def test_what_is_not_finished_is_not_counted_and_says_what_is_missing(team: Team) -> None:
    pairs = asked(
        "filter",
        {"kind": "all", "all[0].kind": "attribute", "all[0].attribute": "", "all[0].eq": "1"},
    )
    told = text_of(count_part(team["viewer"], pairs))
    assert told == "Not counted. Filter 1 must not be empty"
    unsaid = asked("filter", {"kind": "attribute", "attribute": "a", "eq": ""})
    assert "needs a value to compare with" in count_part(team["viewer"], unsaid)
    answer = team["viewer"].send(COUNT, pairs)
    assert answer.status_code == 422


def test_without_a_script_a_count_is_a_page_that_leads_back_with_everything_written(
    people: SegueServer, team: Team
) -> None:
    author = team["author"]
    values = {
        "name": "Two <b>",
        "description": "One.\r\n\r\nTwo.",
        "filter.all[0].attribute": "planet",
        "filter.all[0].eq": "Mars",
    }
    pairs = changed(form_of(author.page(NEW), NEW), values)
    answer = author.send(COUNT, pairs)
    assert answer.status_code == 200
    assert "<h1>How many users</h1>" in answer.text
    assert re.search(r"11 of \d+ users", text_of(answer.text))
    back = form_of(answer.text, NEW)
    shown = dict(form_of(author.send(NEW, back).text, NEW))
    assert {name: shown[name] for name in values} == values
    tested = author.send(TEST, [*pairs, ("test_user", "user-03")])
    assert dict(form_of(tested.text, NEW))["filter.all[0].eq"] == "Mars"


def test_a_way_back_leads_nowhere_else(people: SegueServer, team: Team) -> None:
    for written_there in ("yes", ""):
        more = [("count_back", "//evil.test"), ("count_written", written_there)]
        answer = team["viewer"].send(COUNT, [*on_planet("Mars"), *more])
        assert "evil.test" not in re.sub(r'name="count_back" value="[^"]*"', "", answer.text)
    html = team["viewer"].send(COUNT, [*on_planet("Mars"), ("count_back", "/segments/x")]).text
    assert '<a class="button outline" href="/segments/x">Back</a>' in html


def test_a_user_is_tested_with_the_reason_of_each_filter(people: SegueServer, team: Team) -> None:
    def tested(user: str, planet: str = "Mars") -> str:
        pairs = [*on_planet(planet), ("test_user", user)]
        answer = team["viewer"].send(TEST, pairs, headers=PART)
        assert answer.status_code == 200
        return text_of(answer.text)

    assert "user-03 matches." in tested("user-03")
    assert "matches" in tested(" user-03 ")
    away = tested("user-11")
    assert 'user-11 does not match: it asks that planet is "Mars" (it is "Venus").' in away
    assert "no Planet is" in away
    assert "nothing is known of a user 'nobody'" in tested("nobody")
    assert "Type the id of a user" in tested("")
    page = team["viewer"].send(TEST, [*on_planet("Mars"), ("test_user", "user-03")])
    assert "<h1>Does this user match?</h1>" in page.text


def test_events_that_nobody_followed_count_and_explain_too(people: SegueServer, team: Team) -> None:
    fields = {
        "kind": "event",
        "event.name": "landed",
        "event.count.gte": "2",
        "event.where[0].property": "pad",
        "event.where[0].eq": "north",
    }
    pairs = asked("filter", fields)
    counted = count_part(team["viewer"], pairs)
    assert re.search(r"\b1 of \d+ users", text_of(counted))
    assert "<code>user-00</code>" in counted
    for user, words in (
        ("user-00", "it happened twice"),
        ("user-01", "it happened once"),
        ("user-05", "that never happened"),
    ):
        answer = team["viewer"].send(TEST, [*pairs, ("test_user", user)], headers=PART)
        assert words in text_of(answer.text)


# The composer's Audience step


@pytest.fixture
def step(team: Team) -> str:
    begun = team["author"].post("/compose", {"begin": "blank"})
    assert begun.status_code == 303
    return begun.headers["location"].rsplit("/", 1)[0] + "/audience"


def sentence(html: str) -> str:
    found = LexborHTMLParser(html).css_first("#sentence")
    assert found is not None
    return " ".join(found.text().split())


def test_an_audience_is_chosen_step_by_step(server: SegueServer, team: Team, step: str) -> None:
    save(server, "for-step", {"attribute": "a", "eq": 1})
    author = team["author"]
    assert "to everyone" in sentence(author.page(step))
    written(author, step, {"audience.who": "segment"})
    assert "No segment is saved yet" not in author.page(step)
    written(author, step, {"audience.segment": "for-step"})
    assert 'the user is in the segment "for-step"' in sentence(author.page(step))
    written(author, step, {"audience.who": "filters"})
    added = written(author, step, {}, "edit_filter=add audience.all")
    assert added.status_code == 303
    values = {"audience.all[1].attribute": "country", "audience.all[1].eq": "FR"}
    written(author, step, values | {"recheck_audience": "yes"})
    html = author.page(step)
    assert 'in the segment "for-step" and that country is "FR"' in sentence(html)
    assert dict(form_of(html, step))["recheck_audience"] == "yes"
    removed = written(author, step, {}, "edit_filter=remove audience.all[0]")
    assert removed.status_code == 303
    assert "for-step" not in sentence(author.page(step))
    written(author, step, {"audience.who": "everyone"})
    assert "to everyone" in sentence(author.page(step))


def test_a_step_answers_a_script_with_its_part(team: Team, step: str) -> None:
    pairs = changed(form_of(team["author"].page(step), step), {"audience.who": "filters"})
    answer = team["author"].send(step, pairs, headers=PART)
    assert answer.status_code == 200
    assert "<html" not in answer.text
    assert 'id="audience.all[0].attribute"' in answer.text
    assert f'hx-post="{step}"' in answer.text


def test_a_subscription_group_is_chosen_among_those_of_the_workspace(
    server: SegueServer, team: Team, step: str
) -> None:
    workspace = server.api.get("/api/v1/workspace").json()
    workspace["subscription_groups"] = [{"slug": "news", "name": "The newsletter"}]
    answer = server.api.put("/api/v1/workspace", json=workspace)
    assert answer.status_code == 200, answer.text
    html = team["author"].page(step)
    assert '<option value="news">The newsletter</option>' in html
    written(team["author"], step, {"subscription_group": "news"})
    assert dict(form_of(team["author"].page(step), step))["subscription_group"] == "news"


def test_who_gets_it_by_their_subscription_is_chosen_and_said(team: Team, step: str) -> None:
    author = team["author"]
    assert dict(form_of(author.page(step), step))["subscription"] == "subscribed"
    written(author, step, {"subscription": "opted_in"})
    assert "if they opted in" in sentence(author.page(step))
    assert "those alone who opted in" in author.page(step.replace("/audience", "/review"))
    written(author, step, {"subscription": "subscribed"})
    assert "opted in" not in sentence(author.page(step))


def test_filters_that_are_not_finished_are_never_said_to_be_everyone(team: Team, step: str) -> None:
    written(team["author"], step, {"audience.who": "filters"})
    assert "to users yet to be chosen" in sentence(team["author"].page(step))
    review = text_of(team["author"].page(step.replace("/audience", "/review")))
    assert "Audience users yet to be chosen" in review


def test_the_step_counts_by_the_channels_of_its_campaign(
    people: SegueServer, team: Team, step: str
) -> None:
    fields = dict(form_of(team["author"].page(step), step))
    assert (fields["count_place"], fields["count_channels"]) == ("audience", "email")
    told = text_of(count_part(team["author"], [*fields.items()]))
    assert "Reachable by email" in told
    assert "push" not in told


def test_a_count_that_nobody_waits_for_is_given_up(people: SegueServer, team: Team) -> None:
    first = count_part(team["viewer"], on_planet("Mars"))
    [count_id] = re.findall(r'name="count_id" value="([^"]+)"', first)
    count_part(team["viewer"], [*on_planet("Mars"), ("count_id", count_id)])
    # It was done, so it stays for whoever looks at it.
    answer: httpx2.Response = team["viewer"].get(f"/segments/~counts/{count_id}", headers=PART)
    assert re.search(r"11 of \d+ users", text_of(answer.text))
    gone = team["viewer"].get("/segments/~counts/none", headers=PART)
    assert "Not counted." in text_of(gone.text)
