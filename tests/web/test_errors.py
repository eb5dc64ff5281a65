"""Around the API, on a real server: keys, refusals, repeats, operations, the event stream."""

import gzip
import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from tests.support.servers import SegueServer, eventually

CAMPAIGNS = "/api/v1/campaigns"
USER = {"user_id": "u1", "attributes": {}}


@pytest.fixture(scope="module")
def segue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SegueServer]:
    with SegueServer(tmp_path_factory.mktemp("errors") / "data") as server:
        yield server


@pytest.fixture
def api(segue: SegueServer) -> httpx2.Client:
    return segue.api


def document(slug: str) -> dict[str, Any]:
    delivery = {"type": "action", "triggers": [{"event": f"{slug}-began"}]}
    messages = [{"email": {"subject": "Hi", "html": "<p>Hi</p>"}}]
    return {"slug": slug, "name": slug, "delivery": delivery, "messages": messages}


def problem(answer: httpx2.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = dict(answer.json())
    assert body["status"] == status
    return body


def key_command(segue: SegueServer, *arguments: str) -> str:
    command = [sys.executable, "-m", "segue", "key", *arguments, "--data", str(segue.data)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def status_with(segue: SegueServer, key: str) -> int:
    return segue.api.get(CAMPAIGNS, headers=bearer(key)).status_code


# Keys


def test_a_request_without_a_key_is_told_how_to_send_one(segue: SegueServer) -> None:
    answer = httpx2.get(segue.url + CAMPAIGNS)
    assert "Authorization: Bearer KEY" in problem(answer, 401)["detail"]
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("header", ["Bearer sk_wrong", "Bearer", "Basic dTpw", "sk_wrong"])
def test_a_wrong_key_is_refused_with_the_scheme(segue: SegueServer, header: str) -> None:
    answer = segue.api.get(CAMPAIGNS, headers={"Authorization": header})
    problem(answer, 401)
    assert answer.headers["www-authenticate"] == "Bearer"


def test_a_key_without_the_scope_is_told_which_one_it_needs(segue: SegueServer) -> None:
    headers = bearer(key_command(segue, "create", "--scopes", "read"))
    eventually(
        lambda: segue.api.get(CAMPAIGNS, headers=headers).status_code == 200, "the new key's use"
    )
    refused = segue.api.post("/api/v1/users", json=USER, headers=headers)
    assert '"ingest"' in problem(refused, 403)["detail"]
    refused = segue.api.post(CAMPAIGNS, json=document("x"), headers=headers)
    assert '"campaigns"' in problem(refused, 403)["detail"]
    refused = segue.api.delete("/api/v1/users/u1", headers=headers)
    assert '"admin"' in problem(refused, 403)["detail"]


def test_a_revoked_key_is_refused_after_a_second(segue: SegueServer) -> None:
    key = key_command(segue, "create", "--scopes", "read", "--name", "short-lived")
    eventually(lambda: status_with(segue, key) == 200, "the new key's use")
    listed = map(json.loads, key_command(segue, "list", "--json").splitlines())
    key_id = next(one["id"] for one in listed if one["name"] == "short-lived")
    key_command(segue, "revoke", key_id)
    eventually(lambda: status_with(segue, key) == 401, "the refusal")


# Repeats


def test_an_idempotency_key_repeats_the_first_answer(segue: SegueServer) -> None:
    segue.create(document("origin"))
    path = f"{CAMPAIGNS}/origin/duplicate"
    first, again, other = (
        segue.api.post(path, headers={"Idempotency-Key": key}) for key in ("a", "a", "b")
    )
    assert first.status_code == again.status_code == other.status_code == 201
    assert first.json() == again.json()
    assert other.json()["slug"] != first.json()["slug"]


# Bodies


def test_a_gzip_bomb_is_refused(api: httpx2.Client) -> None:
    bomb = gzip.compress(bytes(100_000_000))
    assert len(bomb) < 200_000
    answer = api.post("/api/v1/events", content=bomb, headers={"Content-Encoding": "gzip"})
    assert "unpacks to more than" in problem(answer, 413)["detail"]


def test_a_gzip_bomb_in_many_small_pieces_is_refused(api: httpx2.Client) -> None:
    bomb = gzip.compress(bytes(1_000_000)) * 40
    answer = api.post("/api/v1/events", content=bomb, headers={"Content-Encoding": "gzip"})
    problem(answer, 413)


def test_what_says_gzip_and_is_none_is_refused(api: httpx2.Client) -> None:
    for body in (b"", b"x", b"not packed at all"):
        answer = api.post("/api/v1/events", content=body, headers={"Content-Encoding": "gzip"})
        assert "is no gzip" in problem(answer, 400)["detail"]


def test_an_unknown_content_encoding_is_refused_by_name(api: httpx2.Client) -> None:
    answer = api.post("/api/v1/events", content=b"x", headers={"Content-Encoding": "br"})
    assert '"br"' in problem(answer, 415)["detail"]


def test_a_body_that_is_no_list_of_events_is_told_what_to_send(api: httpx2.Client) -> None:
    for body in (b"", b"\xff", b"[]", b'{"event": []}', b'{"events": 7}'):
        answer = api.post("/api/v1/events", content=body)
        assert '{"events": [...]}' in problem(answer, 422)["detail"]


def test_more_events_than_a_call_may_have_are_refused(api: httpx2.Client) -> None:
    line = b'{"user_id":"u","name":"a"}\n'
    headers = {"Content-Type": "application/x-ndjson"}
    answer = api.post("/api/v1/events", content=line * 10_001, headers=headers)
    assert problem(answer, 422)["errors"][0]["path"] == "events"


@pytest.mark.parametrize("body", [b"", b"{", b'{"user_id": "\xff"}', b'"\xed\xa0\x80"'])
def test_a_body_that_is_no_json_is_refused(api: httpx2.Client, body: bytes) -> None:
    for method, path in (
        ("POST", "/api/v1/users"),
        ("PATCH", "/api/v1/users/u1"),
        ("POST", CAMPAIGNS),
    ):
        problem(api.request(method, path, content=body), 400)


def test_a_query_that_is_out_of_bounds_is_refused_by_name(api: httpx2.Client) -> None:
    for query in ("limit=0", "limit=1001", "limit=x"):
        body = problem(api.get(f"{CAMPAIGNS}?{query}"), 400)
        assert body["errors"][0]["path"] == "limit"


# Routes


def test_an_unknown_route_and_an_unknown_thing_are_not_found(api: httpx2.Client) -> None:
    for path in ("/nope", "/api/v1/nope", f"{CAMPAIGNS}/nope", "/api/v1/users/nope"):
        assert problem(api.get(path), 404)["title"] == "Not Found"


def test_a_wrong_method_is_told_the_right_ones(api: httpx2.Client) -> None:
    answer = api.put("/api/v1/events")
    problem(answer, 405)
    assert "POST" in answer.headers["allow"]


def test_every_answer_has_the_security_headers(segue: SegueServer) -> None:
    answers = [segue.api.get(path) for path in ("/healthz", "/docs", CAMPAIGNS, "/nope")]
    answers += [segue.api.put("/api/v1/events"), httpx2.get(segue.url + CAMPAIGNS)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 404, 405, 401]
    for answer in answers:
        assert answer.headers.get_list("x-content-type-options") == ["nosniff"]
        assert answer.headers.get_list("x-frame-options") == ["DENY"]
        assert "default-src 'none'" in answer.headers["content-security-policy"]


# Operations


def test_health_and_readiness_need_no_key(segue: SegueServer) -> None:
    assert httpx2.get(segue.url + "/healthz").json() == {"status": "ok"}
    assert httpx2.get(segue.url + "/readyz").json() == {"status": "ready"}


def test_metrics_are_segues_own_and_count(segue: SegueServer) -> None:
    def count() -> float:
        answer = httpx2.get(segue.url + "/metrics")
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
        samples = [line for line in answer.text.splitlines() if not line.startswith("#")]
        assert all(line.startswith("segue_") for line in samples)
        return float(dict(line.split() for line in samples)["segue_events_total"])

    before = count()
    segue.event("counted", "looked")
    assert count() == before + 1


def test_the_schema_lists_every_route_of_the_api(api: httpx2.Client) -> None:
    schema = api.get("/schema").json()
    assert schema["openapi"].startswith("3.1.")
    verbs = ("publish", "stop", "archive", "duplicate", "stats", "waiting", "preview")
    one, user = CAMPAIGNS + "/{campaign}", "/api/v1/users/{user_id}"
    assert {path: set(item) for path, item in schema["paths"].items()} == {
        "/hooks/email/{provider}": {"post"},
        "/hooks/sms/http": {"get", "post"},
        "/hooks/sms/twilio": {"post"},
        "/hooks/sms/phone": {"post"},
        "/api/v1/phones": {"get"},
        "/api/v1/phones/stream": {"get"},
        "/api/v1/phones/{user_id}/messages": {"get"},
        "/api/v1/phones/{user_id}/stream": {"get"},
        "/api/v1/phones/{user_id}/token": {"post"},
        "/api/v1/mail-reports": {"post"},
        "/sdk/v1/session": {"post"},
        "/sdk/v1/events": {"post"},
        "/sdk/v1/in-app-messages": {"get"},
        "/sdk/v1/content-cards": {"get"},
        "/sdk/v1/interactions": {"post"},
        "/sdk/v1/push-token": {"post", "delete"},
        "/sdk/v1/stream": {"get"},
        "/api/v1/events": {"post"},
        "/api/v1/users": {"get", "post"},
        user: {"get", "patch", "delete"},
        f"{user}/timeline": {"get"},
        f"{user}/devices": {"post"},
        f"{user}/devices/{{device_id}}": {"delete"},
        CAMPAIGNS: {"get", "post"},
        one: {"get", "put", "delete"},
        **{f"{one}/{verb}": {"get" if verb in verbs[4:6] else "post"} for verb in verbs},
        f"{CAMPAIGNS}/publish": {"post"},
        f"{one}/explain": {"get"},
        f"{one}/send": {"post"},
        "/api/v1/backtests": {"post"},
        "/api/v1/backtests/{backtest}": {"get", "delete"},
        "/api/v1/connections": {"get"},
        **{f"/api/v1/{many}": {"get", "post"} for many in ("segments", "caps")},
        **{f"/api/v1/{many}/{{slug}}": {"get", "put", "delete"} for many in ("segments", "caps")},
        "/api/v1/segments/count": {"post"},
        "/api/v1/segments/counts/{count_id}": {"get", "delete"},
        "/api/v1/dead-letters": {"get", "delete"},
        "/api/v1/dead-letters/summary": {"get"},
        "/api/v1/dead-letters/retry": {"post"},
        "/api/v1/dead-letters/{letter}": {"delete"},
        "/api/v1/workspace": {"get", "put"},
        "/api/v1/channels": {"get"},
        "/api/v1/channels/{channel}": {"put"},
        **{f"/api/v1/projects/{verb}": {"post"} for verb in ("plan", "apply")},
        "/api/v1/projects/export": {"get"},
        "/api/v1/suppressions": {"get", "post"},
        "/api/v1/suppressions/{channel}/{address}": {"delete"},
        "/api/v1/stream": {"get"},
    }


def test_the_docs_page_names_every_path_of_the_schema(api: httpx2.Client) -> None:
    page = api.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    for path in api.get("/schema").json()["paths"]:
        assert path in page.text


# The event stream


def test_the_stream_tells_decisions_of_the_campaign_asked_for(segue: SegueServer) -> None:
    for slug in ("streamed", "unwatched"):
        segue.create(document(slug))
        segue.publish(slug)
    watched = {"campaign": "streamed"}
    with segue.api.stream("GET", "/api/v1/stream", params=watched) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        lines = stream.iter_lines()
        assert next(lines).startswith(":")  # a comment; from here on, the stream is listening
        segue.event("u1", "unwatched-began")
        segue.event("u1", "streamed-began")
        data = next(line for line in lines if line.startswith("data:"))
    decision = json.loads(data.removeprefix("data:"))
    assert (decision["campaign"], decision["user_id"]) == ("streamed", "u1")
    assert decision["decision"] == "enter"


def test_a_stream_that_is_taken_up_again_goes_on_where_it_was(segue: SegueServer) -> None:
    def told(last_id: str, name: str) -> list[tuple[str, str]]:
        """Send an event; return names and ids of what is told up to it."""
        found, kind = [], ""
        headers = {"Last-Event-ID": last_id} if last_id else {}
        watched = {"user_id": "again"}
        with segue.api.stream("GET", "/api/v1/stream", params=watched, headers=headers) as stream:
            lines = stream.iter_lines()
            assert next(lines).startswith(":")
            segue.event("again", name)
            for line in lines:
                if line.startswith("event:"):
                    kind = line.removeprefix("event:").strip()
                elif line.startswith("data:") and kind == "event":
                    found.append(json.loads(line.removeprefix("data:"))["name"])
                elif line.startswith("id:"):
                    last = line.removeprefix("id:").strip()
                elif not line and found and found[-1] == name:
                    return [(one, last) for one in found]
        raise AssertionError(found)

    [(_, last_id)] = told("", "first")
    segue.event("again", "second")
    assert [name for name, _ in told(last_id, "third")] == ["second", "third"]
    unknown = {"Last-Event-ID": "x-1"}
    with segue.api.stream("GET", "/api/v1/stream", headers=unknown) as stream:
        names = (line for line in stream.iter_lines() if line.startswith("event:"))
        assert next(names) == "event: gap"


def test_the_stream_needs_a_key_too(segue: SegueServer) -> None:
    problem(httpx2.get(segue.url + "/api/v1/stream"), 401)
