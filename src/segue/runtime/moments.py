"""Things that happened to users: from the log, or decided about it.

A moment is one line of a user's timeline and of the live feed.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, assert_never

import msgspec
from msgspec import Struct

from segue.engine.draft import Act
from segue.model.channels import Channel
from segue.model.events import (
    API_TRIGGER,
    AttributeChange,
    DeviceChanged,
    Event,
    Occurrence,
    SendRetried,
    SendSettled,
)
from segue.model.instants import to_datetime
from segue.model.log_records import (
    AttributesReceived,
    DevicesChanged,
    EventsReceived,
    Record,
    SendsDeferred,
    SendsRequested,
    SendsRetried,
    SendsSettled,
    UserErased,
)
from segue.model.verdicts import Verdict
from segue.runtime.lines import retry_fields, verdict_line
from segue.storage.outbox_items import OutboxItem


class PutOff(Struct, frozen=True, gc=False):
    """A message that was not taken, and is tried again at an instant."""

    user_id: str
    campaign: str
    send_id: str
    channel: Channel
    again_at: int
    detail: str = ""


What = (
    Act
    | AttributeChange
    | DeviceChanged
    | SendRetried
    | SendSettled
    | PutOff
    | UserErased
    | Verdict
)


class Moment(Struct, frozen=True, gc=False):
    """What happened, and when Segue took it in or decided it."""

    at: int
    what: What

    @property
    def user_id(self) -> str:
        """Whom it happened to."""
        return self.what.event.user_id if isinstance(self.what, Act) else self.what.user_id

    @property
    def campaign(self) -> str | None:
        """The campaign (slug) that it is about, if it is about one."""
        match self.what:
            case Act(event=event):
                return event.campaign
            case SendSettled() | PutOff() | Verdict():
                return self.what.campaign
            case SendRetried(deliver=deliver):
                return deliver.campaign
            case _:
                return None

    @property
    def channel(self) -> Channel | None:
        """The channel of the message that it is about; a decision may be about several."""
        match self.what:
            case Act(event=event):
                return event.channel
            case SendSettled() | PutOff():
                return self.what.channel
            case SendRetried(deliver=deliver):
                return deliver.channels[0]
            case _:
                return None


def moments_of(record: Record, ordinal: int) -> Iterator[Moment]:
    """Yield what a record says that happened to users; `ordinal` is its first entry's."""
    at = record.received_at
    match record:
        case EventsReceived():
            for index, event in enumerate(record.events):
                place = ordinal + index
                happened_at = Occurrence(event, at, place).happened_at
                yield Moment(at, Act(event, happened_at, at, ordinal=place))
        case AttributesReceived() | DevicesChanged():
            for change in record.changes:
                yield Moment(at, change)
        case SendsRequested():
            for index, one in enumerate(record.recipients):
                event = Event(
                    one.user_id,
                    API_TRIGGER,
                    id=one.id,
                    properties=one.properties,
                    campaign=record.campaign,
                )
                yield Moment(at, Act(event, at, at, ordinal=ordinal + index))
        case SendsSettled():
            for settled in record.settled:
                yield Moment(at, settled)
        case SendsRetried():
            for deliver in record.sends:
                yield Moment(at, SendRetried(deliver, at))
        case UserErased():
            yield Moment(at, record)
        case _:
            return


def put_offs_of(record: SendsDeferred, items: Mapping[str, OutboxItem]) -> Iterator[Moment]:
    """Yield the messages that a record puts off; whose they are stands in the outbox."""
    for send_id, channel, again_at, detail in record.deferred:
        item = items.get(f"{send_id}/{channel}")
        if item is not None:
            deliver = item.deliver
            put_off = PutOff(deliver.user_id, deliver.campaign, send_id, channel, again_at, detail)
            yield Moment(record.received_at, put_off)


def line_of(moment: Moment) -> dict[str, Any]:
    """Return a moment as the log's lines and decision lines show it (interface.md)."""
    at, what = to_datetime(moment.at), moment.what
    match what:
        case Verdict():
            line = verdict_line(what)
        case Act(event=event):
            line = {**_plain(event), "id": what.id, "received_at": at}
        case SendSettled():
            line = {**_plain(what), "time": at}
            line["outcome"] = line.pop("settled_as")
        case PutOff(again_at=again_at):
            line = {**_plain(what), "again_at": to_datetime(again_at), "time": at}
        case SendRetried(deliver=deliver):
            line = {**retry_fields(deliver), "time": at}
        case UserErased(user_id=user_id):
            line = {"control": "erase", "user_id": user_id, "time": at}
        case AttributeChange() | DeviceChanged():
            line = {**_plain(what), "received_at": at}
        case _:
            assert_never(what)
    return line


def _plain(told: Struct) -> dict[str, Any]:
    line: dict[str, Any] = msgspec.to_builtins(told, builtin_types=(datetime,))
    return line
