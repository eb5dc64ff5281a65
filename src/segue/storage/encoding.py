"""How values become bytes: msgpack, and zstd around what is stored by the block.

Both stores use it, so that what one refuses or rounds off the other does too. A value that
cannot be encoded raises TypeError or OverflowError before anything is written.
"""

import sys
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, Final, TypeVar

from msgspec import DecodeError
from msgspec.msgpack import Decoder, Encoder

from segue.content.tokens import Tracked
from segue.errors import DamagedError
from segue.model.campaigns import Campaign
from segue.model.log_records import (
    Block,
    PlanChange,
    Record,
    ScheduleWalked,
    entry_count,
)
from segue.model.state import UserState
from segue.model.verdicts import Verdict
from segue.storage.outbox_items import DeadLetter, OutboxItem
from segue.storage.ports import LogEnd

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

VERDICTS_PER_BLOCK_MAX: Final = 10_000  # a block is decoded as a whole

_T = TypeVar("_T")

# Level 1: higher ones cost more time than they save bytes. The checksum tells damage apart.
_ZSTD_OPTIONS: Final[dict[int, int]] = {
    zstd.CompressionParameter.compression_level: 1,
    zstd.CompressionParameter.checksum_flag: 1,
}
_encoder = Encoder()
_records_decoder = Decoder(list[Record])
_verdicts_decoder = Decoder(list[Verdict])
_state_decoder = Decoder(UserState)
_outbox_decoder = Decoder(OutboxItem)
_letter_decoder = Decoder(DeadLetter)
_plan_change_decoder: Decoder[PlanChange] = Decoder(PlanChange)
_walk_decoder = Decoder(ScheduleWalked)
_campaign_decoder = Decoder(Campaign)
_scopes_decoder = Decoder(list[str])
_tracked_decoder = Decoder(Tracked)
_content_decoder: Decoder[dict[str, Any]] = Decoder(dict[str, Any])


def user_key(user_id: str) -> int:
    """Return the number a user goes by in tables: 64 bits of a hash, signed as SQLite's are."""
    digest = blake2b(user_id.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def encode(value: object) -> bytes:
    """Return the msgpack of a value."""
    return _encoder.encode(value)


def encode_block(block: Block) -> bytes:
    """Return a block's records as they are stored."""
    return _zipped(block.records)


def end_of(block: Block) -> LogEnd:
    """Return where the log ends once the block is in it."""
    if not block.records:
        raise ValueError(f"Block {block.seq} has no records.")
    entries = sum(map(entry_count, block.records))
    return LogEnd(block.seq, block.first_ordinal + entries, block.records[-1].received_at)


def decode_block(seq: int, first_ordinal: int, stored: bytes, place: str) -> Block:
    """Return a stored block; `place` is where it lies, for the one who must mend it."""
    what = f"Block {seq} of the log in {place}"
    remedy = (
        "Stop Segue, keep a copy of the folder and restore it from a backup; blocks after this "
        "one are of no use without it."
    )
    return Block(seq, first_ordinal, _unzipped(_records_decoder, stored, what, remedy))


def encode_verdicts(verdicts: Sequence[Verdict]) -> list[bytes]:
    """Return verdicts as they are stored: blocks of a bounded number each."""
    return [
        _zipped(verdicts[start : start + VERDICTS_PER_BLOCK_MAX])
        for start in range(0, len(verdicts), VERDICTS_PER_BLOCK_MAX)
    ]


def decode_verdicts(stored: bytes, place: str) -> list[Verdict]:
    """Return a stored block of verdicts."""
    return _unzipped(_verdicts_decoder, stored, f"A block of verdicts in {place}", _REBUILD)


def decode_state(user_id: str, stored: bytes, place: str) -> UserState:
    """Return a stored state."""
    return _decoded(_state_decoder, stored, f"The state of user {user_id!r} in {place}", _REBUILD)


def decode_outbox_item(stored: bytes, place: str) -> OutboxItem:
    """Return a stored message of the outbox."""
    return _decoded(_outbox_decoder, stored, f"A message of the outbox in {place}", _REBUILD)


def decode_dead_letter(stored: bytes, place: str) -> DeadLetter:
    """Return a stored message that failed."""
    return _decoded(_letter_decoder, stored, f"A dead letter in {place}", _REBUILD)


def decode_plan_change(stored: bytes, place: str) -> PlanChange:
    """Return a stored change of the plan."""
    return _decoded(_plan_change_decoder, stored, f"A change of the plan in {place}", _REBUILD)


def decode_walk(stored: bytes, place: str) -> ScheduleWalked:
    """Return how far a scheduled campaign has come, as stored."""
    return _decoded(_walk_decoder, stored, f"The walk of a schedule in {place}", _REBUILD)


def decode_campaign(campaign_id: str, stored: bytes, place: str) -> Campaign:
    """Return a stored campaign document."""
    what = f"The document of campaign {campaign_id} in {place}"
    return _decoded(_campaign_decoder, stored, what, _RESTORE)


def decode_scopes(stored: bytes, place: str) -> list[str]:
    """Return the stored scopes of an API key."""
    return _decoded(_scopes_decoder, stored, f"The scopes of an API key in {place}", _RESTORE)


def decode_content(send_id: str, stored: bytes, place: str) -> dict[str, Any]:
    """Return the stored content of a message that waits for devices."""
    return _decoded(_content_decoder, stored, f"The message {send_id} in {place}", _RESTORE)


def decode_tracked(code: str, stored: bytes, place: str) -> Tracked:
    """Return what a short code stands for, as stored."""
    return _decoded(_tracked_decoder, stored, f"The short code {code} in {place}", _RESTORE)


def decode_tree(composition_id: str, stored: bytes, place: str) -> dict[str, Any]:
    """Return the stored document of a campaign that is being written."""
    return _decoded(_content_decoder, stored, f"The draft {composition_id} in {place}", _RESTORE)


_RESTORE: Final = "Stop Segue and restore the folder from a backup."
_REBUILD: Final = (
    "Stop Segue and restore the folder from a backup; or, while the log still reaches back to "
    "its beginning, run `segue db rebuild`: the file is built anew from the log."
)


def _zipped(values: Sequence[object]) -> bytes:
    return zstd.compress(_encoder.encode(values), options=_ZSTD_OPTIONS)


def _unzipped(decoder: Decoder[_T], stored: bytes, what: str, remedy: str) -> _T:
    try:
        packed = zstd.decompress(stored)
    except zstd.ZstdError as error:
        raise _damaged(what, error, remedy) from error
    return _decoded(decoder, packed, what, remedy)


def _decoded(decoder: Decoder[_T], packed: bytes, what: str, remedy: str) -> _T:
    try:
        return decoder.decode(packed)
    except (DecodeError, UnicodeDecodeError) as error:
        raise _damaged(what, error, remedy) from error


def _damaged(what: str, error: Exception, remedy: str) -> DamagedError:
    return DamagedError(f"{what} is damaged and cannot be read ({error}). {remedy}")
