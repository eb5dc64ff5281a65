"""A mailbox that nothing leaves: a sender for every channel, for the demo and for trying out."""

import asyncio
from collections import deque
from itertools import islice

from msgspec import Struct

from segue.channels.sender import Accepted, Answer
from segue.clock import Clock, SystemClock
from segue.model.rendered import Rendered


class Delivered(Struct, frozen=True):
    """A message, when it was handed over, and how many came before it."""

    at: int
    message: Rendered
    index: int = 0


class SandboxMailbox:
    """Keeps the newest messages, and counts all."""

    def __init__(self, keep_max: int = 1_000, clock: Clock | None = None) -> None:
        self.delivered: deque[Delivered] = deque(maxlen=keep_max)
        self.count = 0
        self._clock = clock or SystemClock()
        self._news = asyncio.Event()
        self._reader = SandboxReader(self, 0)

    async def send(self, message: Rendered) -> Answer:
        """Keep a message."""
        self.delivered.append(Delivered(self._clock.now(), message, self.count))
        self.count += 1
        # Each event is set once and then left to those who wait on it.
        self._news.set()
        self._news = asyncio.Event()
        return Accepted("kept in the sandbox")

    async def close(self) -> None:
        """Nothing is open."""

    def of_user(self, user_id: str) -> list[Delivered]:
        """Return the kept messages of a user, oldest first."""
        return [one for one in self.delivered if one.message.user_id == user_id]

    def since(self, index: int) -> list[Delivered]:
        """Return the kept messages from an index on, oldest first."""
        skipped = max(index - (self.count - len(self.delivered)), 0)
        return list(islice(self.delivered, skipped, None))

    def subscribe(self, index: int | None = None) -> "SandboxReader":
        """Return a reader of what comes from now on, or from an index on."""
        return SandboxReader(self, self.count if index is None else index)

    async def next(self) -> Delivered:
        """Return the next message, each once; a reader that falls far behind misses the oldest."""
        return await self._reader.next()

    async def wait_beyond(self, count: int) -> None:
        """Return once more than `count` messages were handed over in all."""
        while self.count <= count:
            await self._news.wait()


class SandboxReader:
    """Reads a mailbox at its own pace; its queue is what the mailbox keeps, and no longer."""

    def __init__(self, mailbox: SandboxMailbox, index: int) -> None:
        self._mailbox = mailbox
        self._index = index
        self.missed_count = 0

    async def next(self) -> Delivered:
        """Return the next message; wait for one where there is none."""
        mailbox = self._mailbox
        await mailbox.wait_beyond(self._index)
        oldest = mailbox.count - len(mailbox.delivered)
        self.missed_count += max(oldest - self._index, 0)
        self._index = max(oldest, self._index)
        found = mailbox.delivered[self._index - oldest]
        self._index += 1
        return found
