"""How much is on its way to be decided: in entries, and about how many bytes of memory."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct

from segue.model.log_records import (
    AttributesReceived,
    Backfilled,
    DevicesChanged,
    EventsReceived,
    Record,
    SendsRequested,
    entry_count,
)

_SAMPLED: Final = 8  # entries of a record: the others are taken to be as large
_encode: Final = msgspec.msgpack.Encoder().encode


class Load(Struct, frozen=True):
    """What records weigh."""

    entries: int = 0
    bytes: int = 0


def load_of(records: Iterable[Record]) -> Load:
    """Return what records weigh; their bytes are those of the log before it is compressed."""
    entries = size = 0
    for record in records:
        count = entry_count(record)
        entries += count
        size += _bytes_of(_entries_in(record), count)
    return Load(entries, size)


def _entries_in(record: Record) -> Sequence[Any]:
    match record:
        case EventsReceived() | Backfilled():
            return record.events
        case AttributesReceived() | DevicesChanged():
            return record.changes
        case SendsRequested():
            return record.recipients
        case _:
            return [record]


def _bytes_of(entries: Sequence[Any], count: int) -> int:
    """Return about how many bytes entries take: exact for few, of many by a sample."""
    step = max(len(entries) // _SAMPLED, 1)
    sample = entries[::step]
    try:
        return sum(len(_encode(one)) for one in sample) * count // max(len(sample), 1)
    except (TypeError, OverflowError):
        return 0  # the log will not take it either
