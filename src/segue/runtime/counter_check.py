"""Are the counters what the log says? It is folded again, and counted anew."""

from collections import defaultdict
from collections.abc import Callable
from math import isclose

from msgspec import Struct

from segue.engine.plan import Plan
from segue.errors import BusyError
from segue.model.effects import Count
from segue.model.instants import format_instant
from segue.model.limits import FAULTS_TOLD_MAX
from segue.model.log_records import CampaignPublished
from segue.runtime.in_memory import RunOutcomes
from segue.runtime.recorded import Progress, RecordedLog, next_timer
from segue.storage.ports import Counter, Journal, Position, Snapshot, TimerKey

_LOOKS_MAX = 5  # at the counters of a running server, which writes them every few seconds


class CounterCheck(Struct, frozen=True):
    """How many counters there are, and the first that are not what the log says."""

    count: int
    faults: list[str]


def check_counters(journal: Journal, snapshot: Snapshot, progress: Progress) -> CounterCheck | None:
    """Count again what the log holds up to the snapshot; None: the log has lost its beginning."""
    log = RecordedLog(journal, snapshot)
    if not log.is_whole:
        return None
    campaigns = {one.document.slug for one in log.changes if isinstance(one, CampaignPublished)}
    position, unfired, stored = _stored(snapshot, campaigns)
    outcomes = _CountedOutcomes(lambda: fold.plan)
    fold = log.new_fold(outcomes)
    for record, place in log.records(through_seq=position.seq, progress=progress):
        fold.apply(record, place.ordinal)
        outcomes.take()
    fold.advance(position.now, before=unfired)
    counted = outcomes.counts
    faults = [
        f"{_name(counter)} is {stored.get(counter, 0.0):g}, and the log says "
        f"{counted.get(counter, 0.0):g}"
        for counter in sorted(stored.keys() | counted.keys(), key=str)
        if not isclose(
            stored.get(counter, 0.0), counted.get(counter, 0.0), rel_tol=1e-9, abs_tol=1e-6
        )
    ]
    return CounterCheck(len(stored), faults[:FAULTS_TOLD_MAX])


class _CountedOutcomes(RunOutcomes):
    """Sends come to their ends by the log, and what is counted is kept."""

    def __init__(self, plan: Callable[[], Plan]) -> None:
        super().__init__("recorded", plan)
        self.counts: dict[Counter, float] = defaultdict(float)

    def count(self, count: Count, now: int) -> None:
        """Add to a counter of the hour, as a running server does."""
        self.counts[Counter.of(count, now)] += count.amount


def _stored(
    snapshot: Snapshot, campaigns: set[str]
) -> tuple[Position, TimerKey | None, dict[Counter, float]]:
    """Return the snapshot's counters, all of one checkpoint, and where that stands."""
    for _ in range(_LOOKS_MAX):
        before = snapshot.position()
        unfired = next_timer(snapshot)
        found = [pair for campaign in sorted(campaigns) for pair in snapshot.counters(campaign)]
        if snapshot.position() == before:
            return before, unfired, dict(found)
    message = (
        f"the counters were written anew during each of {_LOOKS_MAX} looks at them; stop the "
        "server, or check a backup of the folder"
    )
    raise BusyError(message)


def _name(counter: Counter) -> str:
    parts = (counter.metric, counter.detail, counter.channel, counter.variant)
    what = "/".join(part for part in parts if part)
    return f"{what} of {counter.campaign} at {format_instant(counter.hour)}"
