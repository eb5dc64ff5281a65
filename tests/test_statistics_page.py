"""The worked example of the page on statistics is what its formulas and the program give."""

import re
from math import erfc, exp, hypot, log, sqrt
from pathlib import Path

from segue.engine.uplift import Arm, Uplift, compare_variants, difference_interval, sentence
from segue.model.limits import DONE_MAX, UPLIFT_USERS_MIN

PAGE = (Path(__file__).parent.parent / "docs" / "explanation" / "statistics.md").read_text()
Z = 1.959964


def table(first_cell: str) -> list[list[str]]:
    """Return the cells below the head of the table that begins with a cell."""
    found = re.search(rf"^\| {first_cell} \|.*\n\| ---.*\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
    assert found, first_cell
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in found[1].splitlines()]


ARMS = [Arm(name, int(users), int(converted)) for name, users, converted, *_ in table("arm")]
TREATED, CONTROL = ARMS[:-1], ARMS[-1]


def wilson(k: int, n: int) -> tuple[float, float]:
    centre = (k + Z**2 / 2) / (n + Z**2)
    reach = Z / (n + Z**2) * sqrt(k * (1 - k / n) + Z**2 / 4)
    return centre - reach, centre + reach


def newcombe(arm: Arm) -> tuple[float, float]:
    (l1, u1), (l2, u2) = (wilson(one.conversions, one.users) for one in (arm, CONTROL))
    d = arm.rate - CONTROL.rate
    below = hypot(arm.rate - l1, u2 - CONTROL.rate)
    return d - below, d + hypot(u1 - arm.rate, CONTROL.rate - l2)


def katz(arm: Arm) -> tuple[float, float]:
    reach = Z * sqrt(sum(1 / one.conversions - 1 / one.users for one in (arm, CONTROL)))
    low, high = (exp(log(arm.rate / CONTROL.rate) + side * reach) - 1 for side in (-1, 1))
    return low, high


def pooled_z(arm: Arm) -> float:
    p = (arm.conversions + CONTROL.conversions) / (arm.users + CONTROL.users)
    return (arm.rate - CONTROL.rate) / sqrt(p * (1 - p) * (1 / arm.users + 1 / CONTROL.users))


def p_of(z: float) -> float:
    return erfc(abs(z) / sqrt(2))


def points(interval: tuple[float, float], digits: int = 1) -> str:
    return " to ".join(f"{100 * end:.{digits}f}" for end in interval)


def test_the_rates_of_the_example_are_those_of_its_counts() -> None:
    for arm, (*_, rate, interval) in zip(ARMS, table("arm"), strict=True):
        assert rate == f"{100 * arm.rate:.1f} %"
        assert interval == points(wilson(arm.conversions, arm.users))


def test_the_comparison_of_the_example_follows_from_the_formulas() -> None:
    rows = [cells for _, *cells in table("against the control group")]
    difference, interval, lift, lift_interval, z, p, adjusted = rows
    assert difference == [f"{100 * (arm.rate - CONTROL.rate):.1f}" for arm in TREATED]
    assert interval == [points(newcombe(arm)) for arm in TREATED]
    assert lift == [f"{100 * (arm.rate / CONTROL.rate - 1):.0f} %" for arm in TREATED]
    assert lift_interval == [points(katz(arm), 0) for arm in TREATED]
    assert z == [f"{pooled_z(arm):.2f}" for arm in TREATED]
    a, b = (p_of(pooled_z(arm)) for arm in TREATED)
    assert p == [f"{a:.4f}", f"{b:.4f}"]
    assert a < b
    assert adjusted == [f"{2 * a:.4f}", f"{max(2 * a, b):.4f}"]


def test_the_program_says_of_the_example_what_the_page_says() -> None:
    said = re.search(r"```text\n(.*?)```", PAGE, re.DOTALL)
    assert said
    results = compare_variants(TREATED, CONTROL)
    assert said[1].splitlines() == [sentence(result) for result in results]
    for arm, result in zip(TREATED, results, strict=True):
        assert isinstance(result, Uplift)
        assert points((result.interval.low, result.interval.high)) == points(newcombe(arm))


def test_the_numbers_in_the_text_are_right() -> None:
    assert f"fewer than {UPLIFT_USERS_MIN} users" in PAGE
    assert f"the newest {DONE_MAX} are kept" in PAGE
    low, high = wilson(10, 100)
    assert f"anywhere from {100 * low:.1f} to {100 * high:.1f} %" in PAGE
    few = Arm("few", 100, 10)
    interval = difference_interval(few, few)
    assert f"anything from {points((interval.low, interval.high))} points" in PAGE
    assert 0.3 < 1 - 0.95**8 < 0.35  # "up to a third" of all campaigns with eight variants
