"""From a folder or a URL to open stores; and the lock that keeps a second server out."""

import fcntl
import os
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import IO, Final
from urllib.parse import unquote, urlsplit

from segue.errors import (
    ConflictError,
    NotFoundError,
    SegueError,
    StorageError,
)
from segue.storage.memory import MemoryJournal
from segue.storage.memory_snapshot import MemorySnapshot
from segue.storage.ports import Journal, Snapshot
from segue.storage.set_aside import can_replace, open_snapshot, refuse_gap, set_aside
from segue.storage.sqlite_errors import failed_opening
from segue.storage.sqlite_journal import SqliteJournal
from segue.storage.sqlite_snapshot import SqliteSnapshot

JOURNAL_FILE: Final = "segue.db"
SNAPSHOT_FILE: Final = "state.db"
LOCK_FILE: Final = "lock"


class FolderInUseError(ConflictError):
    """Another process has the data folder open."""


class Stores:
    """A journal and its snapshot, open until `close`, or as long as a `with` lasts."""

    def __init__(self, journal: Journal, snapshot: Snapshot, lock: IO[bytes] | None = None) -> None:
        self.journal = journal
        self.snapshot = snapshot
        self._lock = lock

    def close(self) -> None:
        """Close both, then let others open the folder."""
        try:
            self.snapshot.close()
            self.journal.close()
        finally:
            if self._lock is not None:
                self._lock.close()

    def __enter__(self) -> "Stores":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def open_database(url: str) -> Stores:
    """Open the stores of a URL: `sqlite:///path/to/folder`, `sqlite:relative/folder`, `memory:`.

    Raises:
        SegueError: the URL is of another form.
    """
    parts = urlsplit(url)
    path = unquote(parts.path)
    match parts.scheme:
        case "memory" if not path.strip("/") and not parts.netloc:
            return open_memory()
        case "sqlite" if path.strip("/") and not parts.netloc and not parts.query:
            return open_stores(Path("/" + path.lstrip("/") if path.startswith("/") else path))
        case _:
            raise SegueError(
                f"The database {url!r} is not of a form that Segue knows. Write "
                "sqlite:///path/to/folder for a folder with SQLite files (three slashes), or "
                "memory: for one that is gone when the program ends."
            )


def open_memory() -> Stores:
    """Return new stores in memory."""
    return Stores(MemoryJournal(), MemorySnapshot())


def open_stores(data_dir: Path) -> Stores:
    """Open the stores in a folder, which is made if it is not there, and keep others out.

    Raises:
        FolderInUseError: another server has the folder open.
        ConflictError: its files do not belong together.
        SegueError: a file cannot be read, or was written by a newer Segue.
    """
    _make_folder(data_dir)
    lock = _take_lock(data_dir)
    opened: list[Journal | Snapshot] = []
    try:
        journal = SqliteJournal(data_dir / JOURNAL_FILE)
        opened.append(journal)
        snapshot = open_snapshot(data_dir / SNAPSHOT_FILE, journal)
        opened.append(snapshot)
        _check_together(journal, snapshot, data_dir)
    except BaseException:
        for store in opened:
            store.close()
        lock.close()
        raise
    return Stores(journal, snapshot, lock)


def open_journal(data_dir: Path) -> Journal:
    """Open the journal for a short command, whether or not a server has the folder open."""
    _make_folder(data_dir)
    return SqliteJournal(data_dir / JOURNAL_FILE)


def open_for_reading(data_dir: Path) -> Stores:
    """Open the stores in a folder to read them, whether or not a server has the folder open.

    Nothing that is kept is changed, and nothing is locked; SQLite may put its -wal and -shm beside
    the files. The snapshot of a running server is up to a checkpoint behind its journal; where it
    is not there yet, it is an empty one.

    Raises:
        NotFoundError: there is no database in the folder.
        SegueError: a file cannot be read, or was written by another version of Segue.
    """
    refuse_no_database(data_dir)
    journal = SqliteJournal(data_dir / JOURNAL_FILE, is_read_only=True)
    if not (data_dir / SNAPSHOT_FILE).exists():
        return Stores(journal, MemorySnapshot())
    try:
        return Stores(journal, SqliteSnapshot(data_dir / SNAPSHOT_FILE, is_read_only=True))
    except BaseException:
        journal.close()
        raise


def faults_of(
    store: Journal | Snapshot, count_max: int, *, is_thorough: bool = False
) -> list[str] | None:
    """Return what is wrong with a store's file; None: it is in memory, for there is no file."""
    if isinstance(store, SqliteJournal | SqliteSnapshot):
        return store.faults(count_max, is_thorough=is_thorough)
    return None


def rebuild_snapshot(data_dir: Path) -> Path:
    """Set the snapshot aside, so that the next opening builds it from the log; return where it is.

    Raises:
        FolderInUseError: a server has the folder open.
        ConflictError: the log cannot replace it.
        NotFoundError: there is no database in the folder.
    """
    refuse_no_database(data_dir)
    with _take_lock(data_dir), closing(SqliteJournal(data_dir / JOURNAL_FILE)) as journal:
        if not can_replace(journal):
            raise ConflictError(
                f"The log in {data_dir.absolute()} begins with block {journal.first_seq()}, since "
                f"log_bytes_max has dropped what came before, so {SNAPSHOT_FILE} cannot be built "
                "from it. Restore a backup (`segue db restore`)."
            )
        return set_aside(data_dir / SNAPSHOT_FILE)


def refuse_no_database(data_dir: Path) -> None:
    """Keep from looking for what is not there.

    Raises:
        NotFoundError: there is no database in the folder.
        StorageError: the folder may not be entered.
    """
    try:
        is_there = (data_dir / JOURNAL_FILE).exists()
    except OSError as error:
        raise failed_opening(data_dir / JOURNAL_FILE, error) from error
    if not is_there:
        raise NotFoundError(
            f"There is no database of Segue in {data_dir.absolute()}; "
            "name the folder that `segue serve` keeps its data in."
        )


def _make_folder(data_dir: Path) -> None:
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"The data folder {data_dir} cannot be made: {error.strerror}. Name another with "
            "--data, or make it for the user that Segue runs as."
        ) from error


def _take_lock(data_dir: Path) -> IO[bytes]:
    """Lock the folder. The system lets go of it when the process ends, however it ends."""
    try:
        descriptor = os.open(data_dir / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise failed_opening(data_dir / LOCK_FILE, error) from error
    lock = os.fdopen(descriptor, "r+b", buffering=0)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        owner = lock.read().decode(errors="replace").strip()
        lock.close()
        raise FolderInUseError(
            f"Another Segue server (process {owner or 'unknown'}) has the data folder "
            f"{data_dir.absolute()} open. Stop it, or give this one a folder of its own: two "
            "that write one log would lose what each has acknowledged."
        ) from error
    try:
        lock.truncate()
        lock.write(f"{os.getpid()}\n".encode())
    except OSError as error:
        lock.close()
        raise failed_opening(data_dir / LOCK_FILE, error) from error
    return lock


def _check_together(journal: Journal, snapshot: Snapshot, data_dir: Path) -> None:
    reached, last = snapshot.position().seq, journal.log_end().seq
    if reached > last:
        raise ConflictError(
            f"The files in {data_dir.absolute()} do not belong together: {SNAPSHOT_FILE} was made "
            f"of the log up to block {reached}, and the log in {JOURNAL_FILE} ends at block "
            f"{last}. Restore both from one backup (`segue db restore`); or, if the log reaches "
            "back to its beginning, run `segue db rebuild`: the file is built anew from the log."
        )
    refuse_gap(journal, reached, str(data_dir.absolute()))
