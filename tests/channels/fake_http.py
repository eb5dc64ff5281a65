"""A small HTTP/1.1 server of the tests' own, that answers by path and keeps what it was asked."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable

from msgspec import Struct


class Asked(Struct):
    """One request."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    raw_head: bytes


Reply = Callable[[asyncio.StreamWriter], Awaitable[None]]


class WebServer:
    """Answers 200 unless told otherwise; `/drop` breaks off, `/slow` never answers."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.connection_count = 0
        self.planned: list[tuple[int, dict[str, str], bytes]] = []
        self.never = asyncio.Event()
        self.port = 0
        self.written_bytes = 0
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def say(self, status: int, headers: dict[str, str] | None = None, body: bytes = b"") -> None:
        """Answer the next request so."""
        self.planned.append((status, headers or {}, body))

    def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connection_count += 1
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._answer(await self._read(reader), writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                await writer.wait_closed()

    async def _read(self, reader: asyncio.StreamReader) -> Asked:
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("utf-8").split("\r\n")[:-2]
        method, path, _ = first.split(" ")
        headers = {
            name.lower(): value.strip() for name, _, value in (one.partition(":") for one in lines)
        }
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        self.asked.append(Asked(method, path, headers, body, head))
        return self.asked[-1]

    async def _answer(self, asked: Asked, writer: asyncio.StreamWriter) -> bool:
        if asked.path == "/drop":
            writer.transport.abort()
            return False
        if asked.path == "/slow":
            await self.never.wait()
        if asked.path == "/drip":
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nbegun")
            await self.never.wait()
        if asked.path == "/huge":
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            while True:
                writer.write(b"x" * 65_536)
                self.written_bytes += 65_536
                await writer.drain()
        status, headers, body = self.planned.pop(0) if self.planned else (200, {}, b"ok")
        lines = [f"HTTP/1.1 {status} Said", f"content-length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        await writer.drain()
        return True


@contextlib.asynccontextmanager
async def web_server(
    tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> AsyncIterator[WebServer]:
    """Run one on a free loopback port."""
    web = WebServer()
    server = await asyncio.start_server(web.connected, host, 0, ssl=tls)
    web.port = server.sockets[0].getsockname()[1]
    try:
        yield web
    finally:
        server.close()
        await web.close()
        await server.wait_closed()
