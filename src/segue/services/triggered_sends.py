"""API-triggered campaigns: a program says to whom and with what, and the engine decides."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from segue.errors import ConflictError
from segue.model.decoding import decode_document
from segue.model.events import AttributeChange, Name, UserId
from segue.model.limits import (
    ATTRIBUTES_PER_USER_MAX,
    EVENT_BYTES_MAX,
    RECIPIENTS_PER_CALL_MAX,
    REQUEST_BYTES_MAX,
)
from segue.model.log_records import AttributesReceived, Recipient, Record, SendsRequested
from segue.model.problems import InvalidError, Problem
from segue.runtime.ingest import Rejected
from segue.runtime.runtime import Runtime
from segue.storage.ports import StoredCampaign


class RecipientWish(Struct, forbid_unknown_fields=True):
    """One user to send to: what the templates see, and attributes to set before."""

    user_id: UserId
    trigger_properties: dict[str, Any] | None = None
    attributes: dict[Name, Any] | None = None


class SendWish(Struct, forbid_unknown_fields=True):
    """Whom to send to; `trigger_properties` are everybody's, beneath those of each recipient."""

    recipients: list[Any]
    trigger_properties: dict[str, Any] | None = None


class Requested(Struct, frozen=True):
    """How many sends were asked for, durably, and which entries were not taken, and why."""

    accepted: int
    rejected: list[Rejected]


async def request_sends(runtime: Runtime, campaign: StoredCampaign, raw: object) -> Requested:
    """Ask for a campaign to be sent; attributes are set before, in the same transaction.

    An entry that is bad is rejected by its index, and the others are taken. Whether a user gets
    the campaign is decided by its audience, re-eligibility and the rest, like after any trigger.

    Raises:
        ConflictError: the campaign is not active, or not API-triggered.
        InvalidError: the body as a whole is not a list of recipients, or has too many.
        BusyError: more is waiting to be decided than memory should hold.
    """
    kind = campaign.document.delivery.type
    if kind != "api":
        message = f'{campaign.slug} is of type "{kind}"; this is for campaigns of type "api"'
        raise ConflictError(message)
    if campaign.status != "active":
        message = f"{campaign.slug} is {campaign.status}; publish it before it is sent"
        raise ConflictError(message)
    runtime.ingest.refuse_when_busy()
    reading = _Reading(_read_wish(raw))
    records = reading.records_of(campaign.slug)
    if reading.recipients:
        await runtime.commits.hand_in_all(records)
    return Requested(len(reading.recipients), reading.rejected)


def _read_wish(raw: object) -> SendWish:
    """Return the call without the shapes of its recipients, which are read one by one.

    Raises:
        InvalidError: with every fault of the call as a whole.
    """
    recipients = raw.get("recipients") if isinstance(raw, dict) else None
    if not isinstance(raw, dict) or not isinstance(recipients, list):
        return decode_document(raw, SendWish, "The body")
    wish = decode_document({**raw, "recipients": []}, SendWish, "The body")
    if not 1 <= len(recipients) <= RECIPIENTS_PER_CALL_MAX:
        message = f"has {len(recipients)} entries; 1 to {RECIPIENTS_PER_CALL_MAX} a call"
        raise InvalidError([Problem("recipients", message)], "The body")
    return SendWish(recipients, wish.trigger_properties)


class _Reading:
    """Reads recipients one by one, and notes those that are bad."""

    def __init__(self, wish: SendWish) -> None:
        self.recipients: list[Recipient] = []
        self.changes: list[AttributeChange] = []
        self.rejected: list[Rejected] = []
        self._shared = wish.trigger_properties or {}
        self._bytes_left = REQUEST_BYTES_MAX
        for index, raw in enumerate(wish.recipients):
            self._read(index, raw)

    def records_of(self, slug: str) -> Callable[[int], Sequence[Record]]:
        """Return how to make the records of an instant: attributes come before sends."""

        def make(at: int) -> Sequence[Record]:
            sends = SendsRequested(at, slug, self.recipients)
            return [AttributesReceived(at, self.changes), sends] if self.changes else [sends]

        return make

    def _read(self, index: int, raw: object) -> None:
        try:
            wish = decode_document(raw, RecipientWish, "The recipient")
        except InvalidError as error:
            self.rejected.append(Rejected(index, str(error)))
            return
        properties = {**self._shared, **(wish.trigger_properties or {})}
        attributes = wish.attributes or {}
        size = len(msgspec.msgpack.encode(properties))
        self._bytes_left -= size
        if size > EVENT_BYTES_MAX:
            message = f"trigger_properties have {size} bytes; at most {EVENT_BYTES_MAX}"
        elif self._bytes_left < 0:
            message = f"the call's trigger_properties have over {REQUEST_BYTES_MAX} bytes in all"
        elif len(attributes) > ATTRIBUTES_PER_USER_MAX:
            message = f"has {len(attributes)} attributes; at most {ATTRIBUTES_PER_USER_MAX}"
        else:
            self.recipients.append(Recipient(wish.user_id, properties or None))
            if attributes:
                self.changes.append(AttributeChange(wish.user_id, attributes))
            return
        self.rejected.append(Rejected(index, message))
