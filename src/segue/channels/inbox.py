"""In-app messages and content cards: handed over by being kept until a device fetches them."""

from segue.channels.sender import Accepted, Answer, Refused, TryLater
from segue.channels.shared_writes import SharedWrites
from segue.channels.watchers import Watchers
from segue.clock import Clock
from segue.errors import SegueError
from segue.model.instants import parse_duration
from segue.model.limits import DEVICE_STREAMS_MAX, INBOX_GRACE, INBOX_LIFE_MAX
from segue.model.rendered import Rendered, RenderedNote
from segue.storage.ports import Inbox, InboxItem


class InboxSender:
    """Keeps messages; those that come while others are written share the next write."""

    def __init__(self, inbox: Inbox, clock: Clock) -> None:
        self.inbox = inbox
        self.watchers = Watchers(DEVICE_STREAMS_MAX)
        self._clock = clock
        self._writes = SharedWrites(self._write, "messages for devices")

    async def send(self, message: Rendered) -> Answer:
        """Keep a message. One that is kept already stays as it is, so a repeat is harmless."""
        if not isinstance(message, RenderedNote):
            return Refused(f"{type(message).__name__} is not shown on devices")
        try:
            await self._writes.add([self._item(message)])
        except SegueError as error:
            return TryLater(str(error), was_asked=False)
        self.watchers.tell(message.user_id)
        return Accepted("kept for the user's devices")

    async def close(self) -> None:
        """Finish writing."""
        await self._writes.close()

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

    def _write(self, items: list[InboxItem]) -> None:
        self.inbox.put(items, self._clock.now() - INBOX_GRACE)
