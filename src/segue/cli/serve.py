"""`segue serve`: everything in one process."""

import asyncio
import socket
from collections.abc import Callable

import click
from msgspec.structs import replace

from segue.channels.registry import Senders
from segue.cli.data_folder import settings_here
from segue.clock import SystemClock
from segue.logs import set_up_logs
from segue.services.application import Application
from segue.services.secrets import secrets_of
from segue.services.settings import Settings
from segue.storage.open import open_database
from segue.web.server import Server, listen, stop_on_signals


@click.command()
@click.option("--database", help="A database URL, such as sqlite:///path/to/folder.")
@click.option("--data", help="The data folder.  [default: ./segue-data]")
@click.option("--host", help="The address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), help="0 takes a free one.  [default: 8000]")
@click.option("--verbose", is_flag=True, help="Log more.")
def serve(
    database: str | None, data: str | None, host: str | None, port: int | None, verbose: bool
) -> None:
    """Serve the API, decide and send, in one process.

    Prints the address and, at first start, an API key and a link that makes the first account.
    """
    set_up_logs(verbose)
    flags = {"data": database or data, "host": host, "port": port}
    asyncio.run(_serve(settings_here(**flags)))


async def _serve(settings: Settings) -> None:
    clock = SystemClock()
    listening = listen(settings.host, settings.port)
    settings = replace(settings, port=listening.getsockname()[1])
    stores = open_database(settings.database_url)
    secrets = secrets_of(stores.journal, clock)
    senders = Senders(settings.channels, clock, secrets, settings.public_url)
    application = Application(settings, stores, senders, clock)
    await run_server(application, listening, asyncio.Event(), lambda: _announce(application))


def _announce(application: Application) -> None:
    click.echo(f"Segue serves on {application.settings.base_url}")
    key = application.first_key()
    if key is not None:
        click.echo(f"A first API key, shown this once: {key}")
    token = application.accounts.first_link()
    if token is not None:
        click.echo(f"Make the first account, by this link once: {application.link_url(token)}")
    if application.settings.channels.to_phone == "everybody":
        click.echo("Nobody gets a message: all go to virtual phones (channels.to_phone)")
    if application.web_push_key is not None:
        click.echo(f"Browsers subscribe to push with the key {application.web_push_key}")


async def run_server(
    application: Application,
    listening: socket.socket,
    stopping: asyncio.Event,
    announce: Callable[[], None],
) -> None:
    """Start the application and serve it until a signal or `stopping`; end both in order."""
    server = Server(application, listening)
    await application.start(_show_progress)
    stop_on_signals(stopping)
    announce()
    try:
        await server.run(stopping)
    finally:
        await application.stop()


def _show_progress(done: int, total: int) -> None:
    if done % 1000 == 0 or done == total:
        click.echo(f"\rReading the log: {done} of {total} blocks", err=True, nl=done == total)
