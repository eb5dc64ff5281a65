"""Ids: UUIDs of version 7 as text, and the ones that follow from a cause.

A derived id is the same in every run over the same log, so that a decision repeated after a
crash is recognised as the one that was made before.
"""

from hashlib import blake2b

_VERSION_7 = 0x7 << 76
_VARIANT = 0b10 << 62
_MASK_74 = (1 << 74) - 1


def derive_id(at: int, *parts: object) -> str:
    """Return the UUIDv7 that belongs to `parts` at the instant `at` (microseconds)."""
    digest = blake2b("\0".join(map(str, parts)).encode(), digest_size=10).digest()
    return _uuid7_text(at, int.from_bytes(digest, "big"))


def random_id(at: int, noise: bytes) -> str:
    """Return a UUIDv7 of ten random bytes, which the clock gives."""
    return _uuid7_text(at, int.from_bytes(noise[:10], "big"))


def _uuid7_text(at: int, noise: int) -> str:
    noise &= _MASK_74
    number = (
        ((max(at, 0) // 1000) & ((1 << 48) - 1)) << 80
        | _VERSION_7
        | (noise >> 62) << 64
        | _VARIANT
        | (noise & ((1 << 62) - 1))
    )
    text = f"{number:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
