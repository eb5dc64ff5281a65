"""One user's history: what is in the log, and what the engine decided about it, folded again."""

from collections.abc import Iterable, Iterator
from typing import Any

from segue.engine.plan import filters_of
from segue.model.effects import Count, Deliver
from segue.model.events import SendSettled
from segue.model.log_records import (
    Block,
    PlanChange,
    SendsAttempted,
    SendsDeferred,
    SendsSettled,
    UserErased,
)
from segue.model.verdicts import Verdict
from segue.runtime.fold import Fold
from segue.runtime.in_memory import DictStates
from segue.runtime.lines import lines_of, verdict_line
from segue.runtime.log_reader import history_of
from segue.runtime.waits import TimerHeap
from segue.storage.ports import Journal, Snapshot


class _Collected:
    """Outcomes of a fold over what already happened: verdicts are kept, nothing is done."""

    def __init__(self) -> None:
        self.verdicts: list[Verdict] = []

    def decided(self, verdicts: list[Verdict]) -> None:
        self.verdicts.extend(verdicts)

    def count(self, count: Count, now: int) -> None:
        """It was counted when it happened."""

    def deliver(self, deliver: Deliver) -> Iterable[SendSettled]:
        """Return nothing: what became of it stands in the log."""
        return ()

    def handing_over(self, record: SendsAttempted | SendsDeferred | SendsSettled) -> None:
        """Nothing is handed over."""


def timeline_of(
    journal: Journal, snapshot: Snapshot, user_id: str, now: int
) -> Iterator[dict[str, Any]]:
    """Yield the user's lines and decision lines in order, up to `now`.

    Publications are folded but not shown. What came before an erasure is not told.
    """
    collected = _Collected()
    fold = Fold(DictStates(), TimerHeap(), collected)
    changes = snapshot.plan_changes()
    fold.change_plan(_forgotten(journal, changes))
    fold.foresee(one for change in changes for one in filters_of(change))
    told: list[dict[str, Any]] = []
    for record, ordinal in history_of(journal, user_id):
        fold.advance(record.received_at)
        told += _taken(collected)
        if isinstance(record, UserErased):
            told.clear()
        elif not isinstance(record, PlanChange):
            told += lines_of(Block(0, ordinal, [record]))
        fold.apply(record, ordinal)
        told += _taken(collected)
    fold.advance(now)
    told += _taken(collected)
    yield from told


def _taken(collected: _Collected) -> list[dict[str, Any]]:
    verdicts, collected.verdicts = collected.verdicts, []
    return [verdict_line(verdict) for verdict in verdicts]


def _forgotten(journal: Journal, changes: list[PlanChange]) -> list[PlanChange]:
    """Return the changes of the plan in blocks that the log no longer has."""
    first = next(journal.read_blocks([journal.first_seq()]), None)
    if first is None or first.seq <= 1:
        return []
    begins_at = first.records[0].received_at
    return [one for one in changes if one.received_at < begins_at]
