"""A fold over a file of lines in virtual time: the engine as a filter (`segue run`).

Every send is accepted at once, or, for a log that a server recorded, as the log says. A run can
be stopped after any line and resumed from its checkpoint; the decisions are the same.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from segue.engine.plan import apply_publications
from segue.errors import SegueError
from segue.model.campaigns import Campaign
from segue.model.effects import Count, Deliver
from segue.model.events import AttributeChange, Event, SendSettled
from segue.model.ids import derive_id
from segue.model.log_records import (
    AttributesReceived,
    CampaignPublished,
    CampaignStopped,
    EventsReceived,
    Record,
    SendsAttempted,
    SendsDeferred,
    SendsSettled,
    TimeAdvanced,
    UserErased,
)
from segue.model.state import EMPTY_STATE, UserState
from segue.model.verdicts import Verdict
from segue.runtime.duplicates import RecentIds
from segue.runtime.fold import Fold
from segue.runtime.lines import (
    AttributesLine,
    ControlLine,
    EventLine,
    Line,
    OutcomeLine,
    accepted_at,
)
from segue.runtime.waits import TimerHeap
from segue.storage.ports import TimerKey

Sends = Literal["accepted", "recorded"]


class DictStates:
    """Users' states in a dictionary."""

    def __init__(self, states: dict[str, UserState] | None = None) -> None:
        self.states = states if states is not None else {}

    def get(self, user_id: str) -> UserState:
        """Return the user's state, an empty one for a user never seen."""
        return self.states.get(user_id, EMPTY_STATE)

    def put(self, user_id: str, state: UserState) -> None:
        """Keep the user's new state."""
        self.states[user_id] = state

    def erase(self, user_id: str) -> None:
        """Forget the user."""
        self.states.pop(user_id, None)


class _Collected:
    """Outcomes of a run: verdicts are collected, sends are settled at once or by the log."""

    def __init__(self, sends: Sends) -> None:
        self.sends = sends
        self.verdicts: list[Verdict] = []

    def decided(self, verdicts: list[Verdict]) -> None:
        self.verdicts.extend(verdicts)

    def count(self, count: Count, now: int) -> None:
        """A run prints decisions; nobody reads counters of it."""

    def deliver(self, deliver: Deliver) -> Iterable[SendSettled]:
        if self.sends == "recorded":
            return ()
        return [
            SendSettled(deliver.user_id, deliver.campaign, deliver.send_id, channel, "accepted")
            for channel in deliver.channels
        ]

    def handing_over(self, record: SendsAttempted | SendsDeferred | SendsSettled) -> None:
        """Nothing is handed over in a run; the engine sees a recorded outcome next."""


class RunCheckpoint(Struct, array_like=True):
    """Where a run stopped, and everything it had made of the lines before."""

    lines_done: int
    bytes_done: int
    now: int
    states: dict[str, UserState]
    timers: list[TimerKey]
    publications: list[CampaignPublished | CampaignStopped]
    recent_ids: list[tuple[int, list[tuple[str, str, int]]]]


class OfflineRun:
    """One run: feed it lines, take the verdicts."""

    def __init__(
        self,
        campaigns: Mapping[str, Campaign],
        published_by_lines: frozenset[str] = frozenset(),
        sends: Sends = "accepted",
        resume_from: RunCheckpoint | None = None,
    ) -> None:
        self.campaigns = campaigns
        self.sends = sends
        self.lines_done = 0
        self.bytes_done = 0
        self._self_published = sorted(set(campaigns) - published_by_lines)
        self._outcomes = _Collected(sends)
        self._states = DictStates()
        self._timers = TimerHeap()
        self._recent = RecentIds()
        self._publications: list[CampaignPublished | CampaignStopped] = []
        self._fold = Fold(self._states, self._timers, self._outcomes)
        if resume_from is not None:
            self._restore(resume_from)

    def feed(self, lines: Iterable[Line]) -> list[Verdict]:
        """Decide about lines, in order, and return what was decided."""
        for record, ordinal in self._records(lines):
            self._fold.apply(record, ordinal)
        return self._take()

    def advance(self, until: int) -> list[Verdict]:
        """Let time pass, and return what came due."""
        self._fold.advance(until)
        return self._take()

    def checkpoint(self) -> RunCheckpoint:
        """Return what a later run needs to go on from here."""
        return RunCheckpoint(
            lines_done=self.lines_done,
            bytes_done=self.bytes_done,
            now=self._fold.now,
            states=self._states.states,
            timers=sorted(self._timers),
            publications=self._publications,
            recent_ids=[
                (hour, [(user, name, at) for (user, name), at in ids.items()])
                for hour, ids in self._recent.generations
            ],
        )

    def _restore(self, checkpoint: RunCheckpoint) -> None:
        self.lines_done = checkpoint.lines_done
        self.bytes_done = checkpoint.bytes_done
        self._fold.now = checkpoint.now
        self._states.states.update(checkpoint.states)
        for timer in checkpoint.timers:
            self._timers.add(timer)
        self._publications.extend(checkpoint.publications)
        self._fold.plan = apply_publications(self._fold.plan, checkpoint.publications)
        self._recent.generations = [
            (hour, {(user, name): at for user, name, at in ids})
            for hour, ids in checkpoint.recent_ids
        ]

    def _take(self) -> list[Verdict]:
        verdicts, self._outcomes.verdicts = self._outcomes.verdicts, []
        return verdicts

    def _records(self, lines: Iterable[Line]) -> Iterator[tuple[Record, int]]:
        """Yield lines as records; neighbours of one kind and one instant share a record."""
        now, ordinal = self._fold.now, self.lines_done
        events: list[Event] = []
        for line in lines:
            at = accepted_at(line, now)
            if events and (at != now or not isinstance(line, EventLine)):
                yield EventsReceived(now, events), ordinal
                events = []
            now = at
            if self.lines_done == 0:
                yield from self._publish_all(now)
            if isinstance(line, EventLine):
                if not self._is_duplicate(line, now):
                    ordinal = ordinal if events else self.lines_done
                    events.append(line)
            elif (record := self._record_of(line, now)) is not None:
                yield record, self.lines_done
            self.lines_done += 1
        if events:
            yield EventsReceived(now, events), ordinal

    def _is_duplicate(self, line: EventLine, now: int) -> bool:
        return line.id is not None and self._recent.is_duplicate(line.user_id, line.id, now)

    def _publish_all(self, now: int) -> Iterator[tuple[Record, int]]:
        """Publish what no line publishes; all at one instant, so the order does not matter."""
        for slug in self._self_published:
            yield self._published(self.campaigns[slug], now), 0

    def _record_of(
        self, line: AttributesLine | ControlLine | OutcomeLine, now: int
    ) -> Record | None:
        match line:
            case AttributesLine():
                change = AttributeChange(line.user_id, line.attributes, line.time, line.id)
                return AttributesReceived(now, [change])
            case OutcomeLine():
                return self._settled(line, now)
            case ControlLine():
                return self._controlled(line, now)

    def _settled(self, line: OutcomeLine, now: int) -> Record | None:
        if self.sends != "recorded":
            return None
        settled = SendSettled(
            line.user_id,
            line.campaign,
            line.send_id,
            line.channel,
            line.outcome,
            line.reason,
            line.detail,
        )
        return SendsSettled(now, [settled])

    def _controlled(self, line: ControlLine, now: int) -> Record:
        if line.control == "advance":
            return TimeAdvanced(now)
        if line.control == "erase" and line.user_id is not None:
            return UserErased(now, line.user_id)
        document = line.document or self.campaigns.get(line.campaign or "")
        if document is None:
            message = f"there is no campaign {line.campaign!r} in the folder; it has: " + (
                ", ".join(sorted(self.campaigns)) or "none"
            )
            raise SegueError(message)
        match line.control:
            case "publish" | "edit":
                return self._published(document, now, line)
            case "stop" | "archive":
                stopped = CampaignStopped(now, document.slug, line.control == "archive")
                self._publications.append(stopped)
                return stopped
            case _:
                message = f"a campaign of action-based delivery takes no {line.control!r} line"
                raise SegueError(message)

    def _published(
        self, document: Campaign, now: int, line: ControlLine | None = None
    ) -> CampaignPublished:
        known = sum(
            isinstance(one, CampaignPublished) and one.document.slug == document.slug
            for one in self._publications
        )
        record = CampaignPublished(
            received_at=now,
            id=(line and line.campaign_id) or derive_id(0, "campaign", document.slug),
            version=(line and line.version) or known + 1,
            document=document,
            is_edit=line is not None and line.control == "edit",
        )
        self._publications.append(record)
        return record


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
