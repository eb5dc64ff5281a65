"""The engine against the oracle: random campaigns and logs, decided by both."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from tests.support.comparison import (
    decided_by_one,
    decided_by_oracle,
    differences,
    report,
    smallest,
)
from tests.support.random_worlds import World, world_of_seed, worlds

from segue.engine.audience_checks import check_audience
from segue.engine.checks import check_campaign
from segue.engine.workspace_checks import check_workspace
from segue.model.campaigns import Campaign

pytestmark = pytest.mark.slow

SEEDS_IN_ALL = 1_000
SEEDS_AT_ONCE = 50  # so that processes share them
KEPT = Path(__file__).parents[1] / "seeds" / "worlds.txt"
COMMAND = "python -m pytest tests/engine/test_against_oracle.py -k random_worlds --world {}"


def kept_seeds() -> list[int]:
    """Return the seeds that failed once."""
    lines = KEPT.read_text().splitlines()
    return [int(line) for line in lines if line and not line.startswith("#")]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give out the seeds: one that is asked for, or those that are always tried."""
    if "seeds" not in metafunc.fixturenames:
        return
    one = metafunc.config.getoption("world")
    if one is not None:
        metafunc.parametrize("seeds", [[one]], ids=[str(one)])
        return
    starts = range(0, SEEDS_IN_ALL, SEEDS_AT_ONCE)
    parts = [list(range(start, start + SEEDS_AT_ONCE)) for start in starts]
    names = [f"{part[0]}-{part[-1]}" for part in parts]
    metafunc.parametrize("seeds", [kept_seeds(), *parts], ids=["kept", *names])


def test_the_engine_decides_random_worlds_as_the_oracle_does(seeds: list[int]) -> None:
    for seed in seeds:
        found = differences(world_of_seed(seed), dice=seed)
        if found:
            pytest.fail(explained(seed, found), pytrace=False)


def explained(seed: int, found: list[str]) -> str:
    """Say what to do about a seed over which the engine and the oracle differ."""
    small = smallest(world_of_seed(seed))
    lines = [
        f"The engine and the oracle differ over the world of seed {seed}:",
        *found[:4],
        f"Once it is mended, add {seed} to {KEPT.name}. To see it again:",
        f"  {COMMAND.format(seed)}",
        "The smallest log that shows it:",
        report(small),
        "Over that they differ in:",
        *differences(small)[:10],
    ]
    return "\n".join(lines)


@given(worlds())
def test_the_engine_decides_any_world_as_the_oracle_does(world: World) -> None:
    assert differences(world) == []


def test_the_documents_of_any_world_are_good_ones() -> None:
    for seed in range(0, SEEDS_IN_ALL, 5):
        world = world_of_seed(seed)
        written = [line["document"] for line in world.lines if "document" in line]
        campaigns = [*world.campaigns.values(), *msgspec.convert(written, list[Campaign])]
        assert [problem for one in campaigns for problem in check_campaign(one)] == []
        if world.workspace is not None:
            assert list(check_workspace(world.workspace)) == []
        for segment in world.segments.values():
            assert list(check_audience(segment.filter, "filter")) == []


def test_a_decision_of_one_of_the_two_alone_is_found() -> None:
    decided = decided_by_oracle(world_of_seed(0))
    assert decided_by_one(decided, decided) == []
    changed = [{**decided[0], "reason": "no such reason"}, *decided[1:]]
    found = decided_by_one(changed, decided)
    assert sorted(line.split(":")[0] for line in found) == ["the engine alone", "the oracle alone"]


def test_what_is_told_of_a_difference_is_the_least_that_shows_it() -> None:
    world = world_of_seed(0)
    line = world.lines[7]
    assert smallest(world, lambda fewer: line in fewer.lines).lines == [line]
