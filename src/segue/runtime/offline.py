"""A fold over a file of lines in virtual time: the engine as a filter (`segue run`).

Every send is accepted at once, or, for a log that a server recorded, as the log says. A run can
be stopped after any line and resumed from its checkpoint; the decisions are the same.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
from msgspec import Struct, field

from segue.errors import SegueError
from segue.model.events import Event
from segue.model.log_records import EventsReceived, PlanChange, Record, ScheduleWalked
from segue.model.state import UserState
from segue.model.verdicts import Verdict
from segue.runtime.duplicates import RecentIds
from segue.runtime.fold import Fold
from segue.runtime.in_memory import DictStates, RunOutcomes, Sends
from segue.runtime.line_records import LineRecords, Project, Survey, all_filters
from segue.runtime.lines import EventLine, Line, accepted_at
from segue.runtime.schedules import Schedules
from segue.runtime.waits import TimerHeap
from segue.storage.ports import TimerKey


class RunCheckpoint(Struct, array_like=True):
    """Where a run stopped, and everything it had made of the lines before."""

    lines_done: int
    bytes_done: int
    now: int
    states: dict[str, UserState]
    timers: list[TimerKey]
    plan_changes: list[PlanChange]
    recent_ids: list[tuple[int, list[tuple[str, str, int]]]]
    walks: list[ScheduleWalked] = field(default_factory=list)
    sent_counts: dict[str, int] = field(default_factory=dict)


class OfflineRun:
    """One run: feed it lines, take the verdicts."""

    def __init__(
        self,
        project: Project,
        survey: Survey | None = None,
        sends: Sends = "accepted",
        resume_from: RunCheckpoint | None = None,
    ) -> None:
        self.lines_done = 0
        self.bytes_done = 0
        self._project = project
        self._survey = survey or Survey()
        self._states = DictStates()
        self._timers = TimerHeap()
        self._recent = RecentIds()
        self._schedules = Schedules()
        self._records = LineRecords(project.campaigns, sends)
        self._outcomes = RunOutcomes(sends, lambda: self._fold.plan)
        self._fold = Fold(self._states, self._timers, self._outcomes)
        self._fold.foresee([*project.filters(), *self._survey.filters])
        if resume_from is not None:
            self._restore(resume_from)

    def feed(self, lines: Iterable[Line]) -> list[Verdict]:
        """Decide about lines, in order, and return what was decided."""
        for record, ordinal in self._taken(lines):
            self._fold.apply(record, ordinal)
        return self._outcomes.take()

    def advance(self, until: int) -> list[Verdict]:
        """Let time pass, and return what came due."""
        self._walk_schedules(until)
        self._fold.advance(until)
        return self._outcomes.take()

    def checkpoint(self) -> RunCheckpoint:
        """Return what a later run needs to go on from here."""
        return RunCheckpoint(
            lines_done=self.lines_done,
            bytes_done=self.bytes_done,
            now=self._fold.now,
            states=self._states.states,
            timers=sorted(self._timers),
            plan_changes=self._records.plan_changes,
            recent_ids=[
                (hour, [(user, name, at) for (user, name), at in ids.items()])
                for hour, ids in self._recent.generations
            ],
            walks=list(self._fold.walks.values()),
            sent_counts=self._outcomes.sent_counts,
        )

    def _restore(self, checkpoint: RunCheckpoint) -> None:
        self.lines_done = checkpoint.lines_done
        self.bytes_done = checkpoint.bytes_done
        self._fold.now = checkpoint.now
        self._states.states.update(checkpoint.states)
        for timer in checkpoint.timers:
            self._timers.add(timer)
        self._records.plan_changes.extend(checkpoint.plan_changes)
        self._fold.change_plan(checkpoint.plan_changes)
        self._fold.foresee(all_filters(checkpoint.plan_changes))
        self._fold.walks.update({walk.campaign: walk for walk in checkpoint.walks})
        self._recent.generations = [
            (hour, {(user, name): at for user, name, at in ids})
            for hour, ids in checkpoint.recent_ids
        ]
        self._outcomes.sent_counts.update(checkpoint.sent_counts)

    def _taken(self, lines: Iterable[Line]) -> Iterator[tuple[Record, int]]:
        """Yield lines as records; neighbours of one kind and one instant share a record."""
        now, ordinal = self._fold.now, self.lines_done
        events: list[Event] = []
        for line in lines:
            at = accepted_at(line, now)
            is_new_event = isinstance(line, EventLine) and not self._is_duplicate(line, at)
            # A duplicate ends a record as well: it takes an ordinal, which no entry has.
            if events and (at != now or not is_new_event):
                yield EventsReceived(now, events), ordinal
                events = []
            if self.lines_done == 0:
                for change in self._records.initial(self._project, self._survey, at):
                    yield change, 0
            elif at != now:
                self._walk_schedules(at)
            now = at
            if isinstance(line, EventLine):
                if is_new_event:
                    ordinal = ordinal if events else self.lines_done
                    events.append(line)
            elif (record := self._records.of(line, now)) is not None:
                yield record, self.lines_done
            self.lines_done += 1
        if events:
            yield EventsReceived(now, events), ordinal

    def _is_duplicate(self, line: EventLine, now: int) -> bool:
        return line.id is not None and self._recent.is_duplicate(line.user_id, line.id, now)

    def _walk_schedules(self, until: int) -> None:
        """Come to all users with each scheduled campaign whose time has come."""
        if self._records.sends == "recorded":
            return
        while (
            walk := self._schedules.next_walk(self._fold.plan, self._fold.walks)
        ) is not None and walk.walk_at <= until:
            self._fold.apply(walk, self.lines_done)


def read_checkpoint(path: Path) -> RunCheckpoint | None:
    """Read a run's checkpoint; None where there is no file yet.

    Raises:
        SegueError: the file is something else.
    """
    if not path.exists():
        return None
    try:
        return msgspec.msgpack.decode(path.read_bytes(), type=RunCheckpoint)
    except msgspec.DecodeError as error:
        message = f"{path} is no checkpoint of a run ({error}); name another file, or delete it"
        raise SegueError(message) from None


def write_checkpoint(path: Path, checkpoint: RunCheckpoint) -> None:
    """Write a run's checkpoint; an interrupted write leaves the old one."""
    draft = path.with_name(path.name + ".new")
    draft.write_bytes(msgspec.msgpack.encode(checkpoint))
    draft.replace(path)
