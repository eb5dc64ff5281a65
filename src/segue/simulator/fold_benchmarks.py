"""Measurements of folds over a recorded log, each beside the floor of its own run."""

import resource
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from segue.clock import Clock
from segue.runtime.backtest import Backtest, accepted_at_once
from segue.runtime.collector import without_collector
from segue.runtime.recorded import RecordedLog
from segue.runtime.replay import compare_with_record
from segue.simulator.benchmarks import (
    BATCH_SIZE,
    Progress,
    decide_all,
    floor_of,
    load_processor,
)
from segue.simulator.load import bodies, campaigns
from segue.storage.open import Stores, open_stores

# Folds the log of stores, and returns how many decisions it made.
Fold = Callable[[Stores, Progress], int]


class MeasuredFold(Struct):
    """Entries a second, the floor of the same run, and their ratio."""

    rate: float
    floor: float
    ratio: float
    entries: int
    decisions: int
    memory_bytes: int


async def measure_fold(
    fold: Fold, clock: Clock, events: int, users: int, progress: Progress
) -> MeasuredFold:
    """Measure a fold over a load that was recorded, and decided about, before."""
    calls = list(bodies(max(events // BATCH_SIZE, 1), BATCH_SIZE, users, clock.now()))
    floor = floor_of(clock, calls)
    async with _recorded(clock, calls) as stores:
        with without_collector():
            began = clock.monotonic()
            decisions = fold(stores, progress)
            elapsed = clock.monotonic() - began
        entries = stores.journal.log_end().next_ordinal
    return MeasuredFold(
        rate=round(entries / elapsed),
        floor=round(floor),
        ratio=round(entries / elapsed / floor, 3),
        entries=entries,
        decisions=decisions,
        memory_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    )


@asynccontextmanager
async def _recorded(clock: Clock, calls: list[bytes]) -> AsyncIterator[Stores]:
    """Give a folder in which the load's calls were logged and decided about."""
    with (
        tempfile.TemporaryDirectory(prefix="segue-bench-") as folder,
        open_stores(Path(folder)) as stores,
    ):
        processor, checkpoints, _outcomes = load_processor(stores, clock, clock.now())
        await decide_all(calls, stores, processor, checkpoints, clock, lambda _done, _total: None)
        checkpoints.thread.shutdown()
        yield stores


def _backtest(stores: Stores, progress: Progress) -> int:
    draft = replace(campaigns()[0], slug="draft")
    test = Backtest(RecordedLog(stores.journal, stores.snapshot), draft, accepted_at_once)
    test.run(progress)
    return len(test.outcomes.verdicts)


def _replay(stores: Stores, progress: Progress) -> int:
    found = compare_with_record(stores.journal, stores.snapshot, progress)
    assert found.difference is None, found.difference  # noqa: S101 - else nothing was measured
    return found.equal


# The backtest of a follower decides for it and for what it depends on, a replay for all.
FOLDS: Final[dict[str, Fold]] = {"backtest": _backtest, "replay": _replay}
