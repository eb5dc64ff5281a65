"""`segue log`: the recorded log, or the recorded decisions, as NDJSON."""

import sys

import click
import msgspec

from segue.cli.data_folder import settings_here
from segue.runtime.lines import lines_of, verdict_line
from segue.storage.open import open_database


@click.command()
@click.option("--data", help="The data folder; no server may have it open.")
@click.option("--decisions", is_flag=True, help="Print what was decided instead of what happened.")
def log(data: str | None, decisions: bool) -> None:
    """Print the log as lines that `segue run` reads, campaigns included."""
    settings = settings_here(data=data)
    sink = sys.stdout.buffer
    with open_database(settings.database_url) as stores:
        if decisions:
            for verdict in stores.snapshot.read_verdicts():
                sink.write(msgspec.json.encode(verdict_line(verdict)) + b"\n")
            return
        for block in stores.journal.read_log():
            for line in lines_of(block):
                sink.write(msgspec.json.encode(line) + b"\n")
