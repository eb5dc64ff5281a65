"""What happened to a user, as far as filters ask: how often, first, last, and lately.

Events, purchases and sessions are followed by trackers, one for each thing that some filter asks
about. What users did with campaigns is kept always (`segue.model.state.Done`).
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable
from hashlib import blake2b
from typing import Final

import msgspec
from msgspec import UNSET, Struct

from segue.engine.matching import EventTest, event_test, purchase_test
from segue.engine.values import compile_moment
from segue.model.events import PURCHASE, SESSION_START, Event
from segue.model.filters import (
    CountCondition,
    Filter,
    PastEvent,
    PastPurchase,
    PastSession,
)
from segue.model.instants import parse_duration
from segue.model.limits import COUNTED_MAX
from segue.model.state import History

Past = PastEvent | PastPurchase | PastSession
_NEVER: Final = History(0, 0, [])
_KEPT_MAX: Final = COUNTED_MAX + 1  # one more than is asked for tells "50" from "more than 50"


class Tracker(Struct, frozen=True):
    """Follows one thing that filters ask about, under a key that follows from what it is."""

    key: str
    name: str  # of the events to look at
    test: EventTest


def tracker_of(past: Past) -> Tracker:
    """Return what follows the events that a filter asks about."""
    match past:
        case PastEvent():
            name, test = past.name, event_test(past.where)
            asked: list[object] = [name, past.where]
        case PastPurchase():
            name, test = PURCHASE, purchase_test(past.product_id, past.where)
            asked = [name, past.product_id, past.where]
        case PastSession():
            name, test = SESSION_START, None
            asked = [name]
    text = msgspec.json.encode(asked, order="sorted")
    return Tracker(blake2b(text, digest_size=8).hexdigest(), name, test)


def past_of(leaf: Filter) -> Past | None:
    """Return what a filter asks about events, purchases and sessions, if it does."""
    if leaf.event is not UNSET:
        return past_event(leaf.event)
    if leaf.purchase is not UNSET:
        return leaf.purchase
    return leaf.session if leaf.session is not UNSET else None


def past_event(written: str | PastEvent) -> PastEvent:
    """Return a filter on events whole; a name alone stands for "at least once"."""
    return PastEvent(name=written) if isinstance(written, str) else written


def with_occurrence(history: History | None, at: int) -> History:
    """Return a history with one more occurrence, which may be earlier than those it has."""
    if history is None:
        return History(1, at, [at])
    recent = list(history.recent)
    insort(recent, at)
    return History(history.count + 1, min(history.first_at, at), recent[-_KEPT_MAX:])


def follow(
    histories: dict[str, History], trackers: Iterable[Tracker], event: Event, at: int
) -> dict[str, History]:
    """Return the histories after an event that trackers of its name look at."""
    changed = histories
    for tracker in trackers:
        if tracker.test is None or tracker.test(event, at):
            if changed is histories:
                changed = dict(histories)
            changed[tracker.key] = with_occurrence(changed.get(tracker.key), at)
    return changed


def compile_past(past: Past) -> Callable[[dict[str, History], int], bool]:
    """Return whether a user's histories satisfy a filter at an instant.

    A window counts back from that instant. What never happened has a count of 0, and neither a
    first nor a last time.
    """
    key = tracker_of(past).key
    within = parse_duration(past.within) if past.within is not None else None
    is_many_enough = compile_count(past.count or CountCondition(gte=1))
    first = compile_moment(past.first) if past.first is not None else None
    last = compile_moment(past.last) if past.last is not None else None

    def holds(histories: dict[str, History], at: int) -> bool:
        history = histories.get(key, _NEVER)
        count = history.count
        if within is not None:
            count = len(history.recent) - bisect_left(history.recent, at - within)
        if not is_many_enough(count):
            return False
        if first is not None and not (history.count and first(history.first_at, at)):
            return False
        return last is None or bool(history.count and last(history.last_at, at))

    return holds


def compile_count(condition: CountCondition) -> Callable[[int], bool]:
    """Return whether a count lies between the closest bounds that are written."""
    eq, gt, gte, lt, lte = (getattr(condition, name) for name in ("eq", "gt", "gte", "lt", "lte"))
    lowers = [eq, gte, UNSET if gt is UNSET else gt + 1]
    uppers = [eq, lte, UNSET if lt is UNSET else lt - 1]
    lowest = max((bound for bound in lowers if bound is not UNSET), default=0)
    highest = min((bound for bound in uppers if bound is not UNSET), default=None)
    if highest is None:
        return lambda count: count >= lowest
    return lambda count: lowest <= count <= highest
