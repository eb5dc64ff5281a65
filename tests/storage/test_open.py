import ast
import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from stored_things import block, checkpoint, state

from segue.errors import ConflictError, SegueError
from segue.storage import (
    named_sql,
    sqlite_accounts,
    sqlite_addresses,
    sqlite_inbox,
    sqlite_journal,
    sqlite_snapshot,
)
from segue.storage.memory import MemoryJournal
from segue.storage.named_sql import load_queries, parse_queries
from segue.storage.open import open_database, open_journal, open_stores
from segue.storage.ports import StoredKey
from segue.storage.sqlite_journal import SqliteJournal


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_folder_is_made_that_only_its_owner_may_enter(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "data"
    with open_stores(folder) as stores:
        stores.journal.append(block(1, 0))
        stores.snapshot.commit(checkpoint(1, states=[("ann", state())]))
        assert mode_of(folder) == 0o700
        modes = {path.name: mode_of(path) for path in folder.iterdir()}
    assert {"segue.db", "segue.db-wal", "state.db", "state.db-wal", "lock"} <= modes.keys()
    assert set(modes.values()) == {0o600}


def test_what_was_stored_is_there_at_the_next_opening(tmp_path: Path) -> None:
    with open_stores(tmp_path) as stores:
        stores.journal.append(block(1, 0, "ann"))
        stores.snapshot.commit(checkpoint(1, states=[("ann", state())]))
    with open_stores(tmp_path) as stores:
        assert stores.journal.log_end().seq == 1
        assert stores.snapshot.position().seq == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lock", "segue.db", "state.db"]


def test_a_second_server_is_kept_out_of_the_folder(tmp_path: Path) -> None:
    message = rf"\(process {os.getpid()}\) has the data folder {tmp_path} open"
    with open_stores(tmp_path), pytest.raises(ConflictError, match=message):
        open_stores(tmp_path)
    open_stores(tmp_path).close()


def test_the_folder_is_free_again_when_a_server_was_killed(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from segue.storage.open import open_stores; "
        "stores = open_stores(Path(sys.argv[1])); print('open', flush=True); sys.stdin.read()"
    )
    server = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with server:
        assert server.stdout is not None
        assert server.stdout.readline() == b"open\n"
        with pytest.raises(ConflictError, match=f"process {server.pid}"):
            open_stores(tmp_path)
        server.kill()
    open_stores(tmp_path).close()


def test_keys_can_be_made_while_a_server_has_the_folder_open(tmp_path: Path) -> None:
    key = StoredKey("key-1", b"hash", ["admin"], 1)
    with open_stores(tmp_path) as stores:
        stores.journal.append(block(1, 0))
        journal = open_journal(tmp_path)
        journal.save_key(key)
        journal.close()
        assert stores.journal.list_keys() == [key]
        stores.journal.append(block(2, 1))


def test_keys_can_be_made_before_the_first_server(tmp_path: Path) -> None:
    journal = open_journal(tmp_path / "data")
    assert journal.list_keys() == []
    journal.close()
    assert mode_of(tmp_path / "data") == 0o700


@pytest.mark.parametrize("name", ["segue.db", "state.db"])
def test_a_file_of_a_newer_version_is_refused(tmp_path: Path, name: str) -> None:
    open_stores(tmp_path).close()
    connection = sqlite3.connect(tmp_path / name)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    message = rf"{name} was written by a newer Segue: its format is 99.* Update Segue"
    with pytest.raises(SegueError, match=message):
        open_stores(tmp_path)
    # And the lock is free: the same again, not "another server".
    with pytest.raises(SegueError, match=message):
        open_stores(tmp_path)


@pytest.mark.parametrize("name", ["segue.db", "state.db"])
def test_a_file_that_is_no_database_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"these are not the bytes of a database" * 100)
    with pytest.raises(SegueError, match=rf"{name} cannot be opened .* from a backup"):
        open_stores(tmp_path)


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(SegueError, match=r"data folder .*/data cannot be made"):
        open_stores(tmp_path / "data")


def test_a_snapshot_ahead_of_its_log_is_refused(tmp_path: Path) -> None:
    with open_stores(tmp_path) as stores:
        stores.journal.append(block(1, 0))
        stores.snapshot.commit(checkpoint(1))
    (tmp_path / "segue.db").unlink()
    with pytest.raises(ConflictError, match=r"do not belong together: .* ends at block 0"):
        open_stores(tmp_path)


@pytest.mark.parametrize("form", ["sqlite://{}", "sqlite:///{}", "sqlite:{}"])
def test_a_url_names_a_folder(tmp_path: Path, form: str) -> None:
    folder = tmp_path / "my data"
    with open_database(form.format(str(folder).replace(" ", "%20"))) as stores:
        assert isinstance(stores.journal, SqliteJournal)
    assert (folder / "segue.db").exists()


def test_a_url_may_name_a_relative_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    open_database("sqlite:data").close()
    assert (tmp_path / "data" / "segue.db").exists()


@pytest.mark.parametrize("url", ["memory:", "memory://"])
def test_a_url_may_ask_for_memory(url: str) -> None:
    with open_database(url) as stores:
        assert isinstance(stores.journal, MemoryJournal)


@pytest.mark.parametrize(
    "url", ["", "data", "postgresql://db/segue", "sqlite://data/x", "sqlite:", "sqlite:///"]
)
def test_another_url_is_refused_with_the_forms_there_are(url: str) -> None:
    with pytest.raises(SegueError, match=r"not of a form .* sqlite:///path/to/folder"):
        open_database(url)


# Named queries


@pytest.mark.parametrize(
    ("module", "file_name"),
    [
        (sqlite_accounts, "accounts.sql"),
        (sqlite_journal, "journal.sql"),
        (sqlite_inbox, "inbox.sql"),
        (sqlite_snapshot, "snapshot.sql"),
        (sqlite_addresses, "addresses.sql"),
    ],
)
def test_every_named_query_is_used(module: object, file_name: str) -> None:
    source = Path(str(vars(module)["__file__"])).read_text()
    used = {
        node.slice.value
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Subscript)
        and isinstance(node.value, ast.Name)
        and node.value.id == "_SQL"
        and isinstance(node.slice, ast.Constant)
    }
    assert used == load_queries(file_name).keys()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("-- name: a_b\nSELECT 1;\n-- name: a_b\nSELECT 2;", "two queries named 'a_b'"),
        ("-- name: ab\nSELECT 1;", "'ab' is not of the form verb_noun"),
        ("-- name: a_b\n-- nothing\n", "no query below the name 'a_b'"),
    ],
)
def test_a_faulty_file_of_queries_is_refused(text: str, message: str) -> None:
    with pytest.raises(SegueError, match=f"x.sql: .*{message}"):
        parse_queries(text, "x.sql")


def test_every_file_of_queries_belongs_to_a_module() -> None:
    folder = Path(named_sql.__file__).parent / "sql"
    assert {path.name for path in folder.iterdir()} == {
        "accounts.sql",
        "addresses.sql",
        "codes.sql",
        "compositions.sql",
        "inbox.sql",
        "journal.sql",
        "hold.sql",
        "journal_schema.sql",
        "phones.sql",
        "snapshot.sql",
        "snapshot_schema.sql",
        "suppressions.sql",
    }
