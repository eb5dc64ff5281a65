"""The map in words, for whoever draws it: what each node and arrow is called and reads."""

from collections.abc import Sequence
from urllib.parse import quote, urlencode

from msgspec import Struct

from segue.services.connection_map import UNTAGGED, ConnectionMap, MapEdge, MapNode
from segue.services.explanations.words import channel_word
from segue.web.dashboard.looks import CHANNEL_ICONS
from segue.web.dashboard.places import campaign_path
from segue.web.dashboard.words import counted


class PictureNode(Struct, frozen=True):
    """A node: where it leads, what stands on it, and what it reads to who cannot see it."""

    key: str
    name: str
    path: str
    follow_path: str
    state: str
    icons: list[str]
    line: str
    reads: str
    detail: str


class PictureEdge(Struct, frozen=True):
    """An arrow from what is followed to what follows; `volume` is how many it led on."""

    source: str
    target: str
    label: str
    delay: str
    unless: str
    volume: int
    is_late: bool
    is_in_cycle: bool
    reads: str


class Picture(Struct, frozen=True):
    """What is drawn, as of when."""

    as_of: int  # milliseconds since 1970
    nodes: Sequence[PictureNode]
    edges: Sequence[PictureEdge]
    is_by_tag: bool


def picture_of(shown: ConnectionMap, now: int, *, may_draft: bool) -> Picture:
    """Return a map in words; who may draft is led to writing a follower of each campaign."""
    names = {node.key: node.name for node in shown.nodes}
    return Picture(
        now // 1_000,
        [_node(one, may_draft=may_draft) for one in shown.nodes],
        [_edge(one, names) for one in shown.edges],
        shown.is_by_tag,
    )


def node_reads(one: MapNode) -> str:
    """Return "Spring sale, email, active, 12,400 sent, leads to 2 campaigns"."""
    is_group = not one.state
    parts = [
        f"Tag {one.name}" if is_group else one.name,
        counted(one.members, "campaign") if is_group else "",
        *(channel_word(channel) for channel in one.channels),
        one.state,
        f"{one.counts.get('sent', 0):,} sent",
    ]
    what = "tag" if is_group else "campaign"
    if one.follows:
        parts.append(f"follows {counted(one.follows, what)}")
    if one.followed_by:
        parts.append(f"leads to {counted(one.followed_by, what)}")
    return ", ".join(filter(None, parts))


def edge_marks(one: MapEdge) -> list[str]:
    """Return what is to be said of an arrow beside what it is."""
    return [
        *(["published too late"] if one.is_late else []),
        *(["part of a loop"] if one.is_in_cycle else []),
    ]


def _node(one: MapNode, *, may_draft: bool) -> PictureNode:
    is_group = not one.state
    sent = one.counts.get("sent", 0)
    counts = {name: one.counts.get(name, 0) for name in ("entered", "waiting", "cancelled")}
    detail = [f"{amount:,} {name}" for name, amount in counts.items()]
    detail += [f"{sent:,} sent", f"{one.counts.get('conversions', 0):,} converted"]
    path = campaign_path(one.key)
    follow = f"/connections/follow?campaign={quote(one.key)}" if may_draft else ""
    line = f"{one.state} · {sent:,} sent"
    if is_group:
        is_untagged = one.name == UNTAGGED
        path = "/campaigns" if is_untagged else f"/connections?{urlencode({'tag': one.name})}"
        follow, line = "", f"{counted(one.members, 'campaign')} · {sent:,} sent"
    return PictureNode(
        one.key,
        one.name,
        path,
        follow,
        one.state or "group",
        [CHANNEL_ICONS[channel] for channel in one.channels if channel in CHANNEL_ICONS],
        line,
        node_reads(one),
        " · ".join(detail),
    )


def _edge(one: MapEdge, names: dict[str, str]) -> PictureEdge:
    unless = " or ".join(one.exceptions)
    parts = [
        f"{names[one.target]} leads to {names[one.follower]}",
        one.label,
        f"after {one.delay}"
        if one.delay and not one.delay.startswith(("in ", "next "))
        else one.delay,
        f"unless the user {unless}" if unless else "",
        f"{one.entered:,} entered, {one.waiting:,} waiting, {one.cancelled:,} cancelled",
        *edge_marks(one),
    ]
    return PictureEdge(
        source=one.target,
        target=one.follower,
        label=one.label,
        delay=one.delay,
        unless=unless,
        volume=one.entered,
        is_late=one.is_late,
        is_in_cycle=one.is_in_cycle,
        reads="; ".join(filter(None, parts)),
    )
