"""The fold: records of the log, one after the other, through the engine.

Running live, over a file and over recorded history are this same fold with other ends: where
states are kept, and what becomes of what was decided.
"""

from collections import deque
from collections.abc import Iterable
from typing import Protocol, assert_never

from segue.engine.decide import decide
from segue.engine.plan import EMPTY_PLAN, Plan, apply_publications
from segue.model.effects import CancelTimer, Count, Deliver, SetTimer
from segue.model.events import (
    AttributesSet,
    CampaignEnded,
    Cause,
    Event,
    Occurrence,
    SendSettled,
    Settlement,
    TimerFired,
)
from segue.model.interactions import ACTS, PROFILE_ACTS
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
from segue.model.state import UserState
from segue.model.verdicts import Verdict
from segue.runtime.waits import Timers
from segue.storage.ports import TimerKey


class States(Protocol):
    """Where the fold keeps users' states."""

    def get(self, user_id: str) -> UserState:
        """Return the user's state, an empty one for a user never seen."""

    def put(self, user_id: str, state: UserState) -> None:
        """Keep the user's new state."""

    def erase(self, user_id: str) -> None:
        """Forget the user."""


class Outcomes(Protocol):
    """What becomes of what was decided: carried out, printed, counted."""

    def decided(self, verdicts: list[Verdict]) -> None:
        """Take decisions, in order."""

    def count(self, count: Count, now: int) -> None:
        """Take an addition to a counter."""

    def deliver(self, deliver: Deliver) -> Iterable[SendSettled]:
        """Take a send to hand over; return what is known at once of what became of it."""

    def handing_over(self, record: SendsAttempted | SendsDeferred | SendsSettled) -> None:
        """Take a record of a hand-over: begun, put off, or come to an end.

        The engine sees the end of one afterwards.
        """


class Fold:
    """Applies records in the order of the log; `now` is the instant it has come to."""

    def __init__(self, states: States, timers: Timers, outcomes: Outcomes) -> None:
        self.states = states
        self.timers = timers
        self.outcomes = outcomes
        self.plan: Plan = EMPTY_PLAN
        self.now = 0

    def apply(self, record: Record, ordinal: int) -> None:
        """Take in one record, whose first entry is the log's `ordinal`-th.

        Timers due at or before the record fire before it (semantics.md 3).
        """
        self.advance(record.received_at)
        match record:
            case EventsReceived():
                self._take_events(record, ordinal)
            case AttributesReceived():
                for change in record.changes:
                    self._decide(AttributesSet(change.user_id, change.attributes, self.now))
            case CampaignPublished():
                self.plan = apply_publications(self.plan, [record])
            case CampaignStopped():
                self._end_campaign(record)
            case SendsAttempted() | SendsDeferred():
                self.outcomes.handing_over(record)
            case SendsSettled():
                self.outcomes.handing_over(record)
                for settled in record.settled:
                    self._decide(Settlement(settled, self.now))
            case TimeAdvanced():
                pass
            case UserErased():
                self.states.erase(record.user_id)
            case _:
                assert_never(record)

    def advance(self, now: int) -> None:
        """Let time pass to `now`: what is due by then fires, in order of its due instants."""
        while (key := self.timers.pop_due(now)) is not None:
            self.now = max(self.now, key.due_at)
            self._decide(TimerFired(key.user_id, key.campaign, self.now))
        self.now = max(self.now, now)

    def _take_events(self, record: EventsReceived, ordinal: int) -> None:
        """Decide about the events that somebody is interested in; the others end here."""
        interests = self.plan.interests
        for index, event in enumerate(record.events):
            if event.name not in interests or self._is_without_effect(event):
                continue
            self._decide(Occurrence(event, self.now, ordinal + index))

    def _is_without_effect(self, event: Event) -> bool:
        """Return whether it is an interaction with a campaign that was never published."""
        if event.name not in ACTS or event.name in PROFILE_ACTS or event.campaign is None:
            return False
        return self.plan.find(event.campaign) is None

    def _end_campaign(self, record: CampaignStopped) -> None:
        self.plan = apply_publications(self.plan, [record])
        for key in sorted(self.timers.of_campaign(record.campaign), key=lambda key: key.user_id):
            self._decide(CampaignEnded(key.user_id, record.campaign, record.is_archived, self.now))

    def _decide(self, cause: Cause) -> None:
        """Decide, and go on with what is settled at once, until nothing more follows."""
        causes: deque[Cause] = deque((cause,))
        while causes:
            settled = self._decide_one(causes.popleft())
            causes.extend(Settlement(outcome, self.now) for outcome in settled)

    def _decide_one(self, cause: Cause) -> Iterable[SendSettled]:
        user_id = _user_of(cause)
        before = self.states.get(user_id)
        decision = decide(before, cause, self.plan)
        if decision.state is not before:
            self.states.put(user_id, decision.state)
        if decision.reasons:
            self.outcomes.decided(decision.reasons)
        settled: list[SendSettled] = []
        for effect in decision.effects:
            match effect:
                case SetTimer():
                    self.timers.add(TimerKey(effect.due_at, user_id, effect.campaign))
                case CancelTimer():
                    self.timers.cancel(TimerKey(effect.due_at, user_id, effect.campaign))
                case Count():
                    self.outcomes.count(effect, self.now)
                case Deliver():
                    settled.extend(self.outcomes.deliver(effect))
                case _:
                    assert_never(effect)
        return settled


def _user_of(cause: Cause) -> str:
    match cause:
        case Occurrence():
            return cause.event.user_id
        case Settlement():
            return cause.settled.user_id
        case _:
            return cause.user_id
