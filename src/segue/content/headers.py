"""Addresses and headers of an email, such that no value can start a header of its own."""

import re
from typing import Final

from segue.content.links import Origin
from segue.errors import SegueError

# Written by us or by the provider; an author's own would be a second one (channel-facts.md 1.1).
RESERVED_HEADERS: Final = frozenset(
    (
        "bcc",
        "cc",
        "content-transfer-encoding",
        "content-type",
        "date",
        "dkim-signature",
        "feedback-id",
        "from",
        "list-unsubscribe",
        "list-unsubscribe-post",
        "message-id",
        "mime-version",
        "received",
        "reply-to",
        "return-path",
        "sender",
        "subject",
        "to",
        "x-segue-send-id",
        "x-sg-eid",
        "x-sg-id",
    )
)
ADDRESS_LENGTH_MAX: Final = 320  # RFC 5321: 64 before the @, 255 after it
_LIST_UNSUBSCRIBE_LENGTH_MAX: Final = 998 - len("List-Unsubscribe: ")
_MAILBOX_LENGTH_MAX: Final = 1_000

_BREAKS: Final = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")
_HEADER_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
# Cheap on purpose: whether the address exists only its server knows.
_ADDRESS: Final = re.compile(
    r"[^\s@,;:<>()\[\]\\\"\x00-\x1f\x7f]{1,64}@[^\W_](?:[\w-]*[^\W_])?(?:\.[^\W_](?:[\w-]*[^\W_])?)*"
)
_MAILBOX: Final = re.compile(r"(?P<name>[^<>]*)<(?P<address>[^<>]*)>")
_PLAIN_NAME: Final = re.compile(r"[A-Za-z0-9 !#$%&'*+/=?^_`{|}~-]+")
_FEEDBACK_CHARACTER: Final = re.compile(r"[^A-Za-z0-9._-]+")


class SenderInvalidError(SegueError):
    """The email has no From address that could be used."""

    def __init__(self, given: str | None) -> None:
        shown = f"{given!r} is" if given else "neither the message nor the settings have"
        super().__init__(f"email.from: {shown} no usable From address")


def one_line(text: str) -> str:
    """Return `text` without line ends and control characters."""
    return _BREAKS.sub(" ", text).strip()


def is_header_name(name: str) -> bool:
    """Return whether `name` can stand before a header's colon."""
    return _HEADER_NAME.fullmatch(name) is not None


def read_address(value: object) -> str | None:
    """Return the one bare address that `value` is; None if it is anything else."""
    if not isinstance(value, str) or len(value) > ADDRESS_LENGTH_MAX:
        return None
    # Only blanks are forgiven: a line end inside or around an address is an attempt at a header.
    address = value.strip(" ")
    return address if _ADDRESS.fullmatch(address) else None


def read_mailbox(text: str) -> str | None:
    """Return an address with or without a display name, written so that it stays one."""
    if len(text) > _MAILBOX_LENGTH_MAX:
        return None
    mailbox = _MAILBOX.fullmatch(text.strip())
    if mailbox is None:
        return read_address(text)
    address = read_address(mailbox["address"])
    if address is None:
        return None
    name = mailbox["name"].strip().removeprefix('"').removesuffix('"').strip()
    if not name:
        return address
    if not _PLAIN_NAME.fullmatch(name):
        name = name.replace("\\", "").replace('"', "")
        name = f'"{name}"'
    return f"{name} <{address}>"


def domain_of(mailbox: str) -> str:
    """Return the domain of a mailbox as it is written in a Message-ID, in ASCII."""
    domain = mailbox.rpartition("@")[2].rstrip(">")
    try:
        return domain.encode("idna").decode()
    except UnicodeError:
        return "localhost"


def list_unsubscribe(url: str, address: str | None, token: str) -> str:
    """Return the List-Unsubscribe of a message: by a page, and by a mail where there is an address.

    Providers read the header only while it is one line (RFC 5322 2.1.1): the page goes first.
    """
    page = f"<{url}>"
    both = f"{page}, <mailto:{address}?subject=unsubscribe:{token}>"
    return page if address is None or len(both) > _LIST_UNSUBSCRIBE_LENGTH_MAX else both


def feedback_id(origin: Origin) -> str:
    """Return the Feedback-ID by which mailbox providers group complaints."""
    parts = (origin.campaign, origin.variant, "email", "segue")
    return ":".join(_FEEDBACK_CHARACTER.sub("-", part) for part in parts)
