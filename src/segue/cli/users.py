"""`segue user`: accounts that sign in to the dashboard, with or without a running server."""

import click
import msgspec

from segue.cli.data_folder import opened_journal, settings_here
from segue.clock import SystemClock
from segue.model.accounts import ROLES
from segue.model.instants import format_instant
from segue.services.accounts import Accounts, link_url
from segue.services.actors import COMMAND
from segue.services.audit import AuditTrail
from segue.services.passwords import Passwords


@click.group()
def user() -> None:
    """Accounts that sign in to the dashboard."""


@user.command()
@click.argument("email")
@click.option("--role", required=True, type=click.Choice(ROLES), help="What they may do.")
@click.option("--name", default="", help="What others see of them.")
@click.option("--data", help="The data folder.")
def add(email: str, role: str, name: str, data: str | None) -> None:
    """Make an account, and print a link that sets its password; the link works once."""
    settings, clock = settings_here(data=data), SystemClock()
    with opened_journal(settings) as journal:
        accounts = Accounts(journal, clock, Passwords(clock))
        account, token = accounts.invite(email, role, name)
        AuditTrail(journal, clock).record(COMMAND, "add user", account.email, f"as {role}")
        click.echo(link_url(settings.base_url, token))


@user.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option("--data", help="The data folder.")
def list_users(as_json: bool, data: str | None) -> None:
    """List the accounts."""
    with opened_journal(settings_here(data=data)) as journal:
        for one in journal.accounts.all():
            shown = {
                "id": one.id,
                "email": one.email,
                "name": one.name,
                "role": one.role,
                "created_at": format_instant(one.created_at),
                "has_password": one.password_hash is not None,
            }
            if as_json:
                click.echo(msgspec.json.encode(shown))
            else:
                state = "active" if one.password_hash is not None else "invited"
                click.echo(f"{one.id}  {one.role:9} {state:7} {one.email}  {one.name}".rstrip())
