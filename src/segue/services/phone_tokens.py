"""Tokens by which a virtual phone speaks for its one user, for a quarter of an hour.

They are signed and kept nowhere. A kind of their own: what signs links signs none of them.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64Error
from hashlib import blake2b
from hmac import compare_digest
from typing import Final

from msgspec import DecodeError, Struct
from msgspec.msgpack import Decoder, encode

from segue.clock import Clock
from segue.model.limits import PHONE_TOKEN_LIFE

PREFIX: Final = "phone_"
SECRET: Final = "phone-signing-key"  # noqa: S105 - its name, not the key
_DIGEST_BYTES: Final = 32
_PERSON: Final = b"segue.phone/1"
_LENGTH_MAX: Final = 2_048  # the longest user id of four-byte letters fits


class Speaker(Struct, frozen=True, array_like=True):
    """For whom a token speaks, and until when."""

    user_id: str
    expires_at: int


class PhoneTokens:
    """Writes and reads tokens under one secret key."""

    def __init__(self, key: bytes, clock: Clock) -> None:
        self._key = key
        self._clock = clock
        self._decode = Decoder(Speaker).decode

    def issue(self, user_id: str) -> tuple[str, int]:
        """Return a token for a user, and when it expires."""
        speaker = Speaker(user_id, self._clock.now() + PHONE_TOKEN_LIFE)
        payload = encode(speaker)
        text = urlsafe_b64encode(self._digest(payload) + payload).rstrip(b"=").decode()
        return PREFIX + text, speaker.expires_at

    def user_of(self, token: str) -> str | None:
        """Return for whom a token speaks; None where it is forged or has expired."""
        text = token.removeprefix(PREFIX)
        if len(token) > _LENGTH_MAX or not text.isascii():
            return None
        try:
            raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        except (NotBase64Error, ValueError):
            return None
        if urlsafe_b64encode(raw).rstrip(b"=").decode() != text:
            return None  # the decoder passes over some letters; one token has one spelling
        digest, payload = raw[:_DIGEST_BYTES], raw[_DIGEST_BYTES:]
        if not compare_digest(digest, self._digest(payload)):
            return None
        try:
            speaker = self._decode(payload)
        except DecodeError:  # signed by a later version of the program
            return None
        return speaker.user_id if self._clock.now() < speaker.expires_at else None

    def _digest(self, payload: bytes) -> bytes:
        return blake2b(payload, key=self._key, digest_size=_DIGEST_BYTES, person=_PERSON).digest()
