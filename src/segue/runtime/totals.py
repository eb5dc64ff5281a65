"""What was counted of campaigns since their beginning: each metric in all, and since which hour.

Counters are kept by hour, for years. An hour that the snapshot is beyond is never added to again,
so it is read once; only the rest is read at each question.
"""

import asyncio
from collections.abc import Iterable

from msgspec import Struct, field

from segue.model.instants import HOUR
from segue.runtime.runtime import Runtime
from segue.storage.ports import Counter


class Total(Struct):
    """The sum of a metric, and the first hour in which it was counted (its first instant)."""

    amount: float
    first_hour: int


class Totals(Struct):
    """A campaign's totals by metric and detail."""

    sums: dict[tuple[str, str], Total] = field(default_factory=dict)

    def of(self, metric: str, detail: str | None = None) -> int:
        """Return the sum of a metric: of one detail, or of all."""
        return round(
            sum(
                total.amount
                for (name, about), total in self.sums.items()
                if name == metric and detail in (None, about)
            )
        )

    def since(self, *metrics: str) -> int | None:
        """Return the first hour in which one of the metrics was counted; None if none ever was."""
        hours = [total.first_hour for (name, _), total in self.sums.items() if name in metrics]
        return min(hours, default=None)

    def add(self, counter: Counter, amount: float) -> None:
        """Take a counter in."""
        total = self.sums.setdefault((counter.metric, counter.detail), Total(0, counter.hour))
        total.amount += amount
        total.first_hour = min(total.first_hour, counter.hour)

    def copy(self) -> "Totals":
        """Return the same, to go on with."""
        sums = {name: Total(one.amount, one.first_hour) for name, one in self.sums.items()}
        return Totals(sums)


class LiveTotals:
    """The totals of a running server, as of the position the fold has come to."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._past: dict[str, tuple[int, Totals]] = {}  # hours before this one, by campaign
        self._reading = asyncio.Lock()

    async def of(self, slugs: Iterable[str]) -> dict[str, Totals]:
        """Return campaigns' totals, all as of one moment."""
        slugs = list(slugs)
        async with self._reading:
            await asyncio.to_thread(self._read_past, slugs)
            return {slug: self._with_the_rest(slug) for slug in slugs}

    def _read_past(self, slugs: list[str]) -> None:
        now = self._runtime.snapshot.position().now
        end = now - now % HOUR
        for slug in slugs:
            begin, past = self._past.get(slug, (0, Totals()))
            if begin < end:
                for counter, amount in self._runtime.snapshot.counters(slug, begin, end):
                    past.add(counter, amount)
                self._past[slug] = (end, past)

    def _with_the_rest(self, slug: str) -> Totals:
        begin, past = self._past.get(slug, (0, Totals()))
        totals = past.copy()
        for counter, amount in self._runtime.counters.since(slug, begin):
            totals.add(counter, amount)
        return totals
