"""The connections: which campaigns follow which, with what came of it (semantics.md 2)."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from msgspec import Struct, to_builtins

from segue.engine.draft import connection_of
from segue.engine.graph import Edge, cycles, edges, publish_order
from segue.engine.references import references_in
from segue.model.campaigns import Campaign, DidNot, InteractWithCampaign
from segue.model.instants import HOUR, format_instant
from segue.model.interactions import DELIVERED_ACTS, INTERACTIONS, receives_before
from segue.runtime.totals import LiveTotals, Totals
from segue.storage.ports import StoredCampaign

# What a node says of its campaign.
_COUNTED: Final = (
    "entered",
    "waiting",
    "cancelled",
    "skipped",
    "control",
    "sent",
    "failed",
    "conversions",
)
# From the first of these on, there is something to react to.
_BEGINNINGS: Final = ("sent", "control")
_Spec = InteractWithCampaign | DidNot


class Node(Struct, frozen=True):
    """A campaign, and what has been counted of it."""

    slug: str
    id: str
    name: str
    status: str
    published_at: str | None
    counts: dict[str, int]


class Connection(Struct, frozen=True):
    """One campaign follows another: this interaction with `target` enters users into `follower`.

    `campaign` is what the trigger names: a slug or id, a tag, or "any". The counts are the
    follower's; triggers on the same act with the same target share them.
    """

    follower: str
    target: str
    interaction: str
    campaign: Any
    options: dict[str, Any]
    delay: Any
    path: str
    entered: int
    waiting: int
    cancelled: int


class LatePublication(Struct, frozen=True):
    """A follower that was published when its target was being sent already.

    What users did before, from the hour `sent_since` on, has not entered them.
    """

    follower: str
    target: str
    published_at: str
    sent_since: str


class Connections(Struct, frozen=True):
    """The graph of all campaigns that are not archived."""

    nodes: list[Node]
    edges: list[Connection]
    cycles: list[list[str]]
    publish_order: list[str]  # of the drafts
    late_publications: list[LatePublication]


async def connections_among(
    campaigns: Iterable[StoredCampaign], live_totals: LiveTotals
) -> Connections:
    """Return how campaigns are connected."""
    there = {one.slug: one for one in campaigns if one.status != "archived"}
    documents = {slug: one.document for slug, one in there.items()}
    ids = {one.id: slug for slug, one in there.items()}
    totals = await live_totals.of(there)
    found = edges(documents, ids)
    drafts = {slug: one.document for slug, one in there.items() if one.status == "draft"}
    return Connections(
        nodes=[_node(one, totals[slug]) for slug, one in there.items()],
        edges=[
            _connection(edge, documents[edge.follower], totals[edge.follower]) for edge in found
        ],
        cycles=cycles(documents, ids),
        publish_order=publish_order(drafts, ids),
        late_publications=list(_late(found, there, totals)),
    )


def _node(campaign: StoredCampaign, totals: Totals) -> Node:
    published_at = campaign.published_at
    return Node(
        slug=campaign.slug,
        id=campaign.id,
        name=campaign.document.name,
        status=campaign.status,
        published_at=format_instant(published_at) if published_at is not None else None,
        counts={metric: totals.of(metric) for metric in _COUNTED},
    )


def _connection(edge: Edge, follower: Campaign, totals: Totals) -> Connection:
    spec = _spec_at(edge.path, follower)
    names = [connection_of(edge.target, act) for act in _acts_of(spec)]
    written = to_builtins(spec)
    reference = written.pop("campaign", "any")
    delay = to_builtins(follower.delivery.delay)
    if isinstance(spec, DidNot):
        delay = {"after": spec.within}
    else:
        written.pop("interaction")
    return Connection(
        follower=edge.follower,
        target=edge.target,
        interaction=edge.interaction,
        campaign=reference,
        options=written,
        delay=delay,
        path=edge.path,
        entered=sum(totals.of("entered_by", name) for name in names),
        waiting=sum(totals.of("waiting_by", name) for name in names),
        cancelled=sum(totals.of("cancelled_by", name) for name in names),
    )


def _spec_at(path: str, document: Campaign) -> _Spec:
    specs = {one.path: one.spec for one in references_in(document)}
    spec = specs[path]
    assert isinstance(spec, InteractWithCampaign | DidNot)  # noqa: S101 - an edge is a trigger
    return spec


def _acts_of(spec: _Spec) -> list[str]:
    """Return the acts by which a trigger enters users, as the log and the counters name them."""
    if isinstance(spec, DidNot):
        return receives_before(spec.interaction)
    act = INTERACTIONS[spec.interaction].act
    return [DELIVERED_ACTS[act] if spec.outcome else act]


def _late(
    found: Iterable[Edge], there: Mapping[str, StoredCampaign], totals: Mapping[str, Totals]
) -> Iterator[LatePublication]:
    pairs = dict.fromkeys((edge.follower, edge.target) for edge in found)
    for follower, target in pairs:
        published_at = there[follower].published_at
        sent_since = totals[target].since(*_BEGINNINGS)
        if follower == target or published_at is None or sent_since is None:
            continue
        is_same_hour = sent_since <= published_at < sent_since + HOUR
        # Within the hour, which came first is told by the order of publication.
        target_first = (there[target].published_at or 0) < published_at
        if sent_since + HOUR <= published_at or (is_same_hour and target_first):
            yield LatePublication(
                follower, target, format_instant(published_at), format_instant(sent_since)
            )
