"""Providers of the tests' own: real HTTP servers, over HTTP/2 and TLS where the real one has it.

A relay stands before each, so that a connection can break at the very moment a test wants.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from granian.constants import Interfaces
from granian.server.embed import Server
from msgspec import Struct, field

from tests.channels.certificates import certificate
from tests.support.servers import free_port


class Asked(Struct):
    """One request."""

    http_version: str
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Reply(Struct):
    """An answer; or the connection is cut, or nothing ever comes."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    is_cut: bool = False
    is_never: bool = False


CUT = Reply(is_cut=True)
NEVER = Reply(is_never=True)


class FakeProvider:
    """Keeps what it was asked; answers as it is told, else as `answer` says."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.taken: list[Asked] = []  # those that it said yes to, or was about to
        self.planned: list[Reply] = []
        self.url = ""
        self.relay = _Relay()

    def say(self, *replies: Reply) -> None:
        """Answer the next requests so, after they were taken in."""
        self.planned += replies

    def answer(self, asked: Asked) -> Reply:
        """Take a request in, and answer it."""
        return Reply()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve a request (ASGI)."""
        body = b""
        has_more = True
        while has_more:
            message = await receive()
            body += message.get("body", b"")
            has_more = message.get("more_body", False)
        headers = {name.decode().lower(): value.decode() for name, value in scope["headers"]}
        path = scope["path"] + (f"?{scope['query_string'].decode()}" * bool(scope["query_string"]))
        asked = Asked(scope["http_version"], scope["method"], path, headers, body)
        self.asked.append(asked)
        reply = self.answer(asked)
        if reply.status < 300:
            self.taken.append(asked)
        if reply.is_cut:
            self.relay.cut()
        if reply.is_cut or reply.is_never:
            await asyncio.Event().wait()
        raw = [(name.lower().encode(), value.encode()) for name, value in reply.headers.items()]
        await send({"type": "http.response.start", "status": reply.status, "headers": raw})
        await send({"type": "http.response.body", "body": reply.body})


class _Relay:
    """Passes bytes on, until it is cut."""

    def __init__(self) -> None:
        self.connection_count = 0
        self._to = 0
        self._broken_count = 0
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self, to: int) -> asyncio.Server:
        self._to = to
        return await asyncio.start_server(self._connected, "127.0.0.1", 0)

    def cut(self) -> None:
        """Break every connection."""
        for writer in self._writers:
            writer.transport.abort()

    def break_next(self) -> None:
        """Break the next connection at its first byte: nothing of it is passed on."""
        self._broken_count += 1

    async def broken(self) -> None:
        """Return once every connection is, at both ends."""
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for _ in range(10):
            await asyncio.sleep(0)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connection_count += 1
        task = asyncio.create_task(self._pass_on(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._broken_count:
            self._broken_count -= 1
            await reader.read(1)
            writer.transport.abort()
            return
        writers = {writer}
        try:
            there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self._to)
            writers.add(there_writer)
            self._writers |= writers
            both = (_pump(reader, there_writer), _pump(there_reader, writer))
            await asyncio.wait(
                [asyncio.create_task(one) for one in both], return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            self._writers -= writers
            for one in writers:
                one.transport.abort()


async def _pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await source.read(65_536):
            target.write(data)
            await target.drain()


@contextlib.asynccontextmanager
async def serving(provider: FakeProvider, tls_folder: Path | None = None) -> AsyncIterator[None]:
    """Serve a provider on a free loopback port; with a folder, over TLS and HTTP/2.

    The folder's certificate is made where there is none, and a client must be told to trust it.
    """
    port = free_port()
    files: dict[str, Path] = {}
    if tls_folder is not None:
        files = {"ssl_cert": tls_folder / "certificate.pem", "ssl_key": tls_folder / "key.pem"}
        if not files["ssl_cert"].exists():
            certificate(tls_folder, "127.0.0.1")
    server = Server(provider, port=port, interface=Interfaces.ASGINL, log_enabled=False, **files)
    task = asyncio.create_task(server.serve())
    await _until_listening(port)
    relay = await provider.relay.open(port)
    scheme = "https" if tls_folder is not None else "http"
    provider.url = f"{scheme}://127.0.0.1:{relay.sockets[0].getsockname()[1]}"
    try:
        yield
    finally:
        relay.close()
        await provider.relay.close()
        server.stop()
        await asyncio.wait([task])


async def _until_listening(port: int) -> None:
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionError:
            await asyncio.sleep(0.005)
            continue
        writer.close()
        await writer.wait_closed()
        return
