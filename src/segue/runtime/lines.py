"""The log as NDJSON lines (interface.md, "The log"): reading them for a run, and writing them.

A line is an event, a change of a profile or of a device, a control line, or the recorded outcome
of a send.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct, field

from segue.model.campaigns import Campaign
from segue.model.channels import Channel
from segue.model.effects import Deliver
from segue.model.events import (
    AttributeChange,
    DeviceChanged,
    Event,
    SendRequested,
    SendSettled,
    SettledAs,
    event_id,
)
from segue.model.instants import from_datetime, to_datetime
from segue.model.log_records import (
    AttributesReceived,
    Backfilled,
    Block,
    CampaignPublished,
    CampaignStopped,
    DevicesChanged,
    EventsReceived,
    Recipient,
    Record,
    ScheduleWalked,
    SegmentDeleted,
    SegmentSet,
    SendsRequested,
    SendsRetried,
    SendsSettled,
    UserErased,
    WorkspaceSet,
    entry_count,
)
from segue.model.verdicts import Verdict
from segue.model.workspace import Segment, Workspace

ControlKind = Literal[
    "publish",
    "edit",
    "stop",
    "archive",
    "send",
    "advance",
    "erase",
    "workspace",
    "segment",
    "delete_segment",
    "schedule",
    "backfill",
    "retry",
]


class EventLine(Event, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """An event, with the instant it was accepted."""

    received_at: datetime | None = None


class AttributesLine(AttributeChange, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """A profile change, with the instant it was accepted."""

    received_at: datetime | None = None


class DeviceLine(DeviceChanged, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """A device that was registered or removed, with the instant it was accepted."""

    received_at: datetime | None = None


class ControlLine(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Something that a person or a program did with a campaign, or the passing of time."""

    control: ControlKind
    campaign: str | None = None
    user_id: str | None = None
    time: datetime | None = None
    received_at: datetime | None = None
    version: int | None = None
    campaign_id: str | None = None
    document: Campaign | None = None
    workspace: Workspace | None = None
    segment: Segment | None = None
    slug: str | None = None  # of a segment that is deleted
    trigger_properties: dict[str, Any] | None = None  # of a send
    id: str | None = None  # of a send
    walk_at: datetime | None = None  # of a schedule, as in `ScheduleWalked`
    wall: str | None = None
    after: str = ""
    through: str | None = None
    events: list[Event] = field(default_factory=list)  # of a backfill
    send_id: str | None = None  # of a retry, as are those below
    channel: Channel | None = None
    variant: str | None = None
    hops: int = 0
    cause: str | None = None
    accepted: list[Channel] = field(default_factory=list)


class OutcomeLine(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What became of one message of a send."""

    user_id: str
    outcome: SettledAs
    campaign: str
    send_id: str
    channel: Channel
    reason: str | None = None
    detail: str | None = None
    dead_tokens: list[str] = field(default_factory=list)
    time: datetime | None = None
    received_at: datetime | None = None


Line = EventLine | AttributesLine | DeviceLine | ControlLine | OutcomeLine

_event_line = msgspec.json.Decoder(EventLine)
_attributes_line = msgspec.json.Decoder(AttributesLine)
_device_line = msgspec.json.Decoder(DeviceLine)
_control_line = msgspec.json.Decoder(ControlLine)
_outcome_line = msgspec.json.Decoder(OutcomeLine)
_keys = msgspec.json.Decoder(dict[str, msgspec.Raw])
_OTHER_KINDS: Final[dict[str, msgspec.json.Decoder[Any]]] = {
    "control": _control_line,
    "outcome": _outcome_line,
    "attributes": _attributes_line,
    "device": _device_line,
}
_WORDS_OF_OTHER_KINDS: Final = [f'"{key}"'.encode() for key in ("decision", *_OTHER_KINDS)]


def read_line(text: bytes) -> Line | None:
    """Read one line; None for an empty one and for a decision line, which is no input.

    Raises:
        msgspec.DecodeError: the line is not JSON, or not what interface.md describes.
    """
    # Most lines are events: the other kinds are looked for by a word that they must contain.
    if not any(word in text for word in _WORDS_OF_OTHER_KINDS):
        return _event_line.decode(text) if text.strip() else None
    keys = _keys.decode(text)
    if "decision" in keys:
        return None
    for key, decoder in _OTHER_KINDS.items():
        if key in keys:
            line: Line = decoder.decode(text)
            return line
    return _event_line.decode(text)


def accepted_at(line: Line, previous: int) -> int:
    """Return the line's now: `received_at`, else `time`, and never before the line above."""
    moment = line.received_at or line.time
    return previous if moment is None else max(previous, from_datetime(moment))


def lines_of(block: Block) -> Iterator[dict[str, Any]]:
    """Yield a block's entries as lines that `segue run` reads; events get the id they go by."""
    ordinal = block.first_ordinal
    for record in block.records:
        yield from _record_lines(record, ordinal)
        ordinal += entry_count(record)


def _record_lines(record: Record, ordinal: int) -> Iterator[dict[str, Any]]:
    at = to_datetime(record.received_at)
    match record:
        case EventsReceived():
            for index, event in enumerate(record.events):
                line: dict[str, Any] = msgspec.to_builtins(event, builtin_types=(datetime,))
                line["id"] = event_id(event, record.received_at, ordinal + index)
                yield {**line, "received_at": at}
        case AttributesReceived() | DevicesChanged():
            for change in record.changes:
                line = msgspec.to_builtins(change, builtin_types=(datetime,))
                yield {**line, "received_at": at}
        case SendsSettled():
            for settled in record.settled:
                yield _outcome_fields(settled, at)
        case SendsRetried():
            for deliver in record.sends:
                yield {**retry_fields(deliver), "time": at}
        case SendsRequested():
            for index, one in enumerate(record.recipients):
                yield _send_line(record, one, ordinal + index)
        case _:
            line = _control_fields(record)
            if line:
                yield _present({**line, "time": at})


def _send_line(record: SendsRequested, recipient: Recipient, ordinal: int) -> dict[str, Any]:
    now, slug = record.received_at, record.campaign
    request = SendRequested(
        recipient.user_id, slug, recipient.properties, now, ordinal, recipient.id
    )
    return _present(
        {
            "control": "send",
            "campaign": slug,
            "user_id": recipient.user_id,
            "trigger_properties": recipient.properties,
            "id": event_id(request.as_event(), now, ordinal),
            "time": to_datetime(now),
        }
    )


def _control_fields(record: Record) -> dict[str, Any]:
    """Return the control line of a record, but for its time; of some there is none."""
    match record:
        case CampaignPublished():
            return {
                "control": "edit" if record.is_edit else "publish",
                "campaign": record.document.slug,
                "campaign_id": record.id,
                "version": record.version,
                "document": record.document,
            }
        case CampaignStopped():
            kind = "archive" if record.is_archived else "stop"
            fields: dict[str, Any] = {"control": kind, "campaign": record.campaign}
        case UserErased():
            fields = {"control": "erase", "user_id": record.user_id}
        case WorkspaceSet():
            fields = {"control": "workspace", "workspace": record.workspace}
        case SegmentSet():
            fields = {"control": "segment", "segment": record.segment}
        case SegmentDeleted():
            fields = {"control": "delete_segment", "slug": record.slug}
        case ScheduleWalked() | Backfilled():
            fields = _work_fields(record)
        case _:
            fields = {}
    return fields


def _work_fields(record: ScheduleWalked | Backfilled) -> dict[str, Any]:
    if isinstance(record, Backfilled):
        events = [msgspec.to_builtins(event, builtin_types=(datetime,)) for event in record.events]
        return {"control": "backfill", "campaign": record.campaign, "events": events}
    return {
        "control": "schedule",
        "campaign": record.campaign,
        "walk_at": to_datetime(record.walk_at),
        "wall": record.wall,
        "after": record.after or None,
        "through": record.through,
    }


def retry_fields(deliver: Deliver) -> dict[str, Any]:
    """Return the control line of a retry, but for its time."""
    fields: dict[str, Any] = {
        "control": "retry",
        "campaign": deliver.campaign,
        "user_id": deliver.user_id,
        "send_id": deliver.send_id,
        "channel": deliver.channels[0],
        "variant": deliver.variant,
        "cause": deliver.trigger.event_id,
    }
    if deliver.hops:
        fields["hops"] = deliver.hops
    return {**fields, "accepted": deliver.accepted} if deliver.accepted else fields


def _present(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _outcome_fields(settled: SendSettled, at: datetime) -> dict[str, Any]:
    fields = msgspec.to_builtins(settled)
    fields["outcome"] = fields.pop("settled_as")
    return {**fields, "time": at}


def verdict_line(verdict: Verdict) -> dict[str, Any]:
    """Return a decision line (interface.md) of a verdict; its instants as text."""
    line: dict[str, Any] = {
        "at": to_datetime(verdict.at),
        "user_id": verdict.user_id,
        "campaign": verdict.campaign,
        "decision": verdict.decision,
        "cause": verdict.cause,
    }
    for name in ("reason", "variant", "conversion_event", "send_id", "detail"):
        if (value := getattr(verdict, name)) is not None:
            line[name] = value
    if verdict.due is not None:
        line["due"] = to_datetime(verdict.due)
    return line
