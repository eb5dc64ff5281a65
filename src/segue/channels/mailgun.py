"""Mailgun's webhooks (channel-facts.md 6.10): one event, beside a signature of a timestamp."""

import hmac
import re
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import msgspec
from msgspec import Struct, field

from segue.channels.email_hooks import (
    ForgedError,
    HookCall,
    Ignored,
    Reports,
    check_age,
    decode,
    from_seconds,
    text_of,
)
from segue.channels.receipts import Receipt, is_address_dead, make_receipt, status_in, token_of
from segue.channels.settings import MailgunSettings
from segue.channels.user_agents import is_machine_open, is_prefetcher
from segue.clock import Clock
from segue.model.instants import SECOND

_SECONDS: Final = re.compile(r"\d{1,12}")
_TOKEN_LENGTH_MAX: Final = 200  # fifty, by the documentation
# What Mailgun knows of an address from before, and so does not even try.
_KNOWN_UNWILLING: Final = ("suppress-unsubscribe", "suppress-complaint")
_KNOWN_UNWILLING_CODES: Final = (606, 607)
_KNOWN_BOUNCE_CODE: Final = 605


class _Signature(Struct):
    timestamp: str | int
    token: str
    signature: str


class _Message(Struct):
    headers: dict[str, Any] = field(default_factory=dict)


class _Status(Struct, rename="kebab"):
    code: Any = None
    message: Any = None
    description: Any = None
    enhanced_code: Any = None


class _Client(Struct, rename="kebab"):
    user_agent: Any = None
    bot: Any = None


class _Event(Struct, rename="kebab"):
    event: str
    id: str = ""
    timestamp: float | None = None
    severity: Any = None
    reason: Any = None
    url: Any = None
    message: _Message | None = None
    delivery_status: _Status | None = None
    client_info: _Client | None = None


class _Body(Struct, rename="kebab"):
    signature: _Signature
    event_data: _Event


_BODY: Final = msgspec.json.Decoder(_Body)


class MailgunHook:
    """Verifies and reads Mailgun's calls."""

    def __init__(self, settings: MailgunSettings, clock: Clock) -> None:
        self._key = settings.signing_key.encode()
        self._clock = clock

    async def read(self, call: HookCall) -> Reports:
        """Return what a call reports.

        The signature does not cover the event: only a token that comes once keeps whoever saw a
        call from making another out of it.
        """
        body = decode(_BODY, call.body)
        self._verify(body.signature)
        return Reports([_read(body.event_data)], once=body.signature.token)

    async def close(self) -> None:
        """Nothing is open."""

    def _verify(self, signed: _Signature) -> None:
        timestamp = str(signed.timestamp)
        payload = f"{timestamp}{signed.token}".encode()
        expected = hmac.new(self._key, payload, "sha256").hexdigest()
        is_ours = hmac.compare_digest(expected.encode(), signed.signature.lower().encode())
        if not is_ours or not _SECONDS.fullmatch(timestamp):
            raise ForgedError(
                "the signature is wrong; channels.email.mailgun.signing_key must be the account's "
                "HTTP webhook signing key"
            )
        if len(signed.token) > _TOKEN_LENGTH_MAX:
            raise ForgedError("the token is longer than any of Mailgun's")
        check_age(int(timestamp) * SECOND, self._clock.now())


def _read(event: _Event) -> Receipt | Ignored:
    headers = event.message.headers if event.message is not None else {}
    made = partial(
        make_receipt,
        token=token_of(text_of(headers.get("message-id"))),
        report_id=event.id or f"{event.event} {event.timestamp}",
        at=from_seconds(event.timestamp),
    )
    status = event.delivery_status or _Status()
    client = event.client_info or _Client()
    agent, is_bot = text_of(client.user_agent), bool(text_of(client.bot))
    read: Receipt | Ignored = "unused"
    match event.event:
        case "delivered":
            read = made("email_delivered", detail=text_of(status.message))
        case "failed" if event.severity == "permanent":  # Mailgun tries the others again
            read = _failed(text_of(event.reason), status, made)
        case "complained":
            read = made("email_spam_report")
        case "unsubscribed":
            read = made("email_unsubscribe")
        case "opened":
            read = made("email_open", machine=is_bot or is_machine_open(agent) or None)
        case "clicked" if not (is_bot or is_prefetcher(agent)):
            read = made("email_click", link=text_of(event.url) or None)
        case _:
            pass
    return read


def _failed(reason: str, status: _Status, made: Callable[..., Receipt]) -> Receipt | Ignored:
    told = text_of(status.message) or text_of(status.description)
    detail = told or reason
    if reason in _KNOWN_UNWILLING or status.code in _KNOWN_UNWILLING_CODES:
        return made("email_unsubscribe", detail=detail)
    if reason == "suppress-bounce" or status.code == _KNOWN_BOUNCE_CODE:
        return made("email_bounce", detail=detail)
    says_dead = is_address_dead(text_of(status.enhanced_code) or status_in(told))
    # "generic" and "old" are Mailgun's words for what it could not sort, or gave up trying.
    is_hard = reason == "bounce" if says_dead is None else says_dead
    return made("email_bounce", detail=detail) if is_hard else "soft_bounce"
