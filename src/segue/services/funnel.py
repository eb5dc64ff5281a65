"""A campaign's funnel: from triggered to converted, with what each step is counted of and lost."""

from collections import Counter as Tally
from collections.abc import Sequence
from typing import Generic, TypeVar

from msgspec import Struct

from segue.model.reasons import REASONS
from segue.model.state import CONTROL_VARIANT
from segue.services.rates import deliveries_of
from segue.services.stats import Stats


class Loss(Struct, frozen=True):
    """How many did not go on to the next step, and why."""

    what: str  # such as "refused"
    reason: str  # a code of `REASONS`
    sentence: str
    count: int


LossT = TypeVar("LossT")


class FunnelStep(Struct, Generic[LossT], frozen=True):
    """A step: how many came to it, of how many of what, and who did not go on."""

    name: str
    count: int
    of: int | None  # None: of nothing before
    of_what: str
    losses: Sequence[LossT] = ()

    @property
    def share(self) -> float | None:
        """The share of those it is counted of."""
        return self.count / self.of if self.of else None


def funnel_of(stats: Stats) -> list[FunnelStep[Loss]]:
    """Return the funnel of the numbers of a period."""
    totals: Tally[str] = Tally(stats.totals)
    by_channel = [one.totals for one in stats.channels]
    sent = sum(one.get("sent", 0) for one in by_channel)
    delivered = sum(deliveries_of(one)[0] for one in by_channel)
    triggered = totals["entered"] + totals["refused"] + totals["control"]
    converted, received = _converted(stats)
    return [
        FunnelStep("Triggered", triggered, None, "", _losses(stats, "refused", "control")),
        FunnelStep("Entered", totals["entered"], triggered, "triggers"),
        FunnelStep(
            "Waiting now",
            totals["waiting"],
            totals["entered"],
            "entered",
            _losses(stats, "cancelled"),
        ),
        FunnelStep(
            "Sends",
            totals["recipients"],
            totals["entered"],
            "entered",
            _losses(stats, "skipped", "messages_skipped", "failed"),
        ),
        FunnelStep("Delivered", delivered, sent, "messages sent"),
        FunnelStep("Opened", totals["unique_opens"], delivered, "messages delivered"),
        FunnelStep("Clicked", totals["unique_clicks"], delivered, "messages delivered"),
        FunnelStep("Converted", converted, received, "users who received it"),
    ]


def _converted(stats: Stats) -> tuple[int, int]:
    """Return who converted by the primary conversion event, of how many; control is apart."""
    for one in stats.rates:
        if one.rate == "conversion_rate" and one.variant is None and one.conversion_event == "A":
            return one.numerator, one.denominator
    treated = [one.totals for one in stats.variants if one.variant != CONTROL_VARIANT]
    return 0, sum(one.get("unique_received", 0) for one in treated)


def _losses(stats: Stats, *metrics: str) -> list[Loss]:
    """Return what was counted by reason, the most first."""
    found: list[Loss] = []
    for metric in metrics:
        if metric == "control" and stats.totals.get("control"):
            reason, count = "control_group", stats.totals["control"]
            found.append(Loss("control group", reason, REASONS[reason], count))
        sums: Tally[str] = Tally()
        for one in stats.details:
            if one.metric == metric:
                sums[one.detail] += one.value
        what = metric.replace("_", " ")
        found += [Loss(what, name, REASONS.get(name, name), n) for name, n in sums.most_common()]
    return found
