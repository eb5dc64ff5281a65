"""Counters added up over spans of hours, wherever they lie."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable

from msgspec.structs import replace

from segue.storage.ports import Counter, Sums


def add_up(counts: Iterable[tuple[Counter, float]], sums: Sums) -> dict[Counter, float]:
    """Return the sums that are wanted; the hour of each is the bound that its span begins with."""
    found: dict[Counter, float] = defaultdict(float)
    for counter, amount in counts:
        span = bisect_right(sums.bounds, counter.hour) - 1
        if not 0 <= span < len(sums.bounds) - 1 or sums.variant not in (None, counter.variant):
            continue
        hour = sums.bounds[span]
        if sums.by_metric:
            found[Counter(counter.campaign, hour, "", counter.metric, "")] += amount
        else:
            found[replace(counter, hour=hour)] += amount
    return dict(found)


def counter_order(pair: tuple[Counter, float]) -> tuple[int, str, str, str, str]:
    """Return what counters are listed by."""
    counter = pair[0]
    return counter.hour, counter.variant, counter.metric, counter.detail, counter.channel
