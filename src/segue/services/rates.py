"""Rates: so many of so many, with both numbers, so that nobody has to guess what was divided.

Rates of messages are per channel; they count a receipt once, and leave machine opens out.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from msgspec import Struct

from segue.model.channels import Channel

Totals = Mapping[str, int]

# Of each channel: the rate, what is counted, and of what. Braze divides the same way
# (campaign-facts.md 8.1), and clicks to opens are unique ones both (D9).
_RATES: Final[dict[Channel, tuple[tuple[str, str, str], ...]]] = {
    "email": (
        ("delivery_rate", "deliveries", "sent"),
        ("bounce_rate", "unique_bounced", "sent"),
        ("open_rate", "unique_opens", "deliveries"),
        ("click_rate", "unique_clicks", "deliveries"),
        ("click_to_open_rate", "unique_clicks", "unique_opens"),
        ("unsubscribe_rate", "unique_unsubscribes", "deliveries"),
        ("spam_report_rate", "unique_spam_reports", "sent"),
    ),
    "push": (
        ("delivery_rate", "deliveries", "sent"),
        ("open_rate", "unique_opens", "deliveries"),
        ("click_rate", "unique_clicks", "deliveries"),
    ),
    "sms": (
        ("delivery_rate", "deliveries", "sent"),
        ("bounce_rate", "unique_bounced", "sent"),
        ("click_rate", "unique_clicks", "deliveries"),
        ("unsubscribe_rate", "unique_unsubscribes", "deliveries"),
    ),
    "webhook": (),
    "in_app_message": (
        ("impression_rate", "unique_impressions", "sent"),
        ("click_rate", "unique_clicks", "unique_impressions"),
    ),
    "content_card": (
        ("impression_rate", "unique_impressions", "sent"),
        ("click_rate", "unique_clicks", "unique_impressions"),
        ("dismissal_rate", "unique_dismissals", "unique_impressions"),
    ),
}


class Rate(Struct, frozen=True, omit_defaults=True):
    """A rate of one variant, or, where none is named, of all but the control group.

    `denominator_is` names what was counted: a metric, or `sent_minus_bounced`.
    """

    rate: str
    numerator: int
    denominator: int
    denominator_is: str
    value: float | None  # None of nothing
    variant: str | None = None
    channel: str | None = None
    conversion_event: str | None = None


def rate(
    name: str,
    numerator: int,
    denominator: int,
    denominator_is: str,
    *,
    variant: str | None,
    channel: str | None = None,
    conversion_event: str | None = None,
) -> Rate:
    """Return a rate with its value."""
    value = numerator / denominator if denominator else None
    return Rate(
        name, numerator, denominator, denominator_is, value, variant, channel, conversion_event
    )


def message_rates(channel: Channel, totals: Totals, variant: str | None) -> Iterator[Rate]:
    """Yield the rates of a channel's messages."""
    deliveries, deliveries_are = deliveries_of(totals)
    for name, numerator, denominator in _RATES[channel]:
        of, of_what = totals.get(denominator, 0), denominator
        if denominator == "deliveries":
            of, of_what = deliveries, deliveries_are
        counted = deliveries if numerator == "deliveries" else totals.get(numerator, 0)
        yield rate(name, counted, of, of_what, variant=variant, channel=channel)


def deliveries_of(totals: Totals) -> tuple[int, str]:
    """Return how many messages arrived, and how that is known.

    Providers that report arrivals are believed; without a report, what did not come back arrived.
    """
    if totals.get("unique_delivered"):
        return totals["unique_delivered"], "unique_delivered"
    returned = totals.get("unique_bounced", 0)
    return max(totals.get("sent", 0) - returned, 0), "sent_minus_bounced"
