"""`segue replay`: the log decided again, and compared with what was recorded."""

from typing import Any

import click
import msgspec

from segue.cli.data_folder import settings_here
from segue.cli.progress import entry_progress
from segue.clock import SystemClock
from segue.model.verdicts import Verdict
from segue.runtime.collector import without_collector
from segue.runtime.lines import verdict_line
from segue.runtime.replay import Comparison, compare_with_record
from segue.storage.open import open_database


@click.command()
@click.option("--data", help="The data folder; no server may have it open.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def replay(data: str | None, as_json: bool) -> None:
    """Decide the recorded log again, and compare with what was recorded.

    Exits with 1 at the first difference, which it prints.
    """
    settings = settings_here(data=data)
    clock = SystemClock()
    began = clock.monotonic()
    with (
        open_database(settings.database_url) as stores,
        entry_progress("Deciding") as progress,
        without_collector(),
    ):
        found = compare_with_record(stores.journal, stores.snapshot, progress)
    seconds = clock.monotonic() - began
    if as_json:
        click.echo(msgspec.json.encode(_fields(found, seconds)))
    else:
        _show(found, seconds)
    if found.difference is not None:
        raise SystemExit(1)


def _fields(found: Comparison, seconds: float) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "is_equal": found.difference is None,
        "compared": found.equal + (found.difference is not None),
        "lost": found.lost,
        "entries": found.entries,
        "entries_behind": found.entries_behind,
        "seconds": round(seconds, 3),
        "entries_per_second": round(found.entries / seconds),
    }
    if found.difference is not None:
        fields["difference"] = {
            "place": found.difference.place,
            "recorded": _line(found.difference.recorded),
            "decided": _line(found.difference.decided),
        }
    return fields


def _show(found: Comparison, seconds: float) -> None:
    speed = f"in {seconds:.1f} s ({found.entries / seconds:,.0f} entries a second)"
    if found.difference is None:
        click.echo(
            f"{found.equal:,} decisions about {found.entries:,} entries of the log are as they "
            f"were recorded, {speed}."
        )
    else:
        click.echo(
            f"After {found.equal:,} equal decisions one differs, at {found.difference.place}:"
        )
        for name in ("recorded", "decided"):
            line = _line(getattr(found.difference, name))
            told = msgspec.json.encode(line).decode() if line is not None else "nothing"
            click.echo(f"{name + ':':10}{told}")
    if found.lost:
        click.echo(f"Of {found.lost:,} decisions before, the record was dropped (log_bytes_max).")
    if found.entries_behind:
        click.echo(
            f"Behind the last checkpoint are {found.entries_behind:,} entries, of which nothing is "
            "recorded yet; the next start decides about them."
        )


def _line(verdict: Verdict | None) -> dict[str, Any] | None:
    return verdict_line(verdict) if verdict is not None else None
