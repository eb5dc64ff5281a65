"""Short codes: a keyed hash of what they stand for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from segue.content.codes import ALPHABET, LINK_CODE_LENGTH, CodeMaker, is_code
from segue.content.tokens import Tracked

MAKER = CodeMaker(b"a secret of thirty-two bytes ok!")
LINK = Tracked("short_link", "u1", "sale", "A", "s1", "sms", "link-1", "https://shop.test")


def code(tracked: Tracked = LINK, length: int = LINK_CODE_LENGTH, candidate: int = 0) -> str:
    return MAKER.code(tracked, length, candidate)


def test_the_same_has_the_same_code_whenever_it_is_made() -> None:
    again = CodeMaker(b"a secret of thirty-two bytes ok!")
    assert code() == again.code(replace(LINK), LINK_CODE_LENGTH)


def test_whatever_differs_gives_another_code() -> None:
    others = [
        replace(LINK, user_id="u2"),
        replace(LINK, send_id="s2"),
        replace(LINK, alias="link-2"),
        replace(LINK, link="https://shop.test/"),
        replace(LINK, variant="B"),
        replace(LINK, kind="click"),
    ]
    codes = {code(one) for one in (LINK, *others)} | {code(candidate=1), code(candidate=2)}
    assert len(codes) == len(others) + 3
    other_key = CodeMaker(b"another secret of thirty-two b!!")
    assert other_key.code(LINK, LINK_CODE_LENGTH) not in codes


def test_a_code_has_the_length_that_is_asked_for_and_no_characters_that_look_alike() -> None:
    assert len(set(ALPHABET)) == len(ALPHABET) == 56
    assert set("0Oo1Il").isdisjoint(ALPHABET)
    for length in (8, 16, 32):
        made = code(length=length)
        assert is_code(made, length)
        assert not made.startswith(code(length=8)) or length == 8


@pytest.mark.parametrize("length", [0, 7, 33, -8])
def test_a_code_that_could_be_guessed_or_is_endless_is_not_made(length: int) -> None:
    with pytest.raises(ValueError, match="8 to 32 characters"):
        code(length=length)


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="16 to 64 bytes"):
        CodeMaker(b"short")


def test_every_character_comes_at_every_place() -> None:
    made = [code(replace(LINK, send_id=str(number))) for number in range(2_000)]
    for place in range(LINK_CODE_LENGTH):
        assert {one[place] for one in made} == set(ALPHABET)


@given(st.text(max_size=12))
def test_what_is_no_code_is_told_apart(text: str) -> None:
    assert is_code(text, 8) == (len(text) == 8 and set(text) <= set(ALPHABET))
