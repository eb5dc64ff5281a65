"""Which parts of a user's state an audience looks at, so that a count decodes no others."""

from collections.abc import Mapping
from typing import Final

from msgspec import UNSET

from segue.engine.audience import RETARGETING_KINDS
from segue.engine.references import leaves_of
from segue.model.filters import Filter
from segue.model.state import StatePart
from segue.model.workspace import Segment

_READ: Final[dict[str, frozenset[StatePart]]] = {
    "attribute": frozenset({"attributes"}),
    **dict.fromkeys(("event", "purchase", "session"), frozenset({"histories"})),
    **dict.fromkeys((*RETARGETING_KINDS, "interact_with_campaign"), frozenset({"memberships"})),
    "subscription": frozenset({"subscriptions"}),
    "reachable": frozenset({"subscriptions", "dead_addresses"}),
}


def parts_read(node: Filter | None, segments: Mapping[str, Segment]) -> frozenset[StatePart]:
    """Return the parts that a filter tree looks at, those of its segments included."""
    parts: frozenset[StatePart] = frozenset()
    for leaf in leaves_among(node, segments):
        parts |= _READ[leaf.kinds()[0]]
    return parts


def leaves_among(node: Filter | None, segments: Mapping[str, Segment]) -> list[Filter]:
    """Return the leaves of a filter tree, those of the segments it names in their place."""
    found: list[Filter] = []
    seen: set[str] = set()
    pending = [node]
    while pending:
        for leaf, _path in leaves_of(pending.pop(), ""):
            if leaf.segment is UNSET:
                found.append(leaf)
            elif leaf.segment in segments and leaf.segment not in seen:
                seen.add(leaf.segment)
                pending.append(segments[leaf.segment].filter)
    return found
