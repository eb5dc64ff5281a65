"""Builds the bytes of an email, and the addresses of its envelope."""

import re
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime
from hashlib import blake2b
from typing import Any, Final

from msgspec import Struct

from segue.content.headers import read_address, read_mailbox
from segue.errors import SegueError
from segue.model.instants import to_datetime
from segue.model.rendered import RenderedEmail

_LINE_BYTES_MAX: Final = 998  # RFC 5322 2.1.1
_LINE_END: Final = re.compile(rb"\r\n|\r|\n")


class UnsendableMailError(SegueError):
    """The email cannot be sent as it is; `is_recipient` tells that its To address is why."""

    def __init__(self, message: str, *, is_recipient: bool = False) -> None:
        super().__init__(message)
        self.is_recipient = is_recipient


class Mail(Struct, frozen=True):
    """An email as a mail server takes it; `is_international` asks for SMTPUTF8 (RFC 6531).

    Reports of it come to `sender`, and with `envelope_id` (RFC 3461).
    """

    sender: str
    recipient: str
    content: bytes
    is_international: bool = False
    envelope_id: str = ""


class _MailPolicy(EmailPolicy):
    """Folds a header only where it must: not every reader puts a folded URL together again.

    The library's own folding turns a long List-Unsubscribe into encoded words, which no mailbox
    provider reads.
    """

    def fold_binary(self, name: str, value: Any) -> bytes:
        """Return a header's lines."""
        line = f"{name}: {value}"
        if line.isascii() and line.isprintable() and len(line) <= _LINE_BYTES_MAX:
            return f"{line}\r\n".encode()
        return super().fold_binary(name, value)


# 7bit: whether a server takes more is known only once connected.
_POLICY: Final = _MailPolicy(linesep="\r\n", cte_type="7bit", raise_on_defect=False)


def build_mail(message: RenderedEmail, now: int, return_path: str | None = None) -> Mail:
    """Return the mail for a message, dated `now`; it bounces to `return_path`, if there is one.

    Raises:
        UnsendableMailError: an address or a header is not one.
    """
    from_ = _mailbox(message.from_, "From")
    recipient = read_address(message.to)
    if recipient is None:
        text = f"{message.to!r} is no email address"
        raise UnsendableMailError(text, is_recipient=True)
    to = _address("", recipient, is_recipient=True)
    reply_to = _mailbox(message.reply_to, "Reply-To") if message.reply_to else None
    is_international = not all(
        one is None or one.addr_spec.isascii() for one in (from_, to, reply_to)
    )
    mail = EmailMessage(policy=_POLICY.clone(utf8=is_international))
    try:
        mail["From"] = from_
        mail["To"] = to
        mail["Subject"] = message.subject
        mail["Date"] = format_datetime(to_datetime(now))
        if reply_to is not None:
            mail["Reply-To"] = reply_to
        for name, value in message.headers.items():
            mail[name] = value
        _fill(mail, message)
        content = _LINE_END.sub(b"\r\n", mail.as_bytes())
    except (MessageError, ValueError) as error:
        text = f"the email cannot be written: {error}"
        raise UnsendableMailError(text) from None
    sender = from_.addr_spec if return_path is None else _with_code(return_path, message)
    return Mail(sender, to.addr_spec, content, is_international, message.return_code)


def _with_code(return_path: str, message: RenderedEmail) -> str:
    """Return the address that a message bounces to, its code behind a plus sign (RFC 5233)."""
    local, _, domain = return_path.rpartition("@")
    return f"{local}+{message.return_code}@{domain}" if message.return_code else return_path


def _fill(mail: EmailMessage, message: RenderedEmail) -> None:
    """Set the body: text, then HTML, for readers take the last they understand."""
    if message.html is None:
        mail.set_content(message.text or "")
    elif message.text is None:
        mail.set_content(message.html, subtype="html")
    else:
        mail.set_content(message.text)
        mail.add_alternative(message.html, subtype="html")
        # Derived, so that the same send is the same bytes; the library would draw one.
        mail.set_boundary(f"=_{blake2b(message.send_id.encode(), digest_size=16).hexdigest()}")


def _mailbox(text: str, header: str) -> Address:
    mailbox = read_mailbox(text)
    if mailbox is None:
        message = f"{header}: {text!r} is no email address"
        raise UnsendableMailError(message)
    name, bracket, address = mailbox.rpartition("<")
    if not bracket:
        return _address("", mailbox, is_recipient=False)
    name = name.strip().removeprefix('"').removesuffix('"')
    return _address(name, address.rstrip(">"), is_recipient=False)


def _address(name: str, address: str, *, is_recipient: bool) -> Address:
    """Return an address with its domain in ASCII: that any server understands."""
    local, _, domain = address.rpartition("@")
    try:
        ascii_domain = domain if domain.isascii() else domain.encode("idna").decode("ascii")
        # Not as one text: that form of the constructor takes ASCII alone.
        return Address(name, username=local, domain=ascii_domain)
    except (MessageError, ValueError, IndexError):
        message = f"{address!r} is no email address"
        raise UnsendableMailError(message, is_recipient=is_recipient) from None
