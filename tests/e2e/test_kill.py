"""Never lost, never twice: a server killed at random moments decides as one that was not."""

import json
import random
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.support.receiver import webhook_receiver
from tests.support.servers import SegueServer

pytestmark = pytest.mark.slow

KILLS = 20
USERS = 40


def campaign(slug: str, triggers: list[Any], url: str, **more: Any) -> dict[str, Any]:
    return {
        "slug": slug,
        "name": slug,
        "delivery": {"type": "action", "triggers": triggers, **more},
        "re_eligibility": "always",
        "messages": [{"webhook": {"url": url, "body": {"user": "{{ user_id }}"}}}],
        "conversions": [{"purchase": {}, "within": "1h"}],
    }


def campaigns(url: str) -> list[dict[str, Any]]:
    """Return followers first: at once, after a wait with an exception, and a long wait."""
    received = {"interact_with_campaign": {"campaign": "first", "interaction": "webhook_receive"}}
    bought = {"interact_with_campaign": {"campaign": "first", "interaction": "conversion"}}
    stop: dict[str, Any] = {"event": "stop"}
    waits = {"delay": {"after": "1s"}, "exceptions": [stop]}
    return [
        campaign("after-a-second", [received], url, **waits),
        campaign("after-a-day", [bought], url, delay={"after": "1d"}, exceptions=[stop]),
        campaign("first", [{"event": "go"}], url),
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


def run_segue(*arguments: str) -> list[dict[str, Any]]:
    """Run a command of Segue, and return the lines it prints."""
    command = [sys.executable, "-m", "segue", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def told(lines: list[dict[str, Any]]) -> Counter[str]:
    return Counter(json.dumps(line, sort_keys=True) for line in lines)


def test_a_server_killed_at_twenty_random_moments_loses_and_doubles_nothing(
    tmp_path: Path,
) -> None:
    seed = random.randrange(1 << 30)
    print(f"seed {seed}")
    load = Load(seed)
    server = SegueServer(
        tmp_path / "data", SEGUE_CHANNELS__WEBHOOK__ALLOW_PRIVATE_ADDRESSES='["127.0.0.0/8"]'
    )
    with webhook_receiver() as receiver:
        server.start()
        documents = campaigns(receiver.url)
        for document in documents:
            server.create(document)
        for document in documents:
            server.publish(document["slug"])
        for _ in range(KILLS):
            stopping = threading.Event()
            thread = threading.Thread(target=load.run, args=(server, stopping))
            thread.start()
            stopping.wait(load.random.uniform(0.05, 0.6))
            server.kill()
            stopping.set()
            thread.join()
            server.start()
        assert server.stop() == 0

    data = str(tmp_path / "data")
    lines = run_segue("log", "--data", data)
    recorded = run_segue("log", "--decisions", "--data", data)
    ids = Counter(line["id"] for line in lines if "id" in line)
    assert load.acknowledged - ids.keys() == set()
    assert [name for name, count in ids.items() if count > 1] == []

    log = tmp_path / "log.ndjson"
    log.write_text("".join(json.dumps(line) + "\n" for line in lines))
    (tmp_path / "none").mkdir()
    until = max(line["at"] for line in recorded)
    arguments = ("--events", str(log), "--sends", "recorded", "--until", until)
    uninterrupted = run_segue("run", str(tmp_path / "none"), *arguments)
    assert told(recorded) == told(uninterrupted)
    assert {line["decision"] for line in recorded} >= {"enter", "send", "cancel", "convert"}
