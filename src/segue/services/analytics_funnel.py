"""The funnel of many campaigns: from triggered to converted, with what is lost at each step."""

from collections.abc import Sequence

from msgspec import Struct

from segue.services.analytics import Analytics, Loss


class Step(Struct, frozen=True):
    """A step: how many came to it, of how many of what, and who did not go on."""

    name: str
    count: int
    of: int | None
    of_what: str
    losses: Sequence[Loss] = ()

    @property
    def share(self) -> float | None:
        """The share of those it is counted of."""
        return self.count / self.of if self.of else None


def funnel_steps(numbers: Analytics) -> list[Step]:
    """Return the steps; where only messages of a channel are counted, those before are empty."""
    totals = numbers.all.now
    triggered = totals["entered"] + totals["refused"] + totals["control"]

    def lost(*metrics: str) -> list[Loss]:
        return [one for one in numbers.losses if one.metric in metrics]

    in_control = totals["control"]
    control = [Loss("in_control", "control_group", in_control)] if in_control else []

    return [
        Step("Triggered", triggered, None, "", [*lost("refused"), *control]),
        Step("Entered", totals["entered"], triggered, "triggers", lost("cancelled", "skipped")),
        Step("Waiting now", numbers.waiting, totals["entered"], "entered"),
        Step("Sent", totals["sent"], None, "", lost("messages_skipped", "failed")),
        Step("Delivered", totals["arrived"], totals["sent"], "messages sent"),
        Step("Opened", totals["unique_opens"], totals["arrived"], "delivered"),
        Step("Clicked", totals["unique_clicks"], totals["arrived"], "delivered"),
        Step(
            "Converted",
            totals["unique_conversions"],
            totals["unique_received"],
            "users who received something",
        ),
    ]
