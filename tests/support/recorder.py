"""A log as a server records it that hands every message over at once; for folds over the record."""

from collections import deque
from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec.structs import replace

from segue.model.effects import Count, Deliver
from segue.model.events import Event, SendSettled, SettledAs
from segue.model.log_records import (
    Block,
    EventsReceived,
    HandOver,
    PlanChange,
    Record,
    SendsSettled,
)
from segue.model.verdicts import Verdict
from segue.runtime.duplicates import RecentIds
from segue.runtime.fold import Fold
from segue.runtime.in_memory import DictStates
from segue.runtime.line_records import LineRecords, Project, Survey
from segue.runtime.lines import EventLine, Line, accepted_at, lines_of, read_line
from segue.runtime.read_back import LogReadBack
from segue.runtime.schedules import Schedules
from segue.runtime.waits import TimerHeap
from segue.storage.open import open_memory
from segue.storage.ports import Checkpoint, Position
from tests.support.random_worlds import World


class _Kept:
    """Verdicts and sends, in order."""

    def __init__(self) -> None:
        self.verdicts: list[Verdict] = []
        self.sends: deque[Deliver] = deque()

    def decided(self, verdicts: list[Verdict]) -> None:
        self.verdicts.extend(verdicts)

    def count(self, count: Count, now: int) -> None:
        """Nobody reads counters here."""

    def deliver(self, deliver: Deliver) -> Iterable[SendSettled]:
        self.sends.append(deliver)
        return ()

    def handing_over(self, record: HandOver) -> None:
        """It is this that writes them."""


class Recorder:
    """Takes records or lines, and keeps the log, the verdicts and the changes of the plan."""

    def __init__(self) -> None:
        self.stores = open_memory()
        self.journal, self.snapshot = self.stores.journal, self.stores.snapshot
        self.kept = _Kept()
        self.timers = TimerHeap()
        read_back = LogReadBack(self.journal)
        self.fold = Fold(DictStates(), self.timers, self.kept, read_back)
        self.unreachable: set[str] = set()  # slugs whose messages find the address dead
        self._recent = RecentIds()
        self._schedules = Schedules()

    @property
    def verdicts(self) -> list[Verdict]:
        return self.kept.verdicts

    def take(self, *records: Record) -> "Recorder":
        """Log records, each in a block of its own, and decide about them."""
        for record in records:
            self.let_pass(record.received_at)
            self._log(record)
            self._hand_over()
        return self

    def let_pass(self, now: int) -> "Recorder":
        """Let time pass; each timer's messages are handed over before the next one fires."""
        while (key := self.timers.pop_due(now)) is not None:
            self.fold.fire(key)
            self._hand_over()
        self.fold.advance(now)
        return self

    def take_world(self, world: World, without: str = "") -> "Recorder":
        """Log a world as `segue run` reads it; one campaign may be there and never published."""
        read = [line for each in world.lines if (line := read_line(msgspec.json.encode(each)))]
        survey = Survey()
        for line in read:
            survey.look_at(line)
        published = {slug: one for slug, one in world.campaigns.items() if slug != without}
        makes = LineRecords(world.campaigns, "accepted")
        now = accepted_at(read[0], 0)
        project = Project(published, world.segments, world.workspace)
        self.take(*makes.initial(project, survey, now))
        for line in read:
            now = accepted_at(line, now)
            self._walk_schedules(now)
            self._take_line(makes, line, now)
        return self

    def checkpoint(self) -> "Recorder":
        """Write down what was decided so far, as a server does now and then."""
        end = self.journal.log_end()
        verdicts, self.kept.verdicts = self.kept.verdicts, []
        changes = [
            record
            for block in self.journal.read_log(self.snapshot.position().seq)
            for record in block.records
            if isinstance(record, PlanChange)
        ]
        position = Position(end.seq, end.next_ordinal, self.fold.now)
        self.snapshot.commit(Checkpoint(position, verdicts=verdicts, plan_changes=changes))
        return self

    def lines(self) -> list[dict[str, Any]]:
        """Return the log as lines."""
        return [
            msgspec.json.decode(msgspec.json.encode(line))
            for block in self.journal.read_log()
            for line in lines_of(block)
        ]

    def _walk_schedules(self, until: int) -> None:
        while (walk := self._schedules.next_walk(self.fold.plan, self.fold.walks)) is not None:
            if walk.walk_at > until:
                return
            self.take(replace(walk, received_at=max(walk.walk_at, self.fold.now)))

    def _take_line(self, makes: LineRecords, line: Line, now: int) -> None:
        if not isinstance(line, EventLine):
            record = makes.of(line, now)
            if record is not None:
                self.take(record)
            return
        if line.id is not None and self._recent.is_duplicate(line.user_id, line.id, now):
            return
        fields = {name: getattr(line, name) for name in Event.__struct_fields__}
        self.take(EventsReceived(now, [Event(**fields)]))

    def _log(self, record: Record) -> None:
        end = self.journal.log_end()
        self.journal.append(Block(end.seq + 1, end.next_ordinal, [record]))
        self.fold.apply(record, end.next_ordinal)

    def _hand_over(self) -> None:
        while self.kept.sends:
            deliver = self.kept.sends.popleft()
            slug, send_id = deliver.campaign, deliver.send_id
            is_dead = slug in self.unreachable
            word: tuple[SettledAs, str | None] = ("refused", "unreachable")
            word = word if is_dead else ("accepted", None)
            settled = [
                SendSettled(deliver.user_id, slug, send_id, one, *word) for one in deliver.channels
            ]
            self._log(SendsSettled(self.fold.now, settled))
