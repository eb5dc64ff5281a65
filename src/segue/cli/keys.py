"""`segue key`: make, list and revoke API keys, with or without a running server."""

import click
import msgspec

from segue.cli.data_folder import opened_journal, settings_here
from segue.clock import SystemClock
from segue.model.instants import format_instant
from segue.services.actors import COMMAND
from segue.services.audit import AuditTrail
from segue.services.keys import create_key, revoke_key


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
    with opened_journal(settings_here(data=data)) as journal:
        names = [scope.strip() for scope in scopes.split(",") if scope.strip()]
        text = create_key(journal, SystemClock(), names, name)
        trail = AuditTrail(journal, SystemClock())
        trail.record(COMMAND, "create key", name, ", ".join(names))
        click.echo(text)


@key.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option("--data", help="The data folder.")
def list_keys(as_json: bool, data: str | None) -> None:
    """List the keys, without their secrets."""
    with opened_journal(settings_here(data=data)) as journal:
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


@key.command()
@click.argument("key_id")
@click.option("--data", help="The data folder.")
def revoke(key_id: str, data: str | None) -> None:
    """Make a key worthless."""
    with opened_journal(settings_here(data=data)) as journal:
        revoke_key(journal, SystemClock(), key_id)
        AuditTrail(journal, SystemClock()).record(COMMAND, "revoke key", key_id)
