"""The command tree: every command is found, and only what is asked for is imported."""

import subprocess
import sys

import click
from click.testing import CliRunner

from segue.cli.main import COMMANDS, segue


def test_every_command_is_where_the_table_says_and_has_that_name() -> None:
    context = click.Context(segue)
    found = [segue.get_command(context, name) for name in COMMANDS]
    assert [command.name for command in found if command] == list(COMMANDS)


def test_a_command_does_not_wait_for_the_web_server() -> None:
    asked = "import sys; from segue.cli.main import segue; segue(['key', 'list', '--help'], "
    asked += "standalone_mode=False); sys.exit('litestar' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_misspelt_command_is_told_which_may_be_meant() -> None:
    result = CliRunner().invoke(segue, ["expl4in"])
    assert result.exit_code == 2
    assert 'no command "expl4in"; did you mean "explain"?' in result.output
