"""The working copy of one decision: the state as it becomes, and what was decided on the way."""

from collections import deque
from functools import cached_property
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import replace

from segue.engine.local_time import zone_of
from segue.engine.plan import Plan
from segue.engine.watching import Onlooker, Watch
from segue.model.effects import Count, Effect
from segue.model.events import Event, event_id
from segue.model.interactions import CONVERSION
from segue.model.metrics import MetricName
from segue.model.state import CONTROL_VARIANT, Membership, UserState, Wait
from segue.model.verdicts import Verdict, VerdictKind

_NEW = Membership()

WaitMetric = Literal["entered", "waiting", "cancelled"]
_BY_CONNECTION: Final[dict[WaitMetric, MetricName]] = {
    "entered": "entered_by",
    "waiting": "waiting_by",
    "cancelled": "cancelled_by",
}


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
    derived_id: str | None = None
    ordinal: int = -1  # in the log, for an event from there
    is_backfill: bool = False  # from before the publication of the campaign it may enter

    @property
    def is_of_control(self) -> bool:
        """Whether it is a conversion of the control group, which followers have to ask for."""
        return self.event.name == CONVERSION and self.event.variant == CONTROL_VARIANT

    @property
    def id(self) -> str:
        """The event's id. Computed when asked for: most events lead to no decision."""
        if self.derived_id is not None:
            return self.derived_id
        return event_id(self.event, self.now, self.ordinal)


def wait_counts(
    campaign: str, wait: Wait, metric: WaitMetric, detail: str = "", amount: float = 1
) -> list[Count]:
    """Return what to count of a wait: by itself, and by what began it if an interaction did.

    The latter's detail is the act and the campaign it was with, as `connection_of` has it.
    """
    counts = [Count(campaign, wait.variant, metric, detail, amount)]
    act, target = wait.trigger.interaction, wait.trigger.campaign
    if act is not None and target is not None:
        name = connection_of(target, act)
        counts.append(Count(campaign, wait.variant, _BY_CONNECTION[metric], name, amount))
    return counts


def connection_of(target: str, act: str) -> str:
    """Return what the counters call the acts with a campaign that begin waits of another one."""
    return f"{target}/{act}"


class Draft:
    """Collects the changes of one decision; the state it began with stays as it was."""

    def __init__(
        self,
        state: UserState,
        plan: Plan,
        user_id: str,
        watch: Watch | None = None,
        onlooker: Onlooker | None = None,
    ) -> None:
        self.watch = watch
        self.onlooker = onlooker
        self.state = state
        self.plan = plan
        self.user_id = user_id
        self.effects: list[Effect] = []
        self.reasons: list[Verdict] = []
        self.acts: deque[Act] = deque()
        self.entry_counts: dict[str, int] = {}  # by campaign, in this decision
        # What the user and every campaign have had to do with each other so far.
        self.memberships = state.memberships
        self._is_changed = False  # then `memberships` is a copy of this draft's own

    @cached_property
    def zone(self) -> ZoneInfo:
        """The user's time zone, else the workspace's."""
        return zone_of(self.state.attributes.get("time_zone"), self.plan.workspace.time_zone)

    @cached_property
    def workspace_zone(self) -> ZoneInfo:
        """The time zone of times that are nobody's in particular."""
        return zone_of(self.plan.workspace.time_zone, "UTC")

    def membership(self, campaign: str) -> Membership:
        """Return what the user and the campaign have had to do with each other so far."""
        return self.memberships.get(campaign, _NEW)

    def set_membership(self, campaign: str, membership: Membership) -> None:
        """Change it, in a copy."""
        if not self._is_changed:
            self.memberships = dict(self.memberships)
            self._is_changed = True
        self.memberships[campaign] = membership

    def profile(self) -> UserState:
        """Return the state as audiences see it, memberships and all."""
        if self._is_changed:
            self.state = replace(self.state, memberships=self.memberships)
            self._is_changed = False
        return self.state

    def set_attributes(self, attributes: dict[str, Any]) -> None:
        """Replace the profile's attributes."""
        self.state = replace(self.state, attributes=attributes)

    def decided(self, act_id: str, now: int, campaign: str, kind: VerdictKind, **more: Any) -> None:
        """Note a decision about the campaign, with its cause."""
        verdict = Verdict(now, self.user_id, campaign, kind, act_id, **more)
        self.reasons.append(verdict)
        if self.watch is not None and self.watch.is_about(campaign):
            self.watch.seen.append(verdict)

    def count(
        self,
        campaign: str,
        variant: str,
        metric: MetricName,
        detail: str = "",
        *,
        amount: float = 1,
        channel: str = "",
    ) -> None:
        """Add to one of the campaign's counters."""
        self.effects.append(Count(campaign, variant, metric, detail, amount, channel))

    def count_wait(
        self, campaign: str, wait: Wait, metric: WaitMetric, detail: str = "", amount: float = 1
    ) -> None:
        """Add to a counter of waits, and to that of the connection that began this one."""
        self.effects.extend(wait_counts(campaign, wait, metric, detail, amount))

    def finish(self) -> Decision:
        """Return the decision."""
        return Decision(self.profile(), self.effects, self.reasons)
