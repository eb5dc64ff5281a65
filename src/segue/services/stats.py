"""A campaign's numbers, as docs/reference/stats.md describes them (semantics.md 7)."""

from collections import Counter as Tally
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct, field

from segue.engine.local_time import wall_of, zone_of
from segue.model.campaigns import Campaign
from segue.model.channels import CHANNELS
from segue.model.instants import FOREVER, format_instant
from segue.model.limits import STATS_DETAILS_MAX
from segue.model.metrics import METRICS
from segue.model.problems import InvalidError, Problem
from segue.model.state import CONTROL_VARIANT
from segue.runtime.runtime import Runtime
from segue.services.comparisons import Compared, compare
from segue.services.rates import Rate, Totals, message_rates, rate
from segue.services.spans import By, Period, newest_bounds
from segue.storage.ports import Counter, Sums

_Rows = list[tuple[Counter, float]]
_MONEY_DIGITS: Final = 6  # sums of floats are not sums of cents to the last bit


class VariantNumbers(Struct, frozen=True):
    """The totals of a variant, of the control group, or of what belongs to neither ("")."""

    variant: str
    totals: dict[str, int]


class ChannelNumbers(Struct, frozen=True):
    """The totals of a channel's messages."""

    channel: str
    totals: dict[str, int]


class Detail(Struct, frozen=True):
    """How often a metric was counted of one reason, alias, or whatever its detail is."""

    metric: str
    detail: str
    variant: str
    channel: str
    value: int


class Revenue(Struct, frozen=True):
    """What purchases that were conversions came to, in one currency ("" where none was named)."""

    variant: str
    conversion_event: str
    currency: str
    value: float


class Point(Struct, frozen=True, omit_defaults=True):
    """The totals of one hour or day, which begins `at`; gauges are as of its end."""

    at: str
    totals: dict[str, int]
    day: str | None = None  # in the time zone


class Stats(Struct, frozen=True):
    """A campaign's numbers in a period."""

    campaign: str
    by: By
    time_zone: str
    from_: str | None = field(name="from")
    to: str | None
    variant: str | None
    totals: dict[str, int]
    rates: list[Rate]
    uplift: list[Compared]
    variants: list[VariantNumbers]
    channels: list[ChannelNumbers]
    details: list[Detail]
    details_left_off: int
    revenue: list[Revenue]
    series: list[Point]
    series_is_cut: bool


async def stats_of(
    runtime: Runtime, document: Campaign, period: Period, variant: str | None = None
) -> Stats:
    """Return the numbers of a campaign in a period, of all variants or of one.

    Raises:
        InvalidError: there is no such variant.
    """
    slug, from_at, to_at = document.slug, period.from_at, period.to_at
    bounds = newest_bounds(period, runtime.processor.fold.now)
    series_from = bounds[0] if bounds else min(from_at, to_at)
    whole = Sums([0, from_at, series_from, to_at, FOREVER])
    by_span = Sums(bounds, variant, by_metric=True)
    found, spans = await runtime.counters.add_up(slug, [whole, by_span])
    everything = [(one, n) for one, n in found.items() if one.metric in METRICS]
    names = _variants(document, everything)
    if variant is not None and variant not in names:
        message = f"there is no variant {variant!r}; there are: {', '.join(filter(None, names))}"
        raise InvalidError([Problem("variant", message)], "The request")
    rows = [
        (one, n)
        for one, n in everything
        if variant in (None, one.variant) and _is_asked_for(one, period)
    ]
    details, left_off = _details(rows)
    return Stats(
        campaign=slug,
        by=period.by,
        time_zone=period.time_zone,
        from_=format_instant(from_at) if from_at > 0 else None,
        to=format_instant(to_at) if to_at < FOREVER else None,
        variant=variant,
        totals=_totals(rows),
        rates=_rates(rows, names, variant),
        uplift=_uplift(document, names, everything),
        variants=[
            VariantNumbers(name, totals)
            for name in names
            if (totals := _totals(row for row in rows if row[0].variant == name))
        ],
        channels=[
            ChannelNumbers(name, totals)
            for name in CHANNELS
            if (totals := _totals(row for row in rows if row[0].channel == name))
        ],
        details=details,
        details_left_off=left_off,
        revenue=_revenue(rows),
        series=_series(spans, period, _totals(rows)),
        series_is_cut=any(from_at <= one.hour < series_from for one, _ in rows),
    )


def _is_asked_for(counter: Counter, period: Period) -> bool:
    """Return whether a sum is of the period; of a gauge everything before counts as well."""
    if METRICS[counter.metric].kind == "gauge":
        return counter.hour < period.to_at
    return period.from_at <= counter.hour < period.to_at


def _variants(document: Campaign, rows: _Rows) -> list[str]:
    """Return the variants of the document, those of before, the control group, and "" for none."""
    written = [variant.name for variant in document.all_variants()]
    counted = {counter.variant for counter, _ in rows}
    before = sorted(counted - {*written, CONTROL_VARIANT, ""})
    has_control = document.control_percent > 0 or CONTROL_VARIANT in counted
    return [*written, *before, *([CONTROL_VARIANT] if has_control else []), ""]


def _totals(rows: Iterable[tuple[Counter, float]]) -> dict[str, int]:
    """Return sums by metric, in the order of metrics. Money is left out: currencies differ."""
    sums: dict[str, float] = defaultdict(float)
    for counter, amount in rows:
        sums[counter.metric] += amount
    return {
        name: round(sums[name])
        for name, metric in METRICS.items()
        if name in sums and metric.kind != "money"
    }


def _details(rows: _Rows) -> tuple[list[Detail], int]:
    """Return the largest numbers by detail, in the order of metrics, and how many are left off."""
    sums: dict[tuple[str, str, str, str], float] = defaultdict(float)
    for one, amount in rows:
        if one.detail and METRICS[one.metric].kind != "money":
            sums[one.metric, one.detail, one.variant, one.channel] += amount
    found = [Detail(*names, round(amount)) for names, amount in sums.items()]
    found.sort(key=lambda one: (-one.value, one.metric, one.detail, one.variant, one.channel))
    places = {name: place for place, name in enumerate(METRICS)}
    shown = sorted(found[:STATS_DETAILS_MAX], key=lambda one: places[one.metric])
    return shown, len(found) - len(shown)


def _revenue(rows: _Rows) -> list[Revenue]:
    sums: dict[tuple[str, str, str], float] = defaultdict(float)
    for counter, amount in rows:
        if METRICS[counter.metric].kind == "money":
            letter, _, currency = counter.detail.partition(" ")
            sums[counter.variant, letter, currency] += amount
    return [Revenue(*names, round(amount, _MONEY_DIGITS)) for names, amount in sorted(sums.items())]


def _rates(rows: _Rows, variants: Sequence[str], asked: str | None) -> list[Rate]:
    """Return the rates of all treated users, and of each variant; of the one that is asked for."""
    treated = [row for row in rows if row[0].variant != CONTROL_VARIANT]
    groups: list[tuple[str | None, _Rows]] = [] if asked is not None else [(None, treated)]
    for name in filter(None, variants):
        groups.append((name, [row for row in rows if row[0].variant == name]))
    rates: list[Rate] = []
    for variant, group in groups:
        for channel in CHANNELS:
            totals = _totals(row for row in group if row[0].channel == channel)
            if totals:
                rates += message_rates(channel, totals, variant)
        rates += _conversion_rates(group, variant)
    return rates


def _conversion_rates(rows: _Rows, variant: str | None) -> Iterable[Rate]:
    totals: Totals = _totals(rows)
    of = "unique_control" if variant == CONTROL_VARIANT else "unique_received"
    letters: Tally[str] = Tally()
    for counter, amount in rows:
        if counter.metric == "unique_conversions":
            letters[counter.detail] += round(amount)
    for letter, users in sorted(letters.items()):
        yield rate(
            "conversion_rate",
            users,
            totals.get(of, 0),
            of,
            variant=variant,
            conversion_event=letter,
        )


def _uplift(document: Campaign, variants: Sequence[str], rows: _Rows) -> list[Compared]:
    users: Tally[str] = Tally()
    converted: Tally[tuple[str, str]] = Tally()
    for counter, amount in rows:
        if counter.metric in ("unique_received", "unique_control"):
            users[counter.variant] += round(amount)
        elif counter.metric == "unique_conversions":
            converted[counter.variant, counter.detail] += round(amount)
    treated = [name for name in variants if name not in (CONTROL_VARIANT, "")]
    return compare(document, treated, users, converted)


def _series(sums: dict[Counter, float], period: Period, totals: Totals) -> list[Point]:
    """Return the spans in which anything was counted, oldest first; `totals` are of them all.

    Of a gauge, which has its value at the end of each span, only changes are counted: so they are
    taken back from what it comes to in the end.
    """
    rows: dict[int, _Rows] = defaultdict(list)
    for counter, amount in sums.items():
        if counter.metric in METRICS:
            rows[counter.hour].append((counter, amount))
    zone = zone_of(period.time_zone, "UTC")
    levels = {name: n for name, n in totals.items() if METRICS[name].kind == "gauge"}
    points: list[Point] = []
    for begin in sorted(rows, reverse=True):
        changes = _totals(rows[begin])
        day = str(wall_of(begin, zone).date()) if period.by == "day" else None
        points.append(Point(format_instant(begin), {**changes, **levels}, day))
        levels = {name: level - changes.get(name, 0) for name, level in levels.items()}
    return points[::-1]
