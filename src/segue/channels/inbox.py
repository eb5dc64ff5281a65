"""In-app messages and content cards: handed over by being kept until a device fetches them."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence

from segue.channels.sender import Accepted, Answer, Refused, TryLater
from segue.channels.shared_writes import SharedWrites
from segue.clock import Clock
from segue.errors import BusyError, SegueError
from segue.model.instants import parse_duration
from segue.model.limits import DEVICE_STREAMS_MAX, INBOX_GRACE, INBOX_LIFE_MAX
from segue.model.rendered import Rendered, RenderedNote
from segue.storage.ports import Inbox, InboxItem


class InboxSender:
    """Keeps messages; those that come while others are written share the next write."""

    def __init__(self, inbox: Inbox, clock: Clock) -> None:
        self.inbox = inbox
        self._clock = clock
        self._writes = SharedWrites(self._write, "messages for devices")
        self._watchers: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self._watcher_count = 0

    async def send(self, message: Rendered) -> Answer:
        """Keep a message. One that is kept already stays as it is, so a repeat is harmless."""
        if not isinstance(message, RenderedNote):
            return Refused(f"{type(message).__name__} is not shown on devices")
        item = self._item(message)
        try:
            await self._writes.add([item])
        except SegueError as error:
            return TryLater(str(error))
        for watcher in self._watchers.get(message.user_id, ()):
            watcher.set()
        return Accepted("kept for the user's devices")

    async def close(self) -> None:
        """Finish writing."""
        await self._writes.close()

    def check_room(self) -> None:
        """Refuse one more who looks on.

        Raises:
            BusyError: as many look on as are allowed.
        """
        if self._watcher_count >= DEVICE_STREAMS_MAX:
            message = f"{DEVICE_STREAMS_MAX} pages have a stream open; ask from time to time"
            raise BusyError(message, retry_after_s=60)

    def watch(self, user_id: str) -> asyncio.Event:
        """Return an event that is set when something comes for a user; `unwatch` it in the end."""
        watcher = asyncio.Event()
        self._watchers[user_id].add(watcher)
        self._watcher_count += 1
        return watcher

    def unwatch(self, user_id: str, watcher: asyncio.Event) -> None:
        """Look on no more."""
        self._watchers[user_id].discard(watcher)
        self._watcher_count -= 1
        if not self._watchers[user_id]:
            del self._watchers[user_id]

    def _item(self, note: RenderedNote) -> InboxItem:
        now = self._clock.now()
        content = dict(note.content)
        life = content.pop("expires_after", None)
        return InboxItem(
            note.user_id,
            note.channel,
            note.send_id,
            note.campaign,
            note.variant,
            available_at=now,
            expires_at=now + (INBOX_LIFE_MAX if life is None else parse_duration(life)),
            content=content,
        )

    def _write(self, items: Sequence[InboxItem]) -> None:
        self.inbox.put(items, self._clock.now() - INBOX_GRACE)
