"""More than can be sent, and more than can be decided about: over real HTTP, with small bounds."""

import contextlib
import gzip
import json
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.support.documents import webhook_campaign
from tests.support.http_server import QuietHandler, serving
from tests.support.servers import SegueServer, eventually

pytestmark = pytest.mark.slow

ALLOWED = {
    "SEGUE_CHANNELS__WEBHOOK__ALLOW_PRIVATE_ADDRESSES": '["127.0.0.0/8"]',
    "SEGUE_CHANNELS__WEBHOOK__TIMEOUT_S": "300",  # so that a stuck call is stuck to the end
}
CROWD = 300
LIMITS = {
    "segue.runtime.dispatcher.SENDERS_MAX": 8,
    "segue.runtime.processor.OUTBOX_MAX": 100,
    "segue.runtime.processor.OUTBOX_WALK_MAX": 40,
    "segue.runtime.scheduler.WALK_USERS_MAX": 20,
    "segue.runtime.scheduler._LOOK_EVERY_S": 0.05,
    "segue.runtime.ingest.INGEST_BACKLOG_EVENTS_MAX": 200,
    "segue.runtime.ingest.BODIES_BYTES_MAX": 100_000,
}


class SlowReceiver:
    """A provider that takes its time with one campaign, and none with the others."""

    def __init__(self) -> None:
        self.url = ""
        self.calls: Counter[tuple[str, str]] = Counter()
        self.is_open = threading.Event()

    def users(self, path: str) -> set[str]:
        return {user for place, user in list(self.calls) if place == path}


@contextlib.contextmanager
def slow_receiver() -> Iterator[SlowReceiver]:
    receiver = SlowReceiver()

    class Handler(QuietHandler):
        def do_POST(self) -> None:  # noqa: N802 - http.server calls it so
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.calls[self.path, json.loads(body)["user"]] += 1
            if self.path == "/slow":
                receiver.is_open.wait(300)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

    with serving(Handler) as origin:
        receiver.url = origin
        yield receiver
        receiver.is_open.set()


@pytest.fixture(scope="module")
def scene(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[SegueServer, SlowReceiver]]:
    """Give a server whose large campaign comes to a provider that does not answer."""
    data: Path = tmp_path_factory.mktemp("overload") / "data"
    with slow_receiver() as receiver, SegueServer(data, limits=LIMITS, **ALLOWED) as server:
        users = [{"user_id": f"u{number}", "attributes": {"x": 1}} for number in range(CROWD)]
        assert server.api.post("/api/v1/users", json={"users": users}).status_code == 202
        slow, quick = f"{receiver.url}/slow", f"{receiver.url}/quick"
        server.create(webhook_campaign("floods", slow, {"event": "flood"}))
        server.create(webhook_campaign("greets", quick, {"event": "came"}))
        greets = webhook_campaign("greets", quick, {"event": "came"})
        server.create({**greets, "slug": "codes", "delivery": {"type": "api"}})
        for slug in ("floods", "greets", "codes"):
            server.publish(slug)
        soon = (datetime.now(UTC) + timedelta(seconds=5)).isoformat()
        schedule = {"type": "scheduled", "schedule": {"at": soon}}
        floods = webhook_campaign("floods", slow, {"event": "flood"})
        server.create({**floods, "slug": "news", "delivery": schedule})
        server.publish("news")
        yield server, receiver


def outbox_of(server: SegueServer) -> float:
    text = server.api.get("/metrics").text
    [line] = [one for one in text.splitlines() if one.startswith("segue_outbox_messages ")]
    return float(line.split()[1])


def test_under_load_what_users_do_is_sent_at_once_and_nothing_is_lost(
    scene: tuple[SegueServer, SlowReceiver],
) -> None:
    """One story, since each part needs what the one before has filled."""
    server, receiver = scene
    eventually(lambda: outbox_of(server) > 40, "the large campaign")
    assert len(receiver.users("/slow")) <= 6  # of eight places: some are left to others

    # Single sends, by event and by the API, while the large campaign is stuck until it is let go.
    for number in range(4):
        server.event(f"u{number}", "came")
        answer = server.api.post(
            "/api/v1/campaigns/codes/send", json={"recipients": [{"user_id": f"api-{number}"}]}
        )
        assert answer.status_code == 202, answer.text
        wanted = {f"u{number}", f"api-{number}"}
        eventually(lambda wanted=wanted: wanted <= receiver.users("/quick"), "single sends")
    assert len(receiver.users("/slow")) <= 6
    assert outbox_of(server) <= 100

    # More than senders and engine can take: refused before memory grows, in time and with words.
    acknowledged: list[str] = []
    while True:
        names = [f"flood-{len(acknowledged) + number}" for number in range(50)]
        answer = flood(server, names)
        if answer.status_code != 202:
            break
        acknowledged += names
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) >= 1
    assert "are waiting to be decided" in answer.text
    assert 200 <= len(acknowledged) <= 100 + 200 + 2 * 50
    refused = names

    # The provider is well again: what was refused is taken, and everybody gets everything once.
    receiver.is_open.set()
    eventually(lambda: flood(server, refused).status_code == 202, "room")
    everybody = {*acknowledged, *refused, *(f"u{number}" for number in range(CROWD))}
    eventually(lambda: receiver.users("/slow") >= everybody, "all that waited")
    eventually(lambda: outbox_of(server) == 0, "an empty outbox")
    assert receiver.users("/slow") == everybody
    assert set(receiver.calls.values()) == {1}


def flood(server: SegueServer, names: list[str]) -> Any:
    events = [{"id": name, "user_id": name, "name": "flood"} for name in names]
    return server.api.post("/api/v1/events", json={"events": events})


def test_bodies_that_memory_is_not_kept_for_are_refused_until_others_are_read(
    scene: tuple[SegueServer, SlowReceiver],
) -> None:
    server, _ = scene
    event = {"user_id": "ann", "name": "looked", "properties": {"text": "x" * 60_000}}
    large = json.dumps({"events": [event]}).encode()
    url = urlsplit(server.url)
    head = (
        "POST /api/v1/events HTTP/1.1\r\nHost: segue.test\r\nConnection: close\r\n"
        f"Authorization: Bearer {server.key}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(large)}\r\nExpect: 100-continue\r\n\r\n"
    )
    with socket.create_connection((url.hostname or "", url.port or 0), timeout=20) as slow:
        slow.sendall(head.encode())
        # The server asks for a body when it has kept memory for it, and begins to read.
        assert slow.recv(1_000).startswith(b"HTTP/1.1 100")
        refused = post(server, large)
        assert refused.status_code == 429
        assert "bytes of other calls are being read" in refused.text
        assert refused.headers["Retry-After"] == "1"
        slow.sendall(large)
        assert slow.recv(1_000).startswith(b"HTTP/1.1 202")
    eventually(lambda: post(server, large).status_code == 202, "room")
    packed = server.api.post(
        "/api/v1/events", content=gzip.compress(large), headers={"Content-Encoding": "gzip"}
    )
    assert packed.status_code == 202, packed.text


def post(server: SegueServer, content: bytes) -> Any:
    return server.api.post("/api/v1/events", content=content)
