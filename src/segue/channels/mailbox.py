"""Where mails come back to: a Maildir, or a folder on an IMAP server."""

from collections.abc import Container
from typing import Protocol

from segue.errors import SegueError


class MailboxDownError(SegueError):
    """The mailbox cannot be asked now; nothing is wrong with any one mail."""


class Mailbox(Protocol):
    """New mails, by their names. Its calls block, and come one at a time.

    They may raise MailboxDownError, and OSError where one mail is at fault.
    """

    pause_s: float  # between two looks

    def list_new(self, count: int, without: Container[str]) -> list[str]:
        """Return the names of new mails but for some, the oldest first."""

    def read(self, name: str) -> bytes:
        """Return a mail's beginning, which is most often all of it.

        Raises:
            FileNotFoundError: it is gone: somebody else was faster.
        """

    def keep(self, name: str, *, is_seen: bool) -> None:
        """Let a mail be no new one, but one that was read, or is left for a person to read."""

    def delete(self, name: str) -> None:
        """Throw a mail away."""

    def close(self) -> None:
        """Give the connection back, if there is one."""
