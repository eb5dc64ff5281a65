"""Backups: both files or neither, checked when they are made and when they are restored."""

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from stored_things import append_blocks, block, checkpoint, state

from segue.errors import ConflictError, DamagedError, NotFoundError, SegueError
from segue.storage.backup import Manifest, make_backup, read_manifest, restore_backup
from segue.storage.hold_ports import StoredHold
from segue.storage.open import open_for_reading, open_stores

NOW = 1_700_000_000_000_000
HOLD = StoredHold(NOW, "test")


def fill(folder: Path, blocks: int = 20) -> None:
    with open_stores(folder) as stores:
        append_blocks(stores.journal, blocks, entries=20)
        states = [(f"user-{number}", state("x" * 40)) for number in range(50)]
        stores.snapshot.commit(checkpoint(blocks, states=states))


def backed_up(data: Path, target: Path) -> Manifest:
    return make_backup(data, target, NOW, lambda _what, _done, _total: None)


def restored(backup: Path, target: Path, hold: StoredHold | None = HOLD) -> Manifest:
    return restore_backup(backup, target, hold, lambda _what, _done, _total: None)


def test_a_backup_is_restored_with_all_that_was_stored(tmp_path: Path) -> None:
    fill(tmp_path / "data")
    made = backed_up(tmp_path / "data", tmp_path / "b")
    assert (made.first_block, made.last_block, made.snapshot_block) == (1, 20, 20)
    assert restored(tmp_path / "b", tmp_path / "new") == made == read_manifest(tmp_path / "b")
    with open_stores(tmp_path / "new") as stores, open_for_reading(tmp_path / "data") as original:
        assert list(stores.journal.read_log()) == list(original.journal.read_log())
        assert stores.snapshot.list_users() == original.snapshot.list_users()
        assert stores.journal.hold.find() == HOLD
        append_blocks(stores.journal, 1)
    folder = tmp_path / "b"
    assert sorted(path.name for path in folder.iterdir()) == [
        "manifest.json",
        "segue.db",
        "state.db",
    ]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.glob("*.db")} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_backup_shows_how_far_it_has_come(tmp_path: Path) -> None:
    fill(tmp_path / "data")
    seen: list[tuple[str, int, int]] = []
    make_backup(tmp_path / "data", tmp_path / "b", NOW, lambda *what: seen.append(what))
    assert {what for what, *_ in seen} == {
        "Copying state.db",
        "Copying segue.db",
        "Checking state.db",
        "Checking segue.db",
    }
    assert all(0 <= done <= total for _, done, total in seen)


def test_what_a_server_writes_meanwhile_is_left_out_and_does_no_harm(tmp_path: Path) -> None:
    fill(tmp_path / "data")
    with open_stores(tmp_path / "data") as stores:

        def write(_what: str, _done: int, _total: int) -> None:
            append_blocks(stores.journal, 1)
            end = stores.journal.log_end().seq
            stores.snapshot.commit(checkpoint(end, states=[("new", state(end))]))

        made = make_backup(tmp_path / "data", tmp_path / "b", NOW, write)
    assert made.snapshot_block is not None
    assert made.snapshot_block <= made.last_block
    restored(tmp_path / "b", tmp_path / "new")
    open_stores(tmp_path / "new").close()


def test_without_a_snapshot_the_log_alone_is_backed_up(tmp_path: Path) -> None:
    fill(tmp_path / "data")
    (tmp_path / "data" / "state.db").unlink()
    assert backed_up(tmp_path / "data", tmp_path / "b").snapshot_block is None
    restored(tmp_path / "b", tmp_path / "new", None)
    with open_stores(tmp_path / "new") as stores:
        assert (stores.journal.log_end().seq, stores.snapshot.position().seq) == (20, 0)
        assert stores.journal.hold.find() is None


def test_a_snapshot_that_nothing_leads_on_from_is_not_backed_up(tmp_path: Path) -> None:
    fill(tmp_path / "data")
    with open_stores(tmp_path / "data") as stores:
        stores.journal.forget_log(1, 19)
    (tmp_path / "data" / "state.db").unlink()
    with pytest.raises(ConflictError, match="begins with block 19"):
        backed_up(tmp_path / "data", tmp_path / "b")
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


@pytest.mark.parametrize("name", ["segue.db", "state.db"])
def test_a_damaged_file_is_not_backed_up(tmp_path: Path, name: str) -> None:
    fill(tmp_path / "data")
    path = tmp_path / "data" / name
    size = 4096 if name == "segue.db" else 1024
    path.write_bytes(path.read_bytes()[:-size] + b"\xa5" * size)
    with pytest.raises(DamagedError, match="segue db check"):
        backed_up(tmp_path / "data", tmp_path / "b")
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_neither_a_backup_nor_a_restore_overwrites_anything(tmp_path: Path) -> None:
    fill(tmp_path / "data")
    backed_up(tmp_path / "data", tmp_path / "b")
    with pytest.raises(ConflictError, match=r"is not empty \(manifest.json, .*the backup"):
        backed_up(tmp_path / "data", tmp_path / "b")
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "segue.toml").write_text("mine")
    with pytest.raises(ConflictError, match=r"is not empty \(segue.toml\).*the data folder"):
        restored(tmp_path / "b", tmp_path / "new")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["segue.toml"]


@pytest.mark.parametrize("name", ["segue.db", "state.db"])
def test_a_backup_that_has_changed_is_refused_by_its_checksum(tmp_path: Path, name: str) -> None:
    fill(tmp_path / "data")
    backed_up(tmp_path / "data", tmp_path / "b")
    content = bytearray((tmp_path / "b" / name).read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "b" / name).write_bytes(content)
    with pytest.raises(DamagedError, match=rf"{name} is not what was backed up"):
        restored(tmp_path / "b", tmp_path / "new")
    assert list((tmp_path / "new").iterdir()) == []


@pytest.mark.parametrize(
    ("change", "kind", "message"),
    [
        (None, NotFoundError, "is no backup of Segue"),
        ({"format": 99}, SegueError, "was made by Segue 9.0"),
        ({"files": [{"name": "../x", "bytes": 1, "sha256": ""}]}, SegueError, "does not know"),
        ({"files": 7}, NotFoundError, "manifest.json cannot be read"),
    ],
)
def test_what_is_no_backup_of_this_segue_is_refused(
    tmp_path: Path, change: dict[str, Any] | None, kind: type[SegueError], message: str
) -> None:
    fill(tmp_path / "data")
    backed_up(tmp_path / "data", tmp_path / "b")
    manifest = tmp_path / "b" / "manifest.json"
    if change is None:
        manifest.unlink()
    else:
        told = {**json.loads(manifest.read_text()), "segue": "9.0", **change}
        manifest.write_text(json.dumps(told))
    with pytest.raises(kind, match=message):
        restored(tmp_path / "b", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_where_there_is_no_database_none_is_backed_up_or_made(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="There is no database of Segue in"):
        backed_up(tmp_path / "data", tmp_path / "b")
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_the_backup_that_is_gone_is_told(tmp_path: Path) -> None:
    with open_stores(tmp_path / "data") as stores:
        stores.journal.append(block(1, 0))
    backed_up(tmp_path / "data", tmp_path / "b")
    (tmp_path / "b" / "segue.db").unlink()
    with pytest.raises(NotFoundError, match=r"segue\.db is missing"):
        restored(tmp_path / "b", tmp_path / "new")
