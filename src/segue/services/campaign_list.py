"""Campaigns as lists show them: which are wanted, how they are connected, their newest numbers."""

from collections import Counter as Tally
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from msgspec import Struct

from segue.engine.graph import Edge, edges
from segue.engine.local_time import at_local, wall_of, zone_of
from segue.model.instants import DAY, FOREVER
from segue.runtime.runtime import Runtime
from segue.services.rates import deliveries_of
from segue.services.spans import Period, newest_bounds
from segue.storage.ports import CampaignStatus, StoredCampaign, Sums

STATUSES: Final[tuple[CampaignStatus, ...]] = ("active", "draft", "stopped", "archived")
_WEEK_DAYS: Final = 7


class CampaignFilter(Struct, frozen=True):
    """Which campaigns are wanted; what is empty does not matter, and archived ones are asked for.

    The text is looked for in names, slugs and tags.
    """

    state: str = ""
    channel: str = ""
    tag: str = ""
    text: str = ""

    def takes(self, campaign: StoredCampaign) -> bool:
        """Return whether a campaign is one of them."""
        document = campaign.document
        return (
            (campaign.status == self.state if self.state else campaign.status != "archived")
            and (not self.channel or self.channel in document.channels())
            and (not self.tag or self.tag in document.tags)
            and is_named(campaign, self.text.lower())
        )

    @property
    def is_empty(self) -> bool:
        """Whether nothing in particular is wanted."""
        return self == CampaignFilter()


class Neighbours(Struct, frozen=True):
    """How many campaigns a campaign follows, and how many follow it."""

    follows: int
    followed_by: int


class Week(Struct, frozen=True):
    """A campaign's last seven days in the workspace's time zone, today among them."""

    sent: int
    delivered: int
    converted: int
    sent_daily: list[int]


def is_named(campaign: StoredCampaign, text: str) -> bool:
    """Return whether a text in small letters is in a campaign's name, slug or tags."""
    document = campaign.document
    return any(text in one.lower() for one in (document.name, document.slug, *document.tags))


def newest_first(campaigns: Iterable[StoredCampaign]) -> list[StoredCampaign]:
    """Return campaigns in the order of their last change, the newest first."""
    return sorted(campaigns, key=lambda one: (-one.updated_at, one.slug))


def tags_of(campaigns: Iterable[StoredCampaign]) -> list[str]:
    """Return the tags that campaigns bear, by name."""
    return sorted({tag for one in campaigns for tag in one.document.tags})


def edges_among(campaigns: Iterable[StoredCampaign]) -> list[Edge]:
    """Return who follows whom among the campaigns that are not archived."""
    there = [one for one in campaigns if one.status != "archived"]
    return edges({one.slug: one.document for one in there}, {one.id: one.slug for one in there})


def neighbours_of(found: Sequence[Edge]) -> Mapping[str, Neighbours]:
    """Return how many neighbours each campaign has that has any."""
    pairs = {(one.follower, one.target) for one in found}
    follows, followed = Tally(one for one, _ in pairs), Tally(one for _, one in pairs)
    return {slug: Neighbours(follows[slug], followed[slug]) for slug in {*follows, *followed}}


async def weeks_of(runtime: Runtime, slugs: Iterable[str]) -> dict[str, Week]:
    """Return the last seven days of campaigns."""
    bounds = _days(runtime)
    days = Sums(bounds, by_metric=True)
    week = Sums([bounds[0], FOREVER])
    found = {}
    for slug in slugs:
        in_all, daily = await runtime.counters.add_up(slug, [week, days])
        metrics: Tally[str] = Tally()
        by_channel: dict[str, Tally[str]] = {}
        for counter, amount in in_all.items():
            metrics[counter.metric] += round(amount)
            by_channel.setdefault(counter.channel, Tally())[counter.metric] += round(amount)
        sent = {one.hour: round(n) for one, n in daily.items() if one.metric == "sent"}
        found[slug] = Week(
            sent=metrics["sent"],
            delivered=sum(deliveries_of(totals)[0] for totals in by_channel.values()),
            converted=metrics["conversions"],
            sent_daily=[sent.get(begin, 0) for begin in bounds[:-1]],
        )
    return found


def _days(runtime: Runtime) -> list[int]:
    """Return where the last seven days begin, and where the last one ends."""
    time_zone, now = runtime.plan.workspace.time_zone, runtime.processor.fold.now
    zone = zone_of(time_zone, "UTC")
    first = wall_of(max(now - (_WEEK_DAYS - 1) * DAY, 0), zone).date()
    return newest_bounds(Period(time_zone, at_local(first, 0, zone)), now)
