"""What just happened, for those who look on: event streams and the demo's terminal."""

import asyncio
from collections import deque
from typing import Any

from segue.errors import BusyError
from segue.model.limits import LIVE_FEED_MAX, STREAMS_MAX


class Subscription:
    """One reader's queue. A reader that falls behind loses the oldest and is told how many."""

    def __init__(self) -> None:
        self._queue: deque[dict[str, Any]] = deque()
        self._wake = asyncio.Event()
        self.missed = 0

    def put(self, item: dict[str, Any]) -> None:
        """Add an item."""
        if len(self._queue) >= LIVE_FEED_MAX:
            self._queue.popleft()
            self.missed += 1
        self._queue.append(item)
        self._wake.set()

    async def next(self, timeout_s: float) -> dict[str, Any] | None:
        """Return the next item, or None when none came in time."""
        if not self._queue:
            self._wake.clear()
            try:
                await asyncio.wait_for(self._wake.wait(), timeout_s)
            except TimeoutError:
                return None
        return self._queue.popleft() if self._queue else None


class LiveFeed:
    """Publish and subscribe inside the process; costs nothing while nobody looks on."""

    def __init__(self) -> None:
        self._subscriptions: set[Subscription] = set()

    @property
    def is_watched(self) -> bool:
        """Whether anybody looks on."""
        return bool(self._subscriptions)

    def publish(self, item: dict[str, Any]) -> None:
        """Give an item to everybody who looks on."""
        for subscription in self._subscriptions:
            subscription.put(item)

    def subscribe(self) -> Subscription:
        """Begin to look on.

        Raises:
            BusyError: as many as are allowed look on already.
        """
        if len(self._subscriptions) >= STREAMS_MAX:
            message = f"{STREAMS_MAX} event streams are open already; close one"
            raise BusyError(message, retry_after_s=10)
        subscription = Subscription()
        self._subscriptions.add(subscription)
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """Stop looking on."""
        self._subscriptions.discard(subscription)
