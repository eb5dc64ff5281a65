"""Signed text that is safe in a URL: what was closed under a key, and nothing else, can be opened.

The text begins with a keyed hash of the payload that follows it.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64Error
from hashlib import blake2b
from hmac import compare_digest
from typing import Final

_KEY_BYTES_MIN: Final = 16
_KEY_BYTES_MAX: Final = 64  # the most that blake2b takes


class Seal:
    """Closes and opens texts of one purpose, `person`: what signs others signs none of them."""

    def __init__(self, key: bytes, person: bytes, digest_bytes: int, length_max: int) -> None:
        check_key(key)
        self._key = key
        self._person = person
        self._digest_bytes = digest_bytes
        self._length_max = length_max

    def close(self, payload: bytes) -> str:
        """Return the text for a payload."""
        return urlsafe_b64encode(self._digest(payload) + payload).rstrip(b"=").decode()

    def open(self, text: str) -> bytes | None:
        """Return the payload of a text; None if it is forged, malformed or too long."""
        raw = self._decode(text)
        if raw is None:
            return None
        digest, payload = raw[: self._digest_bytes], raw[self._digest_bytes :]
        return payload if compare_digest(digest, self._digest(payload)) else None

    def _digest(self, payload: bytes) -> bytes:
        return blake2b(
            payload, key=self._key, digest_size=self._digest_bytes, person=self._person
        ).digest()

    def _decode(self, text: str) -> bytes | None:
        if len(text) > self._length_max or not text.isascii():
            return None
        try:
            raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        except (NotBase64Error, ValueError):
            return None
        # The decoder skips characters it does not know; one text has one spelling.
        canonical = urlsafe_b64encode(raw).rstrip(b"=").decode()
        return raw if canonical == text else None


def check_key(key: bytes) -> None:
    """Refuse a key that could be guessed, or that the hash does not take.

    Raises:
        ValueError: with how many bytes a key has.
    """
    if not _KEY_BYTES_MIN <= len(key) <= _KEY_BYTES_MAX:
        message = f"a token key has {_KEY_BYTES_MIN} to {_KEY_BYTES_MAX} bytes, not {len(key)}"
        raise ValueError(message)
