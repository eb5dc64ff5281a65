"""When a message is tried again, and when no more."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.channels.backoff import next_attempt
from segue.model.channels import CHANNELS, Channel
from segue.model.instants import HOUR, MINUTE, SECOND
from segue.model.limits import EMAIL_RETRY_WINDOW, WEBHOOK_ATTEMPTS_MAX, WEBHOOK_RETRY_WINDOW

AT = 1_790_000_000_000_000


def pauses(channel: Channel, jitter: float, wish: float | None = None) -> list[int]:
    """Return the pauses between tries until it is given up, if each try takes no time."""
    found: list[int] = []
    now = AT
    while (again_at := next_attempt(channel, len(found) + 1, AT, now, wish, jitter)) is not None:
        found.append(again_at - now)
        now = again_at
        assert len(found) < 10_000
    return found


def test_email_pauses_grow_from_a_minute_to_four_hours() -> None:
    found = pauses("email", 0.999_999)
    assert MINUTE <= found[0] <= 2 * MINUTE
    assert found[:-1] == sorted(found[:-1])
    assert 3 * HOUR < max(found) <= 4 * HOUR


@pytest.mark.parametrize("jitter", [0.0, 0.3, 0.5, 0.999_999])
def test_email_is_tried_to_the_very_end_of_its_window(jitter: float) -> None:
    total = sum(pauses("email", jitter))
    assert EMAIL_RETRY_WINDOW - MINUTE < total <= EMAIL_RETRY_WINDOW


@pytest.mark.parametrize("channel", [one for one in CHANNELS if one != "email"])
@pytest.mark.parametrize("jitter", [0.0, 0.5, 0.999_999])
def test_other_channels_are_tried_six_times_within_half_an_hour(
    channel: Channel, jitter: float
) -> None:
    found = pauses(channel, jitter)
    assert len(found) == WEBHOOK_ATTEMPTS_MAX - 1
    assert sum(found) <= WEBHOOK_RETRY_WINDOW


def test_jitter_spreads_tries_over_the_whole_pause() -> None:
    soonest = next_attempt("webhook", 3, AT, AT, None, 0.0)
    latest = next_attempt("webhook", 3, AT, AT, None, 0.999_999_999)
    assert soonest == AT + SECOND
    assert latest is not None
    assert AT + 63 * SECOND < latest <= AT + 64 * SECOND


@pytest.mark.parametrize("channel", ["email", "webhook"])
def test_a_providers_wish_is_honoured_where_it_asks_for_more(channel: Channel) -> None:
    assert next_attempt(channel, 1, AT, AT, 600.0, 0.5) == AT + 600 * SECOND
    plain = next_attempt(channel, 1, AT, AT, None, 0.5)
    assert next_attempt(channel, 1, AT, AT, 0.001, 0.5) == plain
    assert next_attempt(channel, 1, AT, AT, -5.0, 0.5) == plain
    assert next_attempt(channel, 1, AT, AT, math.nan, 0.5) == plain


@pytest.mark.parametrize("channel", ["email", "webhook"])
@pytest.mark.parametrize("wish", [1e9, 1e300, math.inf])
def test_a_wish_beyond_the_window_is_giving_up(channel: Channel, wish: float) -> None:
    assert next_attempt(channel, 1, AT, AT, wish, 0.5) is None


@given(
    channel=st.sampled_from(CHANNELS),
    attempts=st.integers(0, 10_000),
    spent=st.integers(0, 100 * HOUR),
    wish=st.none() | st.floats(),
    jitter=st.floats(0, 1, exclude_max=True),
)
def test_whatever_is_asked_the_next_try_is_later_and_within_the_window(
    channel: Channel, attempts: int, spent: int, wish: float | None, jitter: float
) -> None:
    again_at = next_attempt(channel, attempts, AT, AT + spent, wish, jitter)
    window = EMAIL_RETRY_WINDOW if channel == "email" else WEBHOOK_RETRY_WINDOW
    if again_at is not None:
        assert AT + spent + SECOND <= again_at <= AT + window
