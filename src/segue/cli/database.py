"""`segue db`: check, back up, restore and rebuild what a data folder holds."""

from contextlib import nullcontext
from pathlib import Path

import click
import msgspec

from segue.cli.data_folder import opened_journal, settings_here
from segue.cli.findings import show_findings
from segue.cli.progress import task_progress
from segue.clock import SystemClock
from segue.errors import SegueError
from segue.runtime.collector import without_collector
from segue.services.actors import COMMAND
from segue.services.audit import AuditTrail
from segue.services.database_check import check_database
from segue.services.settings import Settings
from segue.storage.backup import make_backup, restore_backup
from segue.storage.hold_ports import StoredHold
from segue.storage.open import SNAPSHOT_FILE, rebuild_snapshot

_FOLDER = click.Path(file_okay=False, path_type=Path)


@click.group()
def db() -> None:
    """Check, back up, restore and rebuild what is stored."""


@db.command()
@click.option("--data", help="The data folder; a server may have it open.")
@click.option("--deep", is_flag=True, help="Also count again what the log says; takes its time.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def check(data: str | None, deep: bool, as_json: bool) -> None:
    """Read everything that is stored, and say what is damaged.

    Exits with 1 if anything is.
    """
    folder = _folder(settings_here(data=data))
    with task_progress() as progress, without_collector() if deep else nullcontext():
        findings = check_database(folder, is_deep=deep, progress=progress)
    show_findings(findings, as_json=as_json)


@db.command()
@click.argument("target", type=_FOLDER)
@click.option("--data", help="The data folder; a server may have it open.")
@click.option("--json", "as_json", is_flag=True, help="Print the manifest.")
def backup(target: Path, data: str | None, as_json: bool) -> None:
    """Copy everything that is stored into the folder TARGET, which is made.

    A server may be running: the copy is as everything was at one instant.
    """
    folder = _folder(settings_here(data=data))
    with task_progress() as progress:
        manifest = make_backup(folder, target, SystemClock().now(), progress)
    if as_json:
        click.echo(msgspec.json.encode(manifest))
        return
    size = sum(file.bytes for file in manifest.files)
    click.echo(
        f"{manifest.entries:,} entries of the log, up to block {manifest.last_block}, are in "
        f"{target.absolute()} ({size:,} bytes). It holds profiles and secrets: keep it as safe as "
        "the data folder."
    )


@db.command()
@click.argument("source", metavar="BACKUP", type=_FOLDER)
@click.option("--data", help="The data folder: empty, or not there yet.")
@click.option(
    "--send", "sends", is_flag=True, help="Let the server send at once, instead of holding."
)
@click.option("--json", "as_json", is_flag=True, help="Print the manifest.")
def restore(source: Path, data: str | None, sends: bool, as_json: bool) -> None:
    """Copy a backup into an empty data folder, once its checksums are right.

    All sending is held then, since some of what waits may have gone out after the backup was made.
    """
    settings, clock = settings_here(data=data), SystemClock()
    folder = _folder(settings)
    hold = None if sends else StoredHold(clock.now(), "segue db restore")
    with task_progress() as progress:
        manifest = restore_backup(source, folder, hold, progress)
    with opened_journal(settings) as journal:
        AuditTrail(journal, clock).record(COMMAND, "restore backup", source.name, manifest.made_at)
    if as_json:
        click.echo(msgspec.json.encode(manifest))
        return
    click.echo(
        f"{folder.absolute()} is as it was at {manifest.made_at}, up to block "
        f"{manifest.last_block}."
    )
    if not sends:
        click.echo("All sending is held: start the server, look at what waits, and let it go.")


@db.command()
@click.option("--data", help="The data folder; no server may have it open.")
def rebuild(data: str | None) -> None:
    """Set a damaged state.db aside; the next start builds it anew from the log."""
    kept = rebuild_snapshot(_folder(settings_here(data=data)))
    click.echo(
        f"{SNAPSHOT_FILE} is now {kept.name}; the next `segue serve` builds it anew from the log. "
        "Delete what was set aside when all is well."
    )


def _folder(settings: Settings) -> Path:
    if settings.database_url.startswith("memory:"):
        raise SegueError("a database in memory has no files; name a data folder with --data")
    return settings.data_dir
