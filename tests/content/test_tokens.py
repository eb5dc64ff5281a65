from base64 import urlsafe_b64decode, urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.content.tokens import TokenSigner, Tracked, address_mark

SIGNER = TokenSigner(b"a secret of thirty-two bytes ok!")
CLICK = Tracked(
    kind="click",
    user_id="u1",
    campaign="spring-sale",
    variant="A",
    send_id="01900000-0000-7000-8000-000000000000",
    channel="email",
    alias="cta",
    link="https://shop.test/a?b=1&c=é#d",
)


def test_a_token_stands_for_what_was_signed() -> None:
    assert SIGNER.read(SIGNER.sign(CLICK), "click") == CLICK


def test_a_token_is_safe_in_a_path_and_short() -> None:
    token = SIGNER.sign(CLICK)
    assert token.replace("-", "").replace("_", "").isalnum()
    assert len(token) < 250


def test_a_token_of_another_kind_is_none() -> None:
    assert SIGNER.read(SIGNER.sign(CLICK), "open") is None


def test_a_token_under_another_key_is_none() -> None:
    other = TokenSigner(b"another secret of thirty-two b!!")
    assert other.read(SIGNER.sign(CLICK), "click") is None


def test_every_changed_character_makes_a_forgery() -> None:
    token = SIGNER.sign(CLICK)
    for place, character in enumerate(token):
        changed = token[:place] + ("A" if character != "A" else "B") + token[place + 1 :]
        assert SIGNER.read(changed, "click") is None


def test_a_link_cannot_be_exchanged() -> None:
    raw = urlsafe_b64decode(SIGNER.sign(CLICK) + "==")
    evil = urlsafe_b64encode(raw.replace(b"shop.test", b"evil.test")).rstrip(b"=").decode()
    assert SIGNER.read(evil, "click") is None


def test_a_mark_tells_addresses_apart_and_not_their_spellings() -> None:
    marks = [address_mark(text) for text in ("ann@a.test", " Ann@A.test ", "ann@b.test", "")]
    assert marks[0] == marks[1]
    assert len(set(marks)) == 3
    assert all(len(mark) == 6 for mark in marks)


@pytest.mark.parametrize("text", ["", "=", "x", "é", "a b", "\n", "A" * 10_000, "..", "AAAA===="])
def test_what_is_no_token_is_none(text: str) -> None:
    assert SIGNER.read(text, "click") is None


@given(st.text(max_size=200))
def test_no_text_makes_reading_fail(text: str) -> None:
    assert SIGNER.read(text, "open") is None


def test_a_token_has_one_spelling() -> None:
    token = SIGNER.sign(CLICK)
    for other in (token + "=", token + "\n", token[:9] + "!" + token[9:]):
        assert SIGNER.read(other, "click") is None


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="16 to 64 bytes"):
        TokenSigner(b"short")
