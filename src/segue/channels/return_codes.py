"""A code in the address that an email bounces to: it names the message where nothing else does.

A token is too long for it, so a code is kept that stands for one (decision 0018).
"""

from typing import Final

import structlog
from msgspec.structs import replace

from segue.channels.coded import CodedSenders
from segue.channels.receipts import token_of
from segue.channels.sender import Answer
from segue.channels.shared_writes import SharedWrites
from segue.clock import Clock
from segue.content.codes import CodeMaker, is_code
from segue.content.tokens import TokenSigner, Tracked
from segue.errors import SegueError
from segue.model.limits import RETURN_CODE_LIFE
from segue.model.rendered import Rendered, RenderedEmail
from segue.storage.ports import Codes, StoredCode

_LENGTH: Final = 16  # 92 bits cannot be guessed, and leave a return path forty characters

_log = structlog.get_logger(__name__)


class ReturnCodes:
    """Makes, keeps and finds codes of emails."""

    def __init__(self, signer: TokenSigner, codes: Codes, maker: CodeMaker, clock: Clock) -> None:
        self._signer = signer
        self._codes = codes
        self._maker = maker
        self._clock = clock
        self._writes = SharedWrites(self._put, "codes of return paths")

    async def named(self, message: RenderedEmail) -> RenderedEmail:
        """Return the email with a code that is kept; without one where it cannot be.

        A bounce most often names the message by its Message-ID as well.
        """
        token = token_of(message.headers.get("Message-ID", ""))
        tracked = self._signer.read(token, "report")
        if tracked is None:
            return message
        code = self._maker.code(tracked, _LENGTH)
        row = StoredCode(code, tracked, self._clock.now() + RETURN_CODE_LIFE)
        try:
            is_another = row in await self._writes.add([row])
        except SegueError as error:
            _log.warning("an email goes out without a code in its return path", error=str(error))
            return message
        return message if is_another else replace(message, return_code=code)

    def find(self, code: str) -> Tracked | None:
        """Return what a code stands for; None: nothing, or no longer."""
        if not is_code(code, _LENGTH):
            return None
        return self._codes.find(code, self._clock.now())

    async def close(self) -> None:
        """Finish writing."""
        await self._writes.close()

    def _put(self, rows: list[StoredCode]) -> list[StoredCode]:
        return self._codes.put(rows, self._clock.now())


class NamedReturns:
    """Senders that hand no email over before its code is kept."""

    def __init__(self, senders: CodedSenders, codes: ReturnCodes) -> None:
        self._senders = senders
        self._codes = codes

    async def send(self, message: Rendered) -> Answer:
        """Give an email its code, then hand it over."""
        if isinstance(message, RenderedEmail) and not message.for_phone:
            message = await self._codes.named(message)
        return await self._senders.send(message)

    def turn(self, message: Rendered, now: int) -> int:
        """Return when the message's provider takes it, `now` or later; the turn is kept for it."""
        return self._senders.turn(message, now)

    async def close(self) -> None:
        """Finish writing, and close all senders."""
        await self._codes.close()
        await self._senders.close()
