"""Postmark's webhooks (channel-facts.md 6.10): one record, sent with a user and a password.

Postmark reports no Message-ID of ours. What names a message travels as metadata of the mail, in
pieces, since a value is short; the record brings it back.
"""

import hmac
from base64 import b64encode
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

import msgspec
from msgspec import Struct, field

from segue.channels.email_hooks import (
    ForgedError,
    HookCall,
    Ignored,
    Reports,
    decode,
    read_instant,
    text_of,
)
from segue.channels.receipts import (
    Receipt,
    ReceiptAct,
    is_address_dead,
    make_receipt,
    status_in,
)
from segue.channels.settings import PostmarkSettings
from segue.channels.user_agents import is_machine_open, is_prefetcher

_PIECE_LENGTH: Final = 80  # of a value, by Postmark's documentation
_PIECES_MAX: Final = 12  # 960 characters: a user id of 255 and a campaign's name fit
_PIECE: Final = "segue-"
_BY_TYPE: Final[dict[str, ReceiptAct]] = {
    "HardBounce": "email_bounce",
    "BadEmailAddress": "email_bounce",
    "Unsubscribe": "email_unsubscribe",
    "SpamComplaint": "email_spam_report",
}
# Replies of machines, and what is no failure, which Postmark reports as bounces too.
_NO_BOUNCE: Final = ("AutoResponder", "AddressChange", "Subscribe")


class _Record(Struct, rename="pascal"):
    """A record of any type: the fields of all of them that we look at."""

    record_type: str
    id: Any = field(default=None, name="ID")
    message_id: Any = field(default=None, name="MessageID")
    metadata: dict[str, Any] | None = None
    type: Any = None
    details: Any = None
    description: Any = None
    delivered_at: str | None = None
    bounced_at: str | None = None
    received_at: str | None = None
    changed_at: str | None = None
    user_agent: Any = None
    original_link: Any = None
    suppress_sending: Any = None
    suppression_reason: Any = None
    origin: Any = None

    @property
    def told_at(self) -> str | None:
        """When it happened; each type has its own name for it."""
        return self.delivered_at or self.bounced_at or self.received_at or self.changed_at


_RECORD: Final = msgspec.json.Decoder(_Record)


class PostmarkHook:
    """Verifies and reads Postmark's calls."""

    def __init__(self, settings: PostmarkSettings) -> None:
        login = f"{settings.username}:{settings.password}".encode()
        self._login = b"basic " + b64encode(login)

    async def read(self, call: HookCall) -> Reports:
        """Return what a call reports."""
        scheme, _, login = call.headers.get("authorization", "").partition(" ")
        given = f"{scheme.lower()} {login.strip()}".encode()
        if not hmac.compare_digest(given, self._login):
            raise ForgedError(
                "user or password is wrong: the webhook's basic auth in Postmark must be that of "
                "[channels.email.postmark]",
                asks_for_login=True,
            )
        return Reports([_read(decode(_RECORD, call.body))])

    async def close(self) -> None:
        """Nothing is open."""


def metadata_of(token: str) -> dict[str, str]:
    """Return the headers that let Postmark's records name a message; none if it is too long."""
    pieces = [token[at : at + _PIECE_LENGTH] for at in range(0, len(token), _PIECE_LENGTH)]
    if len(pieces) > _PIECES_MAX:
        return {}
    return {f"X-PM-Metadata-{_PIECE}{n}": piece for n, piece in enumerate(pieces, start=1)}


def _token_in(metadata: Mapping[str, Any]) -> str:
    """Put the pieces together; SMTP may have changed the case of their names."""
    pieces = {name.lower(): text_of(value) for name, value in metadata.items()}
    found = (pieces.get(f"{_PIECE}{number}", "") for number in range(1, _PIECES_MAX + 1))
    return "".join(found)


def _read(record: _Record) -> Receipt | Ignored:
    # Only some records have an id; the others are of one message at one time.
    parts = (record.id, record.message_id, record.told_at, record.original_link)
    report_id = f"{record.record_type} {' '.join(str(part) for part in parts)}"[:1_000]
    token = _token_in(record.metadata or {})
    made = partial(make_receipt, token=token, report_id=report_id, at=read_instant(record.told_at))
    agent = text_of(record.user_agent)
    read: Receipt | Ignored = "unused"
    match record.record_type:
        case "Delivery":
            read = made("email_delivered", detail=text_of(record.details))
        case "Bounce" | "SpamComplaint":
            read = _bounced(record, made)
        case "SubscriptionChange":
            act = _act_of_suppression(record)
            read = "unused" if act is None else made(act)
        case "Open":
            read = made("email_open", machine=is_machine_open(agent) or None)
        case "Click" if not is_prefetcher(agent):
            read = made("email_click", link=text_of(record.original_link) or None)
        case _:
            pass
    return read


def _bounced(record: _Record, made: Callable[..., Receipt]) -> Receipt | Ignored:
    type_ = text_of(record.type) or record.record_type
    told = text_of(record.details) or text_of(record.description)
    act = _BY_TYPE.get(type_)
    if act is None:
        return (
            "unused" if type_ in ("AutoResponder", "AddressChange", "Subscribe") else "soft_bounce"
        )
    if act == "email_bounce" and is_address_dead(status_in(told)) is False:
        return "soft_bounce"
    return made(act, detail=told)


def _act_of_suppression(record: _Record) -> ReceiptAct | None:
    """Return why Postmark will not send to the address any more, if the recipient is why."""
    if record.suppress_sending is not True:
        return None
    match record.suppression_reason:
        case "HardBounce":
            return "email_bounce"
        case "SpamComplaint":
            return "email_spam_report"
        case _:
            return "email_unsubscribe" if record.origin == "Recipient" else None
