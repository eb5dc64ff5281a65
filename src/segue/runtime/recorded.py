"""The recorded log, to be folded again from its beginning: the same fold as live, other ends.

What filters will ask about is followed from the first record, so nothing has to be read back;
what became of each send stands in the log.
"""

from collections.abc import Callable, Iterable, Iterator

from msgspec import Struct

from segue.engine.plan import filters_of
from segue.errors import SegueError
from segue.model.effects import Count, Deliver
from segue.model.events import SendSettled
from segue.model.filters import Filter
from segue.model.instants import format_instant
from segue.model.log_records import (
    HandOver,
    PlanChange,
    Record,
    entry_count,
)
from segue.model.verdicts import Verdict
from segue.runtime.fold import Fold, Outcomes
from segue.runtime.in_memory import DictStates
from segue.runtime.read_back import LogReadBack
from segue.runtime.recovery import all_plan_changes
from segue.runtime.waits import TimerHeap
from segue.storage.ports import Journal, Snapshot, TimerKey

# (entries done, entries in all)
Progress = Callable[[int, int], None]
# Given a record, the one to take in its place; None: to leave it out.
Alter = Callable[[Record], Record | None]


def no_progress(_done: int, _total: int) -> None:
    """Show nothing."""


class Place(Struct, frozen=True):
    """Where a record stands in the log: its block, its first entry, and when it was accepted."""

    seq: int
    ordinal: int
    received_at: int

    def __str__(self) -> str:
        at = format_instant(self.received_at)
        return f"entry {self.ordinal} of the log (block {self.seq}, accepted {at})"


class RecordedLog:
    """A log from its oldest block to where it ended when it was opened."""

    def __init__(self, journal: Journal, snapshot: Snapshot) -> None:
        self.end = journal.log_end()
        first = next(journal.read_blocks([journal.first_seq()]), None)
        self.begin = Place(0, 0, 0)
        if first is not None:
            self.begin = Place(first.seq, first.first_ordinal, first.records[0].received_at)
        self.changes = all_plan_changes(journal, snapshot)
        self._journal = journal

    @property
    def is_whole(self) -> bool:
        """Whether nothing of it was dropped."""
        return self.begin.seq <= 1

    def new_fold(
        self,
        outcomes: Outcomes,
        changes: Iterable[PlanChange] | None = None,
        filters: Iterable[Filter] = (),
    ) -> Fold:
        """Return a fold that stands before the first record.

        `changes` are those of the plan that the fold is going to see, if not all; `filters` are
        those of documents that it never will.
        """
        known = self.changes if changes is None else list(changes)
        read_back = LogReadBack(self._journal)  # for what is published after this was opened
        fold = Fold(DictStates(), TimerHeap(), outcomes, read_back)
        if not self.is_whole:
            fold.change_plan(one for one in known if one.received_at < self.begin.received_at)
        fold.foresee([*filters, *(one for change in known for one in filters_of(change))])
        return fold

    def records(
        self,
        after_seq: int = 0,
        through_seq: int | None = None,
        progress: Progress = no_progress,
    ) -> Iterator[tuple[Record, Place]]:
        """Yield the records behind a block, up to the end or through another block.

        Raises:
            SegueError: the oldest blocks were dropped faster than they were read.
        """
        expected = max(after_seq + 1, self.begin.seq)
        last = self.end.seq if through_seq is None else through_seq
        total = self.end.next_ordinal - self.begin.ordinal
        for block in self._journal.read_log(expected - 1):
            if block.seq > last:
                return
            if block.seq != expected:
                message = (
                    f"blocks {expected} to {block.seq - 1} of the log were dropped before they "
                    "could be read; try again, or raise log_bytes_max"
                )
                raise SegueError(message)
            ordinal = block.first_ordinal
            for record in block.records:
                yield record, Place(block.seq, ordinal, record.received_at)
                ordinal += entry_count(record)
            expected += 1
            progress(ordinal - self.begin.ordinal, total)


def next_timer(snapshot: Snapshot) -> TimerKey | None:
    """Return the first timer that was due at the snapshot's position, and had not fired yet.

    Timers that are due together fire in parts, and a checkpoint may come between two of them.
    """
    return next(iter(snapshot.timers_between(-1, snapshot.position().now, 1)), None)


class Unheard:
    """Outcomes of what happened already: nobody hears of them, and nothing is done."""

    def decided(self, verdicts: list[Verdict]) -> None:
        """It was recorded when it was decided."""

    def count(self, count: Count, now: int) -> None:
        """It was counted when it happened."""

    def deliver(self, deliver: Deliver) -> Iterable[SendSettled]:
        """Return nothing: what became of it stands in the log."""
        return ()

    def handing_over(self, record: HandOver) -> None:
        """Nothing is handed over."""
