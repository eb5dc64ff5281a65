"""Segments on a real server: saved, shown, counted, deleted."""

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from tests.support.documents import campaign
from tests.support.servers import SegueServer, eventually

pytestmark = pytest.mark.slow

SEGMENTS = "/api/v1/segments"
COUNT = f"{SEGMENTS}/count"
FRENCH = {"attribute": "country", "eq": "FR"}


@pytest.fixture(scope="module")
def segue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SegueServer]:
    with SegueServer(tmp_path_factory.mktemp("segments") / "data") as server:
        yield server


@pytest.fixture
def api(segue: SegueServer) -> httpx2.Client:
    return segue.api


def segment(slug: str, node: Any = None, **more: Any) -> dict[str, Any]:
    return {"slug": slug, "name": slug.title(), "filter": node or FRENCH, **more}


def errors(answer: httpx2.Response) -> dict[str, str]:
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return {one["path"]: one["message"] for one in answer.json()["errors"]}


def test_a_segment_is_made_shown_replaced_and_deleted(api: httpx2.Client) -> None:
    made = api.post(SEGMENTS, json=segment("made"))
    assert (made.status_code, made.json()) == (201, segment("made"))
    changed = segment("made", {"attribute": "age", "gte": 18})
    assert api.put(f"{SEGMENTS}/made", json=changed).status_code == 200
    assert api.get(f"{SEGMENTS}/made").json() == changed
    assert api.delete(f"{SEGMENTS}/made").status_code == 204
    assert api.get(f"{SEGMENTS}/made").status_code == 404
    assert api.delete(f"{SEGMENTS}/made").status_code == 404


def test_a_put_makes_what_is_not_there_under_the_slug_of_its_path(api: httpx2.Client) -> None:
    answer = api.put(f"{SEGMENTS}/put", json={"name": "Put", "filter": FRENCH})
    assert (answer.status_code, answer.json()["slug"]) == (201, "put")
    renamed = api.put(f"{SEGMENTS}/put", json=segment("other"))
    assert renamed.status_code == 409
    assert "keeps its slug" in renamed.json()["detail"]


def test_a_slug_that_is_taken_is_a_conflict(api: httpx2.Client) -> None:
    api.post(SEGMENTS, json=segment("taken"))
    assert api.post(SEGMENTS, json=segment("taken")).status_code == 409


def test_every_fault_is_told_with_its_path(api: httpx2.Client) -> None:
    node = {"any": [{"segment": "lost"}, {"received": {"campaign": "lost"}}, {"nmae": 1}]}
    assert set(errors(api.post(SEGMENTS, json=segment("Bad", node)))) == {
        "slug",
        "filter.any[2].nmae",
    }
    del node["any"][2]
    assert set(errors(api.post(SEGMENTS, json=segment("bad", node)))) == {
        "filter.any[0].segment",
        "filter.any[1].received.campaign",
    }


def test_segments_may_not_go_in_a_circle(api: httpx2.Client) -> None:
    api.post(SEGMENTS, json=segment("round-1"))
    api.post(SEGMENTS, json=segment("round-2", {"not": {"segment": "round-1"}}))
    answer = api.put(f"{SEGMENTS}/round-1", json=segment("round-1", {"segment": "round-2"}))
    assert "may not go in a circle" in errors(answer)["filter.segment"]


def test_what_refers_to_a_segment_keeps_it(segue: SegueServer) -> None:
    api = segue.api
    api.post(SEGMENTS, json=segment("kept"))
    api.post(SEGMENTS, json=segment("keeper", {"segment": "kept"}))
    document = campaign("kept-by", audience={"segment": "kept"})
    document["delivery"] = {"triggers": [{"event": "go"}]}
    segue.create(document)
    answer = api.delete(f"{SEGMENTS}/kept")
    assert answer.status_code == 409
    assert "the campaign kept-by, the segment keeper" in answer.json()["detail"]
    api.post("/api/v1/campaigns/kept-by/archive")
    assert api.delete(f"{SEGMENTS}/keeper").status_code == 204
    assert api.delete(f"{SEGMENTS}/kept").status_code == 204


def test_segments_come_in_pages_by_slug(api: httpx2.Client) -> None:
    for number in (2, 0, 1):
        api.post(SEGMENTS, json=segment(f"zz-{number}"))
    first = api.get(SEGMENTS, params={"limit": 2, "cursor": "zz-"}).json()
    assert [one["slug"] for one in first["data"]] == ["zz-0", "zz-1"]
    rest = api.get(SEGMENTS, params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert [one["slug"] for one in rest["data"]] == ["zz-2"]
    assert "next_cursor" not in rest


def test_a_saved_segment_is_an_audience_at_once(segue: SegueServer) -> None:
    segue.user("there", country="FR")
    segue.user("elsewhere", country="DE")
    segue.api.post(SEGMENTS, json=segment("at-once"))
    document = campaign("for-them", audience={"segment": "at-once"})
    document["delivery"] = {"triggers": [{"event": "came"}]}
    segue.create(document)
    segue.publish("for-them")
    for user in ("there", "elsewhere"):
        segue.event(user, "came")
    assert segue.decisions("there", "for-them")[0] == ("enter", None)
    assert segue.decisions("elsewhere", "for-them") == [("refuse", "not_in_audience")]


# Counting


def test_an_unsaved_audience_is_counted_with_whom_each_channel_reaches(
    segue: SegueServer,
) -> None:
    for number in range(4):
        address = {"email": f"{number}@people.test"} if number < 2 else {}
        segue.user(f"counted-{number}", planet="Mars", **address)
    node = {"attribute": "planet", "eq": "Mars"}
    body = segue.api.post(COUNT, json={"filter": node}).json()
    assert (body["status"], body["is_exact"], body["count"]) == ("done", True, 4)
    assert (body["reachable"]["email"], body["reachable"]["webhook"]) == (2, 4)
    assert body["users"] == segue.api.post(COUNT, json={}).json()["count"]
    again = segue.api.get(f"{SEGMENTS}/counts/{body['id']}")
    assert again.json() == body


def test_events_that_nobody_followed_are_counted(segue: SegueServer) -> None:
    for user in ("far-1", "far-2", "far-1"):
        segue.event(user, "landed")
    for node, count in (
        ({"event": "landed"}, 2),
        ({"event": {"name": "landed", "count": {"gte": 2}}}, 1),
    ):
        body = segue.api.post(COUNT, json={"filter": node}).json()
        assert (body["status"], body["count"]) == ("done", count)


def test_a_count_of_what_is_not_there_is_told_with_its_path(api: httpx2.Client) -> None:
    assert set(errors(api.post(COUNT, json={"filter": {"segment": "lost"}}))) == {"filter.segment"}
    assert set(errors(api.post(COUNT, json={"filter": {}}))) == {"filter"}
    assert set(errors(api.post(COUNT, json={"audience": FRENCH}))) == {"audience"}
    assert api.get(f"{SEGMENTS}/counts/none").status_code == 404


def test_a_count_can_be_ended_and_is_then_forgotten(api: httpx2.Client) -> None:
    body = api.post(COUNT, json={}).json()
    path = f"{SEGMENTS}/counts/{body['id']}"
    assert api.delete(path).status_code == 204
    assert api.get(path).status_code == 404


def test_counting_needs_no_more_than_the_scope_to_read(segue: SegueServer) -> None:
    reader = segue.key_for("read")
    headers = {"Authorization": f"Bearer {reader}"}

    def is_known() -> bool:  # a new key is known within a second
        return segue.api.get(SEGMENTS, headers=headers).status_code == 200

    eventually(is_known, "the key")
    assert segue.api.post(COUNT, json={}, headers=headers).status_code == 200
    refused = segue.api.post(SEGMENTS, json=segment("refused"), headers=headers)
    assert refused.status_code == 403
