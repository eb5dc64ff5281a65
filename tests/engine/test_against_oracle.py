"""The engine against the oracle: random campaigns and logs, decided by both."""

from typing import Any

import msgspec
from hypothesis import given
from tests.support.oracle import decide_log
from tests.support.random_worlds import World, world_of_seed, worlds

from segue.model.instants import parse_instant
from segue.runtime.line_records import Project, Survey
from segue.runtime.lines import read_line, verdict_line
from segue.runtime.offline import OfflineRun

COMPARED = ("at", "user_id", "campaign", "decision", "reason", "variant", "due", "conversion_event")
SEEDS = range(400)


def decided_by_engine(world: World, batch_size: int) -> list[dict[str, Any]]:
    lines = [read_line(msgspec.json.encode(line)) for line in world.lines]
    survey = Survey()
    for line in lines:
        if line is not None:
            survey.look_at(line)
    run = OfflineRun(Project(world.campaigns), survey)
    verdicts = []
    for start in range(0, len(lines), batch_size):
        verdicts += run.feed(line for line in lines[start : start + batch_size] if line)
    if world.until is not None:
        verdicts += run.advance(parse_instant(world.until))
    return [msgspec.json.decode(msgspec.json.encode(verdict_line(v))) for v in verdicts]


def essence(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the compared parts: `variant` where both say it (a control line has none)."""
    kept = [{name: line[name] for name in COMPARED if name in line} for line in lines]
    return sorted(kept, key=lambda line: msgspec.json.encode(line, order="sorted"))


def assert_same(world: World, batch_size: int) -> None:
    expected = decide_log(world.campaigns, world.lines, world.until)
    assert essence(decided_by_engine(world, batch_size)) == essence(expected)


def test_the_engine_decides_four_hundred_random_worlds_as_the_oracle_does() -> None:
    for seed in SEEDS:
        world = world_of_seed(seed)
        try:
            assert_same(world, batch_size=1 + seed % 7)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}") from error


@given(worlds())
def test_the_engine_decides_any_world_as_the_oracle_does(world: World) -> None:
    assert_same(world, batch_size=3)
