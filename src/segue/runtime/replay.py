"""The log decided again, and compared with what was recorded when it was decided first."""

from collections.abc import Iterator
from itertools import chain

from msgspec import Struct

from segue.errors import SegueError
from segue.model.instants import format_instant
from segue.model.verdicts import Verdict
from segue.runtime.in_memory import RunOutcomes
from segue.runtime.recorded import Place, Progress, RecordedLog, next_timer, no_progress
from segue.storage.ports import Journal, Position, Snapshot, TimerKey

_Decided = Iterator[tuple[Verdict, Place]]


class Difference(Struct, frozen=True):
    """The first decision that is not as it was recorded; None stands for no decision at all.

    `place` is what was being decided about when it came to light.
    """

    place: Place
    recorded: Verdict | None
    decided: Verdict | None


class Comparison(Struct, frozen=True):
    """How much was compared, what could not be, and the first difference, if there is one."""

    equal: int  # decisions, up to the end or to the difference
    lost: int  # decisions whose record was dropped, oldest first
    entries: int  # of the log, about which there are records
    entries_behind: int  # that came after the last checkpoint, which nothing is recorded of
    difference: Difference | None


def compare_with_record(
    journal: Journal, snapshot: Snapshot, progress: Progress = no_progress
) -> Comparison:
    """Decide the log again as far as decisions were recorded, up to the first difference.

    Raises:
        SegueError: the log has lost its beginning, so that nothing can be compared.
    """
    log = RecordedLog(journal, snapshot)
    if not log.is_whole:
        message = (
            f"the log begins with block {log.begin.seq}, of "
            f"{format_instant(log.begin.received_at)}: log_bytes_max has dropped what came before, "
            "and any later decision may rest on that, so there is nothing to compare; "
            "replay a folder that keeps all of its log"
        )
        raise SegueError(message)
    position = snapshot.position()
    decided = _decide_again(log, position, next_timer(snapshot), progress)
    recorded = snapshot.read_verdicts()
    lost = 0
    if snapshot.has_lost_verdicts():
        lost, decided, recorded = _skip_lost(decided, recorded)
    equal, difference = _compare(decided, recorded, log.begin)
    return Comparison(
        equal=equal,
        lost=lost,
        entries=position.next_ordinal,
        entries_behind=log.end.next_ordinal - position.next_ordinal,
        difference=difference,
    )


def _decide_again(
    log: RecordedLog, position: Position, unfired: TimerKey | None, progress: Progress
) -> _Decided:
    """Yield what is decided about the log up to a position, each with the record being applied."""
    outcomes = RunOutcomes("recorded", lambda: fold.plan)
    fold = log.new_fold(outcomes)
    place = log.begin
    for record, place in log.records(through_seq=position.seq, progress=progress):
        fold.apply(record, place.ordinal)
        for verdict in outcomes.take():
            yield verdict, place
    fold.advance(position.now, before=unfired)
    for verdict in outcomes.take():
        yield verdict, place


def _skip_lost(
    decided: _Decided, recorded: Iterator[Verdict]
) -> tuple[int, _Decided, Iterator[Verdict]]:
    """Pass over what was decided before the first decision that is still on record."""
    first = next(recorded, None)
    lost = 0
    for verdict, place in decided:
        if verdict == first:
            return lost, chain([(verdict, place)], decided), chain([first], recorded)
        lost += 1
    return lost, iter(()), iter(()) if first is None else chain([first], recorded)


def _compare(
    decided: _Decided, recorded: Iterator[Verdict], begin: Place
) -> tuple[int, Difference | None]:
    """Return how many decisions are equal, and the first that is not."""
    equal, place = 0, begin
    for verdict, place in decided:
        expected = next(recorded, None)
        if verdict != expected:
            return equal, Difference(place, expected, verdict)
        equal += 1
    missing = next(recorded, None)
    return equal, Difference(place, missing, None) if missing is not None else None
