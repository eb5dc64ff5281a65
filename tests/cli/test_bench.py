"""`segue bench`: folds over a recorded load are measured beside the floor of the same run."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", ["backtest", "replay"])
def test_a_fold_over_the_record_is_measured_beside_the_floor(tmp_path: Path, name: str) -> None:
    told = tmp_path / "told.json"
    command = [sys.executable, "-m", "segue", "bench", name, "--events", "20000", "--users", "500"]
    done = subprocess.run(
        [*command, "--json", str(told)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert f"{name}: rate" in done.stdout
    measured = json.loads(told.read_text())[name]
    assert measured["ratio"] == pytest.approx(measured["rate"] / measured["floor"], abs=0.01)
    assert measured["entries"] == 20_050
    assert measured["decisions"] > 0
