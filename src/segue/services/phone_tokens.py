"""Tokens by which a virtual phone speaks for its one user, for a quarter of an hour.

They are signed and kept nowhere. A kind of their own: what signs links signs none of them.
"""

from typing import Final

from msgspec import DecodeError, Struct
from msgspec.msgpack import Decoder, encode

from segue.clock import Clock
from segue.content.seals import Seal
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
        self._seal = Seal(key, _PERSON, _DIGEST_BYTES, _LENGTH_MAX - len(PREFIX))
        self._clock = clock
        self._decode = Decoder(Speaker).decode

    def issue(self, user_id: str) -> tuple[str, int]:
        """Return a token for a user, and when it expires."""
        speaker = Speaker(user_id, self._clock.now() + PHONE_TOKEN_LIFE)
        return PREFIX + self._seal.close(encode(speaker)), speaker.expires_at

    def user_of(self, token: str) -> str | None:
        """Return for whom a token speaks; None where it is forged or has expired."""
        payload = self._seal.open(token.removeprefix(PREFIX))
        if payload is None:
            return None
        try:
            speaker = self._decode(payload)
        except DecodeError:  # signed by a later version of the program
            return None
        return speaker.user_id if self._clock.now() < speaker.expires_at else None
