"""How the installation is: sizes, how far behind, what waits, whether every loop runs."""

import asyncio
from collections import Counter as Tally
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from typing import Final

from msgspec import Struct

from segue import __version__
from segue.runtime.runtime import Runtime
from segue.services.settings import Settings
from segue.storage.open import JOURNAL_FILE, SNAPSHOT_FILE

_SUFFIXES: Final = ("", "-wal")  # SQLite's log of what is not in the file yet


class Loop(Struct, frozen=True):
    """Something that runs as long as the server does."""

    name: str
    does: str
    is_running: bool


class SystemState(Struct, frozen=True):
    """Everything that Settings, System shows, as of one moment."""

    version: str
    python: str
    zones: str  # the version of the time zone data
    uptime: int
    problem: str | None  # as /readyz tells it
    loops: list[Loop]
    journal_bytes: int | None  # None: there are no files, all is in memory
    state_bytes: int | None
    log_bytes: int
    log_bytes_max: int | None
    log_blocks: int
    log_from: int | None
    log_to: int | None
    users: int
    waiting: int
    backlog: int
    outbox: int
    oldest_at: int | None  # since when the message that has waited longest is in the outbox
    campaigns: dict[str, int]  # by status, those that are published
    trackers: int
    segments: int


_LOOPS: Final = {
    "commit": "writes the log",
    "decide": "decides about what is in the log",
    "dispatch": "hands messages over",
    "schedule": "starts scheduled campaigns",
    "checkpoint": "writes down what was decided",
    "index": "notes which user is where in the log",
}


async def system_state(runtime: Runtime, settings: Settings, started_at: int) -> SystemState:
    """Return how the installation is. What takes long is read in a thread."""
    stored = await asyncio.to_thread(_read_stores, runtime, settings)
    plan, outbox = runtime.plan, runtime.outcomes.outbox
    by_status = Tally(one.status for one in plan.campaigns.values())
    running = runtime.loops()
    return SystemState(
        version=__version__,
        python=python_version(),
        zones=version("tzdata"),
        uptime=max(runtime.clock.now() - started_at, 0),
        problem=runtime.problem(),
        loops=[Loop(name, does, running.get(name, False)) for name, does in _LOOPS.items()],
        journal_bytes=stored.journal_bytes,
        state_bytes=stored.state_bytes,
        log_bytes=stored.log_bytes,
        log_bytes_max=runtime.log_bytes_max,
        log_blocks=stored.log_blocks,
        log_from=stored.log_from,
        log_to=stored.log_to,
        users=stored.users,
        waiting=stored.waiting,
        backlog=runtime.processor.backlog_entries,
        outbox=len(outbox),
        oldest_at=min((one.deliver.decided_at for one in outbox.items.values()), default=None),
        campaigns={status: by_status[status] for status in ("active", "stopped", "archived")},
        trackers=len(plan.trackers),
        segments=len(plan.segments),
    )


class _Stored(Struct, frozen=True):
    journal_bytes: int | None
    state_bytes: int | None
    log_bytes: int
    log_blocks: int
    log_from: int | None
    log_to: int | None
    users: int
    waiting: int


def _read_stores(runtime: Runtime, settings: Settings) -> _Stored:
    journal, snapshot = runtime.journal, runtime.snapshot
    first, end = journal.first_seq(), journal.log_end()
    oldest = next(iter(journal.read_blocks([first])), None) if first else None
    has_files = not settings.database_url.startswith("memory:")
    folder = settings.data_dir
    return _Stored(
        journal_bytes=_size(folder / JOURNAL_FILE) if has_files else None,
        state_bytes=_size(folder / SNAPSHOT_FILE) if has_files else None,
        log_bytes=journal.log_bytes(),
        log_blocks=end.seq - first + 1 if first else 0,
        log_from=oldest.records[0].received_at if oldest is not None else None,
        log_to=end.received_at if first else None,
        users=snapshot.count_users(),
        waiting=snapshot.count_timers(),
    )


def _size(path: Path) -> int:
    """Return how many bytes a database takes; a file that is just being put away counts nothing."""
    found = 0
    for suffix in _SUFFIXES:
        try:
            found += path.with_name(path.name + suffix).stat().st_size
        except OSError:
            continue
    return found
