"""The page on campaigns in git shows what the commands do: its session is run as it stands."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "campaigns-in-git.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
COMMAND = re.compile(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)


def test_the_session_of_the_page_goes_as_it_is_printed(tmp_path: Path) -> None:
    blocks = BLOCK.findall(PAGE.read_text())
    for kind, text in blocks:
        if kind == "yaml":
            file = tmp_path / text.partition("\n")[0].removeprefix("# ")
            file.parent.mkdir(exist_ok=True)
            file.write_text(text)
    session = [pair for kind, text in blocks if kind == "console" for pair in COMMAND.findall(text)]
    assert len(session) == 8
    environment = {**os.environ, "SEGUE_DATA": str(tmp_path / "segue-data")}
    for command, printed in session:
        line = command.replace("segue ", f"{sys.executable} -m segue ", 1)
        done = subprocess.run(
            line,
            shell=True,
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.stdout, done.stderr) == (printed, ""), command
        has_changes = command.startswith("segue plan") and "No changes" not in printed
        assert done.returncode == int(has_changes), command
