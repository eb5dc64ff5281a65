"""Messages on virtual phones, in dictionaries; gone with the process."""

import threading
from collections.abc import Callable, Sequence
from typing import Final

from msgspec.structs import replace

from segue.model.channels import Channel
from segue.model.limits import PHONE_MESSAGES_MAX, PHONES_BYTES_MAX, PHONES_MESSAGES_MAX
from segue.storage.encoding import decode_content, encode
from segue.storage.phones import ANY_PLACE, PhoneEntry, PhoneMessage

_PLACE: Final = "memory"
_Kept = tuple[PhoneMessage, bytes]


class MemoryPhones:
    """Phones in memory; contents are kept encoded, so that nothing is shared."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[int, _Kept] = {}  # by place, in order
        self._last_given = 0

    def put(self, messages: Sequence[PhoneMessage]) -> None:
        """Keep messages; the oldest go, of each user and of all."""
        encoded = [(message, encode(message.content)) for message in messages]
        with self._lock:
            known = {_key(message) for message, _ in self._kept.values()}
            for message, content in encoded:
                if _key(message) in known:
                    continue
                known.add(_key(message))
                self._last_given += 1
                self._kept[self._last_given] = (replace(message, place=self._last_given), content)
            for user_id in {message.user_id for message in messages}:
                places = [p for p, (one, _) in self._kept.items() if one.user_id == user_id]
                for place in places[:-PHONE_MESSAGES_MAX]:
                    del self._kept[place]
            self._bound()

    def of_user(
        self,
        user_id: str,
        before: int = ANY_PLACE,
        limit: int = 100,
        channel: Channel | None = None,
    ) -> list[PhoneMessage]:
        """Return a user's messages before a place, newest first: all, or those of a channel."""
        found = self._find(
            lambda one: (
                one.user_id == user_id and one.place < before and channel in (None, one.channel)
            )
        )
        return [_shown(kept) for kept in found[::-1][:limit]]

    def after(self, place: int, user_id: str | None = None, limit: int = 100) -> list[PhoneMessage]:
        """Return the messages after a place, oldest first: those of a user, or of all."""
        found = self._find(lambda one: one.place > place and user_id in (None, one.user_id))
        return [_shown(kept) for kept in found[:limit]]

    def last_place(self) -> int:
        """Return the place of the newest message; 0 where there is none."""
        with self._lock:
            return max(self._kept, default=0)

    def entries(self, before: int = ANY_PLACE, limit: int = 100) -> list[PhoneEntry]:
        """Return the phones whose newest message stands before a place, newest first."""
        found: dict[str, PhoneEntry] = {}
        for message, _ in self._find(lambda _: True):
            count = found[message.user_id].message_count if message.user_id in found else 0
            found[message.user_id] = PhoneEntry(
                message.user_id, count + 1, message.place, message.at
            )
        entries = [entry for entry in found.values() if entry.newest_place < before]
        return sorted(entries, key=lambda entry: entry.newest_place, reverse=True)[:limit]

    def erase(self, user_id: str) -> None:
        """Forget a user's messages."""
        with self._lock:
            self._kept = {p: kept for p, kept in self._kept.items() if kept[0].user_id != user_id}

    def _bound(self) -> None:
        byte_count = 0
        for rank, place in enumerate(reversed(list(self._kept)), 1):
            byte_count += len(self._kept[place][1])
            if rank > PHONES_MESSAGES_MAX or byte_count > PHONES_BYTES_MAX:
                del self._kept[place]

    def _find(self, is_wanted: Callable[[PhoneMessage], bool]) -> list[_Kept]:
        with self._lock:
            return [kept for kept in self._kept.values() if is_wanted(kept[0])]


def _key(message: PhoneMessage) -> tuple[str, Channel, str]:
    return message.user_id, message.channel, message.send_id


def _shown(kept: _Kept) -> PhoneMessage:
    message, content = kept
    return replace(message, content=decode_content(message.send_id, content, _PLACE))
