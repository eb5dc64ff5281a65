"""`segue backtest`: what a draft would have done on the recorded log."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import click
import msgspec
from rich.box import SIMPLE
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from segue.cli.data_folder import settings_here
from segue.cli.progress import entry_progress
from segue.model.instants import parse_instant
from segue.model.limits import BACKTEST_EXAMPLES_MAX
from segue.model.reasons import REASONS
from segue.runtime.collector import without_collector
from segue.services.backtest_tally import Example, Numbers
from segue.services.backtests import EXAMPLES_DEFAULT, BacktestResult, run_backtest
from segue.services.project_files import read_yaml
from segue.storage.open import open_for_reading

_COUNTED: Final = ("entered", "refused", "control", "cancelled", "skipped", "sent")
_NOTHING: Final = "-"
_ALWAYS: Final = ("entered", "sent")  # shown even where they are nothing


@click.command()
@click.argument("campaign", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--since", help="Take it as published at this instant.  [default: the log's begin]")
@click.option("--data", help="The data folder; a server may have it open.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option(
    "--limit",
    default=EXAMPLES_DEFAULT,
    show_default=True,
    type=click.IntRange(0, BACKTEST_EXAMPLES_MAX),
    help="Examples of each kind of decision.",
)
def backtest(
    campaign: Path, since: str | None, data: str | None, as_json: bool, limit: int
) -> None:
    """Tell what the draft in CAMPAIGN would have done on the recorded log.

    Nothing is sent and nothing is written. What other campaigns did stays as it was.
    """
    since_at = parse_instant(since) if since is not None else None
    settings = settings_here(data=data)
    raw = read_yaml(campaign.read_text(encoding="utf-8"), campaign.name)
    with (
        open_for_reading(settings.data_dir) as stores,
        entry_progress("Deciding") as progress,
        without_collector(),
    ):
        result = run_backtest(stores, raw, since_at, limit, progress)
    if as_json:
        click.echo(msgspec.json.encode(result))
    else:
        _show(Console(highlight=False, soft_wrap=True), result)


def _show(console: Console, result: BacktestResult) -> None:
    console.print(
        f"[bold]{result.campaign}[/bold] over {result.entries:,} entries of the log, "
        f"as if published at {result.since}; it ends at {result.until}, "
        f"and days are of {result.time_zone}."
    )
    if not result.is_whole:
        console.print(
            "The log has lost its beginning: what users had received and done before is not known."
        )
    for warning in result.warnings:
        console.print(f"{escape(warning.path or '(top)')}: {escape(warning.message)}")
    console.print(_table_of_days(result))
    console.print(f"{result.waiting:,} users wait for it at the end.")
    _show_reasons(console, result.totals)
    for example in result.examples:
        _show_example(console, example)


def _table_of_days(result: BacktestResult) -> Table:
    """Return the numbers by day and in all, without columns in which there is nothing."""
    totals = _cells(result.totals)
    columns = [name for name, cell in totals.items() if name in _ALWAYS or cell != _NOTHING]
    table = Table("day", box=SIMPLE, pad_edge=False)
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    for day in result.days:
        cells = _cells(day.numbers)
        table.add_row(day.day, *(cells.get(column, _NOTHING) for column in columns))
    table.add_section()
    table.add_row("in all", *(totals[column] for column in columns))
    return table


def _cells(numbers: Numbers) -> dict[str, str]:
    """Return the numbers by the name of their column."""
    cells = {name: _shown(getattr(numbers, name)) for name in _COUNTED}
    for of, found in (("", numbers.converted), ("control ", numbers.control_converted)):
        cells |= {
            f"{of}converted {letter}": _shown(count) for letter, count in sorted(found.items())
        }
    for of, money in (("", numbers.revenue), ("control ", numbers.control_revenue)):
        cells |= {f"{of}revenue {name}": f"{amount:,.2f}" for name, amount in sorted(money.items())}
    return cells


def _shown(value: int | Mapping[str, int]) -> str:
    count = value if isinstance(value, int) else sum(value.values())
    return f"{count:,}" if count else _NOTHING


def _show_reasons(console: Console, totals: Numbers) -> None:
    for name in ("refused", "cancelled", "skipped"):
        for reason, count in sorted(getattr(totals, name).items()):
            console.print(f"{count:,} {name}: {reason}. {REASONS.get(reason, '')}")


def _show_example(console: Console, example: Example) -> None:
    why = example.reason or example.conversion_event
    line = f"{example.at}  {escape(example.user_id)}  {example.decision}"
    line += f" ({why})" if why else ""
    line += f", due {example.due}" if example.due and example.due != example.at else ""
    if example.event is not None:
        of = f" of {escape(example.event.campaign)}" if example.event.campaign else ""
        line += f"  [dim]by {escape(example.event.name)}{of}, {escape(example.cause)}[/dim]"
    console.print(line)
