"""Numbers of several campaigns in a period, beside those of the period before.

They are added up from the counters of each campaign; comparisons of variants are of one campaign.
"""

from collections import Counter as Tally
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from msgspec import Struct, field

from segue.engine.local_time import wall_of, zone_of
from segue.model.channels import CHANNELS
from segue.model.limits import ANALYTICS_CAMPAIGNS_MAX
from segue.model.metrics import METRICS
from segue.model.state import CONTROL_VARIANT
from segue.runtime.runtime import Runtime
from segue.services.analytics_periods import Spans
from segue.services.rates import deliveries_of
from segue.services.spans import newest_bounds
from segue.storage.ports import Counter, StoredCampaign, Sums

_LOSSES: Final = ("refused", "cancelled", "skipped", "messages_skipped", "failed")
_CONVERTED: Final = ("unique_conversions", "conversions", "revenue")
_PRIMARY: Final = "A"

Totals = Tally[str]


class Wish(Struct, frozen=True):
    """Which campaigns and messages are wanted; what is empty does not matter."""

    campaign: str = ""
    channel: str = ""
    tag: str = ""

    def takes(self, campaign: StoredCampaign) -> bool:
        """Return whether a campaign is one of them."""
        return (not self.campaign or campaign.slug == self.campaign) and (
            not self.tag or self.tag in campaign.document.tags
        )


class Pair(Struct, frozen=True):
    """The totals of the period, and of the one before."""

    now: Totals = field(default_factory=Tally)
    before: Totals = field(default_factory=Tally)

    def add(self, other: "Pair") -> None:
        """Add the totals of another."""
        self.now.update(other.now)
        self.before.update(other.before)


class Row(Struct, frozen=True):
    """The numbers of one campaign, channel or tag."""

    key: str
    name: str
    pair: Pair


class Loss(Struct, frozen=True):
    """How often something ended at a step, and why."""

    metric: str
    reason: str
    count: int


class Day(Struct, frozen=True):
    """The totals of a day, or of an hour, that begins at an instant."""

    at: int
    label: str
    totals: Totals


class Analytics(Struct, frozen=True):
    """Everything that the page shows of many campaigns.

    `arrived` is counted beside the metrics: what providers reported as delivered, or what did not
    come back.
    """

    all: Pair
    waiting: int
    losses: list[Loss]
    campaigns: list[Row]
    channels: list[Row]
    tags: list[Row]
    days: list[Day]
    left_off: int  # campaigns beyond the bound


async def analytics_of(
    runtime: Runtime,
    campaigns: Iterable[StoredCampaign],
    waiting: Mapping[str, int],
    wish: Wish,
    spans: Spans,
) -> Analytics:
    """Return the numbers of the campaigns that were ever published and are wanted."""
    wanted = [one for one in campaigns if one.version and wish.takes(one)]
    wanted.sort(key=lambda one: -(one.published_at or 0))
    by_day = newest_bounds(spans.period, runtime.processor.fold.now)
    tally = _Tally(wish, spans, by_day[:-1])
    for campaign in wanted[:ANALYTICS_CAMPAIGNS_MAX]:
        found, days = await runtime.counters.add_up(
            campaign.slug, [Sums(spans.bounds), Sums(by_day)]
        )
        tally.add(campaign, found, days)
    shown = wanted[:ANALYTICS_CAMPAIGNS_MAX]
    return Analytics(
        all=tally.whole,
        waiting=0 if wish.channel else sum(waiting.get(one.slug, 0) for one in shown),
        losses=tally.losses(),
        campaigns=_sorted(tally.campaigns.values()),
        channels=[tally.channels[one] for one in CHANNELS if one in tally.channels],
        tags=_sorted(tally.tags.values()),
        days=tally.days(),
        left_off=len(wanted) - len(shown),
    )


class _Tally:
    """Adds counters up, campaign by campaign."""

    def __init__(self, wish: Wish, spans: Spans, days: Sequence[int]) -> None:
        self._wish = wish
        self._spans = spans
        self.whole = Pair()
        self.campaigns: dict[str, Row] = {}
        self.channels: dict[str, Row] = {}
        self.tags: dict[str, Row] = {}
        self._losses: Tally[tuple[str, str]] = Tally()
        self._days: dict[int, Totals] = {begin: Tally() for begin in days}

    def add(
        self,
        campaign: StoredCampaign,
        found: Mapping[Counter, float],
        days: Mapping[Counter, float],
    ) -> None:
        """Add a campaign's counters: of the two periods, and by day."""
        pair, by_channel = Pair(), defaultdict[str, Pair](Pair)
        for counter, amount in found.items():
            span = self._spans.of(counter.hour)
            if span is None or not self._is_wanted(counter):
                continue
            for one in (pair, by_channel[counter.channel]):
                _count(one.now if span == "now" else one.before, counter, amount)
            if span == "now" and counter.metric in _LOSSES:
                self._losses[counter.metric, counter.detail] += round(amount)
        for channel, one in by_channel.items():
            if channel:
                _add_arrived(one, pair)
                row = self.channels.setdefault(channel, Row(channel, channel, Pair()))
                row.pair.add(one)
        self.whole.add(pair)
        self.campaigns[campaign.slug] = Row(campaign.slug, campaign.document.name, pair)
        for tag in campaign.document.tags:
            self.tags.setdefault(tag, Row(tag, tag, Pair())).pair.add(pair)
        for counter, amount in days.items():
            if self._is_wanted(counter):
                _count(self._days[counter.hour], counter, amount)

    def losses(self) -> list[Loss]:
        """Return what ended and why, by step, the most first."""
        found = [Loss(metric, reason, n) for (metric, reason), n in self._losses.items() if n]
        return sorted(found, key=lambda one: (_LOSSES.index(one.metric), -one.count, one.reason))

    def days(self) -> list[Day]:
        """Return the days, or hours, from the first to the last of the period."""
        zone = zone_of(self._spans.period.time_zone, "UTC")
        found = []
        for at in self._days:
            wall = wall_of(at, zone)
            is_hour = self._spans.period.by == "hour"
            label = f"{wall:%H}:00" if is_hour else f"{wall.day} {wall:%b}"
            found.append(Day(at, label, self._days[at]))
        return found

    def _is_wanted(self, counter: Counter) -> bool:
        return not self._wish.channel or counter.channel == self._wish.channel


def _count(totals: Totals, counter: Counter, amount: float) -> None:
    metric = METRICS.get(counter.metric)
    if metric is None or metric.kind in ("gauge", "money"):
        return
    is_of_others = counter.variant == CONTROL_VARIANT or counter.detail != _PRIMARY
    if counter.metric in _CONVERTED and is_of_others:
        return
    totals[counter.metric] += round(amount)


def _add_arrived(channel: Pair, whole: Pair) -> None:
    """Count what arrived of a channel; it has to be known before channels are added up."""
    for mine, all_of_it in ((channel.now, whole.now), (channel.before, whole.before)):
        arrived = deliveries_of(mine)[0]
        mine["arrived"] += arrived
        all_of_it["arrived"] += arrived


def _sorted(rows: Iterable[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: (-row.pair.now["sent"], -row.pair.now["entered"], row.name))


def share(part: int, whole: int) -> float | None:
    """Return a part of a whole; None of nothing."""
    return part / whole if whole else None


def series(days: Sequence[Day], metric: str) -> list[int]:
    """Return a metric day by day."""
    return [one.totals[metric] for one in days]
