"""Signed tokens: behind every public link, and in what providers report of a message.

What a token stands for travels inside it, so that a visit needs no look-up, and a redirect can
only lead to a URL that was in the message.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64Error
from hashlib import blake2b
from hmac import compare_digest
from typing import Final, Literal

from msgspec import DecodeError, Struct
from msgspec.msgpack import Decoder, Encoder

from segue.model.channels import Channel

_DIGEST_BYTES: Final = 16  # 128 bits cannot be guessed over HTTP, and keep the URL short
_KEY_BYTES_MIN: Final = 16
_KEY_BYTES_MAX: Final = 64  # the most that blake2b takes
_MARK_BYTES: Final = 4  # a user has had a few addresses, and each byte makes a token longer
_TEXT_LENGTH_MAX: Final = 8_192  # as the longest request line that common proxies let through
_PERSON: Final = b"segue.token/1"  # a key that is used elsewhere as well signs nothing for us


# What a visit to the token's URL means; "report" comes back with what became of a message. A short
# link has no room for a token: see `segue.content.codes`.
TokenKind = Literal["open", "click", "unsubscribe", "preferences", "report", "short_link"]
CountedByReport = Literal["open", "click"]


class Tracked(Struct, frozen=True, array_like=True):
    """What a token stands for: which send to whom, and for a click which link.

    `group` is the subscription group that an unsubscribe is from; without it, it is from email.
    """

    kind: TokenKind
    user_id: str
    campaign: str  # the slug
    variant: str
    send_id: str
    channel: Channel
    alias: str | None = None
    link: str | None = None
    # Of kind "report": what reports are to count, since the message itself does not tell us.
    reported: tuple[CountedByReport, ...] = ()
    address: str = ""  # of kind "report": the mark of the address that the message went to
    group: str | None = None


class TokenSigner:
    """Writes and reads tokens under one secret key."""

    def __init__(self, key: bytes) -> None:
        check_key(key)
        self._key = key
        self._encode = Encoder().encode
        self._decode = Decoder(Tracked).decode

    def sign(self, tracked: Tracked) -> str:
        """Return the token that stands for `tracked`; it is safe in a URL path."""
        payload = self._encode(tracked)
        return urlsafe_b64encode(self._digest(payload) + payload).rstrip(b"=").decode()

    def read(self, text: str, kind: TokenKind) -> Tracked | None:
        """Return what `text` stands for; None if it is forged, malformed or of another kind."""
        raw = _decode_base64(text)
        if raw is None:
            return None
        digest, payload = raw[:_DIGEST_BYTES], raw[_DIGEST_BYTES:]
        if not compare_digest(digest, self._digest(payload)):
            return None
        try:
            tracked = self._decode(payload)
        except DecodeError:  # signed by a later version of the program
            return None
        return tracked if tracked.kind == kind else None

    def _digest(self, payload: bytes) -> bytes:
        return blake2b(payload, key=self._key, digest_size=_DIGEST_BYTES, person=_PERSON).digest()


def check_key(key: bytes) -> None:
    """Refuse a key that could be guessed, or that the hash does not take.

    Raises:
        ValueError: with how many bytes a key has.
    """
    if not _KEY_BYTES_MIN <= len(key) <= _KEY_BYTES_MAX:
        message = f"a token key has {_KEY_BYTES_MIN} to {_KEY_BYTES_MAX} bytes, not {len(key)}"
        raise ValueError(message)


def address_mark(address: str) -> str:
    """Return what tells one user's addresses apart, without telling them."""
    digest = blake2b(address.strip().lower().encode(), digest_size=_MARK_BYTES).digest()
    return urlsafe_b64encode(digest).rstrip(b"=").decode()


def _decode_base64(text: str) -> bytes | None:
    if len(text) > _TEXT_LENGTH_MAX or not text.isascii():
        return None
    try:
        raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (NotBase64Error, ValueError):
        return None
    # The decoder skips characters it does not know; one token has one spelling.
    canonical = urlsafe_b64encode(raw).rstrip(b"=").decode()
    return raw if canonical == text else None
