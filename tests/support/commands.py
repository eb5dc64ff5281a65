"""Segue's commands, as a person runs them."""

import subprocess
import sys
from pathlib import Path
from typing import Any


def segue(*arguments: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, however that is."""
    command = [sys.executable, "-m", "segue", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


def run_segue(*arguments: str | Path) -> str:
    """Run a command that is to be done well, and return what it prints."""
    done = segue(*arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
