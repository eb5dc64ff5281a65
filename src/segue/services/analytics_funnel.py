"""The funnel of many campaigns: from triggered to converted, with what is lost at each step."""

from segue.services.analytics import Analytics, Loss
from segue.services.funnel import FunnelStep


def funnel_steps(numbers: Analytics) -> list[FunnelStep[Loss]]:
    """Return the steps; where only messages of a channel are counted, those before are empty."""
    totals = numbers.all.now
    triggered = totals["entered"] + totals["refused"] + totals["control"]

    def lost(*metrics: str) -> list[Loss]:
        return [one for one in numbers.losses if one.metric in metrics]

    in_control = totals["control"]
    control = [Loss("in_control", "control_group", in_control)] if in_control else []

    return [
        FunnelStep("Triggered", triggered, None, "", [*lost("refused"), *control]),
        FunnelStep(
            "Entered", totals["entered"], triggered, "triggers", lost("cancelled", "skipped")
        ),
        FunnelStep("Waiting now", numbers.waiting, totals["entered"], "entered"),
        FunnelStep("Sent", totals["sent"], None, "", lost("messages_skipped", "failed")),
        FunnelStep("Delivered", totals["arrived"], totals["sent"], "messages sent"),
        FunnelStep("Opened", totals["unique_opens"], totals["arrived"], "delivered"),
        FunnelStep("Clicked", totals["unique_clicks"], totals["arrived"], "delivered"),
        FunnelStep(
            "Converted",
            totals["unique_conversions"],
            totals["unique_received"],
            "users who received something",
        ),
    ]
