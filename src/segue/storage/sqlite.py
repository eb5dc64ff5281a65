"""One SQLite file: opening it, one connection that writes, and connections that read beside it."""

import os
import re
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from segue.errors import ConflictError, DamagedError, SegueError
from segue.storage.named_sql import read_sql
from segue.storage.sqlite_errors import damaged, failed_access, failed_opening, is_cut_off

_BUSY_TIMEOUT_S: Final = 30  # another process writes for milliseconds; a backup may take longer
_WAL_BYTES_MAX: Final = 64 * 1024 * 1024  # what a large commit leaves behind is cut down to this
_CACHE: Final = "PRAGMA cache_size = -16384"  # 16 MB a connection
_ROWS_PER_STATEMENT: Final = 1_000  # times the columns, well below SQLite's 32,766 parameters

_VALUES = re.compile(r"VALUES (\(\?(?:, \?)*\))")

Row = tuple[Any, ...]


class FileKind(Struct, frozen=True):
    """What a file is made with."""

    schema: str  # a file in `sql`
    schema_version: int
    page_size: int
    wal_pages: int  # when as many have been written, they are copied into the file


class Database:
    """An open file. One thread at a time writes; any thread reads what is committed."""

    def __init__(self, path: Path, kind: FileKind, is_read_only: bool = False) -> None:
        self.path = path
        self._is_read_only = is_read_only
        try:
            if not is_read_only:
                # SQLite would make a file that others may read. Its -wal and -shm follow this one.
                path.touch(mode=0o600, exist_ok=True)
            if is_cut_off(path):
                raise damaged(path, "its end is missing")
        except OSError as error:
            raise failed_opening(path, error) from error
        self._idle: list[sqlite3.Connection] = []
        self._is_closed = False
        self._lock = threading.Lock()
        self._writer = self._connect()
        try:
            self._set_up(kind)
        except BaseException as error:
            self._writer.close()
            if isinstance(error, sqlite3.Error):
                raise failed_opening(path, error) from error
            raise

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Give a connection in a transaction; it is durable at the end, or did not happen."""
        with self._lock:
            self._check_open()
            try:
                self._writer.execute("BEGIN IMMEDIATE")
                yield self._writer
                self._writer.execute("COMMIT")
            except sqlite3.DatabaseError as error:
                if not _is_of_file(error):
                    raise
                raise failed_access(self.path, error) from error
            finally:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Give a connection to read with; what is read must be fetched before the end."""
        self._check_open()
        # Lists hand out and take back in one step, so this needs no lock of its own.
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self._connect()
            connection.execute("PRAGMA query_only = ON")
            connection.execute(_CACHE)
        try:
            yield connection
        except sqlite3.DatabaseError as error:
            if not _is_of_file(error):
                raise
            raise failed_access(self.path, error) from error
        finally:
            if self._is_closed:
                connection.close()
            else:
                self._idle.append(connection)

    def rows(self, sql: str, parameters: Any = ()) -> list[Row]:
        """Return all rows of a query."""
        with self.reading() as connection:
            return connection.execute(sql, parameters).fetchall()

    def row(self, sql: str, parameters: Any = ()) -> Row | None:
        """Return the only row of a query, if there is one."""
        rows = self.rows(sql, parameters)
        return rows[0] if rows else None

    def number(self, sql: str, parameters: Any = ()) -> int:
        """Return the number a query answers with."""
        row = self.row(sql, parameters)
        return int(row[0]) if row else 0

    def faults(self, count_max: int, *, is_thorough: bool = False) -> list[str]:
        """Return what is wrong with the file's pages; thoroughly, with its indexes and values too.

        A page is only told to be wrong when it contradicts another; values have checks of their own
        (`segue.storage.encoding`).
        """
        check = "integrity_check" if is_thorough else "quick_check"
        try:
            found = [str(row[0]) for row in self.rows(f"PRAGMA {check}({count_max})")]
        except DamagedError as error:
            return [str(error.__cause__ or error)]
        return [line for line in found if line != "ok"]

    def close(self) -> None:
        """Close all connections, which also folds the write-ahead log into the file."""
        with self._lock:
            self._is_closed = True
            while self._idle:
                self._idle.pop().close()
            self._writer.close()

    def _check_open(self) -> None:
        if self._is_closed:
            raise ConflictError(f"{self.path} has been closed.")

    def _connect(self) -> sqlite3.Connection:
        writable = f"{self.path.absolute().as_uri()}?mode=rw"
        try:
            return sqlite3.connect(
                read_only_uri(self.path) if self._is_read_only else writable,
                uri=True,
                timeout=_BUSY_TIMEOUT_S,
                isolation_level=None,  # transactions begin and end where the code says so
                check_same_thread=False,  # `writing` and `reading` give one to a thread at a time
            )
        except sqlite3.Error as error:
            raise failed_opening(self.path, error) from error

    def _set_up(self, kind: FileKind) -> None:
        connection = self._writer
        found = connection.execute("PRAGMA user_version").fetchone()[0]
        if found > kind.schema_version:
            raise SegueError(
                f"{self.path} was written by a newer Segue: its format is {found}, and this "
                f"Segue knows formats up to {kind.schema_version}. Update Segue, or restore the "
                "folder from a backup made before the update."
            )
        connection.execute(_CACHE)
        if self._is_read_only:
            if found < kind.schema_version:
                raise SegueError(
                    f"{self.path} was written by an older Segue: its format is {found}, and this "
                    f"Segue reads format {kind.schema_version}. Let `segue serve` open the folder "
                    "once: it brings the file up to date."
                )
            return
        connection.execute(f"PRAGMA page_size = {kind.page_size}")  # tells in an empty file only
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {kind.wal_pages}")
        connection.execute(f"PRAGMA journal_size_limit = {_WAL_BYTES_MAX}")
        if found < kind.schema_version:
            connection.executescript(
                f"BEGIN IMMEDIATE; {read_sql(kind.schema)} "
                f"PRAGMA user_version = {kind.schema_version}; COMMIT;"
            )


def run_rows(connection: sqlite3.Connection, sql: str, rows: Sequence[Row]) -> int:
    """Run a statement with `VALUES (?, ...)` for many rows; return how many it changed.

    A thousand rows go into one statement: Python lets other threads run at each step of SQLite,
    and beside a busy thread waits 5 ms to go on. `executemany` takes a step per row, and so four
    minutes for 50,000 rows while the engine is busy, instead of a second (measured).
    """
    changed = 0
    for chunk in _chunks(rows):
        parameters = [value for row in chunk for value in row]
        changed += connection.execute(_for_rows(sql, len(chunk)), parameters).rowcount
    return changed


def select_rows(connection: sqlite3.Connection, sql: str, keys: Sequence[object]) -> Iterator[Row]:
    """Yield the rows of a query with `IN (VALUES (?))` for many keys."""
    for chunk in _chunks(keys):
        yield from connection.execute(_for_rows(sql, len(chunk)), chunk).fetchall()


def _chunks(rows: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(rows), _ROWS_PER_STATEMENT):
        yield rows[start : start + _ROWS_PER_STATEMENT]


@lru_cache(maxsize=256)
def _for_rows(sql: str, count: int) -> str:
    return _VALUES.sub(lambda found: "VALUES " + ", ".join([found[1]] * count), sql)


def _is_of_file(error: sqlite3.DatabaseError) -> bool:
    """Return whether an error is one of the file, not of what was asked of it."""
    return type(error) in (sqlite3.OperationalError, sqlite3.DatabaseError)


def read_only_uri(path: Path) -> str:
    """Return what SQLite opens a file by to read it.

    It needs its -shm beside it, except where nobody can be writing: on a disk that may not be.
    """
    has_log = path.with_name(path.name + "-wal").exists()
    is_frozen = not has_log and not os.access(path.parent, os.W_OK)
    return f"{path.absolute().as_uri()}?mode=ro{'&immutable=1' if is_frozen else ''}"
