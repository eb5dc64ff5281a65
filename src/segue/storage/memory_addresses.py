"""Which users have an address, in memory."""

import threading
from collections import defaultdict
from collections.abc import Sequence

from segue.content.addresses import AddressedChannel
from segue.storage.address_rows import AddressRow, address_key


class MemoryAddresses:
    """Users by the key of their address."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users: defaultdict[int, set[str]] = defaultdict(set)

    def change(self, gone: Sequence[AddressRow], come: Sequence[AddressRow]) -> None:
        """Take rows out and in."""
        with self._lock:
            for key, user_id in gone:
                self._users[key].discard(user_id)
                if not self._users[key]:
                    del self._users[key]
            for key, user_id in come:
                self._users[key].add(user_id)

    def users_at(
        self, channel: AddressedChannel, address: str, after: str = "", limit: int = 100
    ) -> list[str]:
        """Return the ids of users behind `after` with an address, in order, the first `limit`."""
        with self._lock:
            found = self._users.get(address_key(channel, address), ())
            return sorted(user_id for user_id in found if user_id > after)[:limit]
