"""A running server's counters: what the snapshot has, and what it does not have yet, each once.

A checkpoint may be written at any moment in a thread of its own; the position that the snapshot
stands for says whether what is being written is already in it.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import TypeVar

from segue.runtime.checkpoints import Checkpoints
from segue.runtime.live_outcomes import LiveOutcomes
from segue.storage.counter_sums import add_up
from segue.storage.ports import Counter, Position, Snapshot, Sums

T = TypeVar("T")


class LiveCounters:
    """Reads counters as of the newest decision."""

    def __init__(
        self, snapshot: Snapshot, outcomes: LiveOutcomes, checkpoints: Checkpoints
    ) -> None:
        self._snapshot = snapshot
        self._outcomes = outcomes
        self._checkpoints = checkpoints

    def since(self, campaign: str, from_hour: int) -> list[tuple[Counter, float]]:
        """Return a campaign's counters from an hour on, some in two parts.

        Everything waits meanwhile, so this is for few hours.
        """
        while True:
            position, stored = self._read(lambda: self._snapshot.counters(campaign, from_hour))
            if (pending := self._pending(campaign, position)) is not None:
                return [*stored, *(pair for pair in pending if pair[0].hour >= from_hour)]

    def add_up_here(self, campaign: str, sums: Sums) -> dict[Counter, float]:
        """Return sums of a campaign's counters; everything waits meanwhile."""
        while True:
            position, rows = self._read(lambda: self._snapshot.sum_counters(campaign, sums))
            if (pending := self._pending(campaign, position)) is not None:
                return _added(rows, add_up(pending, sums))

    async def add_up(self, campaign: str, wanted: Sequence[Sums]) -> list[dict[Counter, float]]:
        """Return sums of a campaign's counters, all as of one moment, read in a thread."""
        while True:
            position, stored = await asyncio.to_thread(
                self._read, lambda: [self._snapshot.sum_counters(campaign, one) for one in wanted]
            )
            if (pending := self._pending(campaign, position)) is not None:
                return [
                    _added(rows, add_up(pending, sums))
                    for rows, sums in zip(stored, wanted, strict=True)
                ]

    def _read(self, read: Callable[[], T]) -> tuple[Position, T]:
        """Read from the snapshot, again if a checkpoint came in between."""
        while True:
            position = self._snapshot.position()
            found = read()
            if self._snapshot.position() == position:
                return position, found

    def _pending(self, campaign: str, position: Position) -> list[tuple[Counter, float]] | None:
        """Return what a snapshot of that position has not; None if it has moved on since."""
        being_written = self._checkpoints.position_being_written
        if position not in (self._checkpoints.written_position, being_written):
            return None
        return self._outcomes.pending_counts(campaign, are_written=position == being_written)


def _added(rows: list[tuple[Counter, float]], more: dict[Counter, float]) -> dict[Counter, float]:
    totals: dict[Counter, float] = defaultdict(float, rows)
    for counter, amount in more.items():
        totals[counter] += amount
    return dict(totals)
