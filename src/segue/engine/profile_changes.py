"""Which parts of a profile a campaign reads, and how they changed: attributes, subscriptions."""

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import UNSET, Struct

from segue.engine.audience import default_subscription
from segue.engine.references import leaves_of
from segue.engine.values import lookup
from segue.model.campaigns import Campaign
from segue.model.filters import Filter
from segue.model.state import UserState
from segue.model.workspace import Segment


class ProfileRead(Struct, frozen=True):
    """What a campaign looks at in a profile."""

    attributes: frozenset[str]
    subscriptions: frozenset[str]  # channels and subscription groups
    addresses: frozenset[str]  # channels


class Change(Struct, frozen=True):
    """A part of a profile that became another; `kind` says of what the name is."""

    kind: str
    name: str
    before: Any
    after: Any


def profile_read_by(document: Campaign, segments: Mapping[str, Segment]) -> ProfileRead:
    """Return what the campaign's audience, its local times and its channels look at."""
    attributes = {"time_zone"}
    subscriptions: set[str] = set()
    channels: set[str] = {*document.channels()}
    for leaf in _leaves(document.audience, segments, set()):
        if leaf.attribute is not UNSET:
            attributes.add(leaf.attribute)
        if leaf.subscription is not UNSET:
            subscriptions.update(leaf.subscription)
        if leaf.reachable is not UNSET:
            channels.add(leaf.reachable)
    subscriptions |= channels
    if document.subscription_group is not None:
        subscriptions.add(document.subscription_group)
    return ProfileRead(frozenset(attributes), frozenset(subscriptions), frozenset(channels))


def changes_between(before: UserState, after: UserState, read: ProfileRead) -> list[Change]:
    """Return what has changed of what is read, in a fixed order."""
    if before is after:
        return []
    pairs = [
        *(
            ("attribute", name, lookup(before.attributes, name), lookup(after.attributes, name))
            for name in sorted(read.attributes)
        ),
        *(
            ("subscription", name, _subscribed(before, name), _subscribed(after, name))
            for name in sorted(read.subscriptions)
        ),
        *(
            ("dead_address", name, before.dead_addresses.get(name), after.dead_addresses.get(name))
            for name in sorted(read.addresses)
        ),
    ]
    return [Change(kind, name, old, new) for kind, name, old, new in pairs if old != new]


def _leaves(
    node: Filter | None, segments: Mapping[str, Segment], looked_into: set[str]
) -> Iterator[Filter]:
    """Yield the leaves of a tree and of the segments it names, each segment once."""
    for leaf, _path in leaves_of(node, ""):
        slug = leaf.segment
        if slug is UNSET:
            yield leaf
        elif slug not in looked_into and slug in segments:
            looked_into.add(slug)
            yield from _leaves(segments[slug].filter, segments, looked_into)


def _subscribed(state: UserState, name: str) -> str:
    return state.subscriptions.get(name) or default_subscription(name)
