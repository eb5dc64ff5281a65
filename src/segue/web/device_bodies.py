"""Request bodies of devices: who it is about, and a list whose entries stand or fall alone."""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Struct, field
from msgspec.structs import replace

from segue.model.decoding import decode_document
from segue.model.devices import Device
from segue.model.events import Event, Name, UserId
from segue.model.instants import from_datetime, to_datetime
from segue.model.limits import (
    ATTRIBUTES_PER_USER_MAX,
    DEVICE_REPORTS_MAX,
    EVENT_BYTES_MAX,
)
from segue.model.problems import InvalidError
from segue.runtime.ingest import Rejected
from segue.services.device_reports import Report

T = TypeVar("T", bound=Struct)
Entries = Annotated[list[Any], Meta(max_length=DEVICE_REPORTS_MAX)]


class DeviceEvent(Struct, forbid_unknown_fields=True):
    """A custom event, a purchase or a session start, without whose it is."""

    name: Name
    id: Name | None = None
    time: datetime | None = None
    properties: dict[str, Any] | None = None
    product_id: Name | None = None
    price: float | None = None
    currency: Annotated[str, Meta(min_length=3, max_length=3)] | None = None
    quantity: Annotated[int, Meta(ge=1)] | None = None


class SessionBody(Struct, forbid_unknown_fields=True):
    """A session that started; its id lets a repeat be taken once."""

    user_id: UserId
    session_id: Name | None = None
    time: datetime | None = None
    sent_at: datetime | None = None

    def began_at(self, now: int) -> datetime | None:
        """Return when it started, as our clock would have told it."""
        return _by_our_clock(self.time, self.sent_at, now)


class PushTokenBody(Struct, forbid_unknown_fields=True):
    """Where a user's push notifications go from now on."""

    user_id: UserId
    device: Device


class EventsBody(Struct, forbid_unknown_fields=True):
    """What a user did."""

    user_id: UserId
    events: Entries = field(default_factory=list)
    attributes: Annotated[dict[Name, Any], Meta(max_length=ATTRIBUTES_PER_USER_MAX)] = field(
        default_factory=dict
    )
    sent_at: datetime | None = None

    def read(self, now: int) -> list[Event | Rejected]:
        """Return the events, with their times as our clock would have told them."""
        return [self._event(one, now) for one in _each(self.events, DeviceEvent)]

    def _event(self, one: tuple[int, DeviceEvent | Rejected], now: int) -> Event | Rejected:
        index, entry = one
        if isinstance(entry, Rejected):
            return entry
        size = len(msgspec.json.encode(entry.properties))
        if size > EVENT_BYTES_MAX:
            return Rejected(index, f"properties take {size} bytes; at most {EVENT_BYTES_MAX}")
        return Event(
            self.user_id,
            entry.name,
            time=_by_our_clock(entry.time, self.sent_at, now),
            id=entry.id,
            properties=entry.properties,
            product_id=entry.product_id,
            price=entry.price,
            currency=entry.currency,
            quantity=entry.quantity,
        )


class ReportsBody(Struct, forbid_unknown_fields=True):
    """What a user did with messages."""

    user_id: UserId
    interactions: Entries
    sent_at: datetime | None = None

    def read(self, now: int) -> list[Report | Rejected]:
        """Return the reports, with their times as our clock would have told them."""
        return [
            entry
            if isinstance(entry, Rejected)
            else replace(entry, time=_by_our_clock(entry.time, self.sent_at, now))
            for _, entry in _each(self.interactions, Report)
        ]


def _each(entries: list[Any], type_: type[T]) -> Iterator[tuple[int, T | Rejected]]:
    for index, raw in enumerate(entries):
        try:
            yield index, decode_document(raw, type_, "The entry")
        except InvalidError as error:
            faults = "; ".join(f"{one.path or '(top)'}: {one.message}" for one in error.problems)
            yield index, Rejected(index, faults)


def _by_our_clock(time: datetime | None, sent_at: datetime | None, now: int) -> datetime | None:
    """Return a device's time put right: as long before now as it was before the sending."""
    if time is None or sent_at is None:
        return time
    age = from_datetime(sent_at) - from_datetime(time)
    return to_datetime(max(now - max(age, 0), 0))
