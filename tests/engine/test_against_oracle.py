"""The engine against the oracle: random campaigns and logs, decided by both.

A seed that failed once is added to `tests/seeds/worlds.txt`, and tried in every run from then on.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from tests.support.comparison import decided_by_engine, decided_by_oracle, essence
from tests.support.oracle import Oracle
from tests.support.random_worlds import World, world_of_seed, worlds

from segue.model.filters import KINDS
from segue.model.interactions import INTERACTIONS
from segue.model.reasons import REASONS

SEEDS = 1_000
SEEDS_A_TEST = 50  # so that workers can share them
KEPT = [
    int(line)
    for line in (Path(__file__).parents[1] / "seeds/worlds.txt").read_text().splitlines()
    if line and not line.startswith("#")
]
# Told by a server or a provider, which a run has not.
OUTSIDE = {
    "aborted",
    "gave_up",
    "no_address",
    "rate_limited",
    "refused",
    "template_error",
    "unknown_outcome",
}
FILTERS = [f"{kind.rstrip('_')} {holds}" for kind in KINDS for holds in (True, False)]


def sizes(random: Random) -> Iterator[int]:
    """Yield how many lines to feed at a time."""
    while True:
        yield random.randint(1, 7)


def assert_same(world: World, seed: int) -> None:
    random = Random(seed)
    stop_after = random.randint(0, len(world.lines))
    decided = essence(decided_by_engine(world, sizes(random), stop_after))
    assert decided == essence(decided_by_oracle(world))


def assert_seed(seed: int) -> None:
    try:
        assert_same(world_of_seed(seed), seed)
    except Exception as error:
        message = (
            f"seed {seed}; to see it again: pytest {Path(__file__).name} -k kept, "
            f"with {seed} added to tests/seeds/worlds.txt: {error}"
        )
        raise AssertionError(message) from error


@pytest.mark.parametrize("first", range(0, SEEDS, SEEDS_A_TEST))
def test_the_engine_decides_a_thousand_random_worlds_as_the_oracle_does(first: int) -> None:
    """semantics.md 1-6, at random batch sizes, and with a stop and a checkpoint in between."""
    for seed in range(first, first + SEEDS_A_TEST):
        assert_seed(seed)


@pytest.mark.parametrize("seed", KEPT)
def test_a_kept_world_that_once_was_decided_otherwise_is_decided_alike(seed: int) -> None:
    assert_seed(seed)


@given(worlds())
def test_the_engine_decides_any_world_as_the_oracle_does(world: World) -> None:
    assert_same(world, seed=len(world.lines))


def test_random_worlds_decide_everything_there_is_to_decide() -> None:
    """What the worlds never came to, the comparison would not have tested."""
    seen: Counter[str] = Counter()
    told: set[str] = set()
    for seed in range(300):
        world = world_of_seed(seed)
        oracle = Oracle(world.campaigns, world.segments, world.workspace)
        for line in oracle.run(world.lines, world.until):
            told |= {line["decision"], line.get("reason", "")}
        seen.update(oracle.knowledge.seen)
    assert told >= {"enter", "send", "convert", *REASONS.keys() - OUTSIDE}
    wanted = {f"interaction {name} True" for name in INTERACTIONS}
    wanted |= {f"filter {one}" for one in FILTERS}
    wanted |= {f"delay {form}" for form in ("after", "on_next", "in_days")}
    wanted |= {"schedule", "local schedule", "audience rechecked", "cancelled while held"}
    wanted |= {"held by quiet hours", "held by time of day"}
    assert seen.keys() >= wanted, wanted - seen.keys()
