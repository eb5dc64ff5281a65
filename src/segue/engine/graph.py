"""Which campaigns follow which: the connections, their loops, and the order to publish in.

Only triggers connect; an exception or conversion that names a campaign makes no follower.
"""

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

from msgspec import Struct

from segue.engine.references import references_in
from segue.model.campaigns import After, Campaign, Delay, DidNot, InteractWithCampaign
from segue.model.channels import RECEIVED_AT_HAND_OVER
from segue.model.filters import Tagged
from segue.model.instants import parse_duration
from segue.model.interactions import INTERACTIONS, RECEIVE_BY_CHANNEL

# What Segue itself does with a user: nobody has to act for these to happen (semantics.md 2).
_AUTOMATIC: Final = frozenset(
    ("control_group_enroll", *(RECEIVE_BY_CHANNEL[channel] for channel in RECEIVED_AT_HAND_OVER))
)
NO_IDS: Final[Mapping[str, str]] = MappingProxyType({})


class Edge(Struct, frozen=True):
    """One campaign follows another: an interaction with `target` enters users into `follower`.

    `path` is where the follower says so. An edge is endless where nothing ever holds it up: it
    fires with nobody acting, and the follower has no delay and takes the same user always.
    """

    follower: str
    target: str
    interaction: str
    path: str
    is_endless: bool = False


def edges(campaigns: Mapping[str, Campaign], slug_by_id: Mapping[str, str] = NO_IDS) -> list[Edge]:
    """Return the edges among campaigns that have passed their checks, by follower and trigger.

    Campaigns are keyed by slug; a reference to one that is not there gives no edge. A tag, or
    "any", gives one to each campaign whose messages can produce the interaction.
    """
    return [
        _edge(campaigns, follower, target, reference.spec, reference.path)
        for follower in sorted(campaigns)
        for reference in references_in(campaigns[follower])
        if reference.is_trigger and isinstance(reference.spec, InteractWithCampaign | DidNot)
        for target in _targets(reference.spec, campaigns, slug_by_id)
    ]


def publish_order(
    campaigns: Mapping[str, Campaign], slug_by_id: Mapping[str, str] = NO_IDS
) -> list[str]:
    """Return the slugs, followers before targets; a loop is broken at the same place always."""
    followers: dict[str, list[str]] = {slug: [] for slug in campaigns}
    for edge in edges(campaigns, slug_by_id):
        followers[edge.target].append(edge.follower)
    order: list[str] = []
    seen: set[str] = set()
    for first in sorted(campaigns):
        # A walk without recursion, since a chain may be as long as there are campaigns.
        pending = [(first, iter(followers[first]))] if first not in seen else []
        seen.add(first)
        while pending:
            slug, rest = pending[-1]
            follower = next((one for one in rest if one not in seen), None)
            if follower is None:
                order.append(slug)
                pending.pop()
            else:
                seen.add(follower)
                pending.append((follower, iter(followers[follower])))
    return order


def followers_of(slugs: Iterable[str], found: Iterable[Edge]) -> list[str]:
    """Return those that follow one of the campaigns, directly or through others, by slug.

    The campaigns themselves are not among them.
    """
    followers: dict[str, set[str]] = {}
    for edge in found:
        followers.setdefault(edge.target, set()).add(edge.follower)
    reached = set(slugs)
    pending = [*reached]
    beginning = frozenset(reached)
    while pending:
        new = followers.get(pending.pop(), set()) - reached
        reached |= new
        pending += new
    return sorted(reached - beginning)


def cycles(
    campaigns: Mapping[str, Campaign], slug_by_id: Mapping[str, str] = NO_IDS
) -> list[list[str]]:
    """Return the shortest loop through each edge that is in one, each loop once, shortest first.

    A loop reads in the order of what happens: the second campaign follows the first, and the
    first follows the last. It begins with its first slug by name.
    """
    found = edges(campaigns, slug_by_id)
    targets = targets_by_follower(found)
    loops = {
        tuple(_from_smallest(loop)) for edge in found if (loop := shortest_loop([edge], targets))
    }
    return [list(loop) for loop in sorted(loops, key=lambda loop: (len(loop), loop))]


def targets_by_follower(connections: Iterable[Edge]) -> dict[str, set[str]]:
    """Return which campaigns each follower follows."""
    targets: dict[str, set[str]] = {}
    for edge in connections:
        targets.setdefault(edge.follower, set()).add(edge.target)
    return targets


def shortest_loop(starts: Iterable[Edge], targets: Mapping[str, set[str]]) -> list[str]:
    """Return the shortest loop through one of the edges, its follower first; none is empty."""
    loops = [loop for edge in starts if (loop := _loop_through(edge, targets))]
    return min(loops, key=len, default=[])


def _loop_through(edge: Edge, targets: Mapping[str, set[str]]) -> list[str]:
    came_from = {edge.target: ""}
    level = [edge.target]
    while level and edge.follower not in came_from:
        following = []
        for slug in level:
            for target in sorted(targets.get(slug, ())):
                if target not in came_from:
                    came_from[target] = slug
                    following.append(target)
        level = following
    if edge.follower not in came_from:
        return []
    loop = [edge.follower]
    while came_from[loop[-1]]:
        loop.append(came_from[loop[-1]])
    return loop


def _from_smallest(loop: list[str]) -> list[str]:
    start = loop.index(min(loop))
    return loop[start:] + loop[:start]


def _edge(
    campaigns: Mapping[str, Campaign],
    follower: str,
    target: str,
    spec: InteractWithCampaign | DidNot,
    path: str,
) -> Edge:
    is_endless = (
        isinstance(spec, InteractWithCampaign)
        and _is_automatic(spec, campaigns[target])
        and _is_never_held_up(campaigns[follower])
    )
    name = "did_not" if isinstance(spec, DidNot) else spec.interaction
    return Edge(follower, target, name, path, is_endless)


def _targets(
    spec: InteractWithCampaign | DidNot,
    campaigns: Mapping[str, Campaign],
    slug_by_id: Mapping[str, str],
) -> Iterator[str]:
    reference = spec.campaign
    if isinstance(reference, str) and reference != "any":
        slug = slug_by_id.get(reference, reference)
        if slug in campaigns:
            yield slug
        return
    for slug in sorted(campaigns):
        campaign = campaigns[slug]
        is_meant = not isinstance(reference, Tagged) or reference.tag in campaign.tags
        if is_meant and _can_produce(campaign, spec):
            yield slug


def _can_produce(campaign: Campaign, spec: InteractWithCampaign | DidNot) -> bool:
    match spec.interaction:
        case "control_group_enroll":
            return campaign.control_percent > 0
        case "conversion":
            return "ABCD".index(spec.conversion_event or "A") < len(campaign.conversions)
        case "exception_event":
            waits = any(trigger.did_not for trigger in campaign.delivery.triggers)
            return waits or bool(campaign.delivery.exceptions)
    channel = INTERACTIONS[spec.interaction].channel or "email"  # alias_click has none of its own
    return channel in campaign.channels()


def _is_automatic(spec: InteractWithCampaign, target: Campaign) -> bool:
    if spec.interaction != "conversion":
        return spec.interaction in _AUTOMATIC
    return any(
        happening is not None and happening.interaction in _AUTOMATIC
        for letter, conversion in zip("ABCD", target.conversions, strict=False)
        if spec.conversion_event in (None, letter)
        for happening in (conversion.interact_with_campaign,)
    )


def _is_never_held_up(follower: Campaign) -> bool:
    delay, pause = follower.delivery.delay, follower.re_eligibility
    # A local time of the same day may have passed, and then comes at once, again and again.
    has_delay = isinstance(delay, Delay) and (
        parse_duration(delay.after) > 0 if delay.after is not None else delay.in_days != 0
    )
    if any(trigger.did_not for trigger in follower.delivery.triggers):
        return False
    if isinstance(pause, After):
        return not has_delay and parse_duration(pause.after) == 0
    return not has_delay and pause == "always"
