"""`segue doctor`: the settings, and whether everything is as it should be."""

import os
from pathlib import Path

import click

from segue.cli.data_folder import settings_here
from segue.cli.findings import show_findings
from segue.clock import SystemClock
from segue.model.problems import InvalidError
from segue.services.doctor import examine
from segue.services.findings import Finding
from segue.services.settings import KEY_VARIABLE, SETTINGS_FILE
from segue.services.shown_settings import shown_settings


@click.command()
@click.option("--database", help="A database URL, such as sqlite:///path/to/folder.")
@click.option("--data", help="The data folder; a server may have it open.")
@click.option("--host", help="The address that the server listens on.")
@click.option("--port", type=click.IntRange(0, 65535), help="Its port.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def doctor(
    database: str | None, data: str | None, host: str | None, port: int | None, as_json: bool
) -> None:
    """Print the settings, secrets hidden, and look at everything that can be wrong with them.

    Asks no name server and no provider. Exits with 1 if anything is broken.
    """
    try:
        settings = settings_here(data=database or data, host=host, port=port)
    except InvalidError as error:
        remedy = f"docs/reference/settings.md has every setting; they were {_source()}."
        problems = [Finding("settings", "fail", _told(error), remedy)]
        show_findings(problems, as_json=as_json, more={"settings": {}})
        return
    shown = shown_settings(settings)
    if not as_json:
        for name, value in shown.items():
            click.echo(f"{name} = {value}")
        click.echo()
    findings = [
        Finding("settings", "ok", f"{len(shown)} are set, {_source()}"),
        *examine(settings, SystemClock()),
    ]
    show_findings(findings, as_json=as_json, more={"settings": shown})


def _source() -> str:
    """Return where settings come from; not what is in it."""
    path = Path.cwd() / SETTINGS_FILE
    names = sorted(n for n in os.environ if n.startswith("SEGUE_") and n != KEY_VARIABLE)
    parts = [f"read from {path}" if path.exists() else f"without a {SETTINGS_FILE} here"]
    return " and ".join([*parts, *([", ".join(names)] if names else [])])


def _told(error: InvalidError) -> str:
    return "; ".join(f"{one.path or 'the whole'}: {one.message}" for one in error.problems)
