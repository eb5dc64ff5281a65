"""The engine's counters against a slow count of what it took in and decided (semantics.md 7)."""

from collections import defaultdict
from random import Random
from typing import Any

from tests.support.counted_run import CountedRun, CountKey, settled
from tests.support.random_worlds import World, world_of_seed
from tests.support.slow_counts import CLOSED, SlowCounts

from segue.model.effects import Deliver
from segue.model.events import SendSettled, SettledAs
from segue.model.instants import parse_instant

SEEDS = range(300)
# Most are accepted; of a campaign with two channels, often only one.
OUTCOMES: tuple[tuple[SettledAs, str | None], ...] = (
    *[("accepted", None)] * 6,
    ("refused", "refused"),
    ("refused", "gave_up"),
    ("skipped", "aborted"),
    ("skipped", "template_error"),
)


def settle_by_chance(deliver: Deliver) -> list[SendSettled]:
    """Let what becomes of a message follow from its send's id."""
    random = Random(deliver.send_id)
    return [settled(deliver, channel, *random.choice(OUTCOMES)) for channel in deliver.channels]


def lines_of(world: World, seed: int) -> list[dict[str, Any]]:
    """Return the world's lines, each event with an id of its own, and some users erased."""
    random = Random(seed)
    lines: list[dict[str, Any]] = []
    for number, line in enumerate(world.lines):
        lines.append({**line, "id": f"line-{number}"} if "name" in line else line)
        if "user_id" in line and random.random() < 0.03:
            at = line.get("received_at", line["time"])
            lines.append({"control": "erase", "user_id": line["user_id"], "time": at})
    return lines


def comparable(counts: dict[CountKey, float]) -> dict[CountKey, float]:
    """Return counts without those of the gauge, and without why a channel was closed."""
    found: dict[CountKey, float] = defaultdict(float)
    for key, amount in counts.items():
        if key.metric == "messages_skipped" and key.detail in CLOSED:
            key = key._replace(detail="closed")  # noqa: PLW2901 - the same count, said less finely
        if key.metric != "waiting" and not key.metric.endswith("_by"):
            found[key] += amount
    return dict(found)


def counted(seed: int) -> CountedRun:
    world = world_of_seed(seed)
    run = CountedRun(world.campaigns, lines_of(world, seed), settle_by_chance)

    def compare_waiting() -> None:
        assert +run.waiting() == +run.waiting_as_counted(), f"seed {seed}, line {run.lines_done}"

    run.all(compare_waiting)
    if world.until is not None:
        run.advance(parse_instant(world.until))
    compare_waiting()
    slow = SlowCounts(world.campaigns).read(run.tape)
    assert comparable(run.counts) == comparable(slow.counts), f"seed {seed}"
    return run


def test_every_counter_is_what_a_slow_count_of_the_decisions_says_and_waiting_is_exact() -> None:
    metrics: set[str] = set()
    for seed in SEEDS:
        metrics |= {key.metric for key in counted(seed).counts}
    assert len(metrics) > 30, metrics  # else the worlds have become too dull to tell
