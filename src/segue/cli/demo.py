"""`segue demo`: a shop with connected campaigns and a live audience, to watch."""

import asyncio
import tempfile
from pathlib import Path
from typing import Any, Final

import click
from rich.box import SIMPLE
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from segue.channels.registry import Senders
from segue.channels.settings import ChannelSettings
from segue.cli.serve import run_server
from segue.clock import SystemClock
from segue.errors import SegueError
from segue.logs import set_up_logs
from segue.model.verdicts import Verdict
from segue.runtime.live_feed import Subscription
from segue.runtime.moments import line_of
from segue.services.application import Application
from segue.services.publishing import PublishSetWish
from segue.services.secrets import secrets_of
from segue.services.settings import Settings
from segue.services.spans import Period
from segue.services.stats import stats_of
from segue.services.tokens import new_token
from segue.simulator import shop
from segue.simulator.people import People
from segue.storage.open import open_stores
from segue.web.server import listen

LOG_BYTES_MAX: Final = 16 * 1024 * 1024  # the demo runs for ever; its disk does not grow for ever
_SUMMARY_EVERY_S: Final = 20.0
_EMAIL: Final = "demo@segue.test"
_PASSWORD_LENGTH: Final = 16
_COLOURS: Final = {
    "send": "bold green",
    "enter": "cyan",
    "cancel": "yellow",
    "skip": "magenta",
    "convert": "bold blue",
    "refuse": "dim",
}
_SHORT: Final = {"cancelled": "cancel", "conversions": "buys"}  # eighty columns are not many
_WORDS: Final = {
    "send": "sends",
    "enter": "enters",
    "cancel": "cancels",
    "skip": "skips",
    "convert": "converts",
    "refuse": "refuses",
}


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535))
@click.option("--pace", default=0.5, show_default=True, help="Seconds between two visits.")
@click.option("--seed", default="shop", show_default=True, help="The same seed, the same people.")
@click.option("--all", "show_all", is_flag=True, help="Show refusals too.")
def demo(host: str, port: int, pace: float, seed: str, show_all: bool) -> None:
    """Run a shop on a throw-away database, and show what happens as it happens.

    Nothing leaves this machine: messages go to virtual phones, and synthetic people read them.
    """
    set_up_logs()
    with tempfile.TemporaryDirectory(prefix="segue-demo-") as folder:
        asyncio.run(_demo(Path(folder), host, port, pace, seed, show_all))


async def _demo(folder: Path, host: str, port: int, pace: float, seed: str, show_all: bool) -> None:
    try:
        listening = listen(host, port)
    except SegueError:
        listening = listen(host, 0)  # somebody else has the port: a free one will do for a demo
    settings = Settings(
        host=host,
        port=listening.getsockname()[1],
        data=str(folder),
        log_bytes_max=LOG_BYTES_MAX,
        channels=ChannelSettings(to_phone="everybody"),
    )
    clock, stores = SystemClock(), open_stores(folder)
    senders = Senders(settings.channels, clock, secrets_of(stores.journal, clock))
    application = Application(settings, stores, senders, clock)
    stage = _Stage(application, pace, seed, show_all)
    try:
        await run_server(application, listening, asyncio.Event(), stage.open)
    finally:
        await stage.close()


class _Stage:
    """What the demo adds to a server: campaigns, people, and the words on the terminal."""

    def __init__(self, application: Application, pace: float, seed: str, show_all: bool) -> None:
        self._application = application
        self._pace = pace
        self._seed = seed
        self._show_all = show_all
        self._console = Console(highlight=False, soft_wrap=True)
        self._tasks: list[asyncio.Task[None]] = []

    def open(self) -> None:
        """Begin, once the server listens."""
        self._tasks = [asyncio.create_task(self._play()), asyncio.create_task(self._narrate())]
        for task in self._tasks:
            task.add_done_callback(self._failed)

    async def close(self) -> None:
        """End the play."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._console.print("The demo has ended; its database is gone.")

    async def _play(self) -> None:
        application = self._application
        key = application.first_key() or ""
        drafts = [application.campaigns.create(document) for document in shop.campaigns()]
        await application.publishing.publish_set(PublishSetWish(ids=[one.id for one in drafts]))
        url = application.settings.base_url
        password = new_token(application.clock)[:_PASSWORD_LENGTH]
        account = await application.accounts.add_admin(_EMAIL, password)
        self._console.print(f"[bold]Segue’s demo shop[/bold] on {url}, API key {key}")
        self._console.print(f"Sign in as {account.email}, password {password}")
        self._console.print("Six connected campaigns, thirty people. Ctrl-C ends it.\n")
        people = People(url, key, application.clock, self._tell_person, self._seed)
        await people.live(self._pace)

    async def _narrate(self) -> None:
        feed = self._application.runtime.feed
        subscription = feed.subscribe(wanted=lambda moment: isinstance(moment.what, Verdict))
        clock = self._application.clock
        next_summary = clock.monotonic() + _SUMMARY_EVERY_S
        try:
            while True:
                await self._tell_next(subscription)
                if clock.monotonic() >= next_summary:
                    await self._tell_numbers()
                    next_summary = clock.monotonic() + _SUMMARY_EVERY_S
        finally:
            feed.unsubscribe(subscription)

    async def _tell_next(self, subscription: Subscription) -> None:
        item = await subscription.next(1.0)
        if item is None:
            return
        line = line_of(item.moment)
        if line["decision"] == "refuse" and not self._show_all:
            return
        colour = _COLOURS.get(line["decision"], "white")
        reason = f" ({line['reason']})" if "reason" in line else ""
        due = self._in_seconds(line)
        what = f"{_WORDS.get(line['decision'], line['decision'])} {line['campaign']}{due}{reason}"
        self._print(line["user_id"].capitalize(), "Segue", f"[{colour}]{escape(what)}[/{colour}]")

    def _in_seconds(self, line: dict[str, Any]) -> str:
        wait = (line["due"] - line["at"]).total_seconds() if "due" in line else 0
        return f", due in {wait:.0f} s" if wait > 0 else ""

    def _tell_person(self, name: str, what: str) -> None:
        self._print(name, "person", escape(what))

    def _print(self, name: str, who: str, what: str) -> None:
        self._console.print(f"{escape(name):8} [dim]{who:7}[/dim] {what}")

    async def _tell_numbers(self) -> None:
        columns = ("entered", "waiting", "cancelled", "sent", "opens", "clicks", "conversions")
        table = Table("so far", box=SIMPLE, pad_edge=False)
        for column in columns:
            table.add_column(_SHORT.get(column, column), justify="right", no_wrap=True)
        runtime = self._application.runtime
        for slug, campaign in runtime.plan.campaigns.items():
            totals = (await stats_of(runtime, campaign.newest.document, Period())).totals
            table.add_row(slug, *(f"{totals.get(column, 0):.0f}" for column in columns))
        self._console.print(table)

    def _failed(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._console.print(f"[red]The demo stumbled: {escape(str(error))}[/red]")
