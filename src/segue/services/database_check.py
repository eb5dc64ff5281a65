"""`segue db check`: the files, the log, the snapshot, and, deeply, the counters against the log."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from segue.errors import DamagedError, SegueError, StorageError
from segue.model.limits import FAULTS_TOLD_MAX
from segue.runtime.counter_check import check_counters
from segue.services.findings import Finding
from segue.storage.backup import Progress
from segue.storage.log_check import LogCheck, check_log
from segue.storage.open import JOURNAL_FILE, SNAPSHOT_FILE, Stores, faults_of, open_for_reading
from segue.storage.ports import Journal, Snapshot

RESTORE: Final = (
    "Stop Segue, keep a copy of the folder, and restore a backup into an empty one "
    "(`segue db restore`)."
)
REBUILD: Final = (
    "Stop Segue and run `segue db rebuild`: the next start builds state.db anew from the log."
)


def check_database(data_dir: Path, *, is_deep: bool, progress: Progress) -> list[Finding]:
    """Look at everything that is stored. A server may have the folder open; nothing is changed."""
    opened = _open(data_dir)
    if isinstance(opened, Finding):
        return [opened]
    with opened as stores:
        return list(_findings(stores, is_deep, progress))


def _open(data_dir: Path) -> Stores | Finding:
    try:
        return open_for_reading(data_dir)
    except DamagedError as error:
        is_snapshot = error.file == SNAPSHOT_FILE
        name = SNAPSHOT_FILE if is_snapshot else JOURNAL_FILE
        return Finding(name, "fail", str(error), REBUILD if is_snapshot else RESTORE)
    except SegueError as error:
        return Finding("database", "fail", str(error))


def _findings(stores: Stores, is_deep: bool, progress: Progress) -> Iterator[Finding]:
    journal, snapshot = stores.journal, stores.snapshot
    faults = _file_faults(journal, progress, JOURNAL_FILE)
    if faults:
        yield Finding(JOURNAL_FILE, "fail", "; ".join(faults), RESTORE)
    else:
        yield Finding(JOURNAL_FILE, "ok", "its pages and indexes are whole")
    log = check_log(journal, lambda done, total: progress("Reading the log", done, total))
    yield _log_finding(log)
    remedy = REBUILD if log.is_whole and not log.faults else RESTORE
    yield _file_finding(snapshot, progress, remedy)
    yield _position_finding(snapshot, log, remedy)
    yield _content_finding(snapshot, progress, remedy)
    if is_deep:
        yield _counter_finding(stores, log, progress, remedy)


def _file_faults(store: Journal | Snapshot, progress: Progress, name: str) -> list[str] | None:
    """Return what is wrong with a file; None: it is not there, and memory stands in for it."""
    progress(f"Checking {name}", 0, 1)
    faults = faults_of(store, FAULTS_TOLD_MAX, is_thorough=True)
    progress(f"Checking {name}", 1, 1)
    return faults


def _log_finding(log: LogCheck) -> Finding:
    if log.faults:
        return Finding("log", "fail", "; ".join(log.faults), RESTORE)
    blocks = log.last_seq - log.first_seq + 1 if log.last_seq else 0
    detail = f"{blocks:,} blocks with {log.entries:,} entries, without a gap, each readable"
    if not log.is_whole:
        detail += f"; it begins with block {log.first_seq}, what came before was dropped"
    return Finding("log", "ok", detail)


def _file_finding(snapshot: Snapshot, progress: Progress, remedy: str) -> Finding:
    faults = _file_faults(snapshot, progress, SNAPSHOT_FILE)
    if faults is None:
        return Finding(
            SNAPSHOT_FILE, "warn", "it is not there", "The next start builds it from the log."
        )
    if faults:
        return Finding(SNAPSHOT_FILE, "fail", "; ".join(faults), remedy)
    return Finding(SNAPSHOT_FILE, "ok", "its pages and indexes are whole")


def _position_finding(snapshot: Snapshot, log: LogCheck, remedy: str) -> Finding:
    """Tell whether the snapshot stands within the log. It was read after the log was."""
    try:
        reached = snapshot.position().seq
    except (DamagedError, StorageError) as error:
        return Finding("position", "fail", str(error), remedy)
    if reached + 1 < log.first_seq:
        detail = (
            f"the snapshot was made up to block {reached}, and the log begins with block "
            f"{log.first_seq}: what lies between is gone"
        )
        return Finding("position", "fail", detail, RESTORE)
    behind = log.last_seq - reached
    if behind < 0:
        detail = (
            f"the snapshot was made up to block {reached}, and the log ends at block {log.last_seq}"
        )
        return Finding("position", "fail", f"{detail}: the files do not belong together", remedy)
    detail = f"the snapshot was made up to block {reached}; {behind:,} blocks of the log are behind"
    return Finding("position", "ok", f"{detail} it" if behind else detail)


def _content_finding(snapshot: Snapshot, progress: Progress, remedy: str) -> Finding:
    """Decode everything that the snapshot holds."""
    try:
        total, users = snapshot.count_users(), 0
        for _ in snapshot.scan_states():
            users += 1
            if users % 1_000 == 0:
                progress("Reading states", users, total)
        verdicts = sum(1 for _ in snapshot.read_verdicts())
        kept = len(snapshot.outbox()), len(snapshot.dead_letters())
        changes = len(snapshot.plan_changes()) + len(snapshot.walks())
    except (DamagedError, StorageError) as error:
        return Finding("snapshot", "fail", str(error), remedy)
    detail = (
        f"{users:,} users, {verdicts:,} decisions, {kept[0]:,} messages that wait, "
        f"{kept[1]:,} that failed and {changes:,} changes of the plan can be read"
    )
    return Finding("snapshot", "ok", detail)


def _counter_finding(stores: Stores, log: LogCheck, progress: Progress, remedy: str) -> Finding:
    if log.faults:
        return Finding("counters", "warn", "not compared, since the log is damaged", RESTORE)
    try:
        found = check_counters(
            stores.journal,
            stores.snapshot,
            lambda done, total: progress("Counting again", done, total),
        )
    except SegueError as error:
        return Finding("counters", "warn", f"not compared: {error}")
    if found is None:
        return Finding(
            "counters", "ok", "not compared, since the log no longer reaches back to its beginning"
        )
    if found.faults:
        return Finding("counters", "fail", "; ".join(found.faults), remedy)
    return Finding("counters", "ok", f"{found.count:,} counters are what the log says")
