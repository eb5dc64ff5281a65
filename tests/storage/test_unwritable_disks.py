"""A disk that is full, or may not be written: told in words, and nothing is left half done."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from stored_things import append_blocks, block, checkpoint, state

from segue.errors import StorageError, StorageFullError
from segue.storage.open import open_for_reading, open_stores
from segue.storage.sqlite import Database
from segue.storage.sqlite_journal import SqliteJournal
from segue.storage.sqlite_snapshot import SqliteSnapshot

PLENTY = 1_000_000_000  # pages


@contextmanager
def full(database: Database) -> Iterator[None]:
    """Let SQLite find no room for one page more, which it takes for a full disk."""
    for pages in (1, PLENTY):  # 1: as many as there are
        with database._lock:
            database._writer.execute(f"PRAGMA max_page_count = {pages}")
        if pages == 1:
            yield


def test_a_block_without_room_is_refused_whole_and_goes_in_later(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "segue.db")
    append_blocks(journal, 3)
    large = block(4, 3, *(f"user-{number}" for number in range(5_000)))
    with full(journal._db), pytest.raises(StorageFullError, match=r"its disk is full .* Make room"):
        journal.append(large)
    assert journal.log_end().seq == 3
    journal.append(large)
    assert [one.seq for one in journal.read_log()] == [1, 2, 3, 4]
    journal.close()


def test_a_checkpoint_without_room_leaves_the_one_before(tmp_path: Path) -> None:
    snapshot = SqliteSnapshot(tmp_path / "state.db")
    snapshot.commit(checkpoint(1, states=[("ann", state(1))]))
    states = [(f"user-{number}", state(2)) for number in range(5_000)] + [("ann", state(2))]
    with full(snapshot._db), pytest.raises(StorageFullError, match=r"state\.db cannot be written"):
        snapshot.commit(checkpoint(2, states=states))
    assert (snapshot.position().seq, snapshot.count_users()) == (1, 1)
    snapshot.commit(checkpoint(2, states=states))
    assert (snapshot.position().seq, snapshot.count_users()) == (2, 5_001)
    snapshot.close()


def bound_by_modes() -> list[str]:
    """Return a command that runs another as one who may not write what modes forbid."""
    if os.geteuid() != 0:
        return []
    return ["setpriv", "--bounding-set", "-dac_override,-dac_read_search,-fowner"]


@pytest.mark.parametrize(
    "command", [["serve", "--port", "0"], ["key", "create", "--scopes", "read"]]
)
def test_a_folder_that_may_not_be_written_is_told_with_its_remedy(
    tmp_path: Path, command: list[str]
) -> None:
    with open_stores(tmp_path) as stores:
        stores.journal.append(block(1, 0))
    for path in tmp_path.iterdir():
        path.chmod(0o400)
    tmp_path.chmod(0o500)
    try:
        done = subprocess.run(
            [*bound_by_modes(), sys.executable, "-m", "segue", *command, "--data", str(tmp_path)],
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
        )
    finally:
        tmp_path.chmod(0o700)
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert f"segue: {tmp_path}" in line
    assert re.search(r"cannot be (opened|written): .*\. Give the folder to the user", line)


@pytest.mark.slow
def test_what_lies_on_a_disk_that_may_not_be_written_is_read_and_backed_up(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with open_stores(data) as stores:
        stores.journal.append(block(1, 0, "ann"))
        stores.snapshot.commit(checkpoint(1, states=[("ann", state())]))
    data.chmod(0o500)
    code = (
        "import sys; from pathlib import Path; from segue.storage.open import open_for_reading\n"
        "with open_for_reading(Path(sys.argv[1])) as stores:\n"
        "    print(stores.journal.log_end().seq, stores.snapshot.count_users())\n"
        "from segue.storage.backup import make_backup\n"
        "made = make_backup(Path(sys.argv[1]), Path(sys.argv[2]), 0, lambda *_: None)\n"
        "print(made.last_block, made.snapshot_block)"
    )
    try:
        done = subprocess.run(
            [*bound_by_modes(), sys.executable, "-c", code, str(data), str(tmp_path / "b")],
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        data.chmod(0o700)
    assert (done.stdout, done.stderr) == ("1 1\n1 1\n", "")


def test_a_file_opened_for_reading_says_that_it_cannot_be_written(tmp_path: Path) -> None:
    open_stores(tmp_path).close()
    with (
        open_for_reading(tmp_path) as reader,
        pytest.raises(StorageError, match="readonly") as told,
    ):
        reader.journal.append(block(1, 0))
    assert not isinstance(told.value, StorageFullError)
