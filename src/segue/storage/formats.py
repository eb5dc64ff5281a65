"""What form a folder's files are of, and who has it open; told without changing either."""

import fcntl
import os
import sqlite3
from contextlib import closing
from pathlib import Path

from msgspec import Struct

from segue.storage import sqlite_journal, sqlite_snapshot
from segue.storage.open import JOURNAL_FILE, LOCK_FILE, SNAPSHOT_FILE
from segue.storage.sqlite import read_only_uri
from segue.storage.sqlite_errors import failed_access


class FileFormat(Struct, frozen=True):
    """A file's format, and the one that this program writes."""

    name: str
    found: int
    known: int
    bytes: int


def file_formats(data_dir: Path) -> list[FileFormat]:
    """Return the formats of the files that are there.

    Raises:
        SegueError: one is no database.
    """
    known = {
        JOURNAL_FILE: sqlite_journal.FILE.schema_version,
        SNAPSHOT_FILE: sqlite_snapshot.FILE.schema_version,
    }
    return [
        FileFormat(name, _format_of(data_dir / name), version, (data_dir / name).stat().st_size)
        for name, version in known.items()
        if (data_dir / name).exists()
    ]


def lock_owner(data_dir: Path) -> str | None:
    """Return the process that has a folder open, as it wrote itself down; None: nobody has."""
    try:
        descriptor = os.open(data_dir / LOCK_FILE, os.O_RDONLY)
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return lock.read().decode(errors="replace").strip() or "unknown"
    return None


def _format_of(path: Path) -> int:
    try:
        with closing(sqlite3.connect(read_only_uri(path), uri=True)) as file:
            return int(file.execute("PRAGMA user_version").fetchone()[0])
    except sqlite3.DatabaseError as error:
        raise failed_access(path, error) from error
