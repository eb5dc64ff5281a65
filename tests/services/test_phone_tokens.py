"""The tokens of virtual phones."""

import pytest

from segue.clock import FixedClock
from segue.content.tokens import TokenSigner, Tracked
from segue.model.limits import NAME_LENGTH_MAX, PHONE_TOKEN_LIFE
from segue.services.phone_tokens import PREFIX, PhoneTokens

KEY = b"k" * 40


@pytest.mark.parametrize("user_id", ["ann", "Ann Lee", "ø@x", "\U0001f600" * NAME_LENGTH_MAX])
def test_a_token_speaks_for_its_user_until_it_expires(user_id: str) -> None:
    clock = FixedClock(1_000)
    tokens = PhoneTokens(KEY, clock)
    token, expires_at = tokens.issue(user_id)
    assert expires_at == 1_000 + PHONE_TOKEN_LIFE
    assert tokens.user_of(token) == user_id
    clock.advance(PHONE_TOKEN_LIFE - 1)
    assert tokens.user_of(token) == user_id
    clock.advance(1)
    assert tokens.user_of(token) is None


def test_a_token_of_another_installation_is_none() -> None:
    token, _ = PhoneTokens(b"x" * 40, FixedClock()).issue("ann")
    assert PhoneTokens(KEY, FixedClock()).user_of(token) is None


def test_no_changed_token_speaks_for_anybody() -> None:
    tokens = PhoneTokens(KEY, FixedClock())
    token, _ = tokens.issue("ann")
    raw = token.removeprefix(PREFIX)
    for place in range(len(raw)):
        other = "A" if raw[place] != "A" else "B"
        changed = raw[:place] + other + raw[place + 1 :]
        assert tokens.user_of(PREFIX + changed) is None
    for odd in ("", PREFIX, PREFIX + "a", PREFIX + "ø", PREFIX + "A" * 5_000, raw[:-4]):
        assert tokens.user_of(odd) is None


def test_what_signs_links_signs_no_token() -> None:
    link = TokenSigner(KEY).sign(Tracked("open", "ann", "sale", "A", "s1", "email"))
    assert PhoneTokens(KEY, FixedClock()).user_of(PREFIX + link) is None
