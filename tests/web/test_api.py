"""The API on a real server: events, users, campaigns, their numbers and their previews."""

import gzip
import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from tests.support.servers import SegueServer, eventually

pytestmark = pytest.mark.slow

NDJSON = {"Content-Type": "application/x-ndjson"}
GZIP = {"Content-Encoding": "gzip"}
CAMPAIGNS = "/api/v1/campaigns"


@pytest.fixture(scope="module")
def segue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SegueServer]:
    settings = {"SEGUE_CHANNELS__EMAIL__FROM": "Shop <hi@shop.test>"}
    with SegueServer(tmp_path_factory.mktemp("api") / "data", **settings) as server:
        yield server


@pytest.fixture
def api(segue: SegueServer) -> httpx2.Client:
    return segue.api


def document(slug: str, trigger: Any = None, **more: Any) -> dict[str, Any]:
    delivery = {"type": "action", "triggers": [trigger or {"event": f"{slug}-began"}]}
    if "delay" in more:
        delivery["delay"] = more.pop("delay")
    html = more.pop("html", '<p>Hi {{ first_name }}</p><a href="{{ unsubscribe_url }}">Bye</a>')
    messages = [{"email": {"subject": "To {{ first_name }}", "html": html}}]
    return {"slug": slug, "name": slug, "delivery": delivery, "messages": messages, **more}


def follows(campaign: str) -> dict[str, Any]:
    return {"interact_with_campaign": {"campaign": campaign, "interaction": "email_click"}}


def taken(answer: httpx2.Response) -> tuple[int, int, list[int]]:
    """Return how many events were accepted, how many were duplicates, and which were bad."""
    assert answer.status_code == 202, answer.text
    body = answer.json()
    return body["accepted"], body["duplicates"], [one["index"] for one in body["rejected"]]


def problem(answer: httpx2.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = dict(answer.json())
    assert body["status"] == status
    return body


def names(segue: SegueServer, user_id: str) -> list[str]:
    return [line["name"] for line in segue.timeline(user_id) if "name" in line]


def send(api: httpx2.Client, *events: Any) -> httpx2.Response:
    return api.post("/api/v1/events", json={"events": list(events)})


# Events


def test_a_bad_event_is_rejected_by_index_and_the_rest_taken(segue: SegueServer) -> None:
    good, bad = {"user_id": "mixed", "name": "one"}, {"user_id": "mixed"}
    answer = send(segue.api, good, bad, 7, {**good, "name": "two"}, {**good, "quantity": 0})
    assert taken(answer) == (2, 0, [1, 2, 4])
    assert "`name`" in answer.json()["rejected"][0]["message"]
    assert names(segue, "mixed") == ["one", "two"]


def test_a_bad_line_of_ndjson_is_rejected_by_index_and_the_rest_taken(segue: SegueServer) -> None:
    lines = b'{"user_id":"lines","name":"one"}\nnonsense\n\n{"user_id":"lines","name":"two"}\n'
    answer = segue.api.post("/api/v1/events", content=lines, headers=NDJSON)
    assert taken(answer) == (2, 0, [1])
    assert names(segue, "lines") == ["one", "two"]


def test_text_that_is_not_utf8_is_the_fault_of_its_event_alone(segue: SegueServer) -> None:
    good, bad = b'{"user_id":"utf8","name":"one"}', b'{"user_id":"utf8","name":"\xff"}'
    whole = segue.api.post("/api/v1/events", content=b'{"events":[%s,%s]}' % (bad, good))
    assert taken(whole) == (1, 0, [0])
    lines = segue.api.post("/api/v1/events", content=bad + b"\n" + good, headers=NDJSON)
    assert taken(lines) == (1, 0, [0])


def test_an_unknown_field_names_the_nearest_known_one(api: httpx2.Client) -> None:
    answer = send(api, {"user_id": "u", "name": "a", "propertys": {}})
    message = answer.json()["rejected"][0]["message"]
    assert message.endswith('unknown field `propertys`; did you mean "properties"?')


def test_a_body_packed_by_gzip_is_unpacked(segue: SegueServer) -> None:
    packed = gzip.compress(b'{"events":[{"user_id":"zip","name":"one"}]}')
    assert taken(segue.api.post("/api/v1/events", content=packed, headers=GZIP)) == (1, 0, [])
    assert names(segue, "zip") == ["one"]


def test_gzip_streams_joined_end_to_end_are_all_read(segue: SegueServer) -> None:
    lines = [b'{"user_id":"joined","name":"%d"}\n' % number for number in range(3)]
    packed = b"".join(map(gzip.compress, lines))
    answer = segue.api.post("/api/v1/events", content=packed, headers={**NDJSON, **GZIP})
    assert taken(answer) == (3, 0, [])
    assert names(segue, "joined") == ["0", "1", "2"]


def test_a_cut_gzip_body_is_refused_and_nothing_of_it_taken(segue: SegueServer) -> None:
    lines = "".join(f'{{"user_id":"cut","name":"{number}"}}\n' for number in range(99))
    packed = gzip.compress(lines.encode())[:-20]
    answer = segue.api.post("/api/v1/events", content=packed, headers={**NDJSON, **GZIP})
    assert "ends too early" in problem(answer, 400)["detail"]
    assert names(segue, "cut") == []


def test_the_same_id_within_a_day_is_a_duplicate(segue: SegueServer) -> None:
    event = {"user_id": "twice", "name": "one", "id": "e1"}
    assert taken(send(segue.api, event, event)) == (1, 1, [])
    assert taken(send(segue.api, event)) == (0, 1, [])
    assert taken(send(segue.api, {**event, "user_id": "other"})) == (1, 0, [])
    assert names(segue, "twice") == ["one"]


def test_what_segue_derives_itself_cannot_be_sent(api: httpx2.Client) -> None:
    answer = send(api, {"user_id": "u", "name": "email_receive", "campaign": "x"})
    assert taken(answer) == (0, 0, [0])
    assert "recorded by Segue itself" in answer.json()["rejected"][0]["message"]


def test_an_interaction_needs_its_campaign_and_a_purchase_its_product(api: httpx2.Client) -> None:
    click, purchase = ({"user_id": "u", "name": name} for name in ("email_click", "purchase"))
    answer = send(api, click, purchase, {**click, "campaign": "x"}, {**purchase, "product_id": "p"})
    assert taken(answer) == (2, 0, [0, 1])
    messages = [one["message"] for one in answer.json()["rejected"]]
    assert 'needs the "campaign"' in messages[0]
    assert 'needs a "product_id"' in messages[1]


# Users


def test_many_users_change_in_one_call(api: httpx2.Client) -> None:
    users = [{"user_id": f"many-{n}", "attributes": {"n": n}} for n in range(3)]
    answer = api.post("/api/v1/users", json={"users": users})
    assert (answer.status_code, answer.json()) == (202, {"accepted": 3})
    assert api.get("/api/v1/users/many-2").json()["attributes"] == {"n": 2}


def test_faults_of_users_are_told_with_their_paths(api: httpx2.Client) -> None:
    users = [{"user_id": "fine", "attributes": {}}, {"user_id": "", "atributes": {}}]
    body = problem(api.post("/api/v1/users", json={"users": users}), 422)
    paths = {one["path"] for one in body["errors"]}
    assert paths >= {"users[1].user_id", "users[1].atributes"}
    many = [users[0]] * 1001
    body = problem(api.post("/api/v1/users", json={"users": many}), 422)
    assert body["errors"][0]["path"] == "users"


def test_a_patch_sets_attributes_and_null_takes_one_away(api: httpx2.Client) -> None:
    path = "/api/v1/users/patched"
    made = api.patch(path, json={"attributes": {"city": "Berlin", "age": 7}})
    assert (made.status_code, made.json()["attributes"]) == (200, {"city": "Berlin", "age": 7})
    changed = api.patch(path, json={"attributes": {"city": None, "age": 8}})
    assert changed.json()["attributes"] == {"age": 8}
    assert api.get(path).json() == changed.json()


def test_a_timeline_comes_in_pages_and_as_ndjson(segue: SegueServer) -> None:
    path = "/api/v1/users/paged/timeline"
    for number in range(3):
        segue.event("paged", f"event-{number}")
    first = segue.api.get(path, params={"limit": 2}).json()
    assert [line["name"] for line in first["data"]] == ["event-0", "event-1"]
    rest = segue.api.get(path, params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert [line["name"] for line in rest["data"]] == ["event-2"]
    assert "next_cursor" not in rest
    answer = segue.api.get(path, headers={"Accept": "application/x-ndjson"})
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert lines == first["data"] + rest["data"]
    problem(segue.api.get(path, params={"cursor": -1}), 400)


def test_an_erased_user_is_not_found_and_has_no_past(segue: SegueServer) -> None:
    path = "/api/v1/users/erased"
    segue.user("erased", email="gone@people.test")
    segue.event("erased", "looked")
    assert segue.api.delete(path).status_code == 204
    problem(segue.api.get(path), 404)
    problem(segue.api.delete(path), 404)
    assert segue.timeline("erased") == []


# Campaigns


def test_a_created_campaign_is_a_draft_found_by_slug_and_id(api: httpx2.Client) -> None:
    made = api.post(CAMPAIGNS, json=document("made"))
    assert made.status_code == 201
    campaign = made.json()
    assert (campaign["status"], campaign["version"]) == ("draft", 0)
    assert campaign["sentence"].startswith("When a user does the event ")
    for reference in ("made", campaign["id"]):
        assert api.get(f"{CAMPAIGNS}/{reference}").json() == campaign


def test_every_fault_of_a_document_is_told_with_its_path(api: httpx2.Client) -> None:
    raw = {**document("Bad slug"), "nmae": "x", "messages": [{"email": {"subject": 1}}]}
    body = problem(api.post(CAMPAIGNS, json=raw), 422)
    messages = {one["path"]: one["message"] for one in body["errors"]}
    assert messages.keys() >= {"slug", "nmae", "messages[0].email.subject"}
    assert 'did you mean "name"?' in messages["nmae"]


def test_a_template_that_cannot_be_read_is_a_fault_of_the_document(api: httpx2.Client) -> None:
    body = problem(api.post(CAMPAIGNS, json=document("bad", html="{{ a | nope }}")), 422)
    assert [one["path"] for one in body["errors"]] == ["messages[0].email.html"]


def test_a_slug_that_is_taken_is_a_conflict(segue: SegueServer) -> None:
    segue.create(document("taken"))
    body = problem(segue.api.post(CAMPAIGNS, json=document("taken")), 409)
    assert '"taken" is taken' in body["detail"]


def test_publishing_names_a_target_that_is_missing(segue: SegueServer) -> None:
    segue.create(document("lonely", follows("nowhere")))
    body = problem(segue.api.post(f"{CAMPAIGNS}/lonely/publish"), 422)
    [fault] = body["errors"]
    assert fault["path"] == "delivery.triggers[0].interact_with_campaign.campaign"
    assert 'there is no campaign "nowhere"' in fault["message"]


def test_publishing_warns_of_a_follower_that_is_a_draft(segue: SegueServer) -> None:
    segue.create(document("followed"))
    segue.create(document("follower", follows("followed")))
    answer = segue.publish("followed")
    assert answer["published"] == ["followed"]
    [warning] = answer["warnings"]
    assert warning["message"].startswith("follower follows this campaign and is a draft")
    problem(segue.api.post(f"{CAMPAIGNS}/followed/publish"), 409)


def test_a_campaign_is_stopped_published_again_and_archived(segue: SegueServer) -> None:
    path = f"{CAMPAIGNS}/lives"
    segue.create(document("lives"))
    problem(segue.api.post(f"{path}/stop"), 409)
    segue.publish("lives")
    assert segue.api.post(f"{path}/stop").json()["status"] == "stopped"
    segue.publish("lives")
    assert segue.api.post(f"{path}/archive").json()["status"] == "archived"
    problem(segue.api.post(f"{path}/archive"), 409)
    problem(segue.api.put(path, json=document("lives")), 409)
    assert segue.api.get(path).json()["version"] == 2


def test_a_duplicate_is_a_draft_under_a_free_slug(segue: SegueServer) -> None:
    segue.create(document("origin"))
    copies = [segue.api.post(f"{CAMPAIGNS}/origin/duplicate") for _ in range(2)]
    assert [copy.status_code for copy in copies] == [201, 201]
    assert [copy.json()["slug"] for copy in copies] == ["origin-copy", "origin-copy2"]
    assert copies[0].json()["status"] == "draft"
    assert copies[0].json()["document"]["name"] == "Copy of origin"


def test_a_draft_is_deleted_and_a_published_campaign_stays(segue: SegueServer) -> None:
    for slug in ("goes", "stays"):
        segue.create(document(slug))
    segue.publish("stays")
    assert segue.api.delete(f"{CAMPAIGNS}/goes").status_code == 204
    problem(segue.api.get(f"{CAMPAIGNS}/goes"), 404)
    assert "archive it" in problem(segue.api.delete(f"{CAMPAIGNS}/stays"), 409)["detail"]


def test_an_edit_of_an_active_campaign_is_version_two_and_keeps_the_slug(
    segue: SegueServer,
) -> None:
    segue.create(document("edited"))
    segue.publish("edited")
    path = f"{CAMPAIGNS}/edited"
    answer = segue.api.put(path, json={**document("edited"), "name": "New name"})
    assert answer.status_code == 200
    assert answer.json()["version"] == 2
    assert segue.api.get(path).json()["document"]["name"] == "New name"
    body = problem(segue.api.put(path, json=document("renamed")), 409)
    assert "slug of a published campaign stays" in body["detail"]


def test_campaigns_come_in_pages_and_by_status(segue: SegueServer) -> None:
    for number in range(3):
        segue.create(document(f"zz-page-{number}"))
    segue.publish("zz-page-1")

    def listed(**params: Any) -> tuple[list[str], str | None]:
        body = segue.api.get(CAMPAIGNS, params=params).json()
        return [one["slug"] for one in body["data"]], body.get("next_cursor")

    first, cursor = listed(limit=2, cursor="zz-page-")
    assert (first, cursor) == (["zz-page-0", "zz-page-1"], "zz-page-1")
    assert listed(limit=2, cursor=cursor) == (["zz-page-2"], None)
    assert listed(cursor="zz-page-", status="active") == (["zz-page-1"], None)


def test_who_waits_is_shown_and_counted(segue: SegueServer) -> None:
    segue.create(document("patient", delay={"after": "1d"}))
    segue.publish("patient")
    for user in ("waiter-1", "waiter-2"):
        segue.event(user, "patient-began")
    path = f"{CAMPAIGNS}/patient"
    eventually(lambda: segue.api.get(f"{path}/waiting").json()["count"] == 2, "the waits")
    body = segue.api.get(f"{path}/waiting", params={"limit": 1}).json()
    assert (body["count"], [one["user_id"] for one in body["data"]]) == (2, ["waiter-1"])
    assert segue.api.get("/api/v1/users/waiter-1").json()["waiting"] == ["patient"]
    stats = segue.api.get(f"{path}/stats", params={"by": "hour"}).json()
    assert stats["totals"]["entered"] == 2
    past = segue.api.get(f"{path}/stats", params={"to": "2020-01-01T00:00:00Z"}).json()
    assert (past["totals"], past["series"]) == ({}, [])
    body = problem(segue.api.get(f"{path}/stats", params={"from": "soon"}), 422)
    assert body["errors"][0]["path"] == "from"


def test_a_preview_shows_the_mail_as_the_user_would_get_it(segue: SegueServer) -> None:
    segue.create(document("shown"))
    segue.user("viewer", email="viewer@people.test", first_name="Ann <b>")
    path = f"{CAMPAIGNS}/shown/preview"
    [message] = segue.api.post(path, json={"user_id": "viewer"}).json()["messages"]
    assert (message["variant"], message["channel"]) == ("A", "email")
    assert message["content"]["subject"] == "To Ann <b>"
    assert "Hi Ann &lt;b&gt;" in message["content"]["html"]
    [made_up] = segue.api.post(path, json={"attributes": {"first_name": "Bo"}}).json()["messages"]
    assert made_up["content"]["subject"] == "To Bo"
    assert problem(segue.api.post(path, json={"user": "x"}), 422)["errors"][0]["path"] == "user"


def test_a_preview_shows_a_template_error(segue: SegueServer) -> None:
    segue.create(document("faulty", html="<p>{{ 1 | divided_by: 0 }}</p>"))
    [message] = segue.api.post(f"{CAMPAIGNS}/faulty/preview").json()["messages"]
    assert "email.html" in message["error"]
    assert "content" not in message
