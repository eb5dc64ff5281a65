"""A snapshot that cannot be used is set aside, so that a new one is built from the log."""

from pathlib import Path
from typing import Final

import structlog

from segue.errors import ConflictError, DamagedError, StorageError
from segue.model.limits import SNAPSHOT_CHECKED_BYTES_MAX
from segue.storage.ports import Journal
from segue.storage.sqlite_errors import damaged
from segue.storage.sqlite_snapshot import SqliteSnapshot

_BESIDE: Final = ("-wal", "-shm")  # what SQLite keeps beside a database
_ASIDE: Final = ".damaged"

_log = structlog.get_logger(__name__)


def open_snapshot(path: Path, journal: Journal) -> SqliteSnapshot:
    """Open the snapshot; a damaged one is set aside where the log can replace it.

    Raises:
        DamagedError: it is damaged, and the log does not reach back to its beginning.
    """
    try:
        return _open_checked(path)
    except DamagedError as error:
        if not (can_replace(journal) and journal.log_end().seq):
            raise
        _log.warning(
            "the snapshot is damaged: it is set aside, and built anew from the log",
            error=str(error),
            kept=str(set_aside(path)),
        )
    return SqliteSnapshot(path)


def can_replace(journal: Journal) -> bool:
    """Return whether a snapshot can be built anew: the log reaches back to its beginning."""
    return journal.first_seq() <= 1


def set_aside(path: Path) -> Path:
    """Rename a database with what lies beside it; return its new name. Only the last one is kept.

    Raises:
        StorageError: the folder does not let it be renamed.
    """
    kept = path.with_name(path.name + _ASIDE)
    try:
        for suffix in ("", *_BESIDE):
            source, target = _beside(path, suffix), _beside(kept, suffix)
            target.unlink(missing_ok=True)
            if source.exists():
                source.rename(target)
    except OSError as error:
        message = f"{path} cannot be renamed to {kept.name}: {error.strerror}"
        raise StorageError(message) from error
    return kept


def refuse_gap(journal: Journal, snapshot_seq: int, place: str) -> None:
    """Keep a snapshot from going on behind a gap of the log.

    Raises:
        ConflictError: the log no longer has the block that comes after the snapshot.
    """
    first = journal.first_seq()
    if snapshot_seq + 1 < first:
        raise ConflictError(
            f"The files in {place} do not belong together: state.db was made of the log up to "
            f"block {snapshot_seq}, and the log in segue.db begins with block {first}, since "
            "log_bytes_max has dropped what came before. Restore both from one backup "
            "(`segue db restore`)."
        )


def _open_checked(path: Path) -> SqliteSnapshot:
    """Open the snapshot; after a process that did not end in order, look at its pages first."""
    was_cut_off = _size(_beside(path, "-wal")) > 0
    snapshot = SqliteSnapshot(path)
    if was_cut_off and _size(path) <= SNAPSHOT_CHECKED_BYTES_MAX:
        faults = snapshot.faults(1)
        if faults:
            snapshot.close()
            raise damaged(path, faults[0])
    return snapshot


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
