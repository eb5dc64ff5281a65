"""A provider's rate limit: turns, given in order."""

import pytest

from segue.channels.throttle import Throttle
from segue.model.instants import MINUTE, SECOND


def test_without_a_limit_everything_goes_now() -> None:
    throttle = Throttle(None)
    assert [throttle.turn(5, 100) for _ in range(3)] == [5, 5, 5]


def test_a_seconds_worth_goes_at_once_and_then_evenly() -> None:
    throttle = Throttle(4)
    turns = [throttle.turn(0) for _ in range(8)]
    assert turns == [0, 0, 0, 0, SECOND // 4, SECOND // 2, 3 * SECOND // 4, SECOND]


def test_a_rest_gives_a_seconds_worth_again_and_no_more() -> None:
    throttle = Throttle(2)
    for _ in range(10):
        throttle.turn(0)
    turns = [throttle.turn(MINUTE) for _ in range(4)]
    assert turns == [MINUTE, MINUTE, MINUTE + SECOND // 2, MINUTE + SECOND]


def test_a_limit_below_one_a_second_is_kept_too() -> None:
    throttle = Throttle(0.5)
    assert [throttle.turn(0) for _ in range(3)] == [0, 2 * SECOND, 4 * SECOND]


def test_several_calls_at_once_are_paid_for_by_those_that_come_after() -> None:
    throttle = Throttle(1)
    assert [throttle.turn(0, 3), throttle.turn(0), throttle.turn(0)] == [0, 3 * SECOND, 4 * SECOND]


@pytest.mark.parametrize("rate", [0.1, 1, 7, 100])
def test_over_a_long_time_the_rate_is_what_was_set(rate: float) -> None:
    throttle = Throttle(rate)
    turns = [throttle.turn(0) for _ in range(1_000)]
    assert turns == sorted(turns)
    assert (1_000 - rate - 1) / rate <= turns[-1] / SECOND <= 1_000 / rate
