"""Outgoing HTTP with a guard: no private addresses unless allowed, and never another address
than the one that was checked.
"""

import asyncio
import base64
import contextlib
import re
import socket
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from typing import Final
from urllib.parse import unquote_to_bytes

import httpx2
from msgspec import Struct

from segue.channels.guard import Address, AddressGuard, literal_address
from segue.errors import SegueError
from segue.model.limits import RESPONSE_BYTES_MAX, SENDERS_MAX

# (name) -> its addresses, numeric; raises OSError for one that has none
Resolve = Callable[[str], Awaitable[list[str]]]

_HOSTS_KEPT_MAX: Final = 64  # with open connections; who was called longest ago is let go of
_KEEP_ALIVE_S: Final = 30.0  # most servers close after 60
# Of a call's time, for the connection and for its handshake each: ours would otherwise be the one
# to run out in the middle, and the library closes a socket on its own errors only.
_CONNECTED_BY: Final = 0.4
_METHOD: Final = re.compile(r"[A-Za-z]{1,20}")
_NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,253}")
# The connection's own; an author's would end or lengthen the call in the middle (RFC 9110 7.6).
_CONNECTION_HEADERS: Final = frozenset(
    (
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    )
)
# What the transport says of a call when all of it was written.
_WRITTEN: Final = "receive_response_headers.started"


class ForbiddenAddressError(SegueError):
    """The URL leads to an address that outgoing calls may not reach."""


class InvalidCallError(SegueError):
    """The URL, the method or a header cannot be sent."""


class UnreachableError(SegueError):
    """The other side could not be reached, or did not answer in time."""

    def __init__(self, message: str, *, was_sent: bool) -> None:
        super().__init__(message)
        self.was_sent = was_sent  # it may have arrived


class HttpAnswer(Struct, frozen=True):
    """What the other side answered; the body is cut off at a limit."""

    status: int
    headers: dict[str, str]
    body: bytes


class HttpClient:
    """Makes single calls: no redirects are followed, no cookies kept, no proxy asked.

    With `http2`, it is spoken to hosts that offer it.
    """

    def __init__(
        self,
        timeout_s: float,
        allow_private_addresses: Iterable[str],
        resolve: Resolve | None = None,
        *,
        setting: str = "channels.webhook.allow_private_addresses",
        http2: bool = False,
    ) -> None:
        self._guard = AddressGuard(allow_private_addresses, setting)
        self._timeout_s = timeout_s
        connect_s = timeout_s * _CONNECTED_BY
        self._timeout = httpx2.Timeout(timeout_s, connect=connect_s).as_dict()
        self._resolve = resolve or resolve_name
        self._hosts = _Hosts(http2)

    async def call(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> HttpAnswer:
        """Make a call; it ends after twice the timeout at the latest.

        Raises:
            InvalidCallError: it cannot be sent as it is.
            ForbiddenAddressError: it leads where calls may not go.
            UnreachableError: nobody answered.
        """
        if not _METHOD.fullmatch(method):
            message = f"{method!r} is no HTTP method"
            raise InvalidCallError(message)
        target = _read_url(url)
        sent = _headers(target, headers)
        try:
            async with asyncio.timeout(self._timeout_s):
                addresses = await self._checked_addresses(target.raw_host.decode("ascii"))
        except OSError as error:
            raise UnreachableError(_told(target, error), was_sent=False) from None
        async with self._hosts.lend(target) as transport:
            return await self._exchange(transport, method, target, addresses, sent, body)

    async def close(self) -> None:
        """Close connections."""
        await self._hosts.close()

    async def _checked_addresses(self, host: str) -> list[Address]:
        """Return those addresses of a host that may be called; there is at least one."""
        literal = literal_address(host)
        try:
            names = [str(literal)] if literal is not None else await self._resolve(host)
        except UnicodeError:
            message = f"{host} is no name that a host can have"
            raise InvalidCallError(message) from None
        found = [address for name in names if (address := literal_address(name)) is not None]
        allowed = [address for address in found if self._guard.is_allowed(address)]
        if allowed:
            return allowed
        if not found:
            message = f"{host} has no address"
            raise OSError(message)
        message = (
            f"{host} is at {found[0]}, which is not a public address; "
            f"list its network in {self._guard.setting} to allow it"
        )
        raise ForbiddenAddressError(message)

    async def _exchange(
        self,
        transport: httpx2.AsyncHTTPTransport,
        method: str,
        target: httpx2.URL,
        addresses: list[Address],
        headers: list[tuple[bytes, bytes]],
        body: bytes | None,
    ) -> HttpAnswer:
        """Call the first address that takes the call, all within one timeout.

        The first is tried once more: a connection that was kept may have been closed meanwhile.
        """
        written = _Written()
        refusal: Exception | None = None
        try:
            async with asyncio.timeout(self._timeout_s):
                for address in (addresses[0], *addresses):
                    if address == addresses[0] and isinstance(refusal, httpx2.ConnectError):
                        continue
                    request = self._request(method, target, address, headers, body, written)
                    try:
                        response = await transport.handle_async_request(request)
                    except (httpx2.ConnectError, httpx2.WriteError) as error:
                        if written.is_whole:
                            raise
                        refusal = error
                        continue
                    break
                else:
                    assert refusal is not None  # noqa: S101 - there was an address
                    raise refusal
        except httpx2.LocalProtocolError as error:
            message = f"{target.host}: {error}"
            raise InvalidCallError(message) from None
        except (httpx2.HTTPError, OSError) as error:
            raise UnreachableError(_told(target, error), was_sent=written.is_whole) from None
        return await self._read(response)

    def _request(
        self,
        method: str,
        target: httpx2.URL,
        address: Address,
        headers: list[tuple[bytes, bytes]],
        body: bytes | None,
        written: "_Written",
    ) -> httpx2.Request:
        """Return a request to the very address that was checked, under its own name."""
        return httpx2.Request(
            method.upper(),
            target.copy_with(host=str(address)),
            headers=headers,
            content=body,
            extensions={
                "sni_hostname": target.raw_host.decode("ascii"),
                "timeout": self._timeout,
                "trace": written.trace,
            },
        )

    async def _read(self, response: httpx2.Response) -> HttpAnswer:
        """Read the body up to the limit; the status stands even where the body breaks off."""
        body = bytearray()
        try:
            async with asyncio.timeout(self._timeout_s):
                async for chunk in response.aiter_raw():
                    body += chunk[: RESPONSE_BYTES_MAX - len(body)]
                    if len(body) >= RESPONSE_BYTES_MAX:
                        break
        except (httpx2.HTTPError, OSError):
            pass
        finally:
            await response.aclose()
        return HttpAnswer(response.status_code, dict(response.headers), bytes(body))


class _Written:
    """Follows a call, to know whether it went out whole: only then can it have arrived."""

    def __init__(self) -> None:
        self.is_whole = False

    async def trace(self, event: str, _info: dict[str, object]) -> None:
        """Take in what the transport says that it does."""
        if event.endswith(_WRITTEN):
            self.is_whole = True


class _Hosts:
    """Open connections by scheme, name and port.

    A shared pool would key them by address: two names at one address would share a connection
    whose certificate was checked for the first only.
    """

    def __init__(self, http2: bool) -> None:
        self._http2 = http2
        self._tls = httpx2.create_ssl_context()
        self._transports: OrderedDict[str, httpx2.AsyncHTTPTransport] = OrderedDict()
        self._in_use: dict[str, int] = {}

    @contextlib.asynccontextmanager
    async def lend(self, target: httpx2.URL) -> AsyncIterator[httpx2.AsyncHTTPTransport]:
        """Lend the transport of a host; it is not let go of before it is back."""
        key = f"{target.scheme}://{target.netloc.decode('ascii').lower()}"
        transport = self._transports.get(key)
        if transport is None:
            transport = self._transports[key] = self._open()
        self._transports.move_to_end(key)
        self._in_use[key] = self._in_use.get(key, 0) + 1
        try:
            yield transport
        finally:
            self._in_use[key] -= 1
            if not self._in_use[key]:
                del self._in_use[key]
            await self._let_go()

    async def close(self) -> None:
        """Close every connection."""
        while self._transports:
            await self._transports.popitem()[1].aclose()

    def _open(self) -> httpx2.AsyncHTTPTransport:
        limits = httpx2.Limits(
            max_connections=SENDERS_MAX,
            max_keepalive_connections=SENDERS_MAX,
            keepalive_expiry=_KEEP_ALIVE_S,
        )
        return httpx2.AsyncHTTPTransport(verify=self._tls, limits=limits, http2=self._http2)

    async def _let_go(self) -> None:
        surplus = len(self._transports) - _HOSTS_KEPT_MAX
        unused = [key for key in self._transports if key not in self._in_use]
        for key in unused[: max(surplus, 0)]:
            await self._transports.pop(key).aclose()


async def resolve_name(host: str) -> list[str]:
    """Return the addresses of a name, the system's favourite first.

    Raises:
        OSError: it has none.
    """
    found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return [str(one[4][0]) for one in found]


def _read_url(url: str) -> httpx2.URL:
    """Read a URL; messages do not repeat it, since its path may be a secret."""
    try:
        target = httpx2.URL(url)
    except httpx2.InvalidURL as error:
        message = f"this is no URL: {error}"
        raise InvalidCallError(message) from None
    if target.scheme not in ("http", "https"):
        message = f"a URL must begin with http:// or https://, not {target.scheme!r}"
        raise InvalidCallError(message)
    host = target.raw_host.decode("ascii")
    if literal_address(host) is None and not _NAME.fullmatch(host):
        message = f"{host!r} is no name that a host can have"
        raise InvalidCallError(message)
    if target.port is not None and not 0 < target.port < 1 << 16:
        message = f"{target.port} is no port"
        raise InvalidCallError(message)
    return target


def _headers(target: httpx2.URL, headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """Return the headers as bytes: values in UTF-8, without those of the connection itself."""
    sent = [(b"Host", target.netloc)]
    names = {name.lower() for name in headers}
    if target.userinfo and "authorization" not in names:
        credentials = base64.b64encode(unquote_to_bytes(target.userinfo))
        sent.append((b"Authorization", b"Basic " + credentials))
    for name, value in headers.items():
        if name.lower() in _CONNECTION_HEADERS:
            continue
        try:
            sent.append((name.encode("ascii"), value.strip().encode("utf-8")))
        except UnicodeEncodeError:
            message = f"{name!r} cannot be a header"
            raise InvalidCallError(message) from None
    return sent


def _told(target: httpx2.URL, error: Exception) -> str:
    return f"{target.host}: {type(error).__name__} {error}".strip()
