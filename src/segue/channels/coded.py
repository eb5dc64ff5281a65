"""What the short codes of a message stand for is kept before the message is handed over."""

from collections.abc import Sequence

from msgspec.structs import replace

from segue.channels.registry import Senders
from segue.channels.sender import Answer, TryLater
from segue.channels.shared_writes import SharedWrites
from segue.clock import Clock
from segue.content.codes import LINK_CODE_LENGTH, CodeMaker
from segue.content.links import Origin
from segue.content.short_links import tracked_link
from segue.errors import SegueError
from segue.model.limits import CODE_CANDIDATES_MAX, SHORT_LINK_LIFE
from segue.model.rendered import Rendered, RenderedSms, ShortLink
from segue.storage.ports import Codes, StoredCode


class CodedSenders:
    """Senders that hand over no message whose links would lead nowhere."""

    def __init__(self, senders: Senders, codes: Codes, maker: CodeMaker, clock: Clock) -> None:
        self._senders = senders
        self._codes = codes
        self._maker = maker
        self._clock = clock
        self._writes = SharedWrites(self._put, "short links")

    async def send(self, message: Rendered) -> Answer:
        """Keep the codes of a message, then hand it over; if they cannot be kept, later."""
        if isinstance(message, RenderedSms) and message.short_links:
            try:
                message = await self._with_kept_links(message)
            except SegueError as error:
                return TryLater(str(error), was_asked=False)
        return await self._senders.send(message)

    def turn(self, message: Rendered, now: int) -> int:
        """Return when the message's provider takes it, `now` or later; the turn is kept for it."""
        return self._senders.turn(message, now)

    async def close(self) -> None:
        """Finish writing, and close all senders."""
        await self._writes.close()
        await self._senders.close()

    async def _with_kept_links(self, message: RenderedSms) -> RenderedSms:
        """Return the message with codes that are kept; what another link has gives way."""
        for candidate in range(1, CODE_CANDIDATES_MAX + 1):
            rows = [self._row(message, one) for one in message.short_links]
            kept_by_others = await self._writes.add(rows)
            taken = [row in kept_by_others for row in rows]
            if not any(taken):
                return message
            message = self._renamed(message, taken, candidate)
        raise SegueError(
            f"{CODE_CANDIDATES_MAX} short codes in a row stand for other links: the secret "
            "they are made with, or the table of codes, is not this installation's"
        )

    def _renamed(self, message: RenderedSms, taken: Sequence[bool], candidate: int) -> RenderedSms:
        body, links = message.body, []
        for one, is_taken in zip(message.short_links, taken, strict=True):
            code = one.code
            if is_taken:
                tracked = self._row(message, one).tracked
                code = self._maker.code(tracked, LINK_CODE_LENGTH, candidate)
                body = body[: one.at] + code + body[one.at + LINK_CODE_LENGTH :]
            links.append(replace(one, code=code))
        return replace(message, body=body, short_links=links)

    def _row(self, message: RenderedSms, one: ShortLink) -> StoredCode:
        origin = Origin(message.send_id, message.user_id, message.campaign, message.variant)
        tracked = tracked_link(origin, one.alias, one.link)
        return StoredCode(one.code, tracked, self._clock.now() + SHORT_LINK_LIFE)

    def _put(self, rows: list[StoredCode]) -> list[StoredCode]:
        return self._codes.put(rows, self._clock.now())
