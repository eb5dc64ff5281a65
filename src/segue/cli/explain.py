"""`segue explain`: why a user got a campaign, or did not."""

import click
import msgspec
from rich.console import Console

from segue.cli.data_folder import settings_here
from segue.cli.explanation_view import ExplanationView
from segue.services.explanations.service import explain as explained
from segue.services.explanations.service import now_of
from segue.storage.open import open_for_reading

_WIDTH_MAX = 100  # longer lines are no easier to read
_WIDTH = 80  # where there is no terminal


@click.command()
@click.option("--user", "user_id", required=True, help="The user's id.")
@click.option("--campaign", required=True, help="The campaign's slug or id.")
@click.option("--data", help="The data folder; a server may have it open.")
@click.option("--all", "show_all", is_flag=True, help="Show also what repeats itself.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, as the API answers.")
def explain(user_id: str, campaign: str, data: str | None, show_all: bool, as_json: bool) -> None:
    """Explain why a user got a campaign, or did not.

    Everything in the log that touched the two, each check in order, with the values compared.
    The folder is only read.
    """
    settings = settings_here(data=data)
    with open_for_reading(settings.data_dir) as stores:
        now = now_of(stores.journal, stores.snapshot)
        explanation = explained(stores.journal, stores.snapshot, user_id, campaign, now)
    if as_json:
        click.echo(msgspec.json.encode(explanation))
        return
    console = Console(highlight=False)
    width = min(console.width, _WIDTH_MAX) if console.is_terminal else _WIDTH
    ExplanationView(console, width, show_all).show(explanation)
