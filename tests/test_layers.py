"""The layers hold, and their contracts in pyproject.toml catch what they are there for."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

ROOT = Path(__file__).parent.parent
LINT = (
    "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
)


def test_every_layer_imports_only_those_below_it(capsys: pytest.CaptureFixture[str]) -> None:
    exit_code = lint_imports(
        config_filename=str(ROOT / "pyproject.toml"), no_cache=True, no_logo=True
    )
    assert exit_code == 0, capsys.readouterr().out


@pytest.mark.parametrize(
    ("file", "planted", "said"),
    [
        ("model/ids.py", "import segue.engine.decide", "segue.model is not allowed to import"),
        ("engine/decide.py", "import segue.clock", "segue.engine is not allowed to import"),
        ("engine/decide.py", "import time", "segue.engine is not allowed to import time"),
        ("newcomer.py", "", "segue.newcomer"),
    ],
)
def test_an_import_that_climbs_a_layer_is_caught(
    tmp_path: Path, file: str, planted: str, said: str
) -> None:
    shutil.copytree(
        ROOT / "src" / "segue",
        tmp_path / "segue",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    with (tmp_path / "segue" / file).open("a") as source:
        source.write(f"\n{planted}\n")

    found = subprocess.run(
        [sys.executable, "-c", LINT],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert found.returncode == 1, found.stdout + found.stderr
    assert said in found.stdout, found.stdout
