"""Request bodies of the hot routes: raw bytes, gzip and NDJSON included, to entries by index."""

import zlib
from typing import Any, Final, TypeVar

import msgspec
from litestar import Request
from litestar.exceptions import ClientException
from msgspec import Struct

from segue.model.decoding import nearest_field_hint
from segue.model.limits import EVENTS_PER_CALL_MAX, REQUEST_BYTES_MAX
from segue.model.problems import InvalidError, Problem
from segue.runtime.ingest import Rejected

T = TypeVar("T", bound=Struct)
_NDJSON: Final = "application/x-ndjson"
_PACKED: Final = 20  # how much smaller gzip makes events that are much alike


async def read_body(request: Request[Any, Any, Any]) -> bytes:
    """Return the body, unpacked if it came packed.

    Raises:
        ClientException: it is packed in a way that is not known, badly, or is too large.
    """
    body = await request.body()
    encoding = request.headers.get("content-encoding", "identity").lower()
    if encoding == "identity":
        return body
    if encoding != "gzip":
        message = f'the Content-Encoding "{encoding}" is not known here; use gzip or none'
        raise ClientException(message, status_code=415)
    return _unpack(body)


def body_bytes_of(request: Request[Any, Any, Any]) -> int:
    """Return how much memory a call's body may take, before it is read.

    One of unknown length may be as long as any; a packed one unpacks to some twenty times as much.
    """
    length = request.headers.get("content-length", "")
    if not length.isdecimal():
        return REQUEST_BYTES_MAX
    is_plain = request.headers.get("content-encoding", "identity").lower() == "identity"
    return min(int(length) * (1 if is_plain else _PACKED), REQUEST_BYTES_MAX)


async def discard_body(request: Request[Any, Any, Any]) -> None:
    """Let a body pass that nobody wants: who is still sending would not see the answer."""
    async for _ in request.stream():
        pass


async def read_json(request: Request[Any, Any, Any]) -> Any:
    """Return the body's JSON as plain values.

    Raises:
        DecodeError: it is no JSON.
    """
    try:
        return msgspec.json.decode(await request.body())
    except UnicodeDecodeError as error:  # msgspec lets it through
        raise msgspec.DecodeError(str(error)) from None


async def read_json_if_any(request: Request[Any, Any, Any]) -> Any:
    """Return the body's JSON as plain values; a body that was left out is an empty object.

    Raises:
        DecodeError: it is no JSON.
    """
    return await read_json(request) if await request.body() else {}


def _unpack(packed: bytes) -> bytes:
    """Return what gzip packed, all members of it: streams may be joined end to end."""
    members: list[bytes] = []
    left = REQUEST_BYTES_MAX
    while packed or not members:
        unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        try:
            members.append(unpacker.decompress(packed, left + 1))
        except zlib.error as error:
            message = f"the body is no gzip: {error}"
            raise ClientException(message) from None
        left -= len(members[-1])
        if left < 0:
            message = (
                f"the body unpacks to more than {REQUEST_BYTES_MAX} bytes; send less at a time"
            )
            raise ClientException(message, status_code=413)
        if not unpacker.eof:
            raise ClientException("the body is no gzip: it ends too early")
        packed = unpacker.unused_data
    return b"".join(members)


class EntryReader:
    """Reads lists of one type of entry: all at once, and one by one where some are bad."""

    def __init__(self, type_: type[Any], field: str) -> None:
        self._type = type_
        self._field = field
        self._one = msgspec.json.Decoder(type_)
        fields: list[Any] = [(field, list[type_])]  # type: ignore[valid-type]
        envelope = msgspec.defstruct(f"{field}_envelope", fields)
        raw_envelope = msgspec.defstruct(f"{field}_raw_envelope", [(field, list[msgspec.Raw])])
        self._all = msgspec.json.Decoder(envelope)
        self._raw = msgspec.json.Decoder(raw_envelope)

    def read(self, body: bytes, media_type: str) -> list[Any]:
        """Return the entries; one that is bad comes as a `Rejected` with its index.

        Raises:
            InvalidError: the body as a whole is not a list of entries, or has too many.
        """
        if media_type.startswith(_NDJSON):
            parts = [line for line in body.split(b"\n") if line.strip()]
            self._refuse_too_many(len(parts))
            return self._read_each(parts)
        try:
            entries: list[Any] = getattr(self._all.decode(body), self._field)
        except (msgspec.DecodeError, UnicodeDecodeError):
            entries = self._read_each(self._raw_entries(body))
        self._refuse_too_many(len(entries))
        return entries

    def _raw_entries(self, body: bytes) -> list[bytes]:
        try:
            return [bytes(raw) for raw in getattr(self._raw.decode(body), self._field)]
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            example = f'{{"{self._field}": [...]}}'
            problem = Problem("", f"could not be read ({error}); send {example}")
            raise InvalidError([problem], "The body") from None

    def _read_each(self, parts: list[bytes]) -> list[Any]:
        return [self._read_one(index, part) for index, part in enumerate(parts)]

    def _read_one(self, index: int, part: bytes) -> Any:
        try:
            return self._one.decode(part)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            return Rejected(index, f"{error}{nearest_field_hint(str(error), self._type)}")

    def _refuse_too_many(self, count: int) -> None:
        if count > EVENTS_PER_CALL_MAX:
            problem = Problem(
                self._field, f"has {count} entries; at most {EVENTS_PER_CALL_MAX} a call"
            )
            raise InvalidError([problem], "The body")
