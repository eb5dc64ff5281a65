"""The routes of devices on a real server: keys, identities, origins, bounds, and the stream."""

import contextlib
import gzip
import hmac
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.support.servers import SegueServer, eventually

from segue.model.limits import DEVICE_REPORTS_MAX, DEVICE_REQUEST_BYTES_MAX
from segue.web import sdk

pytestmark = pytest.mark.slow

SECRET = "a-secret-of-the-shop"


@contextlib.contextmanager
def device_of(server: SegueServer) -> Iterator[httpx2.Client]:
    headers = {"Authorization": f"Bearer {server.key_for('sdk')}"}
    with httpx2.Client(base_url=f"{server.url}/sdk/v1", headers=headers) as client:
        yield client


@pytest.fixture(scope="module")
def segue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SegueServer]:
    with SegueServer(tmp_path_factory.mktemp("sdk") / "data") as server:
        for slug, message in {
            "hint": {"in_app_message": {"body": "Hi {{ first_name | default: 'you' }}"}},
            "sale": {"content_card": {"title": "Sale"}},
        }.items():
            trigger = {"event": f"{slug}-began"}
            delivery = {"type": "action", "triggers": [trigger]}
            document = {"slug": slug, "name": slug, "delivery": delivery, "messages": [message]}
            server.create({**document, "re_eligibility": "always"})
            server.publish(slug)
        yield server


@pytest.fixture(scope="module")
def device(segue: SegueServer) -> Iterator[httpx2.Client]:
    with device_of(segue) as client:
        yield client


def cards(device: httpx2.Client, user_id: str) -> list[dict[str, Any]]:
    answer = device.get("/content-cards", params={"user_id": user_id})
    assert answer.status_code == 200, answer.text
    return list(answer.json()["content_cards"])


def report(device: httpx2.Client, user_id: str, *interactions: Any, **more: Any) -> dict[str, Any]:
    body = {"user_id": user_id, "interactions": list(interactions), **more}
    answer = device.post("/interactions", json=body)
    assert answer.status_code == 202, answer.text
    return dict(answer.json())


def test_a_reported_event_brings_a_card_whose_dismissal_is_recorded(
    segue: SegueServer, device: httpx2.Client
) -> None:
    event = {"id": "e1", "name": "sale-began", "properties": {"shop": "north"}}
    body = {"user_id": "ann", "events": [event], "attributes": {"first_name": "Ann"}}
    assert device.post("/events", json=body).json() == {
        "accepted": 1,
        "duplicates": 0,
        "rejected": [],
    }
    assert device.post("/events", json=body).json()["duplicates"] == 1
    [card] = eventually(lambda: cards(device, "ann"), "the card")
    assert card["title"] == "Sale"
    assert {"campaign", "variant", "user_id"}.isdisjoint(card)

    key = {"channel": "content_card", "send_id": card["send_id"]}
    taken = report(device, "ann", {"id": "r1", "type": "view", **key}, {"id": "r2"}, 7)
    assert [one["index"] for one in taken["rejected"]] == [1, 2]
    assert report(device, "ann", {"id": "r3", "type": "dismiss", **key})["accepted"] == 1
    assert cards(device, "ann") == []
    acts = [line for line in segue.timeline("ann") if "send_id" in line and "name" in line]
    assert [(one["name"], one["campaign"]) for one in acts] == [
        ("content_card_view", "sale"),
        ("content_card_dismiss", "sale"),
    ]


def test_a_session_is_recorded_and_answered_with_what_is_due(
    segue: SegueServer, device: httpx2.Client
) -> None:
    segue.event("bob", "hint-began")
    due = {"user_id": "bob"}
    eventually(
        lambda: device.get("/in-app-messages", params=due).json()["in_app_messages"], "the hint"
    )
    answer = device.post("/session", json={"user_id": "bob", "session_id": "s1"}).json()
    assert answer["settings"] == {"session_timeout_s": 1800, "web_push_key": None}
    assert [one["body"] for one in answer["in_app_messages"]] == ["Hi you"]
    assert answer["content_cards"] == []
    assert "session_start" in [line.get("name") for line in segue.timeline("bob")]


def test_a_time_is_put_right_by_the_devices_clock_at_sending(
    segue: SegueServer, device: httpx2.Client
) -> None:
    event = {"name": "looked", "time": "2001-01-01T00:00:00Z"}
    body = {"user_id": "cid", "events": [event], "sent_at": "2001-01-01T00:00:00Z"}
    assert device.post("/events", json=body).json()["accepted"] == 1
    odd = [{"name": "looked", "time": "0001-01-01T00:00:00Z"}]
    odd_body = {"user_id": "cid", "events": odd, "sent_at": "9999-01-01T00:00:00Z"}
    assert device.post("/events", json=odd_body).json()["accepted"] == 1
    first = next(line for line in segue.timeline("cid") if line.get("name") == "looked")
    assert not first["time"].startswith("2001")


def test_a_device_gets_a_users_pushes_until_it_is_removed(
    segue: SegueServer, device: httpx2.Client
) -> None:
    phone = {"id": "d1", "platform": "android", "token": "token-1"}
    body = {"user_id": "hal", "device": phone}
    assert device.post("/push-token", json=body).status_code == 204
    gone = {"user_id": "hal", "device_id": "d1"}
    assert device.delete("/push-token", params=gone).status_code == 204
    told = [line["device"] for line in segue.timeline("hal") if "device" in line]
    assert [one.get("token") for one in told] == ["token-1", None]
    bad = device.post("/push-token", json={**body, "device": {**phone, "token": "a b"}})
    assert bad.status_code == 422
    assert "FCM" in bad.json()["detail"]


def test_a_device_reports_no_interaction_as_an_event(device: httpx2.Client) -> None:
    events = [{"name": "email_click"}, {"name": "content_card_view"}, {"name": "looked"}]
    body = {"user_id": "dan", "events": events}
    taken = device.post("/events", json=body).json()
    assert [one["index"] for one in taken["rejected"]] == [0, 1]
    assert taken["accepted"] == 1


@pytest.mark.parametrize("field", [{"campaign": "sale"}, {"user_id": "bob"}, {"variant": "A"}])
def test_a_device_cannot_say_whose_or_what_it_was(
    device: httpx2.Client, field: dict[str, str]
) -> None:
    entry = {"id": "r", "type": "view", "channel": "content_card", "send_id": "s", **field}
    [rejected] = report(device, "ann", entry)["rejected"]
    assert next(iter(field)) in rejected["message"]


def test_the_stream_tells_what_is_due_and_what_comes(
    segue: SegueServer, device: httpx2.Client
) -> None:
    with device.stream("GET", "/stream", params={"user_id": "eve"}, timeout=30) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = answer.iter_lines()
        told: list[dict[str, Any]] = []
        for line in lines:
            if line.startswith("data: "):
                told.append(json.loads(line.removeprefix("data: ")))
                if len(told) == 1:
                    segue.event("eve", "hint-began")
                elif told[-1]["in_app_messages"]:
                    break
    assert told[0]["in_app_messages"] == told[0]["content_cards"] == []
    assert told[-1]["in_app_messages"][0]["body"] == "Hi you"


# Keys


def test_a_key_of_devices_opens_nothing_else(segue: SegueServer, device: httpx2.Client) -> None:
    headers = {"Authorization": device.headers["authorization"]}
    for path in ("/api/v1/users", "/api/v1/campaigns"):
        assert httpx2.get(segue.url + path, headers=headers).status_code == 403
    assert device.headers["authorization"].startswith("Bearer pk_")


def test_a_secret_key_does_not_belong_in_a_page(segue: SegueServer) -> None:
    headers = {"Authorization": f"Bearer {segue.key}"}
    url = f"{segue.url}/sdk/v1/content-cards"
    answer = httpx2.get(url, params={"user_id": "ann"}, headers=headers)
    assert answer.status_code == 403
    assert '"sdk"' in answer.json()["detail"]


def test_without_a_key_a_device_is_told_nothing(segue: SegueServer) -> None:
    answer = httpx2.get(f"{segue.url}/sdk/v1/content-cards", params={"user_id": "ann"})
    assert answer.status_code == 401
    assert answer.headers["access-control-allow-origin"] == "*"


def test_a_key_with_the_scope_of_devices_has_no_other(segue: SegueServer) -> None:
    command = [sys.executable, "-m", "segue", "key", "create", "--scopes", "sdk,read"]
    refused = subprocess.run(
        [*command, "--data", str(segue.data)], capture_output=True, text=True, check=False
    )
    assert refused.returncode == 1
    assert "no other scope" in refused.stderr


# Origins and bounds


def test_a_page_of_any_origin_may_ask_and_no_cookie_counts(device: httpx2.Client) -> None:
    asked = {
        "Origin": "https://shop.test",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,segue-identity",
    }
    answer = device.options("/events", headers=asked)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "Segue-Identity" in answer.headers["access-control-allow-headers"]
    assert "access-control-allow-credentials" not in answer.headers
    taken = device.post("/events", json={"user_id": "fay"}, headers={"Origin": "https://shop.test"})
    assert taken.headers["access-control-allow-origin"] == "*"


def test_the_api_is_not_opened_to_pages(segue: SegueServer) -> None:
    answer = segue.api.get("/api/v1/campaigns", headers={"Origin": "https://shop.test"})
    assert "access-control-allow-origin" not in answer.headers


def test_a_body_that_is_too_large_or_too_long_is_refused(device: httpx2.Client) -> None:
    large = {"name": "looked", "properties": {"text": "x" * DEVICE_REQUEST_BYTES_MAX}}
    answer = device.post("/events", json={"user_id": "gil", "events": [large]})
    assert answer.status_code == 413
    long = [{"name": "looked"}] * (DEVICE_REPORTS_MAX + 1)
    answer = device.post("/events", json={"user_id": "gil", "events": long})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["path"] == "events"


def test_properties_that_are_too_large_are_rejected_by_index(device: httpx2.Client) -> None:
    large = {"name": "looked", "properties": {"text": "x" * 110_000}}
    body = {"user_id": "gil", "events": [large, {"name": "looked"}]}
    taken = device.post("/events", json=body).json()
    assert [one["index"] for one in taken["rejected"]] == [0]
    assert taken["accepted"] == 1


def test_the_script_is_a_module_that_any_page_may_load(segue: SegueServer) -> None:
    answer = httpx2.get(f"{segue.url}/sdk/segue.js")
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    again = httpx2.get(
        f"{segue.url}/sdk/segue.js", headers={"If-None-Match": answer.headers["etag"]}
    )
    assert again.status_code == 304
    assert again.content == b""


def test_the_script_is_small() -> None:
    script = Path(sdk.__file__).parent / "static" / "segue.js"
    assert len(gzip.compress(script.read_bytes())) < 12_000


# Identities


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SegueServer]:
    folder = tmp_path_factory.mktemp("strict") / "data"
    with SegueServer(folder, SEGUE_SDK__IDENTITY_SECRET=SECRET) as server:
        yield server


def test_with_a_secret_a_device_speaks_only_for_who_is_signed(strict: SegueServer) -> None:
    identity = hmac.new(SECRET.encode(), b"ann", "sha256").hexdigest()
    with device_of(strict) as device:
        signed = {"Segue-Identity": identity}
        asked: dict[str, Any] = {
            "/session": {},
            "/events": {"events": [{"name": "looked"}]},
            "/interactions": {"interactions": []},
            "/push-token": {"device": {"id": "d1", "platform": "android", "token": "t1"}},
        }
        for path, more in asked.items():
            for headers, user_id, status in (
                (signed, "ann", None),
                (signed, "bob", 401),
                ({}, "ann", 401),
                ({"Segue-Identity": "ø"}, "ann", 401),
                ({}, "anonymous:b1946ac92492d2347c6235b4d2611184", None),
            ):
                shown = {name: value.encode() for name, value in headers.items()}
                answer = device.post(path, json={"user_id": user_id, **more}, headers=shown)
                assert (answer.status_code == 401) is (status == 401), (path, user_id, answer.text)
        for method, path in (
            ("GET", "/in-app-messages"),
            ("GET", "/content-cards"),
            ("GET", "/stream"),
            ("DELETE", "/push-token"),
        ):
            answer = device.request(method, path, params={"user_id": "ann", "device_id": "d1"})
            assert answer.status_code == 401
            assert answer.headers["content-type"] == "application/problem+json"
            assert "Segue-Identity" in answer.json()["detail"]
        fine = device.get("/content-cards", params={"user_id": "ann"}, headers=signed)
        assert fine.status_code == 200
