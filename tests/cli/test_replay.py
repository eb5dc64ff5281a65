"""`segue replay` on folders that real servers wrote: equal, tampered with, open, cut off."""

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.support.documents import webhook_campaign
from tests.support.receiver import webhook_receiver
from tests.support.servers import SegueServer, eventually

from segue.storage.encoding import decode_verdicts, encode_verdicts
from segue.storage.open import open_stores

pytestmark = pytest.mark.slow

ALLOWED = {"SEGUE_CHANNELS__WEBHOOK__ALLOW_PRIVATE_ADDRESSES": '["127.0.0.0/8"]'}
RECEIVED = {"interact_with_campaign": {"campaign": "first", "interaction": "webhook_receive"}}


def replay(data: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "segue", "replay", "--data", str(data), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def live_through(server: SegueServer, url: str) -> None:
    """Publish a campaign and a follower, and let everything happen that can."""
    waits = {"delay": {"after": "1s"}, "exceptions": [{"event": "stop"}]}
    server.create(webhook_campaign("first", url, {"event": "go"}))
    server.create(webhook_campaign("next", url, RECEIVED, **waits))
    for slug in ("next", "first"):
        server.publish(slug)
    for name in ("ann", "bob", "eve"):
        server.event(name, "go")
    server.event("eve", "purchase", product_id="x", price=1.0)

    def entered() -> bool:
        return all(
            ("enter", None) in server.decisions(one, "next") for one in ("ann", "bob", "eve")
        )

    eventually(entered, "the follower's waits")
    server.event("ann", "stop")
    eventually(lambda: ("send", None) in server.decisions("bob", "next"), "the follower's send")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that a server wrote, which was ended in order."""
    data = tmp_path_factory.mktemp("replay") / "data"
    with webhook_receiver() as receiver, SegueServer(data, **ALLOWED) as server:
        live_through(server, receiver.url)
    return data


def test_what_a_server_recorded_is_decided_again_the_same(recorded: Path) -> None:
    done = replay(recorded)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "are as they were recorded" in done.stdout
    told = json.loads(replay(recorded, "--json").stdout)
    assert told["is_equal"]
    assert told["compared"] > 10
    assert (told["lost"], told["entries_behind"]) == (0, 0)
    assert told["entries_per_second"] > 0


def test_a_decision_that_was_tampered_with_is_shown_beside_the_one_made(
    recorded: Path, tmp_path: Path
) -> None:
    for name in ("segue.db", "state.db"):
        (tmp_path / name).write_bytes((recorded / name).read_bytes())
    with sqlite3.connect(tmp_path / "state.db") as connection:
        rows = connection.execute("SELECT number, bytes FROM verdict_blocks ORDER BY number")
        number, stored = rows.fetchall()[-1]
        verdicts = decode_verdicts(stored, "here")
        verdicts[-1] = replace(verdicts[-1], user_id="mallory")
        connection.execute(
            "UPDATE verdict_blocks SET bytes = ? WHERE number = ?",
            (encode_verdicts(verdicts)[0], number),
        )
    connection.close()
    done = replay(tmp_path)
    assert done.returncode == 1
    heading, was, is_now = done.stdout.splitlines()
    assert "one differs, at entry" in heading
    assert was.startswith("recorded:")
    assert is_now.startswith("decided:")
    assert json.loads(was.partition(":")[2])["user_id"] == "mallory"
    assert json.loads(is_now.partition(":")[2])["user_id"] != "mallory"
    told = json.loads(replay(tmp_path, "--json").stdout)
    assert not told["is_equal"]
    assert told["difference"]["recorded"]["user_id"] == "mallory"


def test_a_folder_that_a_server_has_open_is_left_alone(tmp_path: Path) -> None:
    with SegueServer(tmp_path / "data") as server:
        done = replay(server.data)
    assert done.returncode == 1
    assert "Another Segue server" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_after_a_kill_what_was_written_down_is_compared_and_the_rest_is_told(
    tmp_path: Path,
) -> None:
    data = tmp_path / "data"
    with webhook_receiver() as receiver, SegueServer(data, **ALLOWED) as server:
        live_through(server, receiver.url)
        server.stop()
        server.start()
        server.event("ann", "go")
        server.kill()
    with open_stores(data) as stores:
        behind = stores.journal.log_end().next_ordinal - stores.snapshot.position().next_ordinal
    done = replay(data)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "are as they were recorded" in done.stdout
    # A checkpoint may have come between the event and the kill, though hardly ever.
    assert (f"Behind the last checkpoint are {behind} entries" in done.stdout) == (behind > 0)
