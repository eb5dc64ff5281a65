"""Email over SMTP: connections are kept and reused, at most a few at a time."""

import asyncio
import ipaddress
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime, parseaddr
from typing import Final
from urllib.parse import unquote, urlsplit

import aiosmtplib
from aiosmtplib.errors import (
    SMTPAuthenticationError,
    SMTPException,
    SMTPResponseException,
    SMTPServerDisconnected,
)

from segue.channels.sender import Accepted, Answer, Refused, TryLater, Unknown
from segue.channels.settings import EmailSettings
from segue.clock import Clock
from segue.errors import SegueError
from segue.model.instants import to_datetime
from segue.model.rendered import Rendered, RenderedEmail

_PORTS: Final = {"smtp": 587, "smtp+starttls": 587, "smtps": 465}
_DEAD_ADDRESS_CODES: Final = (550, 551, 553)
_MAILBOX_FULL: Final = 552
_IDLE_S_MAX: Final = 60.0  # servers close idle connections; ours go before


class SmtpSender:
    """Hands emails to one mail server."""

    def __init__(self, settings: EmailSettings, clock: Clock) -> None:
        if settings.smtp_url is None:
            raise SegueError("email has no smtp_url")
        self._url = urlsplit(settings.smtp_url)
        if self._url.scheme not in _PORTS or not self._url.hostname:
            message = "channels.email.smtp_url must be smtp://, smtp+starttls:// or smtps://host"
            raise SegueError(message)
        self._settings = settings
        self._clock = clock
        self._room = asyncio.Semaphore(settings.connections_max)
        self._idle: list[tuple[aiosmtplib.SMTP, float]] = []

    async def send(self, message: Rendered) -> Answer:
        """Hand an email over, on a connection that is open already where there is one."""
        if not isinstance(message, RenderedEmail):
            return Refused("this sender takes emails only")
        mail = _mail(message, self._clock)
        async with self._room:
            try:
                return await self._hand_over(message, mail)
            except SMTPAuthenticationError as error:
                return TryLater(f"the mail server refused our credentials ({error.code})")
            except (SMTPException, OSError, TimeoutError) as error:
                return TryLater(f"the mail server could not be reached: {error}")

    async def close(self) -> None:
        """Say goodbye on every open connection."""
        while self._idle:
            await _goodbye(self._idle.pop()[0])

    async def _hand_over(self, message: RenderedEmail, mail: bytes) -> Answer:
        client, is_reused = await self._connection()
        try:
            answer = await self._envelope(client, message)
        except SMTPServerDisconnected:
            client.close()
            if not is_reused:
                raise
            # It was closed while it lay idle; nothing of this message was sent yet.
            client = await self._connect()
            answer = await self._envelope(client, message)
        except BaseException:
            client.close()
            raise
        if answer is None:
            answer = await _data(client, mail)
        elif client.is_connected:
            await _reset(client)
        if client.is_connected:
            self._idle.append((client, self._clock.monotonic()))
        return answer

    async def _envelope(self, client: aiosmtplib.SMTP, message: RenderedEmail) -> Answer | None:
        """Say from whom and to whom; None if both are fine."""
        try:
            await client.mail(parseaddr(message.from_)[1])
        except SMTPServerDisconnected:
            raise
        except SMTPResponseException as error:
            return _refusal(error, is_recipient=False)
        try:
            await client.rcpt(message.to)
        except SMTPServerDisconnected:
            raise
        except SMTPResponseException as error:
            return _refusal(error, is_recipient=True)
        return None

    async def _connection(self) -> tuple[aiosmtplib.SMTP, bool]:
        while self._idle:
            client, since = self._idle.pop()
            if client.is_connected and self._clock.monotonic() - since < _IDLE_S_MAX:
                return client, True
            client.close()
        return await self._connect(), False

    async def _connect(self) -> aiosmtplib.SMTP:
        url = self._url
        client = aiosmtplib.SMTP(
            hostname=url.hostname,
            port=url.port or _PORTS[url.scheme],
            username=unquote(url.username) if url.username else None,
            password=unquote(url.password) if url.password else None,
            use_tls=url.scheme == "smtps",
            start_tls=True if url.scheme == "smtp+starttls" else None,
            validate_certs=not _is_loopback(url.hostname or ""),
            timeout=self._settings.timeout_s,
        )
        await client.connect()
        return client


async def _data(client: aiosmtplib.SMTP, mail: bytes) -> Answer:
    """Send the mail itself; from here on a break leaves its fate unknown."""
    try:
        reply = await client.data(mail)
    except SMTPServerDisconnected as error:
        client.close()
        return Unknown(f"the connection broke while the mail was taken: {error}")
    except SMTPResponseException as error:
        return _refusal(error, is_recipient=False)
    except (SMTPException, OSError, TimeoutError) as error:
        client.close()
        return Unknown(f"no answer came after the mail was sent: {error}")
    return Accepted(f"{reply.code} {reply.message}")


def _refusal(error: SMTPResponseException, *, is_recipient: bool) -> Answer:
    detail = f"{error.code} {error.message}"
    is_full = error.code == _MAILBOX_FULL or error.message.startswith("5.2.2")
    if error.code < 500 or is_full:  # noqa: PLR2004 - 4yz is "later"
        return TryLater(detail)
    is_dead = is_recipient and (
        error.code in _DEAD_ADDRESS_CODES or error.message.startswith("5.1.")
    )
    return Refused(detail, is_address_dead=is_dead)


async def _reset(client: aiosmtplib.SMTP) -> None:
    try:
        await client.rset()
    except (SMTPException, OSError, TimeoutError):
        client.close()


async def _goodbye(client: aiosmtplib.SMTP) -> None:
    try:
        await client.quit()
    except (SMTPException, OSError, TimeoutError):
        client.close()


def _is_loopback(host: str) -> bool:
    """A server on this machine has no certificate that anybody would vouch for."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _mail(message: RenderedEmail, clock: Clock) -> bytes:
    mail = EmailMessage(policy=SMTP_POLICY)
    mail["From"] = message.from_
    mail["To"] = message.to
    mail["Subject"] = message.subject
    mail["Date"] = format_datetime(to_datetime(clock.now()))
    if message.reply_to is not None:
        mail["Reply-To"] = message.reply_to
    for name, value in message.headers.items():
        mail[name] = value
    if message.text is not None:
        mail.set_content(message.text)
        if message.html is not None:
            mail.add_alternative(message.html, subtype="html")
    else:
        mail.set_content(message.html or "", subtype="html")
    return mail.as_bytes()
