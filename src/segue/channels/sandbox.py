"""A mailbox that nothing leaves: a sender for every channel, for the demo and for trying out."""

import asyncio
from collections import deque
from typing import Final

from msgspec import Struct

from segue.channels.sender import Accepted, Answer
from segue.clock import Clock, SystemClock
from segue.model.rendered import Rendered

_UNREAD_MAX: Final = 10_000


class Delivered(Struct, frozen=True):
    """A message and when it was handed over."""

    at: int
    message: Rendered


class SandboxMailbox:
    """Keeps the newest messages, and counts all."""

    def __init__(self, keep_max: int = 1_000, clock: Clock | None = None) -> None:
        self.delivered: deque[Delivered] = deque(maxlen=keep_max)
        self.count = 0
        self._clock = clock or SystemClock()
        self._unread: deque[Delivered] = deque(maxlen=_UNREAD_MAX)
        self._wake = asyncio.Event()

    async def send(self, message: Rendered) -> Answer:
        """Keep a message."""
        delivered = Delivered(self._clock.now(), message)
        self.delivered.append(delivered)
        self._unread.append(delivered)
        self.count += 1
        self._wake.set()
        return Accepted("kept in the sandbox")

    async def close(self) -> None:
        """Nothing is open."""

    def of_user(self, user_id: str) -> list[Delivered]:
        """Return the kept messages of a user, oldest first."""
        return [one for one in self.delivered if one.message.user_id == user_id]

    async def next(self) -> Delivered:
        """Return the next message, each once; a reader that falls far behind misses the oldest."""
        while not self._unread:
            self._wake.clear()
            await self._wake.wait()
        return self._unread.popleft()
