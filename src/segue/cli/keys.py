"""`segue key`: make, list and revoke API keys, with or without a running server."""

import os
from pathlib import Path

import click
import msgspec

from segue.clock import SystemClock
from segue.model.instants import format_instant
from segue.services.actors import COMMAND
from segue.services.audit import AuditTrail
from segue.services.keys import create_key, revoke_key
from segue.services.settings import read_settings
from segue.storage.open import open_journal
from segue.storage.ports import Journal


def _journal(data: str | None) -> Journal:
    settings = read_settings(Path.cwd(), dict(os.environ), {"data": data})
    return open_journal(settings.data_dir)


@click.group()
def key() -> None:
    """API keys."""


@key.command()
@click.option(
    "--scopes",
    required=True,
    help="ingest, read, campaigns, send, admin, by commas; or sdk, for a page.",
)
@click.option("--name", default="", help="What it is for.")
@click.option("--data", help="The data folder.")
def create(scopes: str, name: str, data: str | None) -> None:
    """Make a key and print it; it is shown this once."""
    journal = _journal(data)
    try:
        names = [scope.strip() for scope in scopes.split(",") if scope.strip()]
        text = create_key(journal, SystemClock(), names, name)
        trail = AuditTrail(journal, SystemClock())
        trail.record(COMMAND, "create key", name, ", ".join(names))
        click.echo(text)
    finally:
        journal.close()


@key.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option("--data", help="The data folder.")
def list_keys(as_json: bool, data: str | None) -> None:
    """List the keys, without their secrets."""
    journal = _journal(data)
    try:
        for one in journal.list_keys():
            shown = {
                "id": one.id,
                "name": one.name,
                "scopes": one.scopes,
                "created_at": format_instant(one.created_at),
                "is_revoked": one.revoked_at is not None,
            }
            if as_json:
                click.echo(msgspec.json.encode(shown))
            else:
                state = "revoked" if one.revoked_at is not None else "valid"
                click.echo(f"{one.id}  {state:8} {','.join(one.scopes):24} {one.name}")
    finally:
        journal.close()


@key.command()
@click.argument("key_id")
@click.option("--data", help="The data folder.")
def revoke(key_id: str, data: str | None) -> None:
    """Make a key worthless."""
    journal = _journal(data)
    try:
        revoke_key(journal, SystemClock(), key_id)
        AuditTrail(journal, SystemClock()).record(COMMAND, "revoke key", key_id)
    finally:
        journal.close()
