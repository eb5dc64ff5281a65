"""Who looks on while messages come in, such as a page with a stream open."""

import asyncio
from collections import defaultdict

from segue.errors import BusyError


class Watchers:
    """Events by user, a bounded number; those under None are about everybody."""

    def __init__(self, count_max: int) -> None:
        self._count_max = count_max
        self._count = 0
        self._events: defaultdict[str | None, set[asyncio.Event]] = defaultdict(set)

    def check_room(self) -> None:
        """Refuse one more who looks on.

        Raises:
            BusyError: as many look on as are allowed.
        """
        if self._count >= self._count_max:
            message = f"{self._count_max} pages have a stream open; ask from time to time"
            raise BusyError(message, retry_after_s=60)

    def watch(self, user_id: str | None) -> asyncio.Event:
        """Return an event that is set when something comes for a user; `unwatch` it in the end."""
        event = asyncio.Event()
        self._events[user_id].add(event)
        self._count += 1
        return event

    def unwatch(self, user_id: str | None, event: asyncio.Event) -> None:
        """Look on no more."""
        self._events[user_id].discard(event)
        self._count -= 1
        if not self._events[user_id]:
            del self._events[user_id]

    def tell(self, user_id: str) -> None:
        """Set the events of those who look on at a user, or at everybody."""
        for key in (user_id, None):
            for event in self._events.get(key, ()):
                event.set()
