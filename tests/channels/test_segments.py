"""How many SMS a text takes, against lengths that the standard and providers give."""

import pytest

from segue.channels.segments import Encoding, Segments, segments_of


@pytest.mark.parametrize(
    ("text", "encoding", "units", "count"),
    [
        ("", "GSM-7", 0, 0),
        ("a" * 160, "GSM-7", 160, 1),
        ("a" * 161, "GSM-7", 161, 2),
        ("a" * 306, "GSM-7", 306, 2),
        ("a" * 307, "GSM-7", 307, 3),
        ("a" * 1_530, "GSM-7", 1_530, 10),
        # The extension's characters take two places, and are not split between messages.
        ("€" * 80, "GSM-7", 160, 1),
        ("€" * 81, "GSM-7", 162, 2),
        ("a" * 152 + "€" + "a" * 152, "GSM-7", 306, 3),
        ("a" * 151 + "€" + "a" * 153, "GSM-7", 306, 2),
        ("\f^{}\\[~]|€", "GSM-7", 20, 1),
        ("я" * 70, "UCS-2", 70, 1),
        ("я" * 71, "UCS-2", 71, 2),
        ("я" * 134, "UCS-2", 134, 2),
        ("я" * 135, "UCS-2", 135, 3),
        # One character that is not in the alphabet makes all of them wide.
        ("a" * 69 + "ç", "UCS-2", 70, 1),
        ("a" * 70 + "ç", "UCS-2", 71, 2),
        ("😀" * 35, "UCS-2", 70, 1),
        ("😀" * 36, "UCS-2", 72, 2),
        ("я" * 66 + "😀" + "я" * 66, "UCS-2", 134, 3),
        ("’" + "a" * 69, "UCS-2", 70, 1),
    ],
)
def test_a_text_takes_as_many_messages_as_its_alphabet_needs(
    text: str, encoding: Encoding, units: int, count: int
) -> None:
    assert segments_of(text) == Segments(encoding, units, count)


def test_the_alphabet_is_the_standards() -> None:
    """3GPP TS 23.038, 6.2.1: by rows of its table."""
    table = (
        "@Δ 0¡P¿p£_!1AQaq$Φ\"2BRbr¥Γ#3CScsèΛ¤4DTdtéΩ%5EUeuùΠ&6FVfvìΨ'7GWgwòΣ(8HXhxÇΘ)9IYiy"
        "\nΞ*:JZjzØ+;KÄkäøÆ,<LÖlö\ræ-=MÑmñÅß.>NÜnüåÉ/?O§oà"
    )
    assert len(set(table)) == 127
    assert segments_of(table) == Segments("GSM-7", 127, 1)
    for other in "ç`âêîôûÂÊ«»–…“’\t":
        assert segments_of(other).encoding == "UCS-2"
