"""`segue explain`: beside a running server, after it ended, after it was killed."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.servers import SegueServer

pytestmark = pytest.mark.slow

WAITS: dict[str, Any] = {
    "slug": "waits",
    "name": "Still there?",
    "delivery": {"triggers": [{"event": "go"}], "delay": {"after": "7d"}},
    "messages": [{"push": {"title": "x"}}],
}


def explain(data: Path, user: str, campaign: str, *more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "segue", "explain", "--user", user, "--campaign", campaign]
    return subprocess.run(
        [*command, "--data", str(data), *more],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )


@pytest.fixture
def segue(tmp_path: Path) -> Iterator[SegueServer]:
    with SegueServer(tmp_path / "data") as server:
        server.create(WAITS)
        server.publish("waits")
        server.event("ann", "go")
        yield server


def test_it_explains_beside_a_server_and_after_it(segue: SegueServer) -> None:
    beside = explain(segue.data, "ann", "waits")
    assert beside.returncode == 0, beside.stderr
    assert beside.stdout.startswith("ann waits for “Still there?” until")
    assert "\x1b" not in beside.stdout
    by_api = segue.api.get("/api/v1/campaigns/waits/explain", params={"user_id": "ann"}).json()
    by_command = json.loads(explain(segue.data, "ann", "waits", "--json").stdout)
    assert {**by_command, "as_of": by_api["as_of"]} == by_api
    segue.event("ann", "go")  # the server has taken no harm
    segue.stop()
    after = explain(segue.data, "ann", "waits")
    assert "[already_waiting]" in after.stdout


def test_it_explains_after_a_kill_and_without_a_snapshot(segue: SegueServer) -> None:
    segue.kill()
    assert explain(segue.data, "ann", "waits").returncode == 0
    for path in segue.data.glob("state.db*"):
        path.unlink()
    found = explain(segue.data, "ann", "waits")
    assert found.stdout.startswith("ann waits for “Still there?” until")
    assert not list(segue.data.glob("state.db*"))


def test_an_unknown_campaign_is_one_line_with_the_nearest_name(segue: SegueServer) -> None:
    found = explain(segue.data, "ann", "wait")
    assert found.returncode == 1
    assert found.stderr == "segue: there is no campaign 'wait'; did you mean \"waits\"?\n"


def test_a_user_never_seen_is_no_error(segue: SegueServer) -> None:
    found = explain(segue.data, "zed", "waits")
    assert found.returncode == 0
    assert found.stdout.startswith("Nothing is known of a user zed")


def test_a_folder_without_a_database_is_named_and_stays_as_it_is(tmp_path: Path) -> None:
    found = explain(tmp_path / "nowhere", "ann", "waits")
    assert found.returncode == 1
    assert "There is no database of Segue in" in found.stderr
    assert not (tmp_path / "nowhere").exists()


def test_without_user_or_campaign_it_is_wrong_use(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "segue", "explain", "--user", "ann"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 2
    assert "--campaign" in done.stderr
