"""The command tree, and how errors leave it: one line on stderr (interface.md)."""

import sys
from importlib import import_module
from typing import Final

import click

from segue import __version__
from segue.errors import SegueError
from segue.model.decoding import did_you_mean

# In the order of the help: where each command is. A command is imported when it is asked for:
# `segue key` should not wait for what `segue serve` needs.
COMMANDS: Final = {
    "serve": "segue.cli.serve:serve",
    "demo": "segue.cli.demo:demo",
    "run": "segue.cli.run:run",
    "plan": "segue.cli.projects:plan",
    "apply": "segue.cli.projects:apply",
    "export": "segue.cli.projects:export",
    "explain": "segue.cli.explain:explain",
    "backtest": "segue.cli.backtest:backtest",
    "replay": "segue.cli.replay:replay",
    "log": "segue.cli.log:log",
    "key": "segue.cli.keys:key",
    "mail-report": "segue.cli.mail_report:mail_report",
    "user": "segue.cli.users:user",
    "doctor": "segue.cli.doctor:doctor",
    "db": "segue.cli.database:db",
    "bench": "segue.cli.bench:bench",
    "simulate": "segue.cli.simulate:simulate",
}


class Commands(click.Group):
    """The commands, each imported when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names, in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of a name, or nothing."""
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name].split(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that is asked for; of a misspelt one, say which may be meant."""
        if args[0] not in COMMANDS:
            ctx.fail(f'there is no command "{args[0]}"{did_you_mean(args[0], list(COMMANDS))}')
        return super().resolve_command(ctx, args)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="segue")
def segue() -> None:
    """Segue: campaigns that follow what people do with other campaigns."""


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
