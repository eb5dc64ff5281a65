"""What publishing a campaign would meet among the others (semantics.md 1, 2)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from types import MappingProxyType
from typing import Final

from msgspec import Struct

from segue.engine.doubts import doubts_of
from segue.engine.graph import NO_IDS, Edge, edges, shortest_loop, targets_by_follower
from segue.engine.references import Reference, references_in, references_of_filter
from segue.engine.target_checks import KnownCampaign, check_target, doubts_of_target
from segue.engine.workspace_checks import check_filter_among, check_segment_among
from segue.model.campaigns import Campaign
from segue.model.decoding import did_you_mean, shown
from segue.model.filters import Tagged
from segue.model.problems import Problem
from segue.model.workspace import Segment, Workspace

NO_SEGMENTS: Final[Mapping[str, Segment]] = MappingProxyType({})
_PLAIN_WORKSPACE: Final = Workspace()


class References(Struct, frozen=True):
    """What is wrong, and what is doubtful, about a campaign's references to others."""

    errors: list[Problem]
    warnings: list[Problem]


def check_references(
    campaign: Campaign,
    known: Mapping[str, KnownCampaign],
    segments: Mapping[str, Segment] = NO_SEGMENTS,
    workspace: Workspace = _PLAIN_WORKSPACE,
) -> References:
    """Return what publishing would meet (semantics.md 1, 2).

    The campaign has passed its own checks; `known` are the other campaigns, by slug.
    """
    errors = list(check_names(campaign, segments, workspace))
    itself = KnownCampaign(campaign.slug, "", "active", campaign)
    found = _check_each(references_in(campaign), known, itself)
    return References([*errors, *found.errors], [*found.warnings, *doubts_of(campaign)])


def check_names(
    campaign: Campaign, segments: Mapping[str, Segment], workspace: Workspace
) -> Iterator[Problem]:
    """Yield the segments and subscription groups that a campaign names and that are not there."""
    yield from check_filter_among(campaign.audience, "audience", segments, workspace)
    groups = [group.slug for group in workspace.subscription_groups]
    if campaign.subscription_group is not None and campaign.subscription_group not in groups:
        hint = did_you_mean(campaign.subscription_group, groups)
        message = f"there is no subscription group {shown(campaign.subscription_group)}{hint}"
        yield Problem("subscription_group", message)


def check_segment_references(
    segment: Segment,
    known: Mapping[str, KnownCampaign],
    segments: Mapping[str, Segment],
    workspace: Workspace,
) -> References:
    """Return what a segment meets among the campaigns and the other segments."""
    errors = check_segment_among(segment, segments, workspace)
    found = _check_each(references_of_filter(segment.filter, "filter"), known)
    return References([*errors, *found.errors], found.warnings)


def _check_each(
    references: Iterable[Reference],
    known: Mapping[str, KnownCampaign],
    itself: KnownCampaign | None = None,
) -> References:
    """Return what is wrong with references; `itself` is the campaign they stand in."""
    errors: list[Problem] = []
    warnings: list[Problem] = []
    by_id = {one.id: one for one in known.values()}
    for reference in references:
        spec, path = reference.spec, reference.path
        if isinstance(spec.campaign, Tagged):
            tag = spec.campaign.tag
            if not any(
                tag in one.document.tags and one.status != "archived" for one in known.values()
            ):
                message = f"no campaign bears the tag {shown(tag)} yet"
                warnings.append(Problem(f"{path}.campaign", message))
        elif itself is not None and spec.campaign == itself.slug:
            errors += check_target(spec, itself, path)
        elif spec.campaign != "any":
            target = known.get(spec.campaign) or by_id.get(spec.campaign)
            if target is None:
                hint = did_you_mean(spec.campaign, [*known])
                message = f"there is no campaign {shown(spec.campaign)}{hint}"
                errors.append(Problem(f"{path}.campaign", message))
                continue
            errors += check_target(spec, target, path)
            warnings += doubts_of_target(spec, target, path)
    return References(errors, warnings)


class Loop(Struct, frozen=True):
    """A loop that a trigger of its first campaign closes; `path` is where that trigger stands."""

    slugs: list[str]
    path: str
    is_endless: bool

    def problem(self) -> Problem:
        """Return what to say about it."""
        drawn = " → ".join((*self.slugs, self.slugs[0]))
        if not self.is_endless:
            return Problem(self.path, f"closes a loop of campaigns: {drawn}")
        message = (
            f"closes a loop that nothing ever stops: {drawn}; give one of these "
            'a delay, or a re_eligibility other than "always"'
        )
        return Problem(self.path, message)


def check_cycles(
    campaign: Campaign, others: Mapping[str, Campaign], slug_by_id: Mapping[str, str] = NO_IDS
) -> References:
    """Return the loops that a campaign closes with the others that send, or are about to.

    One in which nothing ever waits for a person, a delay or re-eligibility is an error.
    """
    loops = loops_of(campaign.slug, edges({**others, campaign.slug: campaign}, slug_by_id))
    return References(
        [loop.problem() for loop in loops if loop.is_endless],
        [loop.problem() for loop in loops if not loop.is_endless],
    )


def loops_of(slug: str, found: Sequence[Edge]) -> list[Loop]:
    """Return the loops that a campaign's triggers close among the edges, by trigger.

    A tag or "any" can close many loops through one trigger; the shortest is enough to look at.
    """
    follows = targets_by_follower(found)
    follows_endlessly = targets_by_follower(edge for edge in found if edge.is_endless)
    loops: list[Loop] = []
    own = [edge for edge in found if edge.follower == slug]
    for path, group in groupby(own, lambda edge: edge.path):
        alike = list(group)
        endless = [edge for edge in alike if edge.is_endless]
        if slugs := shortest_loop(endless, follows_endlessly):
            loops.append(Loop(slugs, path, is_endless=True))
        elif slugs := shortest_loop(alike, follows):
            loops.append(Loop(slugs, path, is_endless=False))
    return loops
