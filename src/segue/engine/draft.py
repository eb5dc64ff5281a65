"""The working copy of one decision: the state as it becomes, and what was decided on the way."""

from collections import deque
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from segue.engine.plan import Plan
from segue.model.effects import Count, Effect
from segue.model.events import Event, event_id
from segue.model.state import Membership, UserState
from segue.model.verdicts import Verdict, VerdictKind

_NEW = Membership()


class Decision(Struct, frozen=True, gc=False):
    """What `decide` answers: the user's new state, what must be done, and why."""

    state: UserState
    effects: list[Effect]
    reasons: list[Verdict]


class Act(Struct, frozen=True, gc=False):
    """An event to be handled: one from the log, or one that follows from what was decided.

    `hops` counts the campaigns that followed each other since a person last acted.
    """

    event: Event
    happened_at: int
    now: int
    hops: int = 0
    is_control: bool = False
    derived_id: str | None = None
    ordinal: int = -1  # in the log, for an event from there

    @property
    def id(self) -> str:
        """The event's id. Computed when asked for: most events lead to no decision."""
        if self.derived_id is not None:
            return self.derived_id
        return event_id(self.event, self.now, self.ordinal)


class Draft:
    """Collects the changes of one decision; the state it began with stays as it was."""

    __slots__ = ("_memberships", "acts", "effects", "plan", "reasons", "state", "user_id")

    def __init__(self, state: UserState, plan: Plan, user_id: str) -> None:
        self.state = state
        self.plan = plan
        self.user_id = user_id
        self.effects: list[Effect] = []
        self.reasons: list[Verdict] = []
        self.acts: deque[Act] = deque()
        self._memberships: dict[str, Membership] | None = None

    def membership(self, campaign: str) -> Membership:
        """Return what the user and the campaign have had to do with each other so far."""
        memberships = self.state.memberships if self._memberships is None else self._memberships
        return memberships.get(campaign, _NEW)

    def set_membership(self, campaign: str, membership: Membership) -> None:
        """Change it, in a copy."""
        if self._memberships is None:
            self._memberships = dict(self.state.memberships)
        self._memberships[campaign] = membership

    def set_attributes(self, attributes: dict[str, Any]) -> None:
        """Replace the profile's attributes."""
        self.state = replace(self.state, attributes=attributes)

    def decided(self, act_id: str, now: int, campaign: str, kind: VerdictKind, **more: Any) -> None:
        """Note a decision about the campaign, with its cause."""
        self.reasons.append(Verdict(now, self.user_id, campaign, kind, act_id, **more))

    def count(
        self, campaign: str, variant: str, metric: str, detail: str = "", amount: float = 1
    ) -> None:
        """Add to one of the campaign's counters."""
        self.effects.append(Count(campaign, variant, metric, detail, amount))

    def finish(self) -> Decision:
        """Return the decision."""
        if self._memberships is not None:
            self.state = replace(self.state, memberships=self._memberships)
        return Decision(self.state, self.effects, self.reasons)
