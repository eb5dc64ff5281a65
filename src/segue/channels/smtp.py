"""Email over SMTP: one mail a time on a lent connection, and what the server's answer means.

Once the content is on its way, a break leaves the mail's fate unknown; before that nothing went
out, and trying again is safe.
"""

import re
from typing import Final

from aiosmtplib import SMTP
from aiosmtplib.errors import (
    SMTPAuthenticationError,
    SMTPException,
    SMTPResponseException,
    SMTPServerDisconnected,
)
from msgspec.structs import replace

from segue.channels.mail import Mail, UnsendableMailError, build_mail
from segue.channels.provider_headers import provider_headers
from segue.channels.receipts import is_address_dead
from segue.channels.sender import Accepted, Answer, Refused, TryLater, Unknown
from segue.channels.settings import EmailSettings
from segue.channels.smtp_pool import Lent, SmtpPool, read_smtp_url
from segue.clock import Clock
from segue.errors import SegueError
from segue.model.rendered import Rendered, RenderedEmail

_SEND_CONTENT: Final = 354
_CLOSING: Final = 421
_MAILBOX_FULL: Final = 552
_DEAD_ADDRESS_CODES: Final = (550, 551, 553)
_LOGIN_CODES: Final = (530, 534, 535, 538)  # the server wants other credentials, or TLS
_ENHANCED_CODE: Final = re.compile(r"[245]\.\d{1,3}\.\d{1,3}\b")
_DOT_AT_LINE_START: Final = re.compile(rb"(?m)^\.")
_DETAIL_LENGTH_MAX: Final = 300
# A server may scan a mail before it answers. Leaving too early makes duplicates (RFC 5321
# 4.5.3.2.6 asks for ten minutes), or here: unknown outcomes.
_PATIENCE_AFTER_CONTENT: Final = 4


class SmtpSender:
    """Hands emails to one mail server."""

    def __init__(self, settings: EmailSettings, clock: Clock) -> None:
        """Read the settings; nothing is connected before the first mail.

        Raises:
            SegueError: `smtp_url` is missing or no such URL.
        """
        if settings.smtp_url is None:
            raise SegueError("channels.email.smtp_url is not set")
        self._server = read_smtp_url(settings.smtp_url)
        self._settings = settings
        self._timeout_s = settings.timeout_s
        self._clock = clock
        self._pool = SmtpPool(self._server, settings.timeout_s, settings.connections_max, clock)

    async def send(self, message: Rendered) -> Answer:
        """Hand an email over, on a connection that is open already where there is one."""
        if not isinstance(message, RenderedEmail):
            return Refused("this sender takes emails only")
        try:
            message = self._with_provider_headers(message)
            mail = build_mail(message, self._clock.now(), self._settings.return_path)
        except UnsendableMailError as error:
            return Refused(str(error), is_address_dead=error.is_recipient)
        async with self._pool.room:
            try:
                return await self._hand_over(mail)
            except (SMTPException, OSError, ValueError) as error:
                return TryLater(self._told(error))

    async def close(self) -> None:
        """Close every connection."""
        await self._pool.close()

    def _with_provider_headers(self, message: RenderedEmail) -> RenderedEmail:
        added = provider_headers(self._settings, message.headers)
        return replace(message, headers={**message.headers, **added}) if added else message

    async def _hand_over(self, mail: Mail) -> Answer:
        async with self._pool.lend() as lent:
            is_reused = lent.is_reused
            try:
                return await self._converse(lent, mail)
            except SMTPServerDisconnected:
                lent.client.close()
                if not is_reused:
                    raise
        # The server closed it while it lay idle: nothing of this mail went out yet.
        async with self._pool.lend(is_fresh=True) as lent:
            return await self._converse(lent, mail)

    async def _converse(self, lent: Lent, mail: Mail) -> Answer:
        """Say from whom and to whom, then the content.

        Raises:
            SMTPServerDisconnected: the connection broke before the content.
        """
        client = lent.client
        lent.needs_reset = True
        refusal = await _say_envelope(client, mail)
        if refusal is None:
            reply = await client.execute_command(b"DATA")
            if reply.code != _SEND_CONTENT:
                refusal = _refusal(reply.code, reply.message, is_recipient=False)
        if refusal is None:
            return await self._say_content(lent, mail.content)
        if lent.is_reused and not client.is_connected:
            raise SMTPServerDisconnected("closed while idle")
        return refusal

    async def _say_content(self, lent: Lent, content: bytes) -> Answer:
        """Send the content; from here on a break leaves its fate unknown."""
        protocol = lent.client.protocol
        if protocol is None:
            raise SMTPServerDisconnected("closed before the content")
        protocol.write(_DOT_AT_LINE_START.sub(b"..", content) + b".\r\n")
        try:
            reply = await protocol.read_response(self._timeout_s * _PATIENCE_AFTER_CONTENT)
        except (SMTPException, OSError) as error:
            lent.client.close()
            return Unknown(f"{self._told(error)}, after the mail was sent and before an answer")
        lent.needs_reset = False
        if reply.code // 100 == 2:  # noqa: PLR2004 - 2yz is yes
            return Accepted(_detail(reply.code, reply.message))
        if reply.code // 100 in (4, 5):
            return _refusal(reply.code, reply.message, is_recipient=False)
        lent.client.close()
        return Unknown(f"the server's answer to the mail was {_detail(reply.code, reply.message)}")

    def _told(self, error: Exception) -> str:
        """Say what is wrong with the server, and never a secret: its words may quote our login."""
        where = f"{self._server.host}:{self._server.port}"
        match error:
            case SMTPAuthenticationError():
                return f"{where} refused the login ({error.code}); look at channels.email.smtp_url"
            case SMTPResponseException():
                return f"{where} answered {_detail(error.code, error.message)}"
            case _:
                return f"{where}: {_one_line(str(error)) or type(error).__name__}"


async def _say_envelope(client: SMTP, mail: Mail) -> Answer | None:
    """Say from whom and to whom; None if both are fine."""
    options: list[str] = []
    encoding = "ascii"
    if mail.is_international:
        if not client.supports_extension("smtputf8"):
            return Refused("an address is not in ASCII, and the mail server takes no other")
        options, encoding = ["SMTPUTF8", "BODY=8BITMIME"], "utf-8"
    if client.supports_extension("dsn"):
        options.append("RET=HDRS")  # RFC 3461: a bounce needs no more of the mail than that
        if mail.envelope_id:
            options.append(f"ENVID={mail.envelope_id}")
    is_recipient = False
    try:
        await client.mail(mail.sender, options=options, encoding=encoding)
        is_recipient = True
        await client.rcpt(mail.recipient, encoding=encoding)
    except SMTPResponseException as error:
        if error.code < 0:
            client.close()  # what it said was no SMTP: its next answer may belong to anything
        return _refusal(error.code, error.message, is_recipient=is_recipient)
    return None


def _refusal(code: int, text: str, *, is_recipient: bool) -> Answer:
    """Sort an answer that is no yes (channel-facts.md 6.11)."""
    detail = _detail(code, text)
    found = _ENHANCED_CODE.match(text)
    enhanced = found[0] if found else None
    is_full = enhanced == "5.2.2" or (enhanced is None and code == _MAILBOX_FULL and is_recipient)
    if code // 100 != 5 or code in _LOGIN_CODES or is_full:  # noqa: PLR2004 - 5yz is never
        return TryLater(detail)
    says_dead = code in _DEAD_ADDRESS_CODES if enhanced is None else is_address_dead(enhanced)
    return Refused(detail, is_address_dead=bool(says_dead) and is_recipient)


def _detail(code: int, text: str) -> str:
    return f"{code} {_one_line(text)}".strip()


def _one_line(text: str) -> str:
    return " ".join(text.split())[:_DETAIL_LENGTH_MAX]
