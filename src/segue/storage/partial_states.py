"""Reads of a stored state only the parts that somebody looks at.

A state is some hundred bytes, most of them what the user did with campaigns; a count of users by
their country needs none of that. Read in parts, it is four times as fast (measured).
"""

from collections.abc import Collection
from functools import cache
from typing import Final, cast

from msgspec import Raw, Struct, defstruct
from msgspec.msgpack import Decoder

from segue.model.state import STATE_PARTS, StatePart, UserState

_EMPTY: Final = (Raw(b"\x80"), Raw(b"\x90"))  # an object and a list, as msgpack has them


def decoder_of_parts(parts: Collection[StatePart]) -> Decoder[UserState]:
    """Return a decoder of states in which the other parts are left as they are stored.

    Nothing may look at those, but to ask whether they are empty.
    """
    return _decoder(frozenset(parts))


def is_empty(part: object) -> bool:
    """Return whether a part of a state holds nothing, whether it was read or not."""
    return part in _EMPTY if isinstance(part, Raw) else not part


@cache
def _decoder(parts: frozenset[StatePart]) -> Decoder[UserState]:
    unread = [(part, Raw, _EMPTY[0]) for part in sorted(STATE_PARTS - parts)]
    if not unread:
        return Decoder(UserState)
    partial: type[Struct] = defstruct(
        "PartialState", unread, bases=(UserState,), frozen=True, array_like=True, gc=False
    )
    return Decoder(cast(type[UserState], partial))
