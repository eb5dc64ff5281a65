"""What just happened, for those who look on: event streams and the demo's terminal.

Each item has an id. Who lost the connection names the last one they have, and gets what came since,
as far as it is kept: while somebody looks on, and for a minute after the last one went.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

from msgspec import Struct

from segue.clock import Clock
from segue.errors import BusyError
from segue.model.instants import SECOND
from segue.model.limits import LIVE_FEED_LINGER, LIVE_FEED_MAX, STREAMS_MAX
from segue.model.log_records import UserErased
from segue.runtime.moments import Moment

_LINGER_S: Final = LIVE_FEED_LINGER / SECOND
Wanted = Callable[[Moment], bool]


class LiveItem(Struct, frozen=True, gc=False):
    """A moment, and its place in the feed."""

    number: int
    moment: Moment


class Subscription:
    """One reader's queue. A reader that falls behind loses the oldest and is told how many."""

    def __init__(self, wanted: Wanted | None) -> None:
        self._wanted = wanted
        self._queue: deque[LiveItem] = deque()
        self._wake = asyncio.Event()
        self.missed = 0
        self.has_gap = False  # what came between the last item and now is not known

    def put(self, item: LiveItem) -> None:
        """Add an item, if the reader wants it."""
        if self._wanted is not None and not self._wanted(item.moment):
            return
        if len(self._queue) >= LIVE_FEED_MAX:
            self._queue.popleft()
            self.missed += 1
        self._queue.append(item)
        self._wake.set()

    async def next(self, timeout_s: float) -> LiveItem | None:
        """Return the next item, or None when none came in time."""
        if not self._queue:
            self._wake.clear()
            try:
                await asyncio.wait_for(self._wake.wait(), timeout_s)
            except TimeoutError:
                return None
        return self._queue.popleft() if self._queue else None

    def more(self, count_max: int) -> list[LiveItem]:
        """Return items that are there already."""
        return [self._queue.popleft() for _ in range(min(count_max, len(self._queue)))]


class LiveFeed:
    """Publish and subscribe inside the process; costs nothing while nobody looks on."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._subscriptions: set[Subscription] = set()
        self._recent: deque[LiveItem] = deque(maxlen=LIVE_FEED_MAX)
        self._number = 0
        self._epoch = ""  # since when nothing is missing, as it stands in ids
        self._kept_until = 0.0

    @property
    def is_watched(self) -> bool:
        """Whether anybody looks on, or may come back."""
        return bool(self._subscriptions) or self._clock.monotonic() < self._kept_until

    def publish(self, moments: Iterable[Moment]) -> None:
        """Give moments to everybody who looks on."""
        for moment in moments:
            if isinstance(moment.what, UserErased):
                self._forget(moment.user_id)
            self._number += 1
            item = LiveItem(self._number, moment)
            self._recent.append(item)
            for subscription in self._subscriptions:
                subscription.put(item)

    def id_of(self, item: LiveItem) -> str:
        """Return what a reader names an item by, to go on behind it."""
        return f"{self._epoch}-{item.number}"

    def keep(self) -> str:
        """Keep what comes from now on for somebody who is about to look on; return where it begins.

        It is the `after` to subscribe with.
        """
        self._begin_to_keep()
        self._kept_until = self._clock.monotonic() + _LINGER_S
        return f"{self._epoch}-{self._number}"

    def subscribe(self, after: str = "", wanted: Wanted | None = None) -> Subscription:
        """Begin to look on; first at what came behind the item `after`, as far as it is kept.

        Raises:
            BusyError: as many as are allowed look on already.
        """
        if len(self._subscriptions) >= STREAMS_MAX:
            message = f"{STREAMS_MAX} event streams are open already; close one"
            raise BusyError(message, retry_after_s=10)
        self._begin_to_keep()
        subscription = Subscription(wanted)
        if after:
            self._replay(subscription, after)
        self._subscriptions.add(subscription)
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """Stop looking on."""
        self._subscriptions.discard(subscription)
        self._kept_until = self._clock.monotonic() + _LINGER_S

    def _forget(self, user_id: str) -> None:
        """Let go of what is kept of a user who was erased."""
        kept = [one for one in self._recent if one.moment.user_id != user_id]
        self._recent.clear()
        self._recent.extend(kept)

    def _begin_to_keep(self) -> None:
        """Begin anew where nobody looked on for a while: what came meanwhile was not kept."""
        if not self.is_watched:
            self._epoch = f"{self._clock.now():x}"
            self._number = 0
            self._recent.clear()

    def _replay(self, subscription: Subscription, after: str) -> None:
        epoch, _, number = after.rpartition("-")
        is_ours = epoch == self._epoch and number.isascii() and number.isdecimal()
        seen = int(number[:18]) if is_ours else 0
        subscription.has_gap = not is_ours
        if is_ours and self._recent:
            subscription.missed = max(self._recent[0].number - seen - 1, 0)
        for item in self._recent:
            if item.number > seen:
                subscription.put(item)
