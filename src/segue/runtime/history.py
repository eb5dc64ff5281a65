"""One user's history: what is in the log, and what the engine decided about it, folded again."""

from collections.abc import Iterator
from typing import Any

from segue.engine.plan import filters_of
from segue.engine.watching import Watch
from segue.model.log_records import Block, PlanChange, Record, UserErased
from segue.model.verdicts import Verdict
from segue.runtime.fold import Fold
from segue.runtime.in_memory import DictStates
from segue.runtime.lines import lines_of, verdict_line
from segue.runtime.log_reader import history_of
from segue.runtime.recorded import Unheard
from segue.runtime.waits import TimerHeap
from segue.storage.ports import Journal, Snapshot


class _Collected(Unheard):
    """Keeps what was decided."""

    def __init__(self) -> None:
        self.verdicts: list[Verdict] = []

    def decided(self, verdicts: list[Verdict]) -> None:
        self.verdicts.extend(verdicts)


class Refold:
    """A fold over one user's records, which decides again what was decided about this user.

    Changes of the plan in blocks that the log no longer has are taken from the snapshot, and
    were made before `begins_at`; what else stood in those blocks is not known any more.
    """

    def __init__(
        self, journal: Journal, snapshot: Snapshot, user_id: str, watch: Watch | None = None
    ) -> None:
        self.records: list[tuple[Record, int]] = list(history_of(journal, user_id))
        self.begins_at = _first_instant_left(journal)
        self.forgotten: list[PlanChange] = []
        if self.begins_at is not None:
            changes = snapshot.plan_changes()
            self.forgotten = [one for one in changes if one.received_at < self.begins_at]
        self._collected = _Collected()
        self.fold = Fold(DictStates(), TimerHeap(), self._collected, watch=watch)
        self.fold.change_plan(self.forgotten)
        self.fold.foresee(one for change in self.plan_changes() for one in filters_of(change))

    def plan_changes(self) -> list[PlanChange]:
        """Return every change of the plan, in order."""
        changed = [record for record, _ in self.records if isinstance(record, PlanChange)]
        return [*self.forgotten, *changed]

    def take_verdicts(self) -> list[Verdict]:
        """Return the decisions since the last call."""
        verdicts, self._collected.verdicts = self._collected.verdicts, []
        return verdicts


def timeline_of(
    journal: Journal, snapshot: Snapshot, user_id: str, now: int
) -> Iterator[dict[str, Any]]:
    """Yield the user's lines and decision lines in order, up to `now`.

    Publications are folded but not shown. What came before an erasure is not told.
    """
    refold = Refold(journal, snapshot, user_id)
    told: list[dict[str, Any]] = []
    for record, ordinal in refold.records:
        refold.fold.advance(record.received_at)
        told += map(verdict_line, refold.take_verdicts())
        if isinstance(record, UserErased):
            told.clear()
        elif not isinstance(record, PlanChange):
            told += lines_of(Block(0, ordinal, [record]))
        refold.fold.apply(record, ordinal)
        told += map(verdict_line, refold.take_verdicts())
    refold.fold.advance(now)
    told += map(verdict_line, refold.take_verdicts())
    yield from told


def _first_instant_left(journal: Journal) -> int | None:
    """Return when the log begins, if its first blocks are gone."""
    first = next(journal.read_blocks([journal.first_seq()]), None)
    if first is None or first.seq <= 1:
        return None
    return first.records[0].received_at
