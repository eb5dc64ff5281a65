"""How often an address may call."""

from segue.clock import FixedClock
from segue.model.instants import MINUTE, SECOND
from segue.model.limits import DEVICE_ADDRESSES_MAX, DEVICE_CALLS_PER_MINUTE_MAX
from segue.web.rate_limit import CallBudget


def spend(budget: CallBudget, address: str = "a") -> int:
    """Make calls until one is refused; return how many were let through."""
    count = 0
    while budget.wait_for(address) == 0:
        count += 1
    return count


def test_a_minutes_calls_may_come_at_once_and_no_more() -> None:
    budget = CallBudget(FixedClock(), DEVICE_CALLS_PER_MINUTE_MAX)
    assert spend(budget) == DEVICE_CALLS_PER_MINUTE_MAX
    assert budget.wait_for("a") == 1
    assert budget.wait_for("another") == 0


def test_calls_come_back_with_time_up_to_a_minutes() -> None:
    clock = FixedClock()
    budget = CallBudget(clock, DEVICE_CALLS_PER_MINUTE_MAX)
    spend(budget)
    clock.advance(6 * SECOND)
    assert spend(budget) == DEVICE_CALLS_PER_MINUTE_MAX // 10
    clock.advance(5 * MINUTE)
    assert spend(budget) == DEVICE_CALLS_PER_MINUTE_MAX


def test_only_so_many_addresses_are_remembered() -> None:
    budget = CallBudget(FixedClock(), DEVICE_CALLS_PER_MINUTE_MAX)
    spend(budget, "first")
    for number in range(DEVICE_ADDRESSES_MAX):
        budget.wait_for(f"other-{number}")
    assert budget.wait_for("first") == 0


def test_who_only_looks_takes_no_call() -> None:
    clock = FixedClock()
    budget = CallBudget(clock, 2)
    assert [budget.look_at("a") for _ in range(5)] == [0] * 5
    assert spend(budget) == 2
    assert budget.look_at("a") == budget.wait_for("a") == 31
    clock.advance(30 * SECOND)
    assert budget.look_at("a") == 0


def test_a_call_that_is_given_back_can_be_made_again() -> None:
    budget = CallBudget(FixedClock(), 3, 30 * SECOND)
    assert spend(budget) == 3
    budget.give_back("a")
    assert spend(budget) == 1
    assert budget.wait_for("a") == 11
    for _ in range(9):
        budget.give_back("b")
    assert spend(budget, "b") == 3
