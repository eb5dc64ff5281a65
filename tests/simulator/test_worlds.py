"""Worlds by seed: the real runtime loses and doubles nothing, whatever fails around it."""

import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
import structlog

from segue.simulator.faults import ALL, Bug
from segue.simulator.run import Report, add_up, simulate, simulate_traced
from segue.simulator.world import Scenario

pytestmark = pytest.mark.slow

KEPT = Path(__file__).parent / "kept_seeds.txt"
WORLDS = 500
WORLDS_A_TEST = 25
DAYS = 1.0


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Let nothing be logged: in these worlds everything fails, all the time."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()


def told(reports: list[Report]) -> str:
    """Return what a person needs of worlds that broke an invariant."""
    return "\n".join(f"{one.command}: {one.broken}" for one in reports if one.broken)


def kept_seeds() -> list[tuple[int, float]]:
    """Return the worlds in which a mistake was once found."""
    lines = [line.split("#")[0].split() for line in KEPT.read_text().splitlines()]
    return [(int(seed), float(days)) for seed, days in filter(None, lines)]


@pytest.mark.parametrize("first", range(0, WORLDS, WORLDS_A_TEST))
def test_every_invariant_holds_in_worlds_where_everything_fails(first: int) -> None:
    seeds = range(first, first + WORLDS_A_TEST)
    reports = [simulate(Scenario(seed, DAYS)) for seed in seeds]
    assert told(reports) == ""
    assert all(report.steps for report in reports)
    tried = add_up(reports)
    assert tried["kills"] > WORLDS_A_TEST
    assert tried["messages taken by providers"] > WORLDS_A_TEST


@pytest.mark.parametrize(("seed", "days"), kept_seeds())
def test_worlds_in_which_a_mistake_was_found_hold(seed: int, days: float) -> None:
    assert told([simulate(Scenario(seed, days))]) == ""


def test_in_enough_worlds_every_fault_happens() -> None:
    tried = add_up(simulate(Scenario(seed, DAYS)) for seed in range(WORLDS, WORLDS + 40))
    for what in (
        "kills",
        "torn batches",
        "torn checkpoints",
        "batches written and not acknowledged",
        "stalls of the disk",
        "times the disk was full",
        "batches refused by a full disk",
        "checkpoints refused by a full disk",
        "messages refused by providers",
        "messages put off by providers",
        "late answers of providers",
        "answers of providers that never came",
        "calls made twice",
        "calls made again for want of patience",
        "calls refused as too many",
        "reports that came twice",
        "events that came late",
        "jumps of the clock",
        "orderly restarts",
    ):
        assert tried.get(what), what


def test_without_faults_nothing_goes_wrong_and_nothing_breaks() -> None:
    reports = [simulate(Scenario(seed, DAYS, frozenset())) for seed in range(5)]
    assert told(reports) == ""
    tried = add_up(reports)
    assert "kills" not in tried
    assert "torn batches" not in tried


def test_the_same_seed_gives_the_same_trace_to_the_byte() -> None:
    first, lines = simulate_traced(Scenario(7))
    second, again = simulate_traced(Scenario(7))
    assert len(lines) > 100
    assert lines == again
    assert first == second
    assert simulate(Scenario(8)).fingerprint != first.fingerprint


def test_a_process_that_hashes_otherwise_gives_the_same_trace(tmp_path: Path) -> None:
    traces = []
    for hash_seed in ("1", "2"):
        trace = tmp_path / hash_seed
        command = [sys.executable, "-m", "segue", "simulate", "--seed", "7", "--trace", str(trace)]
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, timeout=100
        )
        assert done.returncode == 0, done.stdout + done.stderr
        traces.append(trace.read_bytes())
    assert traces[0] == traces[1]
    assert traces[0].count(b"\n") > 100


# What each planted mistake is told as, in the first of so many worlds that show it.
FOUND: dict[Bug, str] = {
    "ack_before_sync": "the log ended at block",
    "keep_torn_batches": "is not what was given to be written",
    "keep_torn_checkpoints": "timers differ",
    "drop_attempts": "was handed over, and the log says it is of no attempt",
    "forget_messages": "was accepted, the log says, and its provider has it not",
    "send_twice": "was handed over twice for one attempt",
}


@pytest.mark.parametrize("bug", get_args(Bug))
def test_a_mistake_that_is_planted_is_found_and_told_how_to_see_again(bug: Bug) -> None:
    for seed in range(100):
        report = simulate(Scenario(seed, DAYS, ALL, frozenset({bug})))
        if report.broken:
            break
    assert report.broken is not None
    assert FOUND[bug] in report.broken
    assert report.command == f"segue simulate --seed {seed} --days 1 --bug {bug}"
    again = simulate(Scenario(seed, DAYS, ALL, frozenset({bug})))
    assert (again.broken, again.steps) == (report.broken, report.steps)
