"""A folder opened to read it only: beside a server, after one, and where there is none."""

import sqlite3
from pathlib import Path

import pytest
from stored_things import block, checkpoint, state

from segue.errors import NotFoundError, SegueError
from segue.storage.open import open_for_reading, open_stores


def test_a_folder_is_read_while_a_server_has_it_open(tmp_path: Path) -> None:
    with open_stores(tmp_path) as server, open_for_reading(tmp_path) as reader:
        server.journal.append(block(1, 0, "ann"))
        server.snapshot.commit(checkpoint(1, states=[("ann", state())]))
        assert [one.seq for one in reader.journal.read_log()] == [1]
        assert reader.snapshot.position().seq == 1
        server.journal.append(block(2, 1, "ann"))
        assert reader.journal.log_end().seq == 2
    open_stores(tmp_path).close()  # nothing was left locked


def test_what_is_open_for_reading_cannot_be_written(tmp_path: Path) -> None:
    open_stores(tmp_path).close()
    with open_for_reading(tmp_path) as reader:
        with pytest.raises(SegueError, match="readonly"):
            reader.journal.append(block(1, 0))
        with pytest.raises(SegueError, match="readonly"):
            reader.snapshot.commit(checkpoint(1))


def test_without_a_snapshot_an_empty_one_stands_in_and_none_is_made(tmp_path: Path) -> None:
    with open_stores(tmp_path) as stores:
        stores.journal.append(block(1, 0, "ann"))
    (tmp_path / "state.db").unlink()
    with open_for_reading(tmp_path) as reader:
        assert reader.journal.log_end().seq == 1
        assert reader.snapshot.plan_changes() == []
    assert not (tmp_path / "state.db").exists()


def test_a_folder_without_a_log_is_not_found_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="There is no database of Segue in"):
        open_for_reading(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize(("name", "written_by"), [("segue.db", 0), ("state.db", 1)])
def test_a_file_of_an_older_version_is_not_brought_up_to_date(
    tmp_path: Path, name: str, written_by: int
) -> None:
    open_stores(tmp_path).close()
    with sqlite3.connect(tmp_path / name) as connection:
        connection.execute(f"PRAGMA user_version = {written_by}")
    connection.close()
    with pytest.raises(SegueError, match=r"written by an older Segue.*`segue serve`"):
        open_for_reading(tmp_path)


def test_a_folder_with_signs_in_its_name_is_opened(tmp_path: Path) -> None:
    folder = tmp_path / "50% off? #1 & more"
    with open_stores(folder) as stores:
        stores.journal.append(block(1, 0))
    with open_for_reading(folder) as reader:
        assert reader.journal.log_end().seq == 1
