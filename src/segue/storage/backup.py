"""Backups: both files as they were at one instant, beside a manifest with their checksums.

The snapshot is copied first. Whatever the log gains meanwhile, it then holds everything that the
snapshot was made of, so a restored folder goes on as one that was cut off.
"""

import hashlib
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from segue import __version__
from segue.errors import ConflictError, DamagedError, NotFoundError, SegueError, StorageError
from segue.model.instants import format_instant
from segue.storage.hold_ports import StoredHold
from segue.storage.open import (
    JOURNAL_FILE,
    SNAPSHOT_FILE,
    faults_of,
    open_for_reading,
    refuse_no_database,
)
from segue.storage.set_aside import refuse_gap
from segue.storage.sqlite import read_only_uri
from segue.storage.sqlite_errors import failed_access, failed_opening
from segue.storage.sqlite_journal import SqliteJournal

MANIFEST_FILE: Final = "manifest.json"
_FORMAT: Final = 1  # of the manifest
_PARTIAL: Final = ".partial"
_PAGES: Final = 2_000  # copied at a time: a few megabytes, between two looks at the progress
_BYTES: Final = 4 * 1024 * 1024  # hashed at a time
_TRIES: Final = 3  # the log may be shortened between the two copies, but hardly so often

# (what is being done, how much of it is done, and how much there is)
Progress = Callable[[str, int, int], None]


class BackedUpFile(Struct, frozen=True):
    """A file of a backup, and how to know it again."""

    name: str
    bytes: int
    sha256: str


class Manifest(Struct, frozen=True, kw_only=True):
    """What a backup holds."""

    format: int = _FORMAT
    segue: str
    made_at: str
    first_block: int
    last_block: int
    entries: int
    snapshot_block: int | None  # up to which the snapshot was made; None: there is none
    files: list[BackedUpFile]


def make_backup(data_dir: Path, target: Path, now: int, progress: Progress) -> Manifest:
    """Copy the stores of a folder, which a server may have open, into a new folder.

    Raises:
        ConflictError: there is something at the target already.
        DamagedError: what would be copied is damaged.
        SegueError: there is no database, or the disk does not take the copy.
    """
    _refuse_what_is_there(target, "the backup")
    partial = target.with_name(target.name + _PARTIAL)
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(mode=0o700, parents=True)
        manifest = _copy_until_whole(data_dir, partial, now, progress)
        _write_durably(partial / MANIFEST_FILE, msgspec.json.format(msgspec.json.encode(manifest)))
        if target.exists():
            target.rmdir()
        partial.rename(target)
        _sync(target.parent)
    except OSError as error:
        raise failed_opening(partial, error) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return manifest


def restore_backup(
    backup: Path, data_dir: Path, hold: StoredHold | None, progress: Progress
) -> Manifest:
    """Copy a backup into an empty folder, once its files are what they were.

    With a `hold`, the server that opens it hands nothing over until somebody lets it.

    Raises:
        ConflictError: there is something in the folder already.
        DamagedError: a file is not what was backed up.
        SegueError: this is no backup, or the disk does not take it.
    """
    manifest = read_manifest(backup)
    _refuse_what_is_there(data_dir, "the data folder")
    made: list[Path] = []
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        for file in manifest.files:
            made.append(data_dir / (file.name + _PARTIAL))
            _copy_checked(backup, file, made[-1], progress)
        _check_formats(made, hold)
        for path in made:
            path.rename(path.with_name(path.name.removesuffix(_PARTIAL)))
        _sync(data_dir)
    except OSError as error:
        raise failed_opening(data_dir, error) from error
    finally:
        for path in made:
            with suppress(OSError):
                path.unlink(missing_ok=True)
    return manifest


def read_manifest(backup: Path) -> Manifest:
    """Return what a backup says of itself.

    Raises:
        NotFoundError: it is no backup.
        SegueError: it was made by a newer Segue.
    """
    path = backup / MANIFEST_FILE
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except (OSError, msgspec.DecodeError) as error:
        raise NotFoundError(
            f"{backup} is no backup of Segue: {path.name} cannot be read ({error}). Name the "
            "folder that `segue db backup` made."
        ) from error
    names = {file.name for file in manifest.files}
    if manifest.format > _FORMAT or not names <= {JOURNAL_FILE, SNAPSHOT_FILE}:
        raise SegueError(
            f"{backup} was made by Segue {manifest.segue}, in a form that this one "
            f"({__version__}) does not know. Restore it with that one."
        )
    for name in sorted({JOURNAL_FILE, *names}):
        if not (backup / name).exists():
            raise NotFoundError(f"{backup / name} is missing; take another backup.")
    return manifest


def _copy_until_whole(data_dir: Path, partial: Path, now: int, progress: Progress) -> Manifest:
    refuse_no_database(data_dir)
    for left in reversed(range(_TRIES)):
        names = [JOURNAL_FILE]
        if (data_dir / SNAPSHOT_FILE).exists():
            _copy_database(data_dir / SNAPSHOT_FILE, partial / SNAPSHOT_FILE, progress)
            names.append(SNAPSHOT_FILE)
        _copy_database(data_dir / JOURNAL_FILE, partial / JOURNAL_FILE, progress)
        try:
            return _checked_manifest(partial, names, now, progress)
        except ConflictError:
            if not left:
                raise
    raise AssertionError("unreachable")


def _copy_database(source: Path, target: Path, progress: Progress) -> None:
    """Copy a database as it is at one instant, in one file, while others write to it.

    Within one reading transaction: a copy that begins anew with each write would never end.
    """
    label = f"Copying {source.name}"
    target.unlink(missing_ok=True)
    target.touch(mode=0o600)
    try:
        with (
            closing(sqlite3.connect(read_only_uri(source), uri=True)) as reading,
            closing(sqlite3.connect(target)) as writing,
        ):
            reading.isolation_level = writing.isolation_level = None
            reading.execute("BEGIN")
            reading.execute("SELECT count(*) FROM sqlite_schema").fetchone()
            reading.backup(
                writing,
                pages=_PAGES,
                progress=lambda _status, left, total: progress(label, total - left, total),
            )
            writing.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.DatabaseError as error:
        raise failed_access(source, error) from error


def _checked_manifest(partial: Path, names: list[str], now: int, progress: Progress) -> Manifest:
    """Return the manifest of copies that are good for something."""
    with open_for_reading(partial) as stores:
        first, end = stores.journal.first_seq(), stores.journal.log_end()
        reached = stores.snapshot.position().seq
        refuse_gap(stores.journal, reached, str(partial))
        if reached > end.seq:
            raise ConflictError(
                f"state.db was made of the log up to block {reached}, and the log in segue.db "
                f"ends at block {end.seq}: they do not belong together, so there is nothing to "
                "back up. `segue db check` says more."
            )
        for store in (stores.journal, stores.snapshot):
            for fault in faults_of(store, 1) or ():
                raise DamagedError(
                    f"the database is damaged, so a backup would be too: {fault}. `segue db "
                    "check` says what is damaged; keep the backups that you have."
                )
    files = [_described(partial / name, progress) for name in names]
    return Manifest(
        segue=__version__,
        made_at=format_instant(now),
        first_block=first,
        last_block=end.seq,
        entries=end.next_ordinal,
        snapshot_block=reached if SNAPSHOT_FILE in names else None,
        files=files,
    )


def _described(path: Path, progress: Progress) -> BackedUpFile:
    digest, size = hashlib.sha256(), path.stat().st_size
    with path.open("rb") as file:
        while chunk := file.read(_BYTES):
            digest.update(chunk)
            progress(f"Checking {path.name}", file.tell(), size)
    return BackedUpFile(path.name, size, digest.hexdigest())


def _copy_checked(backup: Path, file: BackedUpFile, target: Path, progress: Progress) -> None:
    digest = hashlib.sha256()
    target.touch(mode=0o600)
    with (backup / file.name).open("rb") as source, target.open("wb") as copy:
        while chunk := source.read(_BYTES):
            digest.update(chunk)
            copy.write(chunk)
            progress(f"Restoring {file.name}", copy.tell(), file.bytes)
        copy.flush()
        os.fsync(copy.fileno())
    if digest.hexdigest() != file.sha256:
        raise DamagedError(
            f"{backup / file.name} is not what was backed up: its checksum (SHA-256) is another. "
            "Nothing was restored; take another backup."
        )


def _check_formats(made: list[Path], hold: StoredHold | None) -> None:
    """Open the restored journal: a newer Segue's is refused, an older one's brought up to date."""
    for path in made:
        if path.name.startswith(JOURNAL_FILE):
            with closing(SqliteJournal(path)) as journal:
                if hold is not None:
                    journal.hold.put(hold)


def _refuse_what_is_there(folder: Path, what: str) -> None:
    try:
        found = sorted(path.name for path in folder.iterdir()) if folder.exists() else []
    except OSError as error:
        raise StorageError(f"{folder} cannot be looked into: {error.strerror}.") from error
    if found:
        raise ConflictError(
            f"{folder.absolute()} is not empty ({', '.join(found[:3])}): nothing is overwritten. "
            f"Name a folder for {what} that is empty or does not exist."
        )


def _write_durably(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    """Make names durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
