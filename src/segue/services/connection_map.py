"""The connections as a picture shows them: campaigns as nodes, what leads from one to another.

It is the same for the drawing, for its table and for the text that can be copied.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from segue.engine.graph import Edge, followers_of
from segue.model.campaigns import Campaign, Delay
from segue.model.channels import CHANNELS
from segue.model.interactions import INTERACTIONS
from segue.model.limits import DRAWN_EDGES_MAX, DRAWN_NODES_MAX
from segue.services.campaign_list import CampaignFilter
from segue.services.campaign_sentences import happening_said
from segue.services.connections import Connection, Connections
from segue.services.explanations.words import Words, lasting
from segue.storage.ports import StoredCampaign

UNTAGGED: Final = "no tag"
_PART_OF_TAG: Final = "tag:"  # no slug has a colon


class MapNode(Struct, frozen=True):
    """A campaign; or all of a tag, where there are too many: then it has no state of its own."""

    key: str
    name: str
    state: str
    channels: list[str]
    tags: list[str]
    counts: dict[str, int]
    follows: int = 0
    followed_by: int = 0
    members: int = 1


class MapEdge(Struct, frozen=True):
    """What leads from a target to its follower: by which interaction, after how long, unless what.

    Between tags it stands for several connections.
    """

    follower: str
    target: str
    label: str
    delay: str
    exceptions: list[str]
    entered: int
    waiting: int
    cancelled: int
    is_late: bool
    is_in_cycle: bool
    connections: int = 1


class ConnectionMap(Struct, frozen=True):
    """What is shown of the connections."""

    nodes: list[MapNode]
    edges: list[MapEdge]
    is_by_tag: bool
    edges_left_off: int  # from the drawing


class MapFilter(Struct, frozen=True):
    """Which campaigns are shown: those that a filter takes, and those connected to one."""

    campaigns: CampaignFilter
    near: str = ""


def map_of(
    campaigns: Sequence[StoredCampaign], found: Connections, words: Words, wanted: MapFilter
) -> ConnectionMap:
    """Return the map of the campaigns that are wanted."""
    shown = {one.slug: one for one in campaigns if wanted.campaigns.takes(one)}
    if wanted.near:
        connected = near(wanted.near, found)
        shown = {slug: one for slug, one in shown.items() if slug in connected}
    counts = {node.slug: node.counts for node in found.nodes}
    marks = _Marks(found)
    edges = [
        _edge(one, shown[one.follower].document, marks, words)
        for one in found.edges
        if one.follower in shown and one.target in shown
    ]
    neighbours = _neighbours(edges)
    nodes = [
        _node(one, counts.get(slug, {}), *neighbours[slug])
        for slug, one in sorted(shown.items(), key=lambda pair: pair[1].document.name.lower())
    ]
    return ConnectionMap(nodes, edges, is_by_tag=False, edges_left_off=0)


def drawn(whole: ConnectionMap) -> ConnectionMap:
    """Return as much of a map as a picture can show: of many campaigns, their tags."""
    nodes, edges = whole.nodes, whole.edges
    is_by_tag = len(nodes) > DRAWN_NODES_MAX
    if is_by_tag:
        nodes, edges = _by_tag(whole)
    # Of tags there may be as many as of campaigns; the largest tell most.
    kept = sorted(nodes, key=lambda one: -one.members)[:DRAWN_NODES_MAX]
    keys = {one.key for one in kept}
    nodes = [one for one in nodes if one.key in keys]
    edges = [one for one in edges if one.follower in keys and one.target in keys]
    return ConnectionMap(nodes, edges[:DRAWN_EDGES_MAX], is_by_tag, len(edges[DRAWN_EDGES_MAX:]))


def near(slug: str, found: Connections) -> set[str]:
    """Return a campaign, all that it leads to and all that lead to it, through others too."""
    forth = [Edge(one.follower, one.target, "", "") for one in found.edges]
    back = [Edge(one.target, one.follower, "", "") for one in found.edges]
    return {slug, *followers_of([slug], forth), *followers_of([slug], back)}


def as_mermaid(shown: ConnectionMap) -> str:
    """Return the map as a text that draws it, in wikis and in git."""
    numbers = {node.key: f"c{number}" for number, node in enumerate(shown.nodes, 1)}
    lines = ["flowchart LR"]
    lines += [f'  {numbers[one.key]}["{_mermaid(one.name)}"]' for one in shown.nodes]
    for edge in shown.edges:
        said = ", ".join(filter(None, (edge.label, edge.delay)))
        unless = f" unless {' or '.join(edge.exceptions)}" if edge.exceptions else ""
        label = _mermaid(said + unless)
        lines.append(f'  {numbers[edge.target]} -->|"{label}"| {numbers[edge.follower]}')
    return "\n".join(lines)


def delay_words(delay: Any) -> str:
    """Return how long a follower waits, in a few words; nothing if it does not."""
    if isinstance(delay, Delay):
        if delay.after is not None:
            return lasting(delay.after)
        at = f" at {delay.at}" if delay.at else ""
        if delay.on_next is not None:
            return f"next {delay.on_next.capitalize()}{at}"
        return f"in {delay.in_days} days{at}"
    return ""


def interaction_words(interaction: str, options: Mapping[str, Any]) -> str:
    """Return an interaction as the label of an arrow."""
    found = INTERACTIONS.get(options.get("interaction", interaction))
    label = found.label if found is not None else interaction
    if interaction == "did_not":
        label = f"Not: {label.lower()}"
    detail = next((options[one] for one in ("alias", "button", "page") if options.get(one)), "")
    return f"{label} “{detail}”" if detail else label


class _Marks:
    """What is to be said of arrows, as pairs of follower and target."""

    def __init__(self, found: Connections) -> None:
        self.late = {(one.follower, one.target) for one in found.late_publications}
        # A cycle reads in the order of what happens, and its last leads to its first.
        self.in_cycles = {
            (slug, cycle[number - 1]) for cycle in found.cycles for number, slug in enumerate(cycle)
        }


def _node(
    campaign: StoredCampaign, counts: dict[str, int], follows: int, followed_by: int
) -> MapNode:
    document = campaign.document
    channels: list[str] = [*document.channels()]
    return MapNode(
        campaign.slug,
        document.name,
        campaign.status,
        channels,
        document.tags,
        counts,
        follows,
        followed_by,
    )


def _edge(one: Connection, follower: Campaign, marks: _Marks, words: Words) -> MapEdge:
    pair = (one.follower, one.target)
    is_did_not = one.interaction == "did_not"
    delay = lasting(one.delay["after"]) if is_did_not else delay_words(follower.delivery.delay)
    return MapEdge(
        follower=one.follower,
        target=one.target,
        label=interaction_words(one.interaction, one.options),
        delay=delay,
        exceptions=[happening_said(each, words) for each in follower.delivery.exceptions],
        entered=one.entered,
        waiting=one.waiting,
        cancelled=one.cancelled,
        is_late=pair in marks.late,
        is_in_cycle=pair in marks.in_cycles,
    )


def _neighbours(edges: Iterable[MapEdge]) -> Mapping[str, tuple[int, int]]:
    targets: dict[str, set[str]] = defaultdict(set)
    followers: dict[str, set[str]] = defaultdict(set)
    for one in edges:
        targets[one.follower].add(one.target)
        followers[one.target].add(one.follower)
    found: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for slug in {*targets, *followers}:
        found[slug] = (len(targets[slug]), len(followers[slug]))
    return found


def _by_tag(whole: ConnectionMap) -> tuple[list[MapNode], list[MapEdge]]:
    """Return a node for each first tag, and one edge for all connections between two of them."""
    groups: dict[str, list[MapNode]] = defaultdict(list)
    for node in whole.nodes:
        groups[node.tags[0] if node.tags else UNTAGGED].append(node)
    group_of = {one.key: _PART_OF_TAG + tag for tag, those in groups.items() for one in those}
    edges: dict[tuple[str, str], MapEdge] = {}
    for one in whole.edges:
        pair = (group_of[one.follower], group_of[one.target])
        if pair[0] == pair[1]:
            continue
        before = edges.get(pair)
        edges[pair] = (
            _joined(before, one)
            if before is not None
            else replace(
                one, follower=pair[0], target=pair[1], label="1 connection", delay="", exceptions=[]
            )
        )
    neighbours = _neighbours(edges.values())
    nodes = [_group(tag, those, *neighbours[_PART_OF_TAG + tag]) for tag, those in groups.items()]
    return sorted(nodes, key=lambda one: one.name), [*edges.values()]


def _group(tag: str, those: Sequence[MapNode], follows: int, followed_by: int) -> MapNode:
    counts: dict[str, int] = defaultdict(int)
    for one in those:
        for metric, amount in one.counts.items():
            counts[metric] += amount
    used = {channel for one in those for channel in one.channels}
    channels: list[str] = [one for one in CHANNELS if one in used]
    key = _PART_OF_TAG + tag
    return MapNode(
        key, tag, "", channels, [tag], dict(counts), follows, followed_by, members=len(those)
    )


def _joined(edge: MapEdge, one: MapEdge) -> MapEdge:
    count = edge.connections + 1
    return replace(
        edge,
        label=f"{count} connections",
        entered=edge.entered + one.entered,
        waiting=edge.waiting + one.waiting,
        cancelled=edge.cancelled + one.cancelled,
        is_late=edge.is_late or one.is_late,
        is_in_cycle=edge.is_in_cycle or one.is_in_cycle,
        connections=count,
    )


def _mermaid(text: str) -> str:
    """Return a text as Mermaid takes it between quotes."""
    codes = {"&": "#amp;", '"': "#quot;", "<": "#lt;", ">": "#gt;", "#": "#35;", "`": "#96;"}
    return " ".join("".join(codes.get(one, one) for one in text).split())
