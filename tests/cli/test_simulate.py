"""`segue simulate`: what it prints, and how it ends."""

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow


def simulate(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "segue", "simulate", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)


def test_it_ends_with_what_was_tried() -> None:
    done = simulate("--seeds", "0..2", "--days", "1", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert (told["worlds"], told["days"], told["broken"]) == (3, 3, [])
    assert told["tried"]["restarts checked against the whole log"] >= 3
    assert sorted(told["fingerprints"]) == ["0", "1", "2"]


def test_a_broken_world_is_told_with_its_step_its_reason_and_the_command_that_shows_it() -> None:
    done = simulate("--seed", "0", "--days", "1", "--bug", "send_twice", "--faults", "crash,late")
    assert done.returncode == 1
    first, *_, last = done.stdout.splitlines()
    assert first.startswith("seed 0, step ")
    assert "was handed over twice for one attempt" in first
    assert last == "1 worlds, 1 days: 1 broke an invariant" or last.startswith("fingerprint")
    command = "segue simulate --seed 0 --days 1 --faults crash,late --bug send_twice"
    assert f"again with: {command}" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--faults", "crash,earthquake"], "'earthquake' is no fault"),
        (["--seeds", "5"], "write A..B, such as 0..499"),
        (["--seeds", "0..1", "--seed", "3"], "no --seed with it"),
    ],
)
def test_what_it_cannot_try_it_refuses_with_how_to_write_it(
    arguments: list[str], said: str
) -> None:
    done = simulate(*arguments)
    assert done.returncode != 0
    assert said in done.stderr
    assert done.stdout == ""
