"""Backups of a server under load: whole, and a restored server goes on with care."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
from tests.support.commands import run_segue, segue
from tests.support.documents import webhook_campaign
from tests.support.receiver import webhook_receiver
from tests.support.servers import SegueServer, eventually

from segue.runtime.lines import lines_of
from segue.runtime.replay import compare_with_record
from segue.services.database_check import check_database
from segue.storage.backup import restore_backup
from segue.storage.open import open_for_reading

pytestmark = pytest.mark.slow

ALLOWED = {"SEGUE_CHANNELS__WEBHOOK__ALLOW_PRIVATE_ADDRESSES": '["127.0.0.0/8"]'}
BATCH = 40


@contextmanager
def load(server: SegueServer) -> Iterator[list[str]]:
    """Send events until the end of the block; give the ids of those that are acknowledged."""
    acknowledged: list[str] = []
    stopping = threading.Event()

    def send() -> None:
        while not stopping.wait(0.02):  # a load to be had beside other tests
            ids = [f"e{len(acknowledged) + number}" for number in range(BATCH)]
            names = ["go" if number % 10 == 0 else "looked" for number in range(BATCH)]
            events = [
                {"id": one, "user_id": one, "name": name}
                for one, name in zip(ids, names, strict=True)
            ]
            answer = server.api.post("/api/v1/events", json={"events": events})
            assert answer.status_code == 202, answer.text
            acknowledged.extend(ids)

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield acknowledged
    finally:
        stopping.set()
        thread.join()


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """Return a backup that was made under load, and the events acknowledged before it began."""
    folder = tmp_path_factory.mktemp("backup")
    with webhook_receiver() as receiver, SegueServer(folder / "data", **ALLOWED) as server:
        server.create(webhook_campaign("welcome", receiver.url, {"event": "go"}))
        server.publish("welcome")
        with load(server) as acknowledged:
            # Long enough for a checkpoint, so that both files matter.
            eventually(lambda: _reached(folder / "data") > 0, "a checkpoint")
            before = list(acknowledged)
            shown = run_segue("db", "backup", folder / "b", "--data", server.data, "--json")
        told = json.loads(shown)
        assert told["snapshot_block"] > 0
        assert told["last_block"] >= told["snapshot_block"]
    return folder / "b", before


def _reached(data: Path) -> int:
    with open_for_reading(data) as stores:
        return stores.snapshot.position().seq


def quietly(*_: object) -> None:
    """Show no progress."""


def test_a_backup_made_under_load_has_everything_acknowledged_and_replays_equal(
    taken: tuple[Path, list[str]], tmp_path: Path
) -> None:
    backup, before = taken
    restore_backup(backup, tmp_path / "data", None, quietly)
    found = check_database(tmp_path / "data", is_deep=True, progress=quietly)
    assert [one.state for one in found] == ["ok"] * 6
    with open_for_reading(tmp_path / "data") as stores:
        replayed = compare_with_record(stores.journal, stores.snapshot)
        lines = [line for block in stores.journal.read_log() for line in lines_of(block)]
    assert replayed.difference is None
    assert replayed.equal > 0
    ids = [line["id"] for line in lines if "id" in line]
    assert len(set(ids)) == len(ids)
    assert set(before) <= set(ids)


def test_a_restored_server_holds_its_messages_until_somebody_lets_them_go(
    taken: tuple[Path, list[str]], tmp_path: Path
) -> None:
    backup, _ = taken
    data = tmp_path / "data"
    run_segue("db", "restore", backup, "--data", data)
    refused = segue("db", "restore", backup, "--data", data)
    assert (refused.returncode, len(refused.stderr.splitlines())) == (1, 1)
    assert "nothing is overwritten" in refused.stderr
    server = SegueServer(data, **ALLOWED)
    server.key = "made by the server that was backed up"
    with webhook_receiver() as receiver, server:
        with open_for_reading(data) as stores:
            found = stores.journal.hold.find()
            [change] = stores.journal.audit.newest(1)
        assert found is not None
        assert found.by == "segue db restore"
        assert change.action == "restore backup"
        assert httpx2.get(server.url + "/readyz").status_code == 200
        assert receiver.requests == []
