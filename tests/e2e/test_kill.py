"""Never lost, never twice: a server killed at random moments decides as one that was not.

`pytest tests/e2e/test_kill.py --kills 100 -n 0 -s` kills more often, and prints how it was.
"""

import json
import random
import threading
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
import pytest
from tests.support.commands import run_segue
from tests.support.documents import webhook_campaign
from tests.support.receiver import webhook_receiver
from tests.support.servers import SegueServer

from segue.model.log_records import SendsAttempted, SendsSettled
from segue.storage.open import open_for_reading

pytestmark = pytest.mark.slow

USERS = 40


def campaigns(url: str) -> list[dict[str, Any]]:
    """Return followers first: at once, after a wait with an exception, and a long wait."""
    received = {"interact_with_campaign": {"campaign": "first", "interaction": "webhook_receive"}}
    bought = {"interact_with_campaign": {"campaign": "first", "interaction": "conversion"}}
    stop: dict[str, Any] = {"event": "stop"}
    waits = {"delay": {"after": "1s"}, "exceptions": [stop]}
    return [
        webhook_campaign("after-a-second", url, received, **waits),
        webhook_campaign("after-a-day", url, bought, delay={"after": "1d"}, exceptions=[stop]),
        webhook_campaign("first", url, {"event": "go"}),
    ]


class Load:
    """A client that sends events, and sends a call again until it is acknowledged."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.acknowledged: set[str] = set()
        self.unanswered: list[dict[str, Any]] = []
        self._sent = 0

    def run(self, server: SegueServer, stopping: threading.Event) -> None:
        while not stopping.is_set():
            batch = self.unanswered or [self._event() for _ in range(self.random.randint(1, 30))]
            self.unanswered = batch
            try:
                answer = server.api.post("/api/v1/events", json={"events": batch})
            except (httpx2.HTTPError, RuntimeError):  # the latter once its client is closed
                return
            assert answer.status_code == 202, answer.text
            self.acknowledged.update(event["id"] for event in batch)
            self.unanswered = []

    def _event(self) -> dict[str, Any]:
        self._sent += 1
        name = self.random.choice(["go", "go", "stop", "purchase", "nobody-listens"])
        user = f"u{self.random.randrange(USERS)}"
        event: dict[str, Any] = {"id": f"e{self._sent}", "user_id": user, "name": name}
        if name == "purchase":
            event["product_id"] = "sku-1"
        return event


def lines_of(*arguments: str) -> list[dict[str, Any]]:
    """Run a command of Segue, and return the lines it prints."""
    return [json.loads(line) for line in run_segue(*arguments).splitlines()]


class Sends(NamedTuple):
    """What the log has of sends: how often each was begun, how each ended; and how many wait."""

    begun: Counter[str]
    ends: Counter[tuple[str, str | None]]  # by send, with the reason of one that was not accepted
    waiting: int


def sends_of(data: Path) -> Sends:
    begun: Counter[str] = Counter()
    ends: Counter[tuple[str, str | None]] = Counter()
    with open_for_reading(data) as stores:
        for block in stores.journal.read_log():
            for record in block.records:
                if isinstance(record, SendsAttempted):
                    begun.update(send_id for send_id, _ in record.attempts)
                elif isinstance(record, SendsSettled):
                    ends.update((one.send_id, one.reason) for one in record.settled)
        return Sends(begun, ends, len(stores.snapshot.outbox()))


def told(lines: list[dict[str, Any]]) -> Counter[str]:
    return Counter(json.dumps(line, sort_keys=True) for line in lines)


@pytest.mark.timeout(3_600)  # of `--kills 100`, a quarter of it; without, a minute
def test_a_server_killed_at_random_moments_loses_and_doubles_nothing(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    seed = random.randrange(1 << 30)
    print(f"seed {seed}")
    load = Load(seed)
    data = tmp_path / "data"
    server = SegueServer(data, SEGUE_CHANNELS__WEBHOOK__ALLOW_PRIVATE_ADDRESSES='["127.0.0.0/8"]')
    with webhook_receiver() as receiver:
        server.start()
        documents = campaigns(receiver.url)
        for document in documents:
            server.create(document)
        for document in documents:
            server.publish(document["slug"])
        for _ in range(request.config.getoption("kills")):
            stopping = threading.Event()
            thread = threading.Thread(target=load.run, args=(server, stopping))
            thread.start()
            stopping.wait(load.random.uniform(0.05, 0.6))
            server.kill()
            stopping.set()
            thread.join()
            server.start()
        assert server.stop() == 0
    calls = Counter(headers["webhook-id"] for _, headers, _ in receiver.requests)

    # The log: everything acknowledged, once.
    lines = lines_of("log", "--data", str(data))
    recorded = lines_of("log", "--decisions", "--data", str(data))
    ids = Counter(line["id"] for line in lines if "id" in line)
    assert load.acknowledged - ids.keys() == set()
    assert [name for name, count in ids.items() if count > 1] == []

    # Decisions: those of a server that was never killed.
    log = tmp_path / "log.ndjson"
    log.write_text("".join(json.dumps(line) + "\n" for line in lines))
    (tmp_path / "none").mkdir()
    until = max(line["at"] for line in recorded)
    arguments = ("--events", str(log), "--sends", "recorded", "--until", until)
    uninterrupted = lines_of("run", str(tmp_path / "none"), *arguments)
    assert told(recorded) == told(uninterrupted)
    assert {line["decision"] for line in recorded} >= {"enter", "send", "cancel", "convert"}

    # Sends: each ends once, and no call is made but those the log has begun. A call is only
    # repeated where a kill has left its outcome unknown, and bears the same id then. On a busy
    # machine one may fail at last that kills have cut off five times before.
    begun, ends, waiting = sends_of(data)
    accepted = {send_id for send_id, reason in ends if reason is None}
    assert len({send_id for send_id, _ in ends}) == ends.total()
    assert {reason for _, reason in ends} <= {None, "gave_up"}
    assert accepted <= calls.keys() <= begun.keys()
    assert [one for one, count in calls.items() if count > begun[one]] == []
    assert sum(line["decision"] == "send" for line in recorded) == ends.total() + waiting

    # Counters: those of the log counted anew; and everything stored is whole.
    [checked] = lines_of("db", "check", "--deep", "--json", "--data", str(data))
    assert checked["is_well"]
    assert "counters are what the log says" in checked["findings"][-1]["detail"]
    print(
        f"{len(ids)} events, {len(load.acknowledged)} acknowledged; {len(accepted)} sends, "
        f"{ends.total() - len(accepted)} given up, "
        f"{sum(calls.values()) - len(calls)} calls repeated under the same id"
    )
