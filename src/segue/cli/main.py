"""The command tree, and how errors leave it: one line on stderr (interface.md)."""

import sys

import click

from segue import __version__
from segue.cli.backtest import backtest
from segue.cli.bench import bench
from segue.cli.demo import demo
from segue.cli.explain import explain
from segue.cli.keys import key
from segue.cli.log import log
from segue.cli.mail_report import mail_report
from segue.cli.projects import apply, export, plan
from segue.cli.replay import replay
from segue.cli.run import run
from segue.cli.serve import serve
from segue.cli.users import user
from segue.errors import SegueError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="segue")
def segue() -> None:
    """Segue: campaigns that follow what people do with other campaigns."""


COMMANDS = (
    serve,
    demo,
    run,
    plan,
    apply,
    export,
    explain,
    backtest,
    replay,
    log,
    key,
    mail_report,
    user,
    bench,
)
for command in COMMANDS:
    segue.add_command(command)


def main() -> None:
    """Run the command line; exit 0 when done, 1 when the answer is no, 2 on wrong use."""
    try:
        segue(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(1)
    except ValueError as error:
        click.echo(f"segue: {error}", err=True)
        sys.exit(2)
    except SegueError as error:
        click.echo(f"segue: {error}", err=True)
        sys.exit(1)
