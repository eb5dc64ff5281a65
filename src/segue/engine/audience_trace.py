"""An audience taken apart for one user: each filter with its own answer, and what it found.

Beside the compiled audience, which only says yes or no and stops as soon as it can. Both must
agree for every filter and every state.
"""

from bisect import bisect_left
from collections.abc import Callable, Mapping
from typing import Any, Final

from msgspec import to_builtins

from segue.engine.audience import RETARGETING_KINDS, subscription_to
from segue.engine.matching import Target
from segue.engine.past import Past, past_of, tracker_of
from segue.engine.retargeting import done_like, meant_by
from segue.engine.value_trace import compared, counted, timed
from segue.engine.values import lookup
from segue.model.filters import CountCondition, Filter, PastInteraction
from segue.model.instants import parse_duration, to_datetime
from segue.model.state import History, UserState
from segue.model.traces import Condition, FilterTrace
from segue.model.workspace import Segment

_NEVER: Final = History(0, 0, [])
_AT_LEAST_ONCE: Final = CountCondition(gte=1)


def trace_audience(
    node: Filter | None,
    state: UserState,
    at: int,
    targets: Mapping[str, Target],
    segments: Mapping[str, Segment],
) -> FilterTrace | None:
    """Return what each filter of an audience makes of a user at T; None: it is everybody."""
    if node is None:
        return None
    return _Tracer(state, at, targets, segments).of(node)


class _Tracer:
    """Walks one tree; nothing is left out, also where the answer is plain already."""

    def __init__(
        self,
        state: UserState,
        at: int,
        targets: Mapping[str, Target],
        segments: Mapping[str, Segment],
    ) -> None:
        self._state = state
        self._at = at
        self._targets = targets
        self._segments = segments
        self._open: set[str] = set()  # segments being looked into
        self._tracers: dict[str, Callable[[Any, Filter], FilterTrace]] = {
            "all": lambda parts, _node: self._branch("all", parts, all),
            "any": lambda parts, _node: self._branch("any", parts, any),
            "not_": lambda part, _node: self._not(part),
            "attribute": self._attribute,
            "interact_with_campaign": lambda spec, _node: self._did(
                "interact_with_campaign", spec, [spec]
            ),
            "segment": lambda slug, _node: self._segment(slug),
            "subscription": lambda wanted, _node: self._subscription(wanted),
            "reachable": lambda channel, _node: self._reachable(channel),
        }

    def of(self, node: Filter) -> FilterTrace:
        """Return what a filter makes of the user."""
        kind = node.kinds()[0]
        written = getattr(node, kind)
        if (past := past_of(node)) is not None:
            return self._past(kind, written, past)
        if kind in RETARGETING_KINDS:
            return self._did(kind, written, meant_by(kind, written))
        return self._tracers[kind](written, node)

    def _branch(
        self, kind: str, nodes: list[Filter], joined: Callable[[list[bool]], bool]
    ) -> FilterTrace:
        parts = [self.of(node) for node in nodes]
        return FilterTrace(kind, joined([part.is_passed for part in parts]), parts=parts)

    def _not(self, node: Filter) -> FilterTrace:
        part = self.of(node)
        return FilterTrace("not", not part.is_passed, parts=[part])

    def _attribute(self, path: str, node: Filter) -> FilterTrace:
        value = lookup(self._state.attributes, path)
        conditions = compared(path, node, value, self._at)
        return _leaf("attribute", path, value, conditions)

    def _past(self, kind: str, written: Any, past: Past) -> FilterTrace:
        history = self._state.histories.get(tracker_of(past).key, _NEVER)
        first = history.first_at if history.count else None
        last = history.last_at if history.count else None
        count = history.count
        if past.within is not None:
            since = self._at - parse_duration(past.within)
            count = len(history.recent) - bisect_left(history.recent, since)
        conditions = [
            *counted("count", past.count or _AT_LEAST_ONCE, count),
            *timed("first", past.first, first, self._at),
            *timed("last", past.last, last, self._at),
        ]
        found = {"count": count, "first_at": _shown(first), "last_at": _shown(last)}
        return _leaf(kind, to_builtins(written), found, conditions)

    def _did(self, kind: str, written: Any, specs: list[PastInteraction]) -> FilterTrace:
        """Look for any of some interactions; the newest found is told, even if it is too old."""
        found: dict[str, Any] | None = None
        newest, is_passed = -1, False
        for spec in specs:
            within = parse_duration(spec.within) if spec.within is not None else None
            for slug, done in done_like(spec, self._state, self._targets):
                is_passed |= within is None or done.last_at >= self._at - within
                if done.last_at > newest:
                    newest = done.last_at
                    found = {"act": done.act, "campaign": slug, "last_at": _shown(newest)}
                    if done.detail:
                        found["detail"] = done.detail
        return FilterTrace(kind, is_passed, to_builtins(written), found)

    def _segment(self, slug: str) -> FilterTrace:
        segment = self._segments.get(slug)
        if segment is None or slug in self._open:
            return FilterTrace("segment", False, slug, "missing")
        self._open.add(slug)
        part = self.of(segment.filter)
        self._open.discard(slug)
        return FilterTrace("segment", part.is_passed, slug, parts=[part])

    def _subscription(self, wanted: Mapping[str, str]) -> FilterTrace:
        found = {name: subscription_to(self._state, name) for name in wanted}
        conditions = [
            Condition(name, "eq", one, found[name], found[name] == one)
            for name, one in wanted.items()
        ]
        return _leaf("subscription", dict(wanted), found, conditions)

    def _reachable(self, channel: str) -> FilterTrace:
        subscription = subscription_to(self._state, channel)
        dead = self._state.dead_addresses.get(channel)
        conditions = [
            Condition(
                "subscription", "ne", "unsubscribed", subscription, subscription != "unsubscribed"
            ),
            Condition("dead_address", "is_blank", True, dead, dead is None),
        ]
        found = {"subscription": subscription, "dead_address": dead}
        return _leaf("reachable", channel, found, conditions)


def _leaf(kind: str, written: Any, found: Any, conditions: list[Condition]) -> FilterTrace:
    is_passed = all(condition.is_passed for condition in conditions)
    return FilterTrace(kind, is_passed, written, found, conditions)


def _shown(instant: int | None) -> Any:
    return to_datetime(instant) if instant is not None else None
