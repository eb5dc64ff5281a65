"""Every contract test runs on both stores."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from segue.storage.memory import MemoryJournal
from segue.storage.memory_snapshot import MemorySnapshot
from segue.storage.ports import Journal, Snapshot
from segue.storage.sqlite_journal import SqliteJournal
from segue.storage.sqlite_snapshot import SqliteSnapshot


@pytest.fixture(params=["memory", "sqlite"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Journal]:
    is_memory = request.param == "memory"
    opened: Journal = MemoryJournal() if is_memory else SqliteJournal(tmp_path / "segue.db")
    yield opened
    opened.close()


@pytest.fixture(params=["memory", "sqlite"])
def snapshot(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Snapshot]:
    is_memory = request.param == "memory"
    opened: Snapshot = MemorySnapshot() if is_memory else SqliteSnapshot(tmp_path / "state.db")
    yield opened
    opened.close()
