"""The engine's counters against a slow count of what it took in and decided (semantics.md 7)."""

from collections import defaultdict

import pytest
from tests.support.counted_run import CountedRun, CountKey
from tests.support.counted_worlds import run_of_seed
from tests.support.plain_worlds import world_of_seed
from tests.support.slow_counts import CLOSED, SlowCounts

from segue.model.metrics import METRICS

pytestmark = pytest.mark.slow

SEEDS = range(300)


def comparable(counts: dict[CountKey, float]) -> dict[CountKey, float]:
    """Return counts without gauges and connections, and without why a channel was closed."""
    found: dict[CountKey, float] = defaultdict(float)
    for key, amount in counts.items():
        is_closed = key.metric == "messages_skipped" and key.detail in CLOSED
        if METRICS[key.metric].kind != "gauge" and METRICS[key.metric].detail != "connection":
            found[key._replace(detail="closed") if is_closed else key] += amount
    return dict(found)


def test_every_counter_is_what_a_slow_count_of_the_decisions_says() -> None:
    metrics: set[str] = set()
    for seed in SEEDS:
        run = run_of_seed(seed)
        slow = SlowCounts(world_of_seed(seed).campaigns).read(run.tape)
        assert comparable(run.counts) == comparable(slow.counts), f"seed {seed}"
        metrics |= {key.metric for key in run.counts}
    assert len(metrics) > 30, metrics  # else the worlds have become too dull to tell


def test_the_gauges_are_the_number_of_users_who_wait_after_every_line() -> None:
    most = 0

    def compare_waiting(run: CountedRun) -> None:
        nonlocal most
        waiting = run.waiting()
        assert waiting == run.waiting_as_counted(), f"line {run.lines_done}"
        most = max(most, waiting.total())

    for seed in SEEDS:
        run_of_seed(seed, compare_waiting)
    assert most > 2
