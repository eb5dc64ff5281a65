"""Takes a mail apart into its parts, whatever bytes it is made of, within bounds.

The standard library reads the headers. It does not take multiparts apart: each of its lines is
held against every enclosing boundary, so that a megabyte of nested ones takes minutes.
"""

import binascii
import re
from collections.abc import Iterator
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32
from email.utils import parsedate_to_datetime
from typing import Final

from msgspec import Struct, field

from segue.model.instants import SECOND, from_datetime
from segue.model.limits import (
    MAIL_DEPTH_MAX,
    MAIL_HEADER_BYTES_MAX,
    MAIL_HEADER_LINES_MAX,
    MAIL_PARTS_MAX,
    MAIL_READ_BYTES_MAX,
)

_WHOLE_MAILS: Final = ("message/rfc822", "message/global")
_ONLY_HEADERS: Final = (
    "text/rfc822-headers",
    "message/rfc822-headers",
    "message/global-headers",
)
_FIELDS: Final = (
    "message/delivery-status",
    "message/global-delivery-status",
    "message/feedback-report",
)
_BOUNDARY_LENGTH_MAX: Final = 250  # RFC 2046 allows 70
_VALUE_LENGTH_MAX: Final = 4_000  # of one header that is looked into
_BLANK_LINE: Final = re.compile(rb"(?:\A|\r?\n)\r?\n")
_BLANK_LINES: Final = re.compile(rb"(?:\r?\n[ \t]*){2,}")
_NOT_BASE64: Final = re.compile(rb"[^A-Za-z0-9+/]+")
_PARSER: Final = BytesParser(policy=compat32)


class Headers:
    """The headers of a mail or a part, or the fields of a report."""

    def __init__(self, block: bytes) -> None:
        lines = block[:MAIL_HEADER_BYTES_MAX].split(b"\n", MAIL_HEADER_LINES_MAX)
        kept = b"\n".join(lines[:MAIL_HEADER_LINES_MAX])
        self._headers: Message = _PARSER.parsebytes(kept, headersonly=True)

    def get(self, name: str) -> str:
        """Return a header's value on one line; "" if there is none."""
        return _one_line(self._headers.get(name))

    def all(self, name: str) -> list[str]:
        """Return the values of every header of a name."""
        return [_one_line(value) for value in self._headers.get_all(name, ())]

    def has(self, name: str) -> bool:
        """Return whether there is such a header."""
        return name in self._headers

    def text(self, name: str) -> str:
        """Return a header's value with its encoded words (RFC 2047) put into plain ones."""
        value = self.get(name)
        if "=?" not in value:
            return value
        try:
            return str(make_header(decode_header(value)))
        except (MessageError, LookupError, ValueError):
            return value

    def parameter(self, name: str) -> str:
        """Return a parameter of the Content-Type; "" if there is none."""
        kind = self.get("Content-Type")
        if name not in kind.lower():
            return ""
        alone: Message = Message()
        alone["Content-Type"] = kind
        try:
            found = alone.get_param(name)
            value = found[2] if isinstance(found, tuple) else found
        except (LookupError, ValueError):
            return ""
        return str(value or "")

    def date(self) -> int | None:
        """Return the instant in the Date header; None if it holds none.

        It tells seconds: the end of its second is not before what the mail reports of.
        """
        try:
            when = parsedate_to_datetime(self.get("Date"))
            return from_datetime(when) + SECOND - 1 if when.tzinfo is not None else None
        except (ValueError, TypeError, OverflowError, IndexError):
            return None


class Part(Struct, frozen=True):
    """A mail or one of its parts; `parts` are those within, also of a mail that is attached."""

    kind: str
    headers: Headers
    body: bytes
    parts: list["Part"] = field(default_factory=list)

    def walk(self) -> Iterator["Part"]:
        """Yield this part and all within it, in order."""
        yield self
        for part in self.parts:
            yield from part.walk()

    def groups(self) -> list[Headers]:
        """Return the groups of fields of a report's part."""
        blocks = _BLANK_LINES.split(self.body.strip(b"\r\n"), MAIL_PARTS_MAX)
        return [Headers(block) for block in blocks[:MAIL_PARTS_MAX] if block.strip()]

    def words(self) -> str:
        """Return the body as text, for what stands there in ASCII."""
        return self.body.decode("ascii", "replace")

    def attached_mails(self) -> list[Headers]:
        """Return the headers of every mail within."""
        return [
            part.parts[0].headers
            for part in self.walk()
            if part.parts and part.kind in _WHOLE_MAILS + _ONLY_HEADERS
        ]


def read_mail(content: bytes) -> Part:
    """Return a mail's parts; of one that is too long, those at its beginning.

    What matters of a report stands before the mail that it returns.
    """
    return _Reader().read(content[:MAIL_READ_BYTES_MAX], depth=0)


class _Reader:
    def __init__(self) -> None:
        self._count = 0

    def read(self, content: bytes, depth: int) -> Part:
        self._count += 1
        blank = _BLANK_LINE.search(content)
        head, body = (
            (content, b"")
            if blank is None
            else (
                content[: blank.start()],
                content[blank.end() :],
            )
        )
        headers = Headers(head)
        kind = headers.get("Content-Type").partition(";")[0].strip().lower() or "text/plain"
        return Part(kind, headers, *self._within(kind, headers, body, depth))

    def _within(
        self, kind: str, headers: Headers, body: bytes, depth: int
    ) -> tuple[bytes, list[Part]]:
        if kind.startswith("multipart/"):
            return b"", self._split(body, headers.parameter("boundary"), depth)
        if kind.startswith("text/") or kind in _WHOLE_MAILS + _ONLY_HEADERS + _FIELDS:
            body = _decode(body, headers.get("Content-Transfer-Encoding"))
        if kind in _WHOLE_MAILS and self._has_room(depth):
            return b"", [self.read(body.lstrip(b"\r\n"), depth + 1)]
        if kind in _ONLY_HEADERS and self._has_room(depth):
            self._count += 1
            blank = _BLANK_LINE.search(body := body.lstrip(b"\r\n"))
            only = Headers(body if blank is None else body[: blank.start()])
            return b"", [Part("text/plain", only, b"")]
        return body, []

    def _split(self, body: bytes, boundary: str, depth: int) -> list[Part]:
        if not 0 < len(boundary) <= _BOUNDARY_LENGTH_MAX:
            return []
        delimiter = re.escape(boundary.encode("utf-8", "replace"))
        line = re.compile(rb"(?m)^--" + delimiter + rb"(--)?[ \t]*\r?$\n?")
        parts: list[Part] = []
        start: int | None = None
        for found in line.finditer(body):
            if start is not None and self._has_room(depth):
                parts.append(self.read(body[start : found.start()], depth + 1))
            start = None if found[1] else found.end()
            if start is None or not self._has_room(depth):
                break
        if start is not None and self._has_room(depth):  # it was cut off
            parts.append(self.read(body[start:], depth + 1))
        return parts

    def _has_room(self, depth: int) -> bool:
        return depth < MAIL_DEPTH_MAX and self._count < MAIL_PARTS_MAX


def _decode(body: bytes, encoding: str) -> bytes:
    """Return the body as it was before its transfer encoding, as far as it goes."""
    match encoding.strip().lower():
        case "quoted-printable":
            return binascii.a2b_qp(body)
        case "base64":
            plain = _NOT_BASE64.sub(b"", body)
            plain = plain[: len(plain) - (len(plain) % 4 == 1)]  # it was cut off there
            return binascii.a2b_base64(plain + b"=" * (-len(plain) % 4))
        case _:
            return body


def _one_line(value: object) -> str:
    return " ".join(str(value if value is not None else "")[:_VALUE_LENGTH_MAX].split())
