"""A campaign's numbers by hour or day (semantics.md 7)."""

from collections import defaultdict
from typing import Literal

from msgspec import Struct

from segue.model.instants import DAY, HOUR, format_instant
from segue.runtime.runtime import Runtime

By = Literal["hour", "day"]


class Row(Struct, frozen=True):
    """One number: a metric of a variant in a span of time, with what it is about."""

    at: str
    variant: str
    metric: str
    detail: str
    value: float


class Stats(Struct, frozen=True):
    """The totals by metric, and the rows behind them."""

    campaign: str
    totals: dict[str, float]
    rows: list[Row]


def stats_of(runtime: Runtime, slug: str, from_at: int, to_at: int, by: By) -> Stats:
    """Return the numbers of a campaign between two instants."""
    span = HOUR if by == "hour" else DAY
    sums: dict[tuple[int, str, str, str], float] = defaultdict(float)
    totals: dict[str, float] = defaultdict(float)
    stored = runtime.snapshot.counters(slug, from_at, to_at)
    for counter, amount in [*stored, *runtime.outcomes.pending_counts(slug)]:
        if from_at <= counter.hour < to_at:
            at = counter.hour - counter.hour % span
            sums[at, counter.variant, counter.metric, counter.detail] += amount
            totals[counter.metric] += amount
    rows = [
        Row(format_instant(at), variant, metric, detail, value)
        for (at, variant, metric, detail), value in sorted(sums.items())
    ]
    return Stats(slug, dict(sorted(totals.items())), rows)
