"""A mailbox on an IMAP server, in which mails come back (RFC 3501).

All of it blocks, up to a timeout, and is called from threads, one call at a time.
"""

import contextlib
import imaplib
import re
import ssl
from collections.abc import Container
from typing import Final
from urllib.parse import unquote, urlsplit

from msgspec import Struct

from segue.channels.guard import is_loopback
from segue.channels.mailbox import MailboxDownError
from segue.errors import SegueError
from segue.model.instants import SECOND
from segue.model.limits import IMAP_LOOK_INTERVAL, MAIL_REPORT_BYTES_MAX, MAILS_LEFT_MAX

_PORTS: Final = {"imaps": 993, "imap+starttls": 143, "imap": 143}
_TIMEOUT_S: Final = 15.0
_QUOTED: Final = re.compile(r'(["\\])')


class ImapServer(Struct, frozen=True):
    """Where the mailbox is, and who asks."""

    scheme: str
    host: str
    port: int
    username: str
    password: str
    folder: str

    def __repr__(self) -> str:
        """Show where, without the credentials."""
        return f"ImapServer({self.host}:{self.port})"


def read_imap_url(url: str) -> ImapServer:
    """Read the setting.

    Raises:
        SegueError: it is no such URL; the message never repeats it, for it holds a password.
    """
    where = "channels.email.mailbox.imap_url"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise SegueError(f"{where} holds no host and port that could be read") from None
    if parts.scheme not in _PORTS or not host or parts.query or parts.fragment:
        raise SegueError(f"{where} must be imaps://user:password@host:port/INBOX")
    if not parts.username or not parts.password:
        raise SegueError(f"{where} needs a user and a password; write / as %2F, @ as %40")
    if parts.scheme == "imap" and not is_loopback(host):
        raise SegueError(f"{where} may begin with imap:// for a server on this machine only")
    return ImapServer(
        scheme=parts.scheme,
        host=host,
        port=port or _PORTS[parts.scheme],
        username=unquote(parts.username),
        password=unquote(parts.password),
        folder=unquote(parts.path.strip("/")) or "INBOX",
    )


class ImapMailbox:
    """The unread mails of a folder; their names are UIDs.

    What is for a person stays unread, and is remembered here so as not to be looked at again.
    """

    pause_s = IMAP_LOOK_INTERVAL / SECOND

    def __init__(self, server: ImapServer) -> None:
        self._server = server
        self._connection: imaplib.IMAP4 | None = None
        self._validity: bytes | None = None
        self._passed: set[str] = set()

    def list_new(self, count: int, without: Container[str]) -> list[str]:
        """Return the UIDs of unread mails but for some, the oldest first."""
        self._select()
        found = self._ask("SEARCH", "UNSEEN", "UNDELETED")
        first = found[0] if found else None
        names = first.decode("ascii", "replace").split() if isinstance(first, bytes) else []
        self._passed.intersection_update(names)
        wanted = (one for one in names if one not in without and one not in self._passed)
        return sorted(wanted, key=lambda one: (len(one), one))[:count]

    def read(self, name: str) -> bytes:
        """Return a mail's beginning, which is most often all of it; it stays unread."""
        found = self._ask("FETCH", name, f"(BODY.PEEK[]<0.{MAIL_REPORT_BYTES_MAX}>)")
        for one in found:
            if isinstance(one, tuple):
                return bytes(one[1])
        raise FileNotFoundError(name)

    def keep(self, name: str, *, is_seen: bool) -> None:
        """Mark a mail as read, or leave it unread for a person."""
        if is_seen or len(self._passed) >= MAILS_LEFT_MAX:
            self._ask("STORE", name, "+FLAGS.SILENT", r"(\Seen)")
        else:
            self._passed.add(name)

    def delete(self, name: str) -> None:
        """Throw a mail away; where the server cannot do it for one alone, mark it for that."""
        self._ask("STORE", name, "+FLAGS.SILENT", r"(\Seen \Deleted)")
        if self._connection is not None and "UIDPLUS" in self._connection.capabilities:
            self._ask("EXPUNGE", name)

    def close(self) -> None:
        """Sign out."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(imaplib.IMAP4.error, OSError):
                connection.logout()

    def _select(self) -> None:
        """Open the folder, on a connection that is open already where there is one."""
        if self._connection is None:
            self._connection = self._connect()
        folder = _QUOTED.sub(r"\\\1", self._server.folder)
        try:
            said, detail = self._connection.select(f'"{folder}"')
        except (imaplib.IMAP4.error, OSError) as error:
            raise self._down(str(error)) from None
        if said != "OK":
            raise self._down(f"no folder {self._server.folder!r}: {detail!r}")
        validity = self._connection.response("UIDVALIDITY")[1][0]
        if validity != self._validity:  # the same UIDs are other mails now
            self._passed.clear()
        self._validity = validity

    def _connect(self) -> imaplib.IMAP4:
        server = self._server
        try:
            connection = self._open()
        except (imaplib.IMAP4.error, OSError) as error:
            raise self._down(str(error)) from None
        try:
            connection.login(server.username, server.password)
        except (imaplib.IMAP4.error, OSError):
            with contextlib.suppress(OSError):
                connection.shutdown()
            # Not in the server's words: they may quote the login.
            raise self._down("it refused the login; look at imap_url") from None
        return connection

    def _open(self) -> imaplib.IMAP4:
        host, port = self._server.host, self._server.port
        if self._server.scheme == "imaps":
            context = ssl.create_default_context()
            return imaplib.IMAP4_SSL(host, port, ssl_context=context, timeout=_TIMEOUT_S)
        connection = imaplib.IMAP4(host, port, timeout=_TIMEOUT_S)
        if self._server.scheme == "imap+starttls":
            try:
                connection.starttls(ssl.create_default_context())
            except BaseException:
                with contextlib.suppress(OSError):  # it may be closed already
                    connection.shutdown()
                raise
        return connection

    def _ask(self, command: str, *arguments: str) -> list[bytes | tuple[bytes, bytes] | None]:
        if self._connection is None:
            raise self._down("not connected")
        try:
            said, found = self._connection.uid(command, *arguments)
        except (imaplib.IMAP4.error, OSError) as error:
            raise self._down(str(error)) from None
        if said != "OK":
            message = f"{command} {' '.join(arguments)}: {found!r}"
            raise OSError(message[:500])
        return list(found)

    def _down(self, why: str) -> MailboxDownError:
        """Give the connection up, and return what to raise."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(OSError):
                connection.shutdown()
        return MailboxDownError(f"{self._server.host}:{self._server.port}: {why[:300]}")
