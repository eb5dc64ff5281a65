"""How much is on its way to be decided: in entries, and about how many bytes of memory."""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
from msgspec import Struct

from segue.model.log_records import Record, entries_in

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
        found = entries_in(record)
        entries += len(found)
        size += _bytes_of(found)
    return Load(entries, size)


def _bytes_of(entries: Sequence[object]) -> int:
    """Return about how many bytes entries take: exact for few, of many by a sample."""
    step = max(len(entries) // _SAMPLED, 1)
    sample = entries[::step]
    try:
        return sum(len(_encode(one)) for one in sample) * len(entries) // max(len(sample), 1)
    except (TypeError, OverflowError):
        return 0  # the log will not take it either
