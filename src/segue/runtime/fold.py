"""The fold: records of the log, one after the other, through the engine.

Running live, over a file and over recorded history are this same fold with other ends: where
states are kept, and what becomes of what was decided.
"""

from collections import deque
from collections.abc import Iterable
from typing import Final, Protocol, assert_never

from msgspec.structs import replace

from segue.engine.decide import decide, user_of
from segue.engine.draft import Decision
from segue.engine.local_time import bound_instant, zone_of
from segue.engine.past import Tracker
from segue.engine.plan import (
    EMPTY_PLAN,
    Plan,
    apply_changes,
    filters_of,
    missing_trackers,
    with_trackers,
)
from segue.engine.waiting import end_by_erasure
from segue.engine.watching import Onlooker, Watch
from segue.model.effects import CancelTimer, Count, Deliver, Effect, SetTimer
from segue.model.events import (
    AttributesSet,
    BackfillFound,
    CampaignEnded,
    Cause,
    DeviceUpdate,
    Event,
    Occurrence,
    ScheduleCame,
    SendRequested,
    SendRetried,
    SendSettled,
    Settlement,
    TimerFired,
)
from segue.model.filters import Filter
from segue.model.interactions import ACTS, PROFILE_ACTS
from segue.model.log_records import (
    AttributesReceived,
    Backfilled,
    CampaignStopped,
    DevicesChanged,
    EventsReceived,
    HandOver,
    LettersDismissed,
    PlanChange,
    Record,
    ScheduleWalked,
    SendsAttempted,
    SendsDeferred,
    SendsRequested,
    SendsRetried,
    SendsSettled,
    TimeAdvanced,
    UserErased,
)
from segue.model.state import History, UserState
from segue.model.verdicts import Verdict
from segue.runtime.waits import Timers
from segue.storage.ports import TimerKey

# In a timer's campaign, between its slug, which has none, and when it was published: then its
# schedule comes to this user.
_ARRIVAL: Final = "@"


class States(Protocol):
    """Where the fold keeps users' states."""

    def get(self, user_id: str) -> UserState:
        """Return the user's state, an empty one for a user never seen."""

    def put(self, user_id: str, state: UserState) -> None:
        """Keep the user's new state."""

    def erase(self, user_id: str) -> None:
        """Forget the user."""

    def ids_between(self, after: str, through: str | None) -> list[str]:
        """Return the ids of users with a state with after < id <= through (None: all), in order."""


class ReadBack(Protocol):
    """Reads back from the log what filters ask about that nobody followed so far."""

    def histories(
        self, trackers: list[Tracker], before_ordinal: int
    ) -> Iterable[tuple[str, dict[str, History]]]:
        """Yield what the entries before one have for each user, by the trackers' keys."""


class Outcomes(Protocol):
    """What becomes of what was decided: carried out, printed, counted."""

    def decided(self, verdicts: list[Verdict]) -> None:
        """Take decisions, in order."""

    def count(self, count: Count, now: int) -> None:
        """Take an addition to a counter."""

    def deliver(self, deliver: Deliver) -> Iterable[SendSettled]:
        """Take a send to hand over; return what is known at once of what became of it."""

    def handing_over(self, record: HandOver) -> None:
        """Take a record of a hand-over: begun, put off, come to an end, or wanted no more.

        The engine sees the end of one afterwards.
        """


class FoldOnlooker(Onlooker, Protocol):
    """Looks on while the fold decides, and changes nothing about it."""

    @property
    def interests(self) -> frozenset[str]:
        """Names of events to decide about although no campaign is interested."""

    def knows(self, campaign: str) -> bool:
        """Return whether to be told of interactions with a campaign, published or not."""

    def decided(self) -> None:
        """Go on with what was seen: the cause of it has been decided about."""


class Fold:
    """Applies records in the order of the log; `now` is the instant it has come to."""

    def __init__(
        self,
        states: States,
        timers: Timers,
        outcomes: Outcomes,
        read_back: ReadBack | None = None,
        watch: Watch | None = None,
    ) -> None:
        self.states = states
        self.timers = timers
        self.outcomes = outcomes
        self.now = 0
        self.walks: dict[str, ScheduleWalked] = {}  # the newest of each scheduled campaign
        self._read_back = read_back
        self._watch = watch
        self.onlooker: FoldOnlooker | None = None
        self._plan: Plan = EMPTY_PLAN
        self._changes: list[PlanChange] = []

    @property
    def plan(self) -> Plan:
        """Everything published so far; compiled when it is asked for after changes."""
        if self._changes:
            self._plan = apply_changes(self._plan, self._changes)
            self._changes = []
        return self._plan

    def change_plan(self, changes: Iterable[PlanChange]) -> None:
        """Take in changes that were made before the first record."""
        self._changes.extend(changes)

    def foresee(self, filters: Iterable[Filter]) -> None:
        """Follow what these filters ask about from now on, before they are in the plan.

        A fold that begins at the log's beginning then needs nothing read back.
        """
        self._plan = with_trackers(self.plan, filters)

    def fork(self, states: States, timers: Timers, outcomes: Outcomes) -> "Fold":
        """Return a fold with other ends that stands where this one does."""
        fold = Fold(states, timers, outcomes, self._read_back)
        fold.now, fold.walks, fold._plan = self.now, dict(self.walks), self.plan
        return fold

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
            case DevicesChanged():
                for changed in record.changes:
                    self._decide(DeviceUpdate(changed, self.now))
            case SendsAttempted() | SendsDeferred() | SendsSettled() | LettersDismissed():
                self._follow_sends(record)
            case SendsRetried():
                for deliver in record.sends:
                    self._decide(SendRetried(deliver, self.now))
            case SendsRequested() | ScheduleWalked() | Backfilled():
                self._enter_directly(record, ordinal)
            case TimeAdvanced():
                pass
            case UserErased():
                self._carry_out(end_by_erasure(self.states.get(record.user_id)), record.user_id)
                self.timers.forget_user(record.user_id)  # also those of schedules on their way
                self.states.erase(record.user_id)
            case _:
                self._change_plan(record, ordinal)

    def advance(
        self, now: int, count_max: int | None = None, before: TimerKey | None = None
    ) -> bool:
        """Let time pass to `now`: what is due by then fires, in order of its due instants.

        Return whether it has come there: `count_max` bounds how much fires at once, and what
        comes at or behind `before` does not.
        """
        fired = 0
        while count_max is None or fired < count_max:
            key = self.timers.pop_due(now)
            if key is None:
                self.now = max(self.now, now)
                return True
            if before is not None and key >= before:
                self.timers.add(key)
                return False
            self.fire(key)
            fired += 1
        return False

    def fire(self, key: TimerKey) -> None:
        """Look at a user again, because a timer has come due."""
        self.now = max(self.now, key.due_at)
        slug, published_at = split_timer(key)
        if published_at is None:
            self._decide(TimerFired(key.user_id, slug, self.now))
        else:
            self._arrive(key.user_id, slug, key.due_at, published_at)

    def _take_events(self, record: EventsReceived, ordinal: int) -> None:
        """Decide about the events that somebody is interested in; the others end here."""
        plan, onlooker = self.plan, self.onlooker
        interests = plan.interests if onlooker is None else plan.interests | onlooker.interests
        for index, event in enumerate(record.events):
            if event.name in interests and not _is_without_effect(event, plan, onlooker):
                self._decide(Occurrence(event, self.now, ordinal + index))

    def _follow_sends(self, record: HandOver) -> None:
        self.outcomes.handing_over(record)
        if isinstance(record, SendsSettled):
            for settled in record.settled:
                self._decide(Settlement(settled, self.now))

    def _enter_directly(
        self, record: SendsRequested | ScheduleWalked | Backfilled, ordinal: int
    ) -> None:
        """Come to users with a campaign that nothing they did just now triggers."""
        slug = record.campaign
        match record:
            case SendsRequested():
                for index, one in enumerate(record.recipients):
                    place = ordinal + index
                    self._decide(
                        SendRequested(one.user_id, slug, one.properties, self.now, place, one.id)
                    )
            case ScheduleWalked():
                self.walks[slug] = record
                self._walk(record)
            case Backfilled():
                for event in record.events:
                    self._decide(BackfillFound(event, slug, self.now))

    def _walk(self, record: ScheduleWalked) -> None:
        """Come to users with a scheduled campaign, unless it has ended or begun anew since."""
        campaign = self.plan.campaigns.get(record.campaign)
        if campaign is None or campaign.status != "active":
            return
        if campaign.published_at <= record.walk_at:
            for user_id in self.states.ids_between(record.after, record.through):
                self._walk_to(user_id, record, campaign.published_at)

    def _walk_to(self, user_id: str, record: ScheduleWalked, published_at: int) -> None:
        """Come to a user that is known: now, or when their own local time has come.

        Until then nothing is decided, so that all is looked at as it is at that time. Two local
        times that a clock change makes one instant are one timer: they come once.
        """
        state = self.states.get(user_id)
        if not is_known(state):
            return
        if record.wall is None:
            self._decide(ScheduleCame(user_id, record.campaign, record.walk_at, self.now))
            return
        zone = zone_of(state.attributes.get("time_zone"), self.plan.workspace.time_zone)
        due_at = bound_instant(record.wall, zone)
        self.timers.add(TimerKey(due_at, user_id, f"{record.campaign}{_ARRIVAL}{published_at}"))

    def _arrive(self, user_id: str, slug: str, at: int, published_at: int) -> None:
        campaign = self.plan.campaigns.get(slug)
        if campaign is None or campaign.status != "active":
            return  # it was ended while the schedule was on its way to the user
        if campaign.published_at == published_at and is_known(self.states.get(user_id)):
            self._decide(ScheduleCame(user_id, slug, at, self.now))

    def _change_plan(self, record: PlanChange, ordinal: int) -> None:
        self._follow_anew(record, ordinal)
        self._changes.append(record)
        if isinstance(record, CampaignStopped):
            self._end_campaign(record)

    def _follow_anew(self, record: PlanChange, ordinal: int) -> None:
        """Read back what the record's filters ask about and nobody followed so far."""
        filters = filters_of(record)
        if self._read_back is None or not filters:
            return
        missing = missing_trackers(self.plan, filters)
        if missing:
            for user_id, found in self._read_back.histories(missing, ordinal):
                state = self.states.get(user_id)
                self.states.put(user_id, replace(state, histories={**state.histories, **found}))

    def _end_campaign(self, record: CampaignStopped) -> None:
        for key in sorted(self.timers.of_campaign(record.campaign), key=lambda key: key.user_id):
            self._decide(CampaignEnded(key.user_id, record.campaign, record.is_archived, self.now))

    def _decide(self, cause: Cause) -> None:
        """Decide, and go on with what is settled at once, until nothing more follows."""
        settled = deque(self._decide_one(cause))
        while settled:
            settled.extend(self._decide_one(Settlement(settled.popleft(), self.now)))

    def _decide_one(self, cause: Cause) -> Iterable[SendSettled]:
        user_id = user_of(cause)
        before = self.states.get(user_id)
        decision = decide(before, cause, self.plan, self._watch, self.onlooker)
        settled = self._take_decision(user_id, before, decision)
        if self.onlooker is not None:
            self.onlooker.decided()
        return settled

    def _take_decision(
        self, user_id: str, before: UserState, decision: Decision
    ) -> list[SendSettled]:
        """Keep the new state, tell the reasons, do the rest; return what is settled at once."""
        if decision.state is not before:
            self.states.put(user_id, decision.state)
        if decision.reasons:
            self.outcomes.decided(decision.reasons)
        return self._carry_out(decision.effects, user_id)

    def _carry_out(self, effects: Iterable[Effect], user_id: str) -> list[SendSettled]:
        """Do what was decided; return what is known at once of what became of sends."""
        settled: list[SendSettled] = []
        for effect in effects:
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


def split_timer(key: TimerKey) -> tuple[str, int | None]:
    """Return the slug of a timer's campaign; if its schedule comes then, also its publication."""
    slug, _, published_at = key.campaign.partition(_ARRIVAL)
    return slug, int(published_at) if published_at else None


def _is_without_effect(event: Event, plan: Plan, onlooker: FoldOnlooker | None) -> bool:
    """Return whether it is an interaction with a campaign that was never published."""
    if event.name not in ACTS or event.name in PROFILE_ACTS or event.campaign is None:
        return False
    if plan.find(event.campaign) is not None:
        return False
    return onlooker is None or not onlooker.knows(event.campaign)


def is_known(state: UserState) -> bool:
    """Return whether anything is known of a user but how often events happened.

    That alone depends on what filters happen to ask about, which must not decide who is there.
    """
    return bool(state.attributes or state.memberships or state.subscriptions or state.devices)
