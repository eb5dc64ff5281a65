"""Watches a mailbox for mails that report of ours.

A mail is marked only after what it reports is durable: after a crash it is read once more, and
changes nothing then.
"""

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

import structlog

from segue.channels.imap import ImapMailbox, read_imap_url
from segue.channels.mailbox import Mailbox, MailboxDownError
from segue.channels.maildir import Maildir
from segue.channels.settings import MailboxSettings
from segue.clock import Clock
from segue.errors import BusyError, SegueError
from segue.model.limits import MAILS_LEFT_MAX, MAILS_LOOK_MAX
from segue.services.mail_reports import MailReports

_log = structlog.get_logger(__name__)
_P = ParamSpec("_P")
_T = TypeVar("_T")


def open_mailbox(settings: MailboxSettings) -> Mailbox:
    """Return the mailbox that the settings name; nothing is connected before the first look.

    Raises:
        SegueError: they name none, or two.
    """
    match settings.maildir, settings.imap_url:
        case str(folder), None:
            return Maildir(Path(folder))
        case None, str(url):
            return ImapMailbox(read_imap_url(url))
        case _:
            raise SegueError("channels.email.mailbox needs either maildir or imap_url")


def watch_mailbox(
    settings: MailboxSettings | None, reports: MailReports, clock: Clock
) -> "MailWatch | None":
    """Return a watch on the mailbox of the settings; None where they name none.

    Raises:
        SegueError: they name two, or neither of both.
    """
    if settings is None:
        return None
    return MailWatch(open_mailbox(settings), reports, clock, deletes=settings.delete_taken)


class MailWatch:
    """Looks into a mailbox every few seconds."""

    def __init__(
        self, mailbox: Mailbox, reports: MailReports, clock: Clock, *, deletes: bool
    ) -> None:
        self._mailbox = mailbox
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
        await asyncio.to_thread(self._mailbox.close)

    async def look(self) -> int:
        """Take what is new, a bounded number; return how many mails there were."""
        names = await _in_thread(self._mailbox.list_new, MAILS_LOOK_MAX, self._left)
        for name in names:
            try:
                await self._take(name)
            except BusyError:
                return 0  # it stays, for a later look
            except MailboxDownError:
                raise
            except Exception as error:  # noqa: BLE001 - one mail must not keep back the others
                self._leave(name, error)
        return len(names)

    async def _run(self) -> None:
        while True:
            count = 0
            try:
                count = await self.look()
                self._trouble = None
            except MailboxDownError as error:
                self._tell(f"the mailbox of returned mails cannot be read: {error}")
            except Exception:  # noqa: BLE001 - whatever it is, the next look may do
                _log.exception("a look into the mailbox of returned mails failed")
            if count < MAILS_LOOK_MAX:
                await self._clock.sleep(self._mailbox.pause_s)

    async def _take(self, name: str) -> None:
        try:
            content = await _in_thread(self._mailbox.read, name)
        except FileNotFoundError:
            return  # somebody else has moved it
        taken = await self._reports.take(content)
        if taken.is_ours and self._deletes:
            await _in_thread(self._mailbox.delete, name)
        else:
            # What is nothing of ours a person may want to read: it counts as unread.
            await _in_thread(self._mailbox.keep, name, is_seen=taken.is_ours)

    def _leave(self, name: str, error: Exception) -> None:
        """Leave a mail where it is, and look at no more until the next start."""
        _log.warning(
            "a mail could not be read or marked, and is left", name=name, error=repr(error)
        )
        self._reports.note_unreadable()
        self._left[name] = None
        if len(self._left) > MAILS_LEFT_MAX:
            del self._left[next(iter(self._left))]

    def _tell(self, trouble: str) -> None:
        """Log what is wrong with the mailbox, once."""
        if trouble != self._trouble:
            _log.warning(trouble)
        self._trouble = trouble


async def _in_thread(call: Callable[_P, _T], *given: _P.args, **named: _P.kwargs) -> _T:
    """Return what a call returns; if nobody wants it any more, wait until it has ended.

    A mailbox takes one call at a time.
    """
    task = asyncio.create_task(asyncio.to_thread(call, *given, **named))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise
