"""A guest in a fold: a campaign that decides about what it sees, unseen by the others.

It is a fold of its own. Its users are the host's, but for what it has had to do with them itself;
its timers stand in the host's heap, so that all fire in their order.
"""

from collections import deque
from collections.abc import Callable
from typing import Final

from msgspec.structs import replace

from segue.engine.decide import overhear
from segue.engine.draft import Act, Draft
from segue.engine.guests import as_written, plan_of_guest
from segue.engine.plan import EMPTY_PLAN, Plan
from segue.engine.versions import Version
from segue.model.events import Event, Settlement
from segue.model.instants import to_datetime
from segue.model.log_records import CampaignPublished
from segue.model.state import Membership, SentMessage, TriggerContext, UserState
from segue.model.verdicts import Verdict
from segue.runtime.fold import Fold, Outcomes, States, split_timer
from segue.runtime.waits import Timers
from segue.storage.ports import TimerKey

_NO_MEMBERSHIP: Final = Membership()


class GuestStates:
    """Users as the host has them, and what the guest itself has had to do with them."""

    def __init__(self, slug: str, host: States) -> None:
        self.memberships: dict[str, Membership] = {}
        self._slug = slug
        self._host = host
        self._messages: dict[str, list[SentMessage]] = {}

    def of(self, user_id: str, state: UserState) -> UserState:
        """Return a state of the host's as the guest sees it."""
        own = self.memberships.get(user_id)
        if own is None:
            return state
        memberships = {**state.memberships, self._slug: own}
        messages = self._messages.get(user_id)
        if messages is None:
            return replace(state, memberships=memberships)
        both = sorted([*state.messages, *messages], key=lambda one: one.at)
        return replace(state, memberships=memberships, messages=both)

    def get(self, user_id: str) -> UserState:
        """Return the user's state as the guest sees it."""
        return self.of(user_id, self._host.get(user_id))

    def put(self, user_id: str, state: UserState) -> None:
        """Keep what is the guest's own in a state; the rest is the host's to change."""
        membership = state.memberships.get(self._slug)
        if membership is not None:
            self.memberships[user_id] = membership
        messages = [one for one in state.messages if one.campaign == self._slug]
        if messages:
            self._messages[user_id] = messages

    def erase(self, user_id: str) -> None:
        """Forget the user."""
        self.memberships.pop(user_id, None)
        self._messages.pop(user_id, None)

    def ids_between(self, after: str, through: str | None) -> list[str]:
        """Return the ids of users with a state with after < id <= through (None: all), in order."""
        own = {
            user_id
            for user_id in self.memberships
            if user_id > after and (through is None or user_id <= through)
        }
        return sorted(own.union(self._host.ids_between(after, through)))


class Guest(Fold):
    """The fold of one campaign, which looks on at another fold that must not know its slug.

    It is absent until `is_present` is set.
    """

    def __init__(
        self,
        published: CampaignPublished,
        host: Fold,
        outcomes: Outcomes,
        adapt: Callable[[Version], Version] = as_written,
    ) -> None:
        """Sit down with a host."""
        self.slug = published.document.slug
        self.own = GuestStates(self.slug, host.states)
        super().__init__(self.own, _Added(host.timers), outcomes)
        self.is_present = False
        self._published = published
        self._names = (self.slug, published.id)
        self._host = host
        self._adapt = adapt
        self._host_plan: Plan | None = None
        self._unsettled: deque[Settlement] = deque()
        self._act: Act | None = None  # what was decided about last: this,
        self._trigger: TriggerContext | None = None  # or a wait that this had started
        host.onlooker = self
        host.timers = _Shared(host.timers, self)

    @property
    def plan(self) -> Plan:
        """The host's plan with the guest in it."""
        if not self.is_present:
            return EMPTY_PLAN
        if self._host.plan is not self._host_plan:
            self._host_plan = self._host.plan
            self._plan = plan_of_guest(self._host_plan, self._published, self._adapt)
        return self._plan

    @property
    def interests(self) -> frozenset[str]:
        """Names of events that it listens to."""
        return self.plan.interests if self.is_present else frozenset()

    def knows(self, campaign: str) -> bool:
        """Return whether it is the campaign."""
        return self.is_present and campaign in self._names

    def happens(self, draft: Draft, act: Act) -> None:
        """Decide about an act, if it listens, on the user as they are before it is handled."""
        plan, event = self.plan, act.event
        if not self.is_present or not self._listens(plan, event):
            return
        self.now, self._act, self._trigger = act.now, act, None
        before = self.own.of(event.user_id, draft.profile())
        decision = overhear(before, act, plan)
        settled = self._take_decision(event.user_id, before, decision)
        self._unsettled.extend(Settlement(one, self.now) for one in settled)

    def _listens(self, plan: Plan, event: Event) -> bool:
        """Return whether an event can matter: most do not, and are not looked at any further."""
        if plan.rules_for(event) is not None or event.campaign in self._names:
            return True
        slug = plan.slug_by_id.get(event.campaign) if event.campaign is not None else None
        return slug is not None and (event.name, slug) in plan.rules

    def fire(self, key: TimerKey) -> None:
        """Look at a user again, because a timer has come due."""
        wait = self.own.memberships.get(key.user_id, _NO_MEMBERSHIP).wait
        self._act, self._trigger = None, wait.trigger if wait is not None else None
        super().fire(key)

    def event_of(self, verdict: Verdict) -> Event | None:
        """Return the event that caused a decision just made, if it was one."""
        act, trigger = self._act, self._trigger
        if act is not None and act.id == verdict.cause:
            return replace(act.event, id=act.id, time=to_datetime(act.happened_at))
        if trigger is not None and trigger.event_id == verdict.cause:
            return event_of_trigger(verdict.user_id, trigger)
        return None

    def decided(self) -> None:
        """Take in what became at once of sends, now that the host is done with their cause."""
        while self._unsettled:
            self._decide(self._unsettled.popleft())


def event_of_trigger(user_id: str, trigger: TriggerContext) -> Event:
    """Return the event again that started a wait, as far as the wait knows it."""
    return Event(
        user_id=user_id,
        name=trigger.name,
        time=to_datetime(trigger.time),
        id=trigger.event_id,
        properties=trigger.properties,
        campaign=trigger.campaign,
        variant=trigger.variant,
        link=trigger.link,
        alias=trigger.alias,
        button=trigger.button,
        page=trigger.page,
        conversion_event=trigger.conversion_event,  # type: ignore[arg-type]
    )


class _Added:
    """The host's timers as the guest sees them: it adds and cancels, and the host looks."""

    def __init__(self, timers: Timers) -> None:
        self._timers = timers
        self.add, self.cancel = timers.add, timers.cancel
        self.forget_user = timers.forget_user

    def pop_due(self, _through: int) -> TimerKey | None:
        """Return none: whose turn it is shows among the host's."""
        return None

    def of_campaign(self, campaign: str) -> list[TimerKey]:
        """Return the timers of a campaign, in order."""
        return self._timers.of_campaign(campaign)


class _Shared:
    """The timers of both as the host sees them: where the guest's turn comes, it takes it."""

    def __init__(self, timers: Timers, guest: Guest) -> None:
        self._timers = timers
        self._guest = guest
        self.add, self.cancel, self.of_campaign = timers.add, timers.cancel, timers.of_campaign
        self.forget_user = timers.forget_user

    def pop_due(self, through: int) -> TimerKey | None:
        """Take and return the host's first timer due at or before `through`, if there is one."""
        while (key := self._timers.pop_due(through)) is not None:
            if split_timer(key)[0] != self._guest.slug:
                return key
            self._guest.fire(key)
        return None
