"""Torn, cut-off and overwritten files: a snapshot is built anew, a log is never guessed at."""

from collections.abc import Callable
from pathlib import Path

import pytest
from stored_things import append_blocks, block, checkpoint, state

from segue.errors import ConflictError, DamagedError
from segue.storage.log_check import check_log
from segue.storage.open import open_for_reading, open_stores, rebuild_snapshot
from segue.storage.sqlite_journal import SqliteJournal
from segue.storage.sqlite_snapshot import SqliteSnapshot

USERS = 400


def fill(folder: Path, blocks: int = 30) -> None:
    """Leave a folder as a server does that has ended in order."""
    with open_stores(folder) as stores:
        append_blocks(stores.journal, blocks, entries=50)
        states = [(f"user-{number}", state("x" * 40)) for number in range(USERS)]
        stores.snapshot.commit(checkpoint(blocks, states=states))


def cut_in_half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def cut_off_a_byte(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def overwrite(path: Path) -> None:
    path.write_bytes(b"these are not the bytes of a database" * 100)


def spoil_last_page(path: Path, page_size: int) -> None:
    """Overwrite the last page, as a disk does that was switched off while it wrote."""
    content = path.read_bytes()
    path.write_bytes(content[:-page_size] + b"\xa5" * page_size)


@pytest.mark.parametrize("spoil", [cut_in_half, cut_off_a_byte, overwrite, Path.unlink])
def test_a_snapshot_that_is_no_longer_whole_gives_way_to_the_log(
    tmp_path: Path, spoil: Callable[[Path], object]
) -> None:
    fill(tmp_path)
    spoil(tmp_path / "state.db")
    with open_stores(tmp_path) as stores:
        assert stores.snapshot.position().seq == 0  # what follows is folded from the log
        assert stores.journal.log_end().seq == 30
    assert (tmp_path / "state.db.damaged").exists() == (spoil is not Path.unlink)


def test_a_page_torn_by_a_crash_is_found_at_the_next_start(tmp_path: Path) -> None:
    with open_stores(tmp_path) as stores:
        append_blocks(stores.journal, 3)
        # Left open: its log stays beside the file, as after a kill.
        snapshot = stores.snapshot
        snapshot.commit(
            checkpoint(3, states=[(f"u{number}", state("x" * 90)) for number in range(USERS)])
        )
        assert isinstance(snapshot, SqliteSnapshot)
        with snapshot._db.writing() as connection:
            connection.execute("DELETE FROM walks")
        copies = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    for name, content in copies.items():
        (tmp_path / name).write_bytes(content)
    log = (tmp_path / "state.db-wal").read_bytes()
    assert log
    # The first checkpoint has reached the file, the log has not been emptied, and a page is torn.
    with open_stores(tmp_path) as stores:
        stores.snapshot.position()
    (tmp_path / "state.db-wal").write_bytes(log)
    spoil_last_page(tmp_path / "state.db", 1024)
    (tmp_path / "state.db-wal").write_bytes(log[:32] + b"\0" * 100)
    with open_stores(tmp_path) as stores:
        assert stores.snapshot.position().seq == 0
    assert (tmp_path / "state.db.damaged").exists()


def test_without_the_beginning_of_the_log_a_damaged_snapshot_is_refused(tmp_path: Path) -> None:
    fill(tmp_path)
    with open_stores(tmp_path) as stores:
        assert stores.journal.forget_log(1, 20) > 0
    kept = (tmp_path / "state.db").read_bytes()
    cut_in_half(tmp_path / "state.db")
    with pytest.raises(DamagedError, match=r"state\.db .* its end is missing.*segue db restore"):
        open_stores(tmp_path)
    with pytest.raises(ConflictError, match=r"begins with block 20.* cannot be built"):
        rebuild_snapshot(tmp_path)
    (tmp_path / "state.db").unlink()
    with pytest.raises(ConflictError, match=r"begins with block 20.*Restore both from one backup"):
        open_stores(tmp_path)
    (tmp_path / "state.db").write_bytes(kept)
    open_stores(tmp_path).close()


@pytest.mark.parametrize("spoil", [cut_in_half, cut_off_a_byte, overwrite])
def test_a_log_that_is_no_longer_whole_is_refused_and_left_as_it_is(
    tmp_path: Path, spoil: Callable[[Path], object]
) -> None:
    fill(tmp_path)
    spoil(tmp_path / "segue.db")
    before = (tmp_path / "segue.db").read_bytes()
    with pytest.raises(DamagedError, match=r"segue\.db cannot be opened .*segue db restore"):
        open_stores(tmp_path)
    with pytest.raises(DamagedError, match="segue db check"):
        open_for_reading(tmp_path)
    assert (tmp_path / "segue.db").read_bytes() == before


def test_the_last_page_of_a_log_is_missed_by_whoever_reads_it(tmp_path: Path) -> None:
    fill(tmp_path)
    spoil_last_page(tmp_path / "segue.db", 4096)
    with open_for_reading(tmp_path) as stores:
        with pytest.raises(DamagedError, match=r"segue\.db.*segue db check"):
            list(stores.journal.read_log())
        found = check_log(stores.journal, lambda _done, _total: None)
        assert found.faults
        assert isinstance(stores.journal, SqliteJournal)
        assert stores.journal.faults(5, is_thorough=True)


def test_each_block_that_is_damaged_is_told_by_its_number(tmp_path: Path) -> None:
    fill(tmp_path, blocks=40)
    with open_stores(tmp_path) as stores:
        assert isinstance(stores.journal, SqliteJournal)
        with stores.journal._db.writing() as connection:
            for seq in (7, 23):
                connection.execute(
                    "UPDATE log SET bytes = zeroblob(length(bytes)) WHERE seq = ?", (seq,)
                )
            connection.execute("DELETE FROM log WHERE seq = 31")
        found = check_log(stores.journal, lambda _done, _total: None)
    assert [fault.partition(" of the log")[0] for fault in found.faults if "Block" in fault] == [
        "Block 7",
        "Block 23",
    ]
    assert "blocks 31 to 31 are missing or cannot be read" in found.faults
    assert (found.first_seq, found.last_seq) == (1, 40)


def test_a_rebuild_sets_the_snapshot_aside_with_what_lies_beside_it(tmp_path: Path) -> None:
    fill(tmp_path)
    (tmp_path / "state.db-wal").write_bytes(b"left over")
    assert rebuild_snapshot(tmp_path) == tmp_path / "state.db.damaged"
    assert not list(tmp_path.glob("state.db")) + list(tmp_path.glob("state.db-wal"))
    with open_stores(tmp_path) as stores:
        assert stores.snapshot.position().seq == 0
        with pytest.raises(ConflictError, match="has the data folder"):
            rebuild_snapshot(tmp_path)


def test_blocks_out_of_order_are_told(tmp_path: Path) -> None:
    with open_stores(tmp_path) as stores:
        stores.journal.append(block(1, 0, "ann", at=2_000))
        stores.journal.append(block(2, 5, "ann", at=1_000))
        found = check_log(stores.journal, lambda _done, _total: None)
    assert found.faults == [
        "block 2 begins with entry 5, and the one before ended at entry 1",
        "block 2 was accepted before the one before it",
    ]
