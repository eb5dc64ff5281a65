"""`segue run`: the engine's acceptance face, driven as a command."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

EXAMPLES = Path(__file__).parent.parent / "examples"
NAMES = sorted(path.name for path in EXAMPLES.iterdir() if path.is_dir())


def segue(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "segue", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def example(name: str) -> tuple[str, str, str]:
    folder = EXAMPLES / name
    until = (folder / "until").read_text().strip()
    return str(folder / "campaigns"), str(folder / "events.ndjson"), until


def run(name: str, *more: str) -> list[dict[str, Any]]:
    campaigns, events, until = example(name)
    done = segue("run", campaigns, "--events", events, "--until", until, *more)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def essence(lines: list[dict[str, Any]]) -> list[str]:
    names = ("at", "user_id", "campaign", "decision")
    return sorted(
        json.dumps([line[name] for name in names]) for line in lines if line["decision"] != "refuse"
    )


@pytest.mark.parametrize("name", NAMES)
def test_each_worked_example_gives_its_decisions(name: str) -> None:
    text = (EXAMPLES / name / "decisions.ndjson").read_text()
    assert essence(run(name)) == essence([json.loads(line) for line in text.splitlines()])


@pytest.mark.parametrize("batch_size", ["1", "3", "10000"])
def test_decisions_are_the_same_at_any_batch_size(batch_size: str) -> None:
    assert run("abandoned-cart", "--batch-size", batch_size) == run("abandoned-cart")


@pytest.mark.parametrize("stop_after", [1, 2, 5, 8])
def test_a_run_stopped_and_resumed_decides_as_one_in_a_single_pass(
    tmp_path: Path, stop_after: int
) -> None:
    campaigns, events, until = example("abandoned-cart")
    out, checkpoint = str(tmp_path / "out"), str(tmp_path / "checkpoint")
    resumable = ["run", campaigns, "--events", events, "--checkpoint", checkpoint, "--out", out]
    assert segue(*resumable, "--max-lines", str(stop_after)).returncode == 0
    assert segue(*resumable, "--until", until).returncode == 0
    resumed = [json.loads(line) for line in Path(out).read_text().splitlines()]
    assert resumed == run("abandoned-cart")


def test_without_control_lines_campaigns_are_published_at_the_first_line(tmp_path: Path) -> None:
    campaigns, _, _ = example("next-offer-for-clickers")
    events = tmp_path / "events.ndjson"
    events.write_text('{"user_id":"u","name":"visited_pricing","time":"2026-11-02T00:00:00Z"}\n')
    done = segue("run", campaigns, "--events", str(events))
    assert [json.loads(line)["decision"] for line in done.stdout.splitlines()] == ["enter", "send"]


def test_a_bad_line_is_told_by_its_number_and_the_rest_is_decided(tmp_path: Path) -> None:
    campaigns, _, _ = example("next-offer-for-clickers")
    events = tmp_path / "events.ndjson"
    events.write_text(
        '{"user_id":"u","nam":"x"}\n'
        '{"user_id":"u","name":"visited_pricing","time":"2026-11-02T00:00:00Z"}\n'
    )
    done = segue("run", campaigns, "--events", str(events))
    assert done.returncode == 1
    assert "line 1" in done.stderr
    assert "nam" in done.stderr
    assert len(done.stdout.splitlines()) == 2


def test_a_bad_campaign_is_refused_with_every_fault_and_its_file(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("slug: x\nnaem: X\ndelivery: {triggers: 5}\n")
    events = tmp_path / "events.ndjson"
    events.write_text("")
    done = segue("run", str(tmp_path), "--events", str(events))
    assert done.returncode == 1
    for word in ("bad.yaml", 'did you mean "name"', "delivery.triggers"):
        assert word in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_wrong_use_exits_with_two() -> None:
    assert segue("run").returncode == 2
    assert segue("no-such-command").returncode == 2


def test_norway_is_a_country_and_not_a_no(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(
        "slug: c\nname: C\ndelivery: {triggers: [{event: go}]}\n"
        "audience: {attribute: country, in: [NO, SE]}\nmessages: [{push: {title: x}}]\n"
    )
    events = tmp_path / "events.ndjson"
    events.write_text(
        '{"user_id":"u","attributes":{"country":"NO"},"time":"2026-11-02T00:00:00Z"}\n'
        '{"user_id":"u","name":"go"}\n{"user_id":"v","name":"go"}\n'
    )
    done = segue("run", str(tmp_path), "--events", str(events))
    decisions = [json.loads(line)["decision"] for line in done.stdout.splitlines()]
    assert decisions == ["enter", "send", "refuse"]
