"""Users in the dashboard: finding them, their pages, and why they got something or not."""

import json
import re
from html import unescape
from typing import Any
from urllib.parse import quote

import pytest
from tests.support.members import Member, Team
from tests.support.servers import SegueServer, eventually

from segue.web.dashboard.places import user_in, user_path

pytestmark = pytest.mark.slow

MARKUP = "<script>alert(1)</script>"
NAME = f"Cart {MARKUP}"


def document(slug: str, **more: Any) -> dict[str, Any]:
    return {
        "slug": slug,
        "name": NAME if slug == "cart" else slug,
        "delivery": {"triggers": [{"event": f"{slug}-began"}], **more.pop("delivery", {})},
        "messages": [{"webhook": {"url": "http://127.0.0.1:9/hook"}}],
        **more,
    }


@pytest.fixture(scope="module")
def told(server: SegueServer) -> SegueServer:
    """A server with campaigns, a segment, and somebody to whom something has happened."""
    segment = {"slug": "eu", "name": "EU", "filter": {"attribute": "country", "in": ["BE", "FR"]}}
    assert server.api.post("/api/v1/segments", json=segment).status_code == 201
    server.create(document("cart", audience={"segment": "eu"}))
    server.create(document("wait", delivery={"delay": {"after": "7d"}}))
    server.create(document("draft"))
    for slug in ("cart", "wait"):
        server.publish(slug)
    server.user(
        "ann",
        country="US",
        email="Ann@people.test",
        phone="+32 470 12 34 56",
        time_zone="Asia/Tokyo",
        address={"city": "Ghent"},
        note=MARKUP,
    )
    server.user("ben", country="BE")
    server.event("ann", "cart-began", id="e1", properties={"size": 3, "inner": {"deep": MARKUP}})
    server.event("ann", "wait-began", id="e2")
    return server


def text_of(member: Member, path: str) -> str:
    """Return what a page says, without its markup."""
    main = re.sub(r"(?s)^.*<main[^>]*>|</main>.*$", "", member.page(path))
    return unescape(" ".join(re.sub(r"<[^>]+>", " ", main).split()))


# Finding


@pytest.mark.parametrize(
    "text", ["ann", "an", "ann@PEOPLE.test", "+32470123456", "+32 470 12 34 56"]
)
def test_a_user_is_found_by_id_its_beginning_and_addresses(
    told: SegueServer, team: Team, text: str
) -> None:
    path = f"/users?q={quote(text)}"
    eventually(lambda: 'href="/users/ann"' in team["viewer"].page(path), "ann")
    assert 'href="/users/ben"' not in team["viewer"].page(path)
    hits = team["viewer"].page(f"/search?q={quote(text)}")
    assert 'href="/users/ann"' in hits


def test_a_user_is_found_by_a_push_token(told: SegueServer, team: Team) -> None:
    device = {"id": "phone", "platform": "android", "token": "token-of-a-phone"}
    answer = told.api.post("/api/v1/users/cem/devices", json=device)
    assert answer.status_code == 204, answer.text
    assert 'href="/users/cem"' in team["viewer"].page("/users?q=token-of-a-phone")


def test_users_are_listed_a_page_at_a_time(told: SegueServer, team: Team) -> None:
    body = {"users": [{"user_id": f"u{n:03}", "attributes": {"n": n}} for n in range(120)]}
    assert told.api.post("/api/v1/users", json=body).status_code == 202
    eventually(lambda: "u119" in team["viewer"].page("/users?cursor=u100"), "a checkpoint")
    path, seen = "/users", []
    for _ in range(9):
        text = team["viewer"].page(path)
        seen += re.findall(r'<td><a href="/users/([^"]+)"', text)
        found = re.search(r'href="(/users\?cursor=[^"]+)" rel="next"', text)
        if found is None:
            break
        path = unescape(found[1])
    assert seen == sorted(set(seen))
    assert {"ann", "ben", "u000", "u119"} <= set(seen)


def test_who_is_not_found_is_told_how_to_look(told: SegueServer, team: Team) -> None:
    text = text_of(team["viewer"], "/users?q=nobody%40nowhere.test")
    assert "Nobody is found by “nobody@nowhere.test”" in text
    assert "Show all users" in text


def test_an_unknown_user_is_a_page_that_says_so(told: SegueServer, team: Team) -> None:
    for tab in ("", "timeline", "inbox", "do", "export"):
        answer = team["admin"].get(user_path("nobody", tab))
        assert answer.status_code == 404, tab
        assert "there is no user" in unescape(answer.text)


def test_somebody_of_whom_nothing_is_remembered_has_a_timeline(
    told: SegueServer, team: Team
) -> None:
    told.event("passer-by", "nobody-waits-for-this")
    answer = team["viewer"].get("/users/passer-by")
    assert (answer.status_code, answer.headers["location"]) == (303, "/users/passer-by/timeline")
    text = text_of(team["viewer"], "/users/passer-by/timeline")
    assert "Nothing is remembered of a user with this id." in text
    assert 'passer-by did "nobody-waits-for-this".' in text
    assert "Do something" not in text


@pytest.mark.parametrize("user_id", ["a/b", "..", ".", "50%", "~2F", "x?y#z", "ä ö", MARKUP])
def test_any_id_has_its_page(told: SegueServer, team: Team, user_id: str) -> None:
    told.user(user_id, country="FR")
    told.event(user_id, "anything")
    for tab in ("", "timeline", "why", "do"):
        text = team["admin"].page(user_path(user_id, tab))
        assert f"<h1>{user_id}</h1>" in unescape(text)
        assert MARKUP not in text
    segment = user_path(user_id).removeprefix("/users/")
    assert "/" not in segment
    answer = team["admin"].post(user_path(user_id, "erase"), {"user_id": user_id})
    assert answer.status_code == 303
    assert team["admin"].get(user_path(user_id)).status_code == 404


def test_ids_come_back_from_their_addresses() -> None:
    for user_id in ("ann", "a~b/c", "~2F", "...", "~", "a.b"):
        path = user_path(user_id).removeprefix("/users/")
        assert user_in(path.replace("%20", " ")) == user_id


# What is shown


def test_the_profile_says_how_to_reach_somebody(told: SegueServer, team: Team) -> None:
    text = text_of(team["viewer"], "/users/ann")
    assert "email Ann@people.test subscribed yes" in text
    assert "push – subscribed no address" in text
    assert "address.city Ghent" in text
    assert f"note {MARKUP}" in text
    assert "wait waits until" in text
    assert "In no segment just now." in text


def test_the_profile_says_that_an_address_is_suppressed(told: SegueServer, team: Team) -> None:
    told.user("sue", email="sue@people.test")
    body = {"channel": "email", "addresses": ["sue@people.test"]}
    assert told.api.post("/api/v1/suppressions", json=body).status_code < 300
    text = text_of(team["viewer"], "/users/sue")
    assert "suppressed: somebody put it there" in text


def test_why_somebody_is_in_a_segment_is_told_on_demand(told: SegueServer, team: Team) -> None:
    assert 'href="/users/ben?segment=eu"' in team["viewer"].page("/users/ben")
    text = text_of(team["viewer"], "/users/ben?segment=eu")
    assert 'country is one of "BE", "FR"; it is "BE"' in text
    assert "not in it" in text_of(team["viewer"], "/users/ann?segment=eu")
    assert team["viewer"].get("/users/ann?segment=none").status_code == 404


def test_the_timeline_is_told_in_sentences_with_causes(told: SegueServer, team: Team) -> None:
    page = team["viewer"].page("/users/ann/timeline")
    text = text_of(team["viewer"], "/users/ann/timeline")
    assert "Days and times are of Asia/Tokyo, the user’s own time zone; after them UTC." in text
    waits = "ann waits for “wait” until"
    assert waits in text
    assert f"ann does not enter “{NAME}”: the user was not in the audience" in text
    assert 'because: ann did "wait-began".' in text
    assert f"led to: {waits}" in text
    newest_first = [text.index(waits), text.index('ann did "wait-began"'), text.index("e1")]
    assert newest_first == sorted(newest_first)
    for field in ("properties.size 3", f"properties.inner.deep {MARKUP}", "id e1"):
        assert field in text
    assert MARKUP not in page
    [_, number] = re.findall(r'because: <a href="#m(\d+)"', page)
    assert f'<li id="m{number}">' in page


def test_the_timeline_is_read_a_page_at_a_time(told: SegueServer, team: Team) -> None:
    events = [{"user_id": "zoe", "name": f"step-{n}", "id": f"s{n}"} for n in range(120)]
    assert told.api.post("/api/v1/events", json={"events": events}).status_code == 202
    path, seen = "/users/zoe/timeline", []
    for _ in range(4):
        text = team["viewer"].page(path)
        seen += re.findall(r"zoe did &#34;step-(\d+)&#34;", text)
        found = re.search(r'href="([^"]+)" rel="next"', text)
        if found is None:
            break
        path = unescape(found[1])
    assert seen == [str(n) for n in reversed(range(120))]
    page = team["viewer"].page("/users/zoe/timeline?event=s30")
    assert re.findall(r"zoe did &#34;step-(\d+)&#34;", page)[0] == "30"
    for odd in ("before=0", "before=x", "before=99999999999", "event=none"):
        assert team["viewer"].get(f"/users/zoe/timeline?{odd}").status_code == 200, odd


def test_why_answers_with_every_gate_and_the_values(told: SegueServer, team: Team) -> None:
    text = text_of(team["viewer"], "/users/ann/why?campaign=cart")
    assert "did not enter" in text
    assert f'ann did not get “{NAME}”: ann did "cart-began"' in text
    assert "Reason: not_in_audience" in text
    gates = text[text.index("What was looked at, in order") :]
    assert "passed: The campaign was active." in gates
    assert "not passed:" in gates
    assert 'does not hold: country is one of "BE", "FR"; it is "US"' in gates
    assert gates.index("passed: The campaign was active.") < gates.index("does not hold:")
    waiting = text_of(team["viewer"], "/users/ann/why?campaign=wait")
    assert "waiting" in waiting
    assert "ann waits for “wait” until" in waiting


def test_why_is_two_clicks_from_a_search(told: SegueServer, team: Team) -> None:
    assert 'href="/users/ann"' in team["viewer"].page("/search?q=ann")
    profile = team["viewer"].page("/users/ann")
    form = profile[profile.index('<form class="why"') :]
    assert 'action="/users/ann/why"' in form
    assert re.findall(r'<option value="([^"]+)"', form)[:2] == ["wait", "cart"]  # theirs first
    answer = team["viewer"].get("/why?user=ann&campaign=cart")
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        "/users/ann/why?campaign=cart",
    )
    assert 'value="ann"' in team["viewer"].page("/why?user=ann")


def test_why_says_what_is_unknown(told: SegueServer, team: Team) -> None:
    text = text_of(team["viewer"], "/users/ann/why?campaign=kart")
    assert "There is no campaign 'kart'" in text
    assert "did you mean" in text.lower()
    stranger = text_of(team["viewer"], "/users/nobody/why?campaign=cart")
    assert "unknown user" in stranger
    assert "Nothing is known of a user nobody" in stranger
    assert "never published" in text_of(team["viewer"], "/users/ann/why?campaign=draft")


# What is done


def test_a_test_event_is_decided_about_at_once(told: SegueServer, team: Team) -> None:
    form = {
        "name": "cart-began",
        "properties[0].name": "size",
        "properties[0].value": "4",
        "properties[1].name": "colour",
        "properties[1].value": "red",
        "properties[2].name": "sku",
        "properties[2].value": '"007"',
        "properties[3].name": "gift",
        "properties[3].value": "true",
    }
    answer = team["admin"].post("/users/ben/event", form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/users/ben/timeline")
    [event] = [one for one in told.timeline("ben") if one.get("name") == "cart-began"]
    assert event["properties"] == {"size": 4, "colour": "red", "sku": "007", "gift": True}
    assert ("enter", None) in told.decisions("ben", "cart")
    changes = unescape(team["admin"].page("/settings/changes"))
    assert "sent an event by hand" in changes


def test_another_row_keeps_what_was_written(told: SegueServer, team: Team) -> None:
    form = {"name": "go", "properties[0].name": "size", "properties[2].name": "x", "add": "row"}
    text = team["admin"].post("/users/ben/event", form).text
    assert 'name="properties[0].name" value="size"' in text
    assert 'value="go"' in text
    assert 'name="properties[1].name" value="x"' in text
    assert 'name="properties[2].name" value=""' in text
    rows = {f"properties[{n}].name": f"p{n}" for n in range(3)}
    text = team["admin"].post("/users/ben/event", {**rows, "add": "row"}).text
    assert 'name="properties[3].name" value=""' in text


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "Say what the event is called."),
        ("email_receive", "recorded by Segue itself"),
        ("email_open", "needs the"),
        ("x" * 300, "255"),
    ],
)
def test_an_event_that_cannot_be_sent_says_why_at_its_field(
    told: SegueServer, team: Team, name: str, said: str
) -> None:
    answer = team["admin"].post("/users/ben/event", {"name": name})
    assert answer.status_code == 422
    [fault] = re.findall(r'(?s)id="name-fault">.*?<span>(.*?)</span>', answer.text)
    assert said in unescape(fault)


def test_an_attribute_is_set_and_taken_away(told: SegueServer, team: Team) -> None:
    admin = team["admin"]
    for value, found in (("12", 12), ("Ghent", "Ghent"), ("", None), ('"12"', "12")):
        form = {"attribute": "city", "attribute_value": value}
        assert admin.post("/users/ben/attribute", form).status_code == 303
        user = told.api.get("/api/v1/users/ben").json()
        assert user["attributes"].get("city") == found
    answer = admin.post("/users/ben/attribute", {"attribute": "", "attribute_value": "x"})
    assert (answer.status_code, "Say which attribute." in answer.text) == (422, True)


def test_subscriptions_are_changed_as_far_as_they_differ(told: SegueServer, team: Team) -> None:
    workspace = {"subscription_groups": [{"slug": "news", "name": "News"}]}
    assert told.api.put("/api/v1/workspace", json=workspace).status_code == 200
    form = {"channel.email": "unsubscribed", "channel.sms": "subscribed", "group.news": "opted_in"}
    assert team["admin"].post("/users/ben/subscriptions", form).status_code == 303
    user = told.api.get("/api/v1/users/ben").json()
    assert user["subscriptions"] == {"email": "unsubscribed", "news": "opted_in"}
    assert "email – unsubscribed" in text_of(team["viewer"], "/users/ben")

    def changes() -> int:
        return sum("attributes" in line for line in told.timeline("ben"))

    before = changes()
    assert team["admin"].post("/users/ben/subscriptions", form).status_code == 303
    assert changes() == before
    for odd in ({"channel.email": "maybe"}, {"group.none": "subscribed"}, {"channel.x": "x"}):
        assert team["admin"].post("/users/ben/subscriptions", odd).status_code == 422


def test_only_an_admin_does_things_and_everybody_may_look(told: SegueServer, team: Team) -> None:
    for role, member in team.items():
        text = member.page("/users/ann/do")
        assert ("Send a test event" in text) == (role == "admin")
        assert ("Erase the user" in text) == (role == "admin")
        assert member.get("/users/ann/export").status_code == 200
        if role != "admin":
            for verb in ("event", "attribute", "subscriptions", "erase"):
                answer = member.post(f"/users/ann/{verb}", {"user_id": "ann", "name": "go"})
                assert answer.status_code == 403, (role, verb)


def test_the_export_has_profile_and_timeline(told: SegueServer, team: Team) -> None:
    answer = team["viewer"].get("/users/ann/export")
    assert answer.headers["content-disposition"] == 'attachment; filename="ann.json"'
    found = json.loads(answer.text)
    assert found["user"]["attributes"]["email"] == "Ann@people.test"
    assert {one.get("id") for one in found["timeline"]} >= {"e1", "e2"}
    assert "token" not in answer.text


def test_erasing_takes_the_id_typed(told: SegueServer, team: Team) -> None:
    told.user("gone", country="FR")
    refused = team["admin"].post("/users/gone/erase", {"user_id": "gon"})
    assert (refused.status_code, "Type gone to erase this user." in refused.text) == (422, True)
    assert team["admin"].post("/users/gone/erase", {"user_id": "gone"}).status_code == 303
    assert team["admin"].get("/users/gone").status_code == 404
    assert "gone was erased" in text_of(team["viewer"], "/users/gone/timeline")


def test_the_inbox_has_what_is_due(told: SegueServer, team: Team) -> None:
    card = document("card")
    card["messages"] = [{"content_card": {"title": MARKUP, "body": "Look"}}]
    told.create(card)
    told.publish("card")
    assert "None is due." in text_of(team["viewer"], "/users/ben/inbox")
    told.event("ben", "card-began")
    eventually(lambda: MARKUP in text_of(team["viewer"], "/users/ben/inbox"), "the card")
    assert MARKUP not in team["viewer"].page("/users/ben/inbox")
