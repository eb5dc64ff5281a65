"""Messages that wait for their users' devices, in dictionaries; gone with the process."""

import threading
from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from segue.model.channels import Channel
from segue.storage.encoding import decode_content, encode
from segue.storage.inbox_bounds import INBOX_MAX
from segue.storage.ports import InboxItem

_PLACE: Final = "memory"
_Key = tuple[Channel, str]


class MemoryInbox:
    """The inbox in memory; contents are kept encoded, so that nothing is shared."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users: defaultdict[str, dict[_Key, tuple[InboxItem, bytes]]] = defaultdict(dict)

    def put(self, items: Sequence[InboxItem], expired_before: int) -> None:
        """Keep messages; the oldest of a user go, and all that expired."""
        encoded = [(item, encode(item.content)) for item in items]
        with self._lock:
            for item, content in encoded:
                kept = self._users[item.user_id]
                kept.setdefault((item.channel, item.send_id), (item, content))
                feed = [one for one, _ in kept.values() if one.channel == item.channel]
                feed.sort(key=_age, reverse=True)
                for one in feed[INBOX_MAX[item.channel] :]:
                    del kept[one.channel, one.send_id]
            for user_id, kept in list(self._users.items()):
                fresh = {
                    k: pair for k, pair in kept.items() if pair[0].expires_at >= expired_before
                }
                self._users[user_id] = fresh

    def of_user(self, user_id: str) -> list[InboxItem]:
        """Return all messages kept for a user, newest first."""
        with self._lock:
            pairs = list(self._users.get(user_id, {}).values())
        items = [
            replace(item, content=decode_content(item.send_id, content, _PLACE))
            for item, content in pairs
        ]
        return sorted(items, key=_age, reverse=True)

    def end(self, user_id: str, keys: Sequence[_Key], at: int) -> None:
        """Note that messages, by channel and send, are not to be shown again."""
        with self._lock:
            kept = self._users.get(user_id, {})
            for key in keys:
                if key in kept and kept[key][0].ended_at is None:
                    item, content = kept[key]
                    kept[key] = (replace(item, ended_at=at), content)

    def erase(self, user_id: str) -> None:
        """Forget a user's messages."""
        with self._lock:
            self._users.pop(user_id, None)

    def _prune(self, user_id: str, expired_before: int) -> None:
        kept = self._users[user_id]
        for key in [key for key, (item, _) in kept.items() if item.expires_at < expired_before]:
            del kept[key]
        if not kept:
            del self._users[user_id]


def _age(item: InboxItem) -> tuple[int, str]:
    return item.available_at, item.send_id
