"""What a backtest says: how much was decided by day and in all, and a few users for each kind."""

from collections.abc import Callable, Iterable
from typing import Final, TypeVar, assert_never

from msgspec import Struct, field

from segue.engine.local_time import wall_of, zone_of
from segue.model.effects import Count, Deliver
from segue.model.events import Event, SendSettled
from segue.model.instants import MINUTE, format_instant
from segue.model.state import CONTROL_VARIANT
from segue.model.verdicts import Verdict
from segue.runtime.guest import Guest
from segue.runtime.in_memory import RunOutcomes

_SLOT: Final = 15 * MINUTE  # every zone's days begin at a quarter of an hour

N = TypeVar("N", int, float)


class Numbers(Struct):
    """How many decisions there were, by reason or conversion event where there are several.

    `sent` are sends, not messages; what the control group did is told apart.
    """

    entered: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    control: int = 0
    cancelled: dict[str, int] = field(default_factory=dict)
    skipped: dict[str, int] = field(default_factory=dict)
    sent: int = 0
    converted: dict[str, int] = field(default_factory=dict)
    revenue: dict[str, float] = field(default_factory=dict)
    control_converted: dict[str, int] = field(default_factory=dict)
    control_revenue: dict[str, float] = field(default_factory=dict)

    def take(self, verdict: Verdict) -> None:
        """Count a decision; a send counts once it is accepted."""
        match verdict.decision:
            case "enter":
                self.entered += 1
            case "refuse":
                _add(self.refused, verdict.reason, 1)
            case "control":
                self.control += 1
            case "cancel":
                _add(self.cancelled, verdict.reason, 1)
            case "skip":
                _add(self.skipped, verdict.reason, 1)
            case "convert":
                is_control = verdict.variant == CONTROL_VARIANT
                converted = self.control_converted if is_control else self.converted
                _add(converted, verdict.conversion_event, 1)
            case "send":
                pass
            case _:
                assert_never(verdict.decision)


class Day(Struct):
    """The numbers of one day of the workspace's calendar."""

    day: str
    numbers: Numbers


class Example(Struct, omit_defaults=True):
    """One decision about one user, with the event that caused it, as far as it is one."""

    at: str
    user_id: str
    decision: str
    cause: str
    reason: str | None = None
    variant: str | None = None
    due: str | None = None
    conversion_event: str | None = None
    event: Event | None = None


class Tally(RunOutcomes):
    """Outcomes of a guest that are counted; each send is accepted at once.

    Of each kind of decision, by its reason, the first `examples_max` are kept.
    """

    def __init__(self, guest: Callable[[], Guest], examples_max: int) -> None:
        super().__init__("accepted", lambda: guest().plan)
        self.totals = Numbers()
        self.days: dict[str, Numbers] = {}
        self.examples: dict[tuple[str, str], list[Example]] = {}
        self._guest = guest
        self._examples_max = examples_max
        self._slot = -1
        self._today = Numbers()

    def decided(self, verdicts: list[Verdict]) -> None:
        """Count decisions, and keep the first of each kind."""
        for verdict in verdicts:
            self.totals.take(verdict)
            self._day_of(verdict.at).take(verdict)
            kind = (verdict.decision, verdict.reason or verdict.conversion_event or "")
            kept = self.examples.setdefault(kind, [])
            if len(kept) < self._examples_max:
                kept.append(self._example_of(verdict))

    def count(self, count: Count, now: int) -> None:
        """Take revenue, which stands in no decision."""
        if count.metric == "revenue":
            for numbers in (self.totals, self._day_of(now)):
                is_control = count.variant == CONTROL_VARIANT
                revenue = numbers.control_revenue if is_control else numbers.revenue
                _add(revenue, count.detail, count.amount)

    def deliver(self, deliver: Deliver) -> Iterable[SendSettled]:
        """Accept a send, unless the draft may reach no more users."""
        settled = list(super().deliver(deliver))
        if any(one.settled_as == "accepted" for one in settled):
            self.totals.sent += 1
            self._day_of(deliver.decided_at).sent += 1
        return settled

    def _example_of(self, verdict: Verdict) -> Example:
        return Example(
            at=format_instant(verdict.at),
            user_id=verdict.user_id,
            decision=verdict.decision,
            cause=verdict.cause,
            reason=verdict.reason,
            variant=verdict.variant,
            due=format_instant(verdict.due) if verdict.due is not None else None,
            conversion_event=verdict.conversion_event,
            event=self._guest().event_of(verdict),
        )

    def _day_of(self, at: int) -> Numbers:
        """Return the numbers of the day of an instant."""
        if at // _SLOT != self._slot:
            self._slot = at // _SLOT
            zone = zone_of(self._guest().plan.workspace.time_zone, "UTC")
            day = wall_of(at, zone).date().isoformat()
            self._today = self.days.setdefault(day, Numbers())
        return self._today


def _add(numbers: dict[str, N], name: str | None, amount: N) -> None:
    key = name or ""
    numbers[key] = numbers.get(key, 0) + amount
