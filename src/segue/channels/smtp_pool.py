"""Connections to one mail server: a few at most, kept a while and lent one at a time."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

import aiosmtplib
from aiosmtplib.errors import SMTPException
from msgspec import Struct, field

from segue.channels.guard import is_loopback
from segue.clock import Clock
from segue.errors import SegueError

_SUBMISSION_PORT: Final = 587
_RELAY_PORT: Final = 25
_TLS_PORT: Final = 465
_SCHEMES: Final = ("smtp", "smtp+starttls", "smtps")
_IDLE_S_MAX: Final = 60.0  # servers close idle connections; ours go before
_TRUSTED_IDLE_S_MAX: Final = 1.0  # one used this recently is taken for open without asking
_CHECK_TIMEOUT_S: Final = 5.0
_GOODBYE_TIMEOUT_S: Final = 2.0  # nobody waits longer for manners


class SmtpServer(Struct, frozen=True):
    """Where mail goes, and how to speak there; `start_tls` None takes TLS where it is offered."""

    host: str
    port: int
    username: str | None
    password: str | None
    use_tls: bool
    start_tls: bool | None
    is_verified: bool

    def __repr__(self) -> str:
        """Show where, without the credentials."""
        return f"SmtpServer({self.host}:{self.port})"


def read_smtp_url(url: str) -> SmtpServer:
    """Read the setting.

    Raises:
        SegueError: it is no such URL; the message never repeats it, for it holds a password.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise _bad_url("holds no host and port that could be read") from None
    if parts.scheme not in _SCHEMES:
        raise _bad_url("must begin with smtp://, smtp+starttls:// or smtps://")
    if not host or parts.path not in ("", "/") or parts.fragment:
        raise _bad_url("must be scheme://user:password@host:port; write / as %2F, @ as %40")
    has_login = bool(parts.username)
    default_port = _SUBMISSION_PORT if has_login or parts.scheme != "smtp" else _RELAY_PORT
    return SmtpServer(
        host=host,
        port=port or (_TLS_PORT if parts.scheme == "smtps" else default_port),
        username=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        use_tls=parts.scheme == "smtps",
        start_tls=True if parts.scheme == "smtp+starttls" else None,
        is_verified=_is_verified(parts.query, host, is_required=parts.scheme != "smtp"),
    )


def _is_verified(query: str, host: str, *, is_required: bool) -> bool:
    """Return whether the server must prove who it is.

    On this machine nobody vouches for a certificate: there TLS that was merely offered is taken
    as it is, since the alternative was none at all.
    """
    options = parse_qs(query, keep_blank_values=True)
    is_here = is_loopback(host)
    if not options:
        return is_required or not is_here
    if options != {"verify": ["no"]}:
        raise _bad_url("may end with ?verify=no, and with nothing else")
    if not is_here:
        raise _bad_url("may say verify=no for a server on this machine only")
    return False


def _bad_url(what: str) -> SegueError:
    return SegueError(f"channels.email.smtp_url {what}")


class Lent(Struct):
    """A connection on loan; `needs_reset` tells that a mail was begun on it and not ended."""

    client: aiosmtplib.SMTP
    is_reused: bool
    needs_reset: bool = False
    idle_since: float = field(default=0.0)


class SmtpPool:
    """Lends connections."""

    def __init__(
        self, server: SmtpServer, timeout_s: float, connections_max: int, clock: Clock
    ) -> None:
        self._server = server
        self._timeout_s = timeout_s
        self._clock = clock
        self._idle: list[Lent] = []
        self._own_name: str | None = None
        self._is_closed = False
        self.room = asyncio.Semaphore(connections_max)  # to be held while a connection is lent

    @contextlib.asynccontextmanager
    async def lend(self, *, is_fresh: bool = False) -> AsyncIterator[Lent]:
        """Lend an open connection; it is closed if anything goes wrong meanwhile."""
        lent = await self._open() if is_fresh else await self._take()
        try:
            yield lent
        except BaseException:
            lent.client.close()
            raise
        self._give_back(lent)

    async def close(self) -> None:
        """Say goodbye on every idle connection; those on loan are closed as they come back."""
        self._is_closed = True
        idle, self._idle = self._idle, []
        await asyncio.gather(*(_say_goodbye(lent.client) for lent in idle))

    async def _take(self) -> Lent:
        self._drop_stale()
        while self._idle:
            lent = self._idle.pop()
            if await self._is_open(lent):
                return Lent(lent.client, is_reused=True)
            lent.client.close()
        return await self._open()

    def _give_back(self, lent: Lent) -> None:
        if self._is_closed:
            lent.client.close()
        elif lent.client.is_connected:
            lent.idle_since = self._clock.monotonic()
            self._idle.append(lent)
        self._drop_stale()

    def _drop_stale(self) -> None:
        """Close what has lain idle for long, so that it does not pile up at the server."""
        oldest = self._clock.monotonic() - _IDLE_S_MAX
        for lent in self._idle:
            if lent.idle_since < oldest:
                lent.client.close()
        self._idle = [lent for lent in self._idle if lent.client.is_connected]

    async def _is_open(self, lent: Lent) -> bool:
        idle_s = self._clock.monotonic() - lent.idle_since
        if not lent.needs_reset and idle_s < _TRUSTED_IDLE_S_MAX:
            return lent.client.is_connected
        try:
            await lent.client.rset(timeout=min(self._timeout_s, _CHECK_TIMEOUT_S))
        except (SMTPException, OSError):
            return False
        return True

    async def _open(self) -> Lent:
        server = self._server
        client = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            username=server.username,
            password=server.password,
            local_hostname=self._own_name,
            use_tls=server.use_tls,
            start_tls=server.start_tls,
            validate_certs=server.is_verified,
            timeout=self._timeout_s,
        )
        try:
            await client.connect()
        except BaseException:
            client.close()
            raise
        self._own_name = client.local_hostname  # asking for it can take a resolver's timeout
        return Lent(client, is_reused=False)


async def _say_goodbye(client: aiosmtplib.SMTP) -> None:
    try:
        await client.quit(timeout=_GOODBYE_TIMEOUT_S)
    except (SMTPException, OSError):
        pass
    finally:
        client.close()
