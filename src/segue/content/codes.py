"""Short codes: names of a few characters for what a token would say at length.

A code carries nothing, so what it stands for is looked up (decision 0018). It is a keyed hash of
just that: making a message again gives the same codes, and nobody without the key finds any.
"""

from hashlib import blake2b
from typing import Final

from msgspec.msgpack import Encoder

from segue.content.seals import check_key
from segue.content.tokens import Tracked

# Digits and letters without those that are taken for another: 0 O o, 1 I l.
ALPHABET: Final = "23456789abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ"
LINK_CODE_LENGTH: Final = 8  # 46 bits: of ten million codes a guess meets one in ten million

_LENGTHS: Final = range(8, 33)  # from what is rarely guessed to more than anything needs
_DIGEST_BYTES: Final = 64  # far beyond 32 characters, so that each code is as likely as another
_PERSON: Final = b"segue.code/1"


class CodeMaker:
    """Makes codes under one secret key."""

    def __init__(self, key: bytes) -> None:
        check_key(key)
        self._key = key
        self._encode = Encoder().encode

    def code(self, tracked: Tracked, length: int, candidate: int = 0) -> str:
        """Return the code for `tracked`; where somebody has it already, that of the next candidate.

        Raises:
            ValueError: codes are not made as short or as long.
        """
        if length not in _LENGTHS:
            shortest, longest = _LENGTHS[0], _LENGTHS[-1]
            raise ValueError(f"a code has {shortest} to {longest} characters, not {length}")
        digest = blake2b(
            self._encode(tracked),
            key=self._key,
            digest_size=_DIGEST_BYTES,
            person=_PERSON,
            salt=bytes((length,)) + candidate.to_bytes(8, "big"),
        ).digest()
        number, characters = int.from_bytes(digest, "big"), []
        for _ in range(length):
            number, digit = divmod(number, len(ALPHABET))
            characters.append(ALPHABET[digit])
        return "".join(characters)


def is_code(text: str, length: int) -> bool:
    """Return whether a text could be a code of a length."""
    return len(text) == length and all(character in ALPHABET for character in text)
