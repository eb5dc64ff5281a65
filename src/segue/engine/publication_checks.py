"""What publishing campaigns together would meet: each is checked against the set as it will be."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import replace

from segue.engine.doubts import shortest_delay
from segue.engine.graph import edges
from segue.engine.local_time import bound_instant, zone_of
from segue.engine.recurrence import EARLIEST_OFFSET, LATEST_OFFSET, next_occurrence
from segue.engine.reference_checks import References, check_references, loops_of
from segue.engine.target_checks import KnownCampaign
from segue.model.campaigns import Campaign
from segue.model.decoding import shown
from segue.model.instants import MINUTE, format_duration, format_instant
from segue.model.problems import Problem
from segue.model.workspace import Segment, Workspace

_UTC: Final = ZoneInfo("UTC")


class Surroundings(Struct, frozen=True):
    """Where campaigns are published: what else there is, and when."""

    others: Mapping[str, KnownCampaign]  # by slug, without those that are published
    segments: Mapping[str, Segment]
    workspace: Workspace
    now: int


class Finding(Struct, frozen=True):
    """A problem of one of the campaigns."""

    slug: str
    problem: Problem


class Findings(Struct, frozen=True):
    """What is wrong, and what is doubtful, by campaign in the order given."""

    errors: list[Finding]
    warnings: list[Finding]


def check_publication(
    published: Sequence[KnownCampaign],
    around: Surroundings,
    edited: Sequence[KnownCampaign] = (),
) -> Findings:
    """Return what publishing campaigns at one instant would meet (semantics.md 1, 2).

    `edited` get a new version in the same instant; their schedules may have come already.
    """
    findings = Findings([], [])
    connections = _Connections([*published, *edited], around)
    for one in edited:
        found = connections.check(one)
        findings.errors.extend(Finding(one.slug, problem) for problem in found.errors)
        findings.warnings.extend(Finding(one.slug, problem) for problem in found.warnings)
    for one in published:
        found = connections.check(one)
        errors = [*found.errors, *_check_schedule(one.document, around)]
        warnings = [
            *found.warnings,
            *_doubts_of_window(one.document, around),
            *connections.doubts_of_order(one.slug),
        ]
        findings.errors.extend(Finding(one.slug, problem) for problem in errors)
        findings.warnings.extend(Finding(one.slug, problem) for problem in warnings)
    return findings


def check_edit(edited: KnownCampaign, around: Surroundings) -> list[Problem]:
    """Return what is wrong with a new version of an active campaign among the others."""
    found = check_publication([], around, [edited])
    return [one.problem for one in found.errors]


class _Connections:
    """Who follows whom once the campaigns are published; a loop is told of once."""

    def __init__(self, published: Sequence[KnownCampaign], around: Surroundings) -> None:
        self._around = around
        about_to_be = {one.slug: replace(one, status="active") for one in published}
        self._known = {**around.others, **about_to_be}
        self._edges = edges(
            {slug: one.document for slug, one in self._known.items() if one.status != "archived"},
            {one.id: slug for slug, one in self._known.items()},
        )
        active = {slug for slug, one in self._known.items() if one.status == "active"}
        self._sending = [one for one in self._edges if {one.follower, one.target} <= active]
        self._told: set[frozenset[str]] = set()

    def check(self, campaign: KnownCampaign) -> References:
        """Return what is wrong and doubtful about a campaign's references, and its loops."""
        others = {slug: one for slug, one in self._known.items() if slug != campaign.slug}
        segments, workspace = self._around.segments, self._around.workspace
        found = check_references(campaign.document, others, segments, workspace)
        loops = loops_of(campaign.slug, self._sending)
        untold = [loop for loop in loops if frozenset(loop.slugs) not in self._told]
        self._told |= {frozenset(loop.slugs) for loop in loops}
        endless = [loop.problem() for loop in untold if loop.is_endless]
        harmless = [loop.problem() for loop in untold if not loop.is_endless]
        return References([*found.errors, *endless], [*found.warnings, *harmless])

    def doubts_of_order(self, slug: str) -> Iterator[Problem]:
        """Warn of the drafts that follow a campaign: they miss what happens from now on."""
        followers = {edge.follower for edge in self._edges if edge.target == slug}
        for follower in sorted(followers):
            if self._known[follower].status == "draft":
                message = (
                    f"{follower} follows this campaign and is a draft: "
                    "what happens before it is published will not enter anyone"
                )
                yield Problem("", message)


def _check_schedule(document: Campaign, around: Surroundings) -> Iterator[Problem]:
    """Yield why a scheduled campaign would never come if it were published now."""
    schedule, time_zone = document.delivery.schedule, around.workspace.time_zone
    if schedule is None or schedule.at is None:
        return  # a cron schedule that never comes is refused by itself
    if next_occurrence(schedule, time_zone, around.now - 1) is not None:
        return
    message = f"{shown(schedule.at)} is past; choose a time to come"
    if schedule.local:
        began_at = bound_instant(schedule.at, _UTC) - EARLIEST_OFFSET
        message = (
            f"{shown(schedule.at)} came at {format_instant(began_at)} to the first users, whose "
            "clocks are 14 hours before UTC, and that is past; choose a later time"
        )
    yield Problem("delivery.schedule.at", message)


def _doubts_of_window(document: Campaign, around: Surroundings) -> Iterator[Problem]:
    """Warn of a window that is over, for everybody, before it could do anything.

    One with a start is compared with the delay by itself, whenever it is published.
    """
    window = document.delivery.window
    if window is None or window.end is None:
        return
    if window.local:
        ended_at = bound_instant(window.end, _UTC) + LATEST_OFFSET
    else:
        ended_at = bound_instant(window.end, zone_of(around.workspace.time_zone, "UTC"))
    if ended_at <= around.now:
        message = f"{shown(window.end)} is past: the campaign will enter nobody"
        yield Problem("delivery.window.end", message)
    elif (delay := shortest_delay(document)) >= ended_at - around.now and not window.start:
        waits, left = format_duration(delay), ended_at - around.now
        message = (
            f"the delay ({waits}) is longer than what is left of the window "
            f"({format_duration(left - left % MINUTE)}), so nobody would get this; shorten the "
            f"delay, or move the end past {format_instant(around.now + delay)}"
        )
        yield Problem("delivery.delay", message)
