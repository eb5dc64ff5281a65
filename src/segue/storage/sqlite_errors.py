"""What went wrong with a file, in words: a full disk, one that may not be written, damage."""

import errno
import shutil
import sqlite3
from pathlib import Path
from typing import Final

from segue.errors import DamagedError, SegueError, StorageError, StorageFullError

_ROOM_BYTES_MIN: Final = 1024 * 1024  # with less, a disk that fails to write counts as full
_PRIMARY: Final = 0xFF  # of an error's code; the rest says which kind of it
_NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_NOT_OURS: Final = (errno.EACCES, errno.EPERM, errno.EROFS)
_LOCKED_OUT: Final = (
    "Give the folder to the user that Segue runs as, or make its disk writable; `segue doctor` "
    "says which of both."
)
_MAKE_ROOM: Final = (
    "Make room there, or raise the quota or the limit of file sizes; Segue goes on by itself then. "
    "What was not acknowledged was not kept, and may be sent again."
)

_FAILURES: Final = {
    sqlite3.SQLITE_IOERR: (
        "read or written",
        "A quota or a limit of file sizes may be reached, or the disk may fail. "
        f"{_MAKE_ROOM} If it fails, stop Segue and restore a backup elsewhere.",
    ),
    sqlite3.SQLITE_READONLY: ("written", _LOCKED_OUT),
    sqlite3.SQLITE_PERM: ("written", _LOCKED_OUT),
    sqlite3.SQLITE_CANTOPEN: ("opened", _LOCKED_OUT),
    sqlite3.SQLITE_BUSY: (
        "written",
        "Another program has kept it for long; end what has the file open besides Segue.",
    ),
}


def failed_access(path: Path, error: sqlite3.Error) -> SegueError:
    """Return what a failed read or write means, for the one who must mend it."""
    code = getattr(error, "sqlite_errorcode", 0) & _PRIMARY
    if code == sqlite3.SQLITE_FULL or (code == sqlite3.SQLITE_IOERR and not _has_room(path)):
        return StorageFullError(
            f"{path} cannot be written: its disk is full ({error}). {_MAKE_ROOM}"
        )
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return damaged(path, str(error))
    what, remedy = _FAILURES.get(code, ("read or written", ""))
    return StorageError(f"{path} cannot be {what}: {error}. {remedy}".rstrip())


def failed_opening(path: Path, error: Exception) -> SegueError:
    """Return what it means that a file cannot be opened."""
    match error:
        case OSError() if error.errno in _NO_ROOM:
            return StorageFullError(f"{path} cannot be opened: its disk is full. {_MAKE_ROOM}")
        case OSError() if error.errno in _NOT_OURS:
            return StorageError(f"{path} cannot be opened: {error.strerror}. {_LOCKED_OUT}")
        case OSError():
            return StorageError(f"{path} cannot be opened: {error.strerror}.")
        case sqlite3.DatabaseError() if not isinstance(
            found := failed_access(path, error), DamagedError
        ):
            return found
        case _:
            return damaged(path, str(error))


def damaged(path: Path, detail: str) -> DamagedError:
    """Return that a file is no longer what was written."""
    return DamagedError(
        f"{path} cannot be opened as a database of Segue, or not be read: {detail}. `segue db "
        "check` says what is damaged; restore the folder from a backup (`segue db restore`), or, "
        "if it is state.db and the log is whole, run `segue db rebuild`.",
        file=path.name,
    )


def is_cut_off(path: Path) -> bool:
    """Return whether a database's file is shorter than its own first page says.

    Not while there is a write-ahead log, which may hold the rest of it.
    """
    log = path.with_name(path.name + "-wal")
    if log.exists() and log.stat().st_size:
        return False
    with path.open("rb") as file:
        head = file.read(32)
    if len(head) < 32 or not head.startswith(b"SQLite format 3\0"):  # noqa: PLR2004
        return False  # empty, or no database: opening it says so
    page_size = int.from_bytes(head[16:18], "big")
    page_size = 65_536 if page_size == 1 else page_size
    return path.stat().st_size < page_size * int.from_bytes(head[28:32], "big")


def _has_room(path: Path) -> bool:
    try:
        return shutil.disk_usage(path.parent).free >= _ROOM_BYTES_MIN
    except OSError:
        return True
