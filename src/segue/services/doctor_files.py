"""What `segue doctor` finds of the data folder: its disk, its modes, its files."""

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from segue.errors import DamagedError, SegueError
from segue.model.limits import FREE_BYTES_FAILED, FREE_BYTES_WARNED, SNAPSHOT_CHECKED_BYTES_MAX
from segue.services.database_check import REBUILD, RESTORE
from segue.services.findings import Finding
from segue.storage.formats import FileFormat, file_formats
from segue.storage.open import SNAPSHOT_FILE, faults_of, open_for_reading
from segue.storage.set_aside import can_replace, refuse_gap

_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_MEGABYTE: Final = 1024 * 1024


def file_findings(folder: Path) -> Iterator[Finding]:
    """Look at a data folder, which may not be there yet."""
    if not folder.exists():
        yield _to_be_made(folder)
        return
    if not os.access(folder, os.R_OK | os.X_OK):
        detail = f"{folder.absolute()} may not be entered by user {os.geteuid()}"
        remedy = f"Run it as user {folder.stat().st_uid}, to whom the folder belongs."
        yield Finding("data folder", "fail", detail, remedy)
        return
    yield _folder_finding(folder)
    yield _space_finding(folder)
    try:
        formats = file_formats(folder)
    except SegueError as error:
        yield Finding("database", "fail", str(error), RESTORE)
        return
    if not formats:
        yield Finding("database", "ok", "there is none yet; the first `segue serve` makes it")
        return
    yield from map(_format_finding, formats)
    if all(one.found == one.known for one in formats):
        yield from _content_findings(folder, formats)


def _to_be_made(folder: Path) -> Finding:
    above = next(path for path in folder.absolute().parents if path.exists())
    detail = f"{folder.absolute()} does not exist yet; the first `segue serve` makes it"
    if not os.access(above, os.W_OK):
        remedy = f"Make it for user {os.geteuid()}, or name another with `data`."
        return Finding("data folder", "fail", f"{detail}, but {above} may not be written", remedy)
    return Finding("data folder", "ok", detail)


def _folder_finding(folder: Path) -> Finding:
    """Tell whether this user can write the folder, and that others cannot read it."""
    place = f"{folder.absolute()}"
    user = os.geteuid()
    paths = [folder, *(path for path in folder.iterdir() if path.suffix in (".db", ""))]
    locked = [path for path in paths if not os.access(path, os.W_OK)]
    if os.statvfs(folder).f_flag & os.ST_RDONLY:
        remedy = "Mount it writable; if it became read-only by itself, the disk may be failing."
        return Finding("data folder", "fail", f"{place} is on a disk mounted read-only", remedy)
    if locked:
        owners = ", ".join(sorted({str(path.stat().st_uid) for path in locked}))
        remedy = f"`chown -R {user} {folder}`, or run Segue as the user that it belongs to."
        detail = f"{place}: {locked[0].name} belongs to user {owners}; user {user} may not write it"
        return Finding("data folder", "fail", detail, remedy)
    open_to_others = [path for path in paths if stat.S_IMODE(path.stat().st_mode) & _OTHERS]
    if folder in open_to_others:
        remedy = f"`chmod 700 {folder}`: profiles and keys are in it."
        return Finding("data folder", "warn", f"{place} may be entered by others", remedy)
    return Finding("data folder", "ok", f"{place}, of user {user} alone")


def _space_finding(folder: Path) -> Finding:
    usage = shutil.disk_usage(folder)
    detail = f"{usage.free // _MEGABYTE:,} MB of {usage.total // _MEGABYTE:,} MB are free"
    remedy = "Make room, or bound the log with log_bytes_max: on a full disk nothing is taken in."
    if usage.free < FREE_BYTES_FAILED:
        return Finding("disk", "fail", detail, remedy)
    if usage.free < FREE_BYTES_WARNED:
        return Finding("disk", "warn", detail, remedy)
    return Finding("disk", "ok", detail)


def _format_finding(one: FileFormat) -> Finding:
    detail = f"format {one.found}, {one.bytes / _MEGABYTE:,.1f} MB"
    if one.found > one.known:
        remedy = "Update Segue, or restore a backup made before the update."
        detail += f": written by a newer Segue, this one knows formats up to {one.known}"
        return Finding(one.name, "fail", detail, remedy)
    if one.found < one.known:
        remedy = "`segue serve` brings it up to date when it starts; make a backup first."
        return Finding(one.name, "warn", f"{detail}: this Segue writes format {one.known}", remedy)
    return Finding(one.name, "ok", detail)


def _content_findings(folder: Path, formats: list[FileFormat]) -> Iterator[Finding]:
    """Yield whether pages contradict each other, and whether the files belong together."""
    large = [one.name for one in formats if one.bytes > SNAPSHOT_CHECKED_BYTES_MAX]
    try:
        with open_for_reading(folder) as stores:
            journal, snapshot = stores.journal, stores.snapshot
            remedy = REBUILD if can_replace(journal) else RESTORE
            for name, store, mended_by in (
                ("segue.db", journal, RESTORE),
                ("state.db", snapshot, remedy),
            ):
                if name not in large and (faults := faults_of(store, 1)):
                    yield Finding("integrity", "fail", f"{name}: {faults[0]}", mended_by)
                    return
            reached, last = snapshot.position().seq, journal.log_end().seq
            refuse_gap(journal, reached, str(folder.absolute()))
            if reached > last:
                detail = f"state.db was made up to block {reached}, and the log ends at {last}"
                yield Finding("integrity", "fail", detail, remedy)
                return
    except DamagedError as error:
        yield Finding(
            "integrity", "fail", str(error), REBUILD if error.file == SNAPSHOT_FILE else RESTORE
        )
    except SegueError as error:
        yield Finding("integrity", "fail", str(error))
    else:
        behind = f"{last - reached:,} of {last:,} blocks are behind the last checkpoint"
        if large:
            remedy = "`segue db check` does."
            detail = f"{behind}; the pages of {', '.join(large)} were not looked at: many GB"
            yield Finding("integrity", "warn", detail, remedy)
        else:
            yield Finding("integrity", "ok", f"no page contradicts another; {behind}")
