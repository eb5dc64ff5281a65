"""Bounces: what a mail system says became of a mail, and whether the address is dead.

Which failures kill an address is decision 0025.
"""

import re
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from segue.channels.mail_mime import Headers, Part
from segue.channels.receipts import is_address_dead

_MAIL_SYSTEM: Final = re.compile(
    r"(?<![\w.-])(?:mailer-daemon|postmaster)(?![\w.-]*\w)", re.IGNORECASE
)
_STATUS: Final = re.compile(r"(?<![\d.])[245]\.\d{1,3}\.\d{1,3}(?![\d.]*\d)")
# A server's answer: at a line's start, or behind what leads to it. "After 550 days" is none.
_REPLY: Final = re.compile(r"(?:^|[:;(#>])[ \t]{0,4}([245]\d\d)(?=[ \t-]|$)", re.MULTILINE)
_DEAD_REPLIES: Final = ("550", "551", "553")  # RFC 5321: no such mailbox, not here, no such name
# Beyond the codes that all reports share. A relay says 5.4.4 of a domain that does not exist;
# Microsoft's says 5.4.310 of it, and 5.4.1 of an address that its own customer does not have.
_NO_ROUTE: Final = re.compile(r"5\.4\.(?:1|4|310)")
# Too little to go by: then the answer of the server that refused counts.
_VAGUE: Final = re.compile(r"5\.0\.\d+|5\.5\.0")
_UNDEFINED: Final = re.compile(r"5\.0\.0")
# Between its own words and the mail, in bounces that are one text: qmail, older Exim, sendmail.
_COPY: Final = re.compile(
    r"^[ >]{0,4}-{2,20}[^\n]{0,60}\b(?:copy of (?:the|your) message|original message)\b[^\n]*\n",
    re.IGNORECASE | re.MULTILINE,
)
_WORDS_READ_MAX: Final = 20_000  # of a bounce's own words: what failed stands near the beginning


class Failed(Struct, frozen=True):
    """A mail that was given up."""

    recipient: str
    is_dead: bool
    detail: str


class Delivered(Struct, frozen=True):
    """A mail that arrived, by the word of the last server."""

    recipient: str
    detail: str


class Underway(Struct, frozen=True):
    """A mail that is delayed, or was handed on to who reports no more of it."""

    recipient: str
    detail: str
    is_handed_on: bool


Delivery = Failed | Delivered | Underway


class OldBounce(Struct, frozen=True):
    """A bounce in words: what it says, and the headers of the mails that it returns."""

    status: Failed
    returned: list[Headers]


def read_delivery_status(groups: Sequence[Headers]) -> list[Delivery]:
    """Return what became of the mail for each recipient (RFC 3464).

    Where the address stands for several, and some of them got the mail, it is not dead.
    """
    found = [_delivery(one) for one in groups if one.has("Action") or one.has("Final-Recipient")]
    lives = any(
        isinstance(one, Delivered) or (isinstance(one, Underway) and one.is_handed_on)
        for one in found
    )
    return [
        Failed(one.recipient, False, one.detail) if lives and isinstance(one, Failed) else one
        for one in found
    ]


def read_old_bounce(mail: Part) -> OldBounce | None:
    """Return what a bounce says that is older than RFC 3464; None if it returns no mail."""
    returned = mail.attached_mails()
    words = next((part.words() for part in mail.walk() if part.kind == "text/plain"), "")
    copy = _COPY.search(words)
    if copy is not None:
        head = words[copy.end() :].lstrip("\r\n").replace("\r\n", "\n").partition("\n\n")[0]
        returned.append(Headers(head.encode()))
        words = words[: copy.start()]
    if not returned:
        return None
    words = words[:_WORDS_READ_MAX]
    found = _STATUS.search(words)
    detail = _sentence_around(words, found or _REPLY.search(words))
    return OldBounce(Failed("", _is_dead(found[0] if found else "", words), detail), returned)


def is_from_a_mail_system(headers: Headers) -> bool:
    """Return whether a mail comes from no person: with no sender, or a mail system's name."""
    if headers.get("Return-Path").replace(" ", "") == "<>":
        return True
    return _MAIL_SYSTEM.search(headers.get("From")) is not None


def _delivery(fields: Headers) -> Delivery:
    recipient = (fields.get("Original-Recipient") or fields.get("Final-Recipient"))[:320].lower()
    status = _STATUS.search(fields.get("Status"))
    code = status[0] if status else ""
    diagnostic = fields.get("Diagnostic-Code")
    detail = diagnostic.partition(";")[2].strip() or diagnostic or code
    match fields.get("Action").partition(" ")[0].lower().rstrip(";,"):
        case "failed":
            return Failed(recipient, _is_dead(code, diagnostic), detail)
        case "delivered":
            return Delivered(recipient, detail)
        case "relayed" | "expanded":
            return Underway(recipient, detail, is_handed_on=True)
        case _:
            return Underway(recipient, detail, is_handed_on=False)


def _is_dead(status: str, said: str) -> bool:
    """Return whether a failure says that no mail will ever arrive (decision 0025).

    `said` is what the server that refused it said, as far as that was passed on.
    """
    own = _STATUS.search(said)
    if own is not None and (not status or _UNDEFINED.fullmatch(status)):
        status = own[0]
    if (verdict := is_address_dead(status)) is not None:
        return verdict
    if _NO_ROUTE.fullmatch(status):
        return True
    reply = _REPLY.search(said)
    if status and not _VAGUE.fullmatch(status):
        return False
    if reply is not None:
        return reply[1] in _DEAD_REPLIES
    # Failed for good, by the word of one that says no more: it never came to ask a server.
    return _UNDEFINED.fullmatch(status) is not None


def _sentence_around(words: str, found: re.Match[str] | None) -> str:
    if found is None:
        return ""
    start = words.rfind("\n", 0, found.start()) + 1
    end = words.find("\n", found.end())
    return words[start : end if end >= 0 else None].strip()
