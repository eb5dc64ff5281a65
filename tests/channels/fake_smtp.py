"""A real SMTP server in the test's own loop: aiosmtpd, with a handler that does as told."""

import asyncio
import contextlib
import ssl
import warnings
from collections.abc import AsyncIterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, Literal

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

OK = "250 2.0.0 taken"


class PostOffice:
    """What the server was given, and what it is to answer; `None` breaks the connection."""

    def __init__(self) -> None:
        self.raw: list[bytes] = []
        self.envelopes: list[tuple[str, str, list[str]]] = []
        self.connection_count = 0
        self.open_max = 0
        self.said: dict[str, list[str | None]] = {}
        self.logins: list[tuple[bytes, bytes]] = []
        self.was_encrypted: list[bool] = []
        self.gate: asyncio.Event | None = None  # before the answer to RCPT
        self.gate_holds = 1  # so many must be at the gate for `at_gate`
        self.at_gate_count = 0
        self.at_gate = asyncio.Event()
        self.scan: asyncio.Event | None = None  # before the answer to the content
        self.offers_dsn = False  # delivery status notifications (RFC 3461)
        self.dsn_options: list[list[str]] = []  # what was asked of them, mail by mail
        self.endings: list[Literal["cut", "never"]] = []  # in place of a yes to a mail taken
        self.servers: list[Any] = []
        self.url = ""

    @property
    def mails(self) -> list[EmailMessage]:
        return [message_from_bytes(raw, policy=policy.default) for raw in self.raw]

    def say(self, command: str, *answers: str | None) -> None:
        """Give these answers, in order, to a command; then be agreeable again."""
        self.said[command] = list(answers)

    def hang_up(self) -> None:
        """Close every connection, as servers do with idle ones."""
        for server in self.servers:
            if server.transport is not None:
                server.transport.close()

    async def _answer(self, command: str, server: Any) -> str | None:
        planned = self.said.get(command)
        if not planned:
            return None
        answer = planned.pop(0)
        if answer is None:
            server.transport.abort()
            return "421 gone"
        return answer

    async def handle_EHLO(  # noqa: N802
        self, server: Any, session: Session, envelope: Envelope, hostname: str, said: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return [*said[:-1], "250-DSN", said[-1]] if self.offers_dsn else said

    async def handle_MAIL(  # noqa: N802
        self, server: Any, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if (said := await self._answer("MAIL", server)) is not None:
            return said
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return OK

    async def handle_RCPT(  # noqa: N802
        self, server: Any, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.gate is not None:
            self.at_gate_count += 1
            if self.at_gate_count >= self.gate_holds:
                self.at_gate.set()
            await self.gate.wait()
        if (said := await self._answer("RCPT", server)) is not None:
            return said
        envelope.rcpt_tos.append(address)
        return OK

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.scan is not None:
            await self.scan.wait()
        if (said := await self._answer("DATA", server)) is not None:
            return said
        assert envelope.mail_from is not None
        assert isinstance(envelope.content, bytes)
        self.raw.append(envelope.content)
        self.envelopes.append((envelope.mail_from, envelope.rcpt_tos[0], envelope.mail_options))
        self.was_encrypted.append(session.ssl is not None)
        ending = self.endings.pop(0) if self.endings else None
        if ending == "cut":
            server.transport.abort()
        if ending == "never":
            await asyncio.Event().wait()
        return OK


class _Server(SMTP):
    """One connection."""

    def __init__(self, office: PostOffice, **options: Any) -> None:
        super().__init__(office, hostname="post.test", **options)
        self._office = office

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if self not in self._office.servers:  # made a second time by STARTTLS
            self._office.connection_count += 1
            self._office.servers.append(self)
        super().connection_made(transport)
        opened = [one for one in self._office.servers if one.transport is not None]
        self._office.open_max = max(self._office.open_max, len(opened))

    async def smtp_EHLO(self, hostname: str) -> None:  # noqa: N802
        """Let a test refuse the client whatever it says."""
        if self._office.said.get("EHLO"):
            await self.push(await self._office._answer("EHLO", self) or "")
            return
        await super().smtp_EHLO(hostname)

    async def smtp_HELO(self, hostname: str) -> None:  # noqa: N802
        """Let a test refuse the client in its older tongue too."""
        if self._office.said.get("HELO"):
            await self.push(await self._office._answer("HELO", self) or "")
            return
        await super().smtp_HELO(hostname)

    async def smtp_MAIL(self, arg: str) -> None:  # noqa: N802
        """Take the options of RFC 3461, which aiosmtpd does not know."""
        if self._office.offers_dsn:
            words = arg.split(" ")
            options = [word for word in words if word.startswith(("RET=", "ENVID="))]
            self._office.dsn_options.append(options)
            arg = " ".join(word for word in words if word not in options)
        await super().smtp_MAIL(arg)

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        """Let a test refuse the command itself, before any content."""
        if self._office.said.get("DATA command"):
            answer = await self._office._answer("DATA command", self)
            await self.push(answer or "")
            return
        await super().smtp_DATA(arg)


@contextlib.asynccontextmanager
async def post_office(
    login: tuple[str, str] | None = None,
    tls: ssl.SSLContext | None = None,
    is_tls_from_start: bool = False,
    **options: Any,
) -> AsyncIterator[PostOffice]:
    """Run a mail server on a free loopback port."""
    office = PostOffice()

    def authenticate(_1: Any, _2: Any, _3: Any, _4: Any, given: LoginPassword) -> AuthResult:
        office.logins.append((given.login, given.password))
        assert login is not None
        is_right = (given.login.decode(), given.password.decode()) == login
        return AuthResult(success=is_right, handled=False)

    if login is not None:
        options |= {
            "authenticator": authenticate,
            "auth_required": True,
            "auth_require_tls": tls is not None,
        }
    if tls is not None and not is_tls_from_start:
        options["tls_context"] = tls
    if is_tls_from_start:
        options["auth_require_tls"] = False
    loop = asyncio.get_running_loop()

    def connected() -> _Server:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # about logins without TLS
            return _Server(office, loop=loop, **options)

    server = await loop.create_server(
        connected,
        "127.0.0.1",
        0,
        ssl=tls if is_tls_from_start else None,
    )
    office.url = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield office
    finally:
        server.close()
        await server.wait_closed()
        # One that was just taken begins in the loop's next rounds, and one that was hung up ends.
        await asyncio.sleep(0.01)
        while any(one.transport is not None for one in office.servers):
            office.hang_up()
            await asyncio.sleep(0.001)
