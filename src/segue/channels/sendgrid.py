"""SendGrid's event webhook (channel-facts.md 6.10): a signed array of events."""

import re
from base64 import b64decode
from binascii import Error as NotBase64Error
from functools import partial
from typing import Any, Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key
from msgspec import Struct, field

from segue.channels.email_hooks import (
    ForgedError,
    HookCall,
    Ignored,
    Reports,
    UnreadableError,
    check_age,
    decode,
    from_seconds,
    text_of,
)
from segue.channels.receipts import (
    Receipt,
    ReceiptAct,
    is_address_dead,
    make_receipt,
    status_in,
    token_of,
)
from segue.channels.settings import SendGridSettings
from segue.channels.user_agents import is_machine_open, is_prefetcher
from segue.clock import Clock
from segue.errors import SegueError
from segue.model.instants import SECOND

# Our word among the unique arguments of a mail; SendGrid gives it back with every event.
TOKEN_ARGUMENT: Final = "segue"  # noqa: S105 - a name
_SIGNATURE: Final = "x-twilio-email-event-webhook-signature"
_TIMESTAMP: Final = "x-twilio-email-event-webhook-timestamp"
_SECONDS: Final = re.compile(r"\d{1,12}")
_DROPPED: Final[dict[str, ReceiptAct]] = {
    "bounced address": "email_bounce",
    "invalid": "email_bounce",
    "unsubscribed address": "email_unsubscribe",
    "spam reporting address": "email_unsubscribe",
}
# A bounce of these classes is about us or the mail, unless its status says that it is not.
_NOT_THE_ADDRESS: Final = frozenset(
    ("content", "reputation", "frequency or volume too high", "technical failure")
)


class _Event(Struct):
    """One event; what a mail adds by itself stands beside its fields."""

    event: str
    timestamp: float | None = None
    sg_event_id: str | None = None
    smtp_id: Any = field(default=None, name="smtp-id")
    segue: Any = None
    reason: Any = None
    response: Any = None
    status: Any = None
    type: Any = None
    bounce_classification: Any = None
    url: Any = None
    useragent: Any = None
    sg_machine_open: Any = None


_EVENTS: Final = msgspec.json.Decoder(list[msgspec.Raw])
_EVENT: Final = msgspec.json.Decoder(_Event)


class SendGridHook:
    """Verifies and reads SendGrid's calls."""

    def __init__(self, settings: SendGridSettings, clock: Clock) -> None:
        """Read the key.

        Raises:
            SegueError: it is none.
        """
        self._key = _read_key(settings.verification_key)
        self._clock = clock

    async def read(self, call: HookCall) -> Reports:
        """Return what a call reports; an event that cannot be read does not lose the others."""
        self._verify(call)
        return Reports([_read(raw) for raw in decode(_EVENTS, call.body)])

    async def close(self) -> None:
        """Nothing is open."""

    def _verify(self, call: HookCall) -> None:
        timestamp = call.headers.get(_TIMESTAMP, "")
        signature = call.headers.get(_SIGNATURE, "")
        if not signature or not _SECONDS.fullmatch(timestamp):
            raise ForgedError(
                "the call is not signed: switch the Signed Event Webhook on in SendGrid's settings"
            )
        try:
            signed = timestamp.encode("ascii") + call.body
            self._key.verify(b64decode(signature), signed, ec.ECDSA(hashes.SHA256()))
        except (InvalidSignature, ValueError):  # also: no base64, no ASCII
            raise ForgedError(
                "the signature is wrong; channels.email.sendgrid.verification_key must be the "
                "webhook's own, and a proxy must pass the body on as it is"
            ) from None
        check_age(int(timestamp) * SECOND, self._clock.now())


def _read_key(text: str) -> ec.EllipticCurvePublicKey:
    try:
        key = load_der_public_key(b64decode(text, validate=True))
    except (NotBase64Error, ValueError):
        key = None
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise SegueError(
            "channels.email.sendgrid.verification_key is no P-256 key in base64; "
            "copy it from the settings of SendGrid's event webhook"
        )
    return key


def _read(raw: msgspec.Raw) -> Receipt | Ignored:
    try:
        event = decode(_EVENT, bytes(raw))
    except UnreadableError:
        return "faulty"
    token = text_of(event.segue) or token_of(text_of(event.smtp_id))
    report_id = event.sg_event_id or f"{event.event} {event.timestamp} {token}"
    made = partial(make_receipt, token=token, report_id=report_id, at=from_seconds(event.timestamp))
    reason, agent = text_of(event.reason), text_of(event.useragent)
    read: Receipt | Ignored = "unused"
    match event.event:
        case "delivered":
            read = made("email_delivered", detail=text_of(event.response))
        case "bounce":
            read = made("email_bounce", detail=reason) if _is_hard(event) else "soft_bounce"
        case "dropped":  # not even tried: what SendGrid knows of the address from before
            act = _DROPPED.get(reason.lower())
            read = "unused" if act is None else made(act, detail=reason)
        case "spamreport":
            read = made("email_spam_report")
        case "unsubscribe" | "group_unsubscribe":
            read = made("email_unsubscribe")
        case "open":
            is_machine = event.sg_machine_open is True or is_machine_open(agent)
            read = made("email_open", machine=is_machine or None)
        case "click" if not is_prefetcher(agent):
            read = made("email_click", link=text_of(event.url) or None)
        case _:
            pass
    return read


def _is_hard(event: _Event) -> bool:
    """Return whether a bounce says that the address is dead; "blocked" never does."""
    if text_of(event.type).lower() == "blocked":
        return False
    reason = text_of(event.reason)
    says_dead = is_address_dead(text_of(event.status))
    if says_dead is None:
        says_dead = is_address_dead(status_in(reason))
    if says_dead is None:
        return text_of(event.bounce_classification).lower() not in _NOT_THE_ADDRESS
    return says_dead
