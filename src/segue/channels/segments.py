"""How many SMS a text takes: what is paid for (3GPP TS 23.038, known as GSM 03.38, and 23.040)."""

from typing import Final, Literal

from msgspec import Struct

Encoding = Literal["GSM-7", "UCS-2"]

# The default alphabet, in the order of its codes; code 27 leads to the extension.
_BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION: Final = frozenset("\f^{}\\[~]|€")  # each takes an escape as well

# Units in a message by itself, and in one of several, where a header joins them together.
_ALONE: Final[dict[Encoding, int]] = {"GSM-7": 160, "UCS-2": 70}
_JOINED: Final[dict[Encoding, int]] = {"GSM-7": 153, "UCS-2": 67}


class Segments(Struct, frozen=True):
    """How a text is sent: its alphabet, its length in the alphabet's units, and its messages."""

    encoding: Encoding
    units: int
    count: int


def segments_of(text: str) -> Segments:
    """Return how a text is sent. No character is split between two messages."""
    encoding, widths = _widths(text)
    units = sum(widths)
    if units <= _ALONE[encoding]:
        return Segments(encoding, units, 1 if units else 0)
    room, count, left = _JOINED[encoding], 1, _JOINED[encoding]
    for width in widths:
        if width > left:
            count, left = count + 1, room
        left -= width
    return Segments(encoding, units, count)


def _widths(text: str) -> tuple[Encoding, list[int]]:
    """Return the alphabet that has every character, and each one's length in it."""
    if all(character in _BASIC or character in _EXTENSION for character in text):
        return "GSM-7", [2 if character in _EXTENSION else 1 for character in text]
    # Emoji and their like are two units of UTF-16, which is what UCS-2 has become.
    return "UCS-2", [2 if ord(character) > 0xFFFF else 1 for character in text]  # noqa: PLR2004
