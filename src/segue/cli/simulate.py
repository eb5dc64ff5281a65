"""`segue simulate`: whole worlds by seed, in which everything fails, and what was found in them."""

import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Final

import click
import msgspec

from segue.cli.progress import entry_progress
from segue.clock import Clock, SystemClock
from segue.errors import SegueError
from segue.logs import hush_logs
from segue.simulator.faults import BUGS, FAULTS, Bug, read_faults
from segue.simulator.run import Report, add_up, simulate_traced
from segue.simulator.world import Scenario

_SEEDS: Final = range(100)  # unless told otherwise
_BROKEN_MAX: Final = 10  # worlds; more say nothing new


@click.command()
@click.option("--seed", type=click.IntRange(0), help="This world; with --minutes, and those after.")
@click.option("--seeds", help="These worlds: A..B, the last included.  [default: 0..99]")
@click.option("--days", default=2.0, show_default=True, type=click.FloatRange(0.01, 3650.0))
@click.option(
    "--faults", default="all", show_default=True, help=f"all, none, or any of {', '.join(FAULTS)}."
)
@click.option("--minutes", type=click.FloatRange(0.01), help="Go on with new worlds for so long.")
@click.option("--bug", "bugs", multiple=True, type=click.Choice(sorted(BUGS)), help="Plant one.")
@click.option(
    "--trace", type=click.Path(dir_okay=False, path_type=Path), help="Write what happened to FILE."
)
@click.option("--json", "is_json", is_flag=True, help="Print one object.")
def simulate(
    seed: int | None,
    seeds: str | None,
    days: float,
    faults: str,
    minutes: float | None,
    bugs: tuple[Bug, ...],
    trace: Path | None,
    is_json: bool,
) -> None:
    """Let the real runtime live in worlds where disk, clock, network and providers fail.

    Exit 1 at the first invariants that do not hold, each with the command that shows it again.
    """
    hush_logs()
    wanted = _wanted(seed, seeds, minutes)
    fault_set = read_faults(faults)
    scenarios = (Scenario(one, days, fault_set, frozenset(bugs)) for one in wanted)
    reports, lines = _live(scenarios, _total(wanted), SystemClock(), minutes)
    if trace is not None:
        trace.write_text("".join(f"{line}\n" for line in lines))
    if is_json:
        _print_json(reports)
    else:
        _print(reports)
    if any(report.broken for report in reports):
        sys.exit(1)


def _wanted(seed: int | None, seeds: str | None, minutes: float | None) -> range | Iterator[int]:
    """Return the seeds to try.

    Raises:
        SegueError: `seeds` is no range.
    """
    if seeds is not None:
        first, dots, last = seeds.partition("..")
        if seed is not None or not (dots and first.isdecimal() and last.isdecimal()):
            raise SegueError(f"--seeds {seeds}: write A..B, such as 0..499, and no --seed with it")
        return range(int(first), int(last) + 1)
    if minutes is not None:
        return count(seed or 0)
    return _SEEDS if seed is None else range(seed, seed + 1)


def _total(wanted: range | Iterator[int]) -> int:
    return len(wanted) if isinstance(wanted, range) else 0


def _live(
    scenarios: Iterator[Scenario], total: int, clock: Clock, minutes: float | None
) -> tuple[list[Report], list[str]]:
    """Let one world after the other live, and return the reports and the last one's trace."""
    reports: list[Report] = []
    lines: list[str] = []
    ends_at = None if minutes is None else clock.monotonic() + minutes * 60
    broken_count = 0
    with entry_progress("worlds") as show:
        for scenario in scenarios:
            report, lines = simulate_traced(scenario)
            reports.append(report)
            broken_count += report.broken is not None
            show(len(reports), max(total, len(reports)))
            if broken_count == _BROKEN_MAX:
                break
            if ends_at is not None and clock.monotonic() >= ends_at:
                break
    return reports, lines


def _print(reports: list[Report]) -> None:
    for report in reports:
        if report.broken:
            click.echo(f"seed {report.seed}, step {report.steps}: {report.broken}")
            for line in report.last:
                click.echo(f"    {line}")
            click.echo(f"again with: {report.command}")
    for what, how_often in add_up(reports).items():
        click.echo(f"{how_often:>12,}  {what}")
    days = sum(report.days for report in reports)
    broken = sum(report.broken is not None for report in reports)
    click.echo(
        f"{len(reports)} worlds, {days:,.0f} days: "
        + (f"{broken} broke an invariant" if broken else "every invariant held")
    )
    if len(reports) == 1:
        click.echo(f"fingerprint {reports[0].fingerprint}")


def _print_json(reports: list[Report]) -> None:
    told = {
        "worlds": len(reports),
        "days": sum(report.days for report in reports),
        "tried": add_up(reports),
        "broken": [report for report in reports if report.broken],
        "fingerprints": {str(report.seed): report.fingerprint for report in reports},
    }
    click.echo(msgspec.json.format(msgspec.json.encode(told)).decode())
