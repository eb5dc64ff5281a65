"""An audience, compiled once per plan to a predicate on a user's state (semantics.md 4)."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from segue.engine.matching import Target
from segue.engine.past import compile_past, past_event
from segue.engine.retargeting import compile_interaction, meant_by
from segue.engine.values import compile_comparison, lookup
from segue.model.channels import CHANNELS, Channel
from segue.model.filters import Filter
from segue.model.state import History, UserState
from segue.model.workspace import Segment

# (state, T) -> belongs to the audience
Audience = Callable[[UserState, int], bool]

RETARGETING_KINDS: Final = ("received", "opened", "clicked", "converted", "in_control")


def everybody(_state: UserState, _at: int) -> bool:
    """Accept every user: the audience of a campaign that names none."""
    return True


def nobody(_state: UserState, _at: int) -> bool:
    """Accept no user: a segment that is not there."""
    return False


class Audiences:
    """Compiles filters against what one plan knows: its campaigns and its segments.

    A segment is compiled once, however many refer to it.
    """

    def __init__(self, targets: Mapping[str, Target], segments: Mapping[str, Segment]) -> None:
        self._targets = targets
        self._segments = segments
        self._compiled: dict[str, Audience] = {}
        self._compilers: dict[str, Callable[[Any, Filter], Audience]] = {
            "all": lambda parts, _node: _all([self.compile(part) for part in parts]),
            "any": lambda parts, _node: _any([self.compile(part) for part in parts]),
            "not_": lambda part, _node: _not(self.compile(part)),
            "attribute": _attribute,
            "event": lambda written, _node: _past(compile_past(past_event(written))),
            "purchase": lambda past, _node: _past(compile_past(past)),
            "session": lambda past, _node: _past(compile_past(past)),
            "interact_with_campaign": lambda spec, _node: compile_interaction(spec, targets),
            "segment": lambda slug, _node: self.segment(slug),
            "subscription": _subscription,
            "reachable": _reachable,
        }

    def compile(self, node: Filter | None) -> Audience:
        """Return the predicate of a filter tree."""
        if node is None:
            return everybody
        kind = node.kinds()[0]
        if kind in RETARGETING_KINDS:
            meant = meant_by(kind, getattr(node, kind))
            return _any([compile_interaction(spec, self._targets) for spec in meant])
        return self._compilers[kind](getattr(node, kind), node)

    def segment(self, slug: str) -> Audience:
        """Return the predicate of a segment."""
        if slug not in self._compiled:
            segment = self._segments.get(slug)
            # Set first: checks refuse a circle of segments, and this ends one that came by a log.
            self._compiled[slug] = nobody
            if segment is not None:
                self._compiled[slug] = self.compile(segment.filter)
        return self._compiled[slug]


def _all(parts: list[Audience]) -> Audience:
    return lambda state, at: all(part(state, at) for part in parts)


def _any(parts: list[Audience]) -> Audience:
    return lambda state, at: any(part(state, at) for part in parts)


def _not(part: Audience) -> Audience:
    return lambda state, at: not part(state, at)


def _attribute(path: str, node: Filter) -> Audience:
    test = compile_comparison(node)
    return lambda state, at: test(lookup(state.attributes, path), at)


def _past(holds: Callable[[dict[str, History], int], bool]) -> Audience:
    return lambda state, at: holds(state.histories, at)


def default_subscription(name: str) -> str:
    """Return the subscription of those who said nothing: to every channel, and to no group."""
    return "subscribed" if name in CHANNELS else "unsubscribed"


def subscription_to(state: UserState, name: str) -> str:
    """Return the user's subscription to a channel or a subscription group."""
    return state.subscriptions.get(name) or default_subscription(name)


def _subscription(wanted: Mapping[str, str], _node: Filter) -> Audience:
    pairs = list(wanted.items())
    return lambda state, _at: all(subscription_to(state, name) == one for name, one in pairs)


def _reachable(channel: Channel, _node: Filter) -> Audience:
    return lambda state, _at: (
        subscription_to(state, channel) != "unsubscribed" and channel not in state.dead_addresses
    )
