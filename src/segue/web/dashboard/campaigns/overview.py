"""A campaign's page, Overview: numbers with what they are of, funnel, days, variants, reasons."""

from datetime import date, timedelta
from typing import Any, Final

from litestar import Response, get

from segue.engine.local_time import at_local, wall_of, zone_of
from segue.model.instants import DAY
from segue.model.metrics import METRICS
from segue.services.application import Application
from segue.services.comparison_words import plain_words
from segue.services.funnel import funnel_of
from segue.services.rates import Rate
from segue.services.spans import Period
from segue.services.stats import Stats, stats_of
from segue.web.dashboard import charts
from segue.web.dashboard.campaigns.frame import tab_page
from segue.web.dashboard.pages import PageRequest

_PERIODS: Final = {"7": "7 days", "30": "30 days", "90": "90 days", "all": "since the beginning"}
_LINES: Final = (
    ("sent", "Sent"),
    ("unique_opens", "Opened"),
    ("unique_clicks", "Clicked"),
    ("conversions", "Converted"),
)
_RATE_WORDS: Final = {
    "delivery_rate": "Delivered",
    "bounce_rate": "Bounced",
    "open_rate": "Opened",
    "click_rate": "Clicked",
    "click_to_open_rate": "Clicked, of those who opened",
    "unsubscribe_rate": "Unsubscribed",
    "spam_report_rate": "Reported as spam",
    "impression_rate": "Seen",
    "dismissal_rate": "Dismissed",
    "conversion_rate": "Converted",
}
_OF_WORDS: Final = {"sent_minus_bounced": "sent and not bounced"}


@get("/campaigns/{campaign:str}")
async def show_overview(
    campaign: str, request: PageRequest, application: Application
) -> Response[Any]:
    """Show a campaign's numbers in a period."""
    found = application.campaigns.find(campaign)
    asked = request.query_params.get("days", "30")
    days = asked if asked in _PERIODS else "30"
    runtime = application.runtime
    stats = await stats_of(runtime, found.document, _period(application, days))
    labels, lines = _series(stats)
    return tab_page(
        request,
        application,
        found,
        "",
        days=days,
        periods=_PERIODS,
        stats=stats,
        funnel=funnel_of(stats),
        rates=[one for one in stats.rates if one.variant is None],
        rate_words=_rate_words,
        labels=labels,
        lines=lines,
        charts=charts,
        plain_words=plain_words,
        as_of=runtime.processor.fold.now,
    )


def _period(application: Application, days: str) -> Period:
    """Return the last days of the workspace's time zone, today among them."""
    time_zone = application.runtime.plan.workspace.time_zone
    if days == "all":
        return Period(time_zone)
    zone = zone_of(time_zone, "UTC")
    now = application.runtime.processor.fold.now
    first = wall_of(max(now - (int(days) - 1) * DAY, 0), zone).date()
    return Period(time_zone, at_local(first, 0, zone))


def _rate_words(one: Rate) -> tuple[str, str]:
    """Return what a rate is called, and what it is of."""
    name = _RATE_WORDS.get(one.rate, one.rate.replace("_", " ").capitalize())
    if one.conversion_event:
        name = f"{name} ({one.conversion_event})"
    of = _OF_WORDS.get(one.denominator_is)
    if of is None:
        metric = METRICS.get(one.denominator_is)
        label = metric.label if metric is not None else one.denominator_is
        of = label[0].lower() + label[1:]
    return name, of


def _series(stats: Stats) -> tuple[list[str], list[charts.Line]]:
    """Return the days from the first to the last with anything, the empty ones among them."""
    by_day = {date.fromisoformat(one.day): one.totals for one in stats.series if one.day}
    if not by_day:
        return [], []
    first, last = min(by_day), max(by_day)
    days = [first + timedelta(number) for number in range((last - first).days + 1)]
    lines = [
        charts.Line(title, [by_day.get(day, {}).get(metric, 0) for day in days])
        for metric, title in _LINES
    ]
    return [f"{day.day} {day:%b}" for day in days], [one for one in lines if any(one.values)]
