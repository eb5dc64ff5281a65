"""Watches a Maildir for mails that report of ours.

A mail is marked only after what it reports is durable: after a crash it is read once more, and
changes nothing then.
"""

import asyncio
import contextlib
from typing import Final

import structlog

from segue.channels.maildir import Maildir
from segue.clock import Clock
from segue.errors import BusyError
from segue.model.instants import SECOND
from segue.model.limits import MAILDIR_LEFT_MAX, MAILDIR_LOOK_INTERVAL, MAILDIR_LOOK_MAX
from segue.services.mail_reports import MailReports

_log = structlog.get_logger(__name__)
_PAUSE_S: Final = MAILDIR_LOOK_INTERVAL / SECOND


class MailWatch:
    """Looks into a Maildir every few seconds."""

    def __init__(
        self, maildir: Maildir, reports: MailReports, clock: Clock, *, deletes: bool
    ) -> None:
        self._maildir = maildir
        self._reports = reports
        self._clock = clock
        self._deletes = deletes
        self._left: dict[str, None] = {}  # in the order they came
        self._trouble: str | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.create_task(self._run(), name="mail watch")

    async def close(self) -> None:
        """Look no more; what is under way may not be marked, and is read again later."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def look(self) -> int:
        """Take what is new, a bounded number; return how many mails there were."""
        names = await asyncio.to_thread(self._maildir.list_new, MAILDIR_LOOK_MAX, self._left)
        for name in names:
            try:
                await self._take(name)
            except BusyError:
                return 0  # it stays, for a later look
            except Exception as error:  # noqa: BLE001 - one mail must not keep back the others
                self._leave(name, error)
        return len(names)

    async def _run(self) -> None:
        while True:
            count = 0
            try:
                count = await self.look()
                self._trouble = None
            except OSError as error:
                self._tell(f"the Maildir cannot be read: {error}")
            if count < MAILDIR_LOOK_MAX:
                await self._clock.sleep(_PAUSE_S)

    async def _take(self, name: str) -> None:
        try:
            content = await asyncio.to_thread(self._maildir.read, name)
        except FileNotFoundError:
            return  # somebody else has moved it
        taken = await self._reports.take(content)
        if taken.is_ours and self._deletes:
            await asyncio.to_thread(self._maildir.delete, name)
        else:
            # What is nothing of ours a person may want to read: it counts as unread.
            move = self._maildir.move_to_cur
            await asyncio.to_thread(move, name, is_seen=taken.is_ours)

    def _leave(self, name: str, error: Exception) -> None:
        """Leave a mail where it is, and look at no more until the next start."""
        _log.warning(
            "a mail could not be read or marked, and is left", name=name, error=repr(error)
        )
        self._reports.note_unreadable()
        self._left[name] = None
        if len(self._left) > MAILDIR_LEFT_MAX:
            del self._left[next(iter(self._left))]

    def _tell(self, trouble: str) -> None:
        """Log what is wrong with the folder, once."""
        if trouble != self._trouble:
            _log.warning(trouble)
        self._trouble = trouble
