"""uvicorn inside our own event loop, so that runtime and HTTP live and end together."""

import asyncio
import signal
import socket
from contextlib import nullcontext

import uvicorn

from segue.errors import SegueError
from segue.services.application import Application
from segue.web.app import create_app


class Server:
    """Serves an application on one address until it is told to stop."""

    def __init__(self, application: Application, listening: socket.socket) -> None:
        self._socket = listening
        config = uvicorn.Config(
            create_app(application),
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            timeout_graceful_shutdown=1,
            http="h11",
            ws="none",
        )
        self._uvicorn = uvicorn.Server(config)

    async def run(self, stopping: asyncio.Event) -> None:
        """Serve until `stopping` is set."""
        # uvicorn's own signal handlers would end it behind our back.
        self._uvicorn.capture_signals = nullcontext  # type: ignore[method-assign,assignment]
        serving = asyncio.create_task(self._uvicorn.serve(sockets=[self._socket]))
        waiting = asyncio.create_task(stopping.wait())
        await asyncio.wait([serving, waiting], return_when=asyncio.FIRST_COMPLETED)
        self._uvicorn.should_exit = True
        waiting.cancel()
        await serving


def stop_on_signals(stopping: asyncio.Event) -> None:
    """Set `stopping` when a signal asks to end, instead of breaking off wherever we are."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)


def listen(host: str, port: int) -> socket.socket:
    """Return a socket bound to the address; port 0 takes a free one.

    Raises:
        SegueError: the address is taken, or not ours.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(2048)  # who connects before the loop runs waits a moment
    except OSError as error:
        listening.close()
        message = f"cannot listen on {host} port {port}: {error.strerror}; choose one with --port"
        raise SegueError(message) from None
    return listening
