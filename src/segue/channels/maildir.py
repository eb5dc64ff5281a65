"""A Maildir: a folder in which a mail server puts each mail as a file of its own.

What is new stands in `new`; whoever has looked at it moves it to `cur` and adds flags.
"""

import heapq
import os
import stat
from collections.abc import Container
from pathlib import Path

from segue.channels.mailbox import MailboxDownError
from segue.model.instants import SECOND
from segue.model.limits import MAIL_REPORT_BYTES_MAX, MAILDIR_LOOK_INTERVAL


class Maildir:
    """The mails of one folder, which may be shared with a program to read mails."""

    pause_s = MAILDIR_LOOK_INTERVAL / SECOND

    def __init__(self, folder: Path) -> None:
        self._new = folder / "new"
        self._cur = folder / "cur"

    def list_new(self, count: int, without: Container[str]) -> list[str]:
        """Return the names of new mails but for some, the oldest first: they begin with a time."""
        try:
            with os.scandir(self._new) as entries:
                names = (
                    entry.name
                    for entry in entries
                    if not entry.name.startswith(".") and entry.name not in without
                )
                return heapq.nsmallest(count, names)
        except OSError as error:
            raise MailboxDownError(f"the Maildir cannot be read: {error}") from None

    def read(self, name: str) -> bytes:
        """Return a mail's beginning, which is most often all of it."""
        # Whatever has such a name, and is no plain file, is not waited for.
        opened = os.open(self._new / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(opened, "rb") as file:
            if not stat.S_ISREG(os.fstat(opened).st_mode):
                message = f"{name} is no file"
                raise OSError(message)
            return file.read(MAIL_REPORT_BYTES_MAX)

    def keep(self, name: str, *, is_seen: bool) -> None:
        """Move a mail to those that somebody has looked at, as read or as unread."""
        plain = name.partition(":2,")[0]
        (self._new / name).rename(self._cur / f"{plain}:2,{'S' if is_seen else ''}")

    def delete(self, name: str) -> None:
        """Throw a mail away."""
        (self._new / name).unlink(missing_ok=True)

    def close(self) -> None:
        """Do nothing: nothing is held open."""
