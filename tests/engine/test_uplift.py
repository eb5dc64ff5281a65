"""Comparisons of arms agree with scipy and with what was published, and never say too much."""

from math import isfinite

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest, chi2, chi2_contingency
from scipy.stats.contingency import relative_risk

from segue.engine.uplift import (
    Arm,
    Interval,
    NotEnoughData,
    Spread,
    Uplift,
    chi_square_survival,
    compare_variants,
    difference_interval,
    holm,
    rate_interval,
    sentence,
    spread,
    uplift,
    users_needed,
)

COUNTS = [  # conversions and users of the treated arm, then of the control
    (1200, 10_000, 1000, 10_000),
    (13, 100, 21, 140),
    (1, 100, 99, 100),
    (3, 250_000, 9, 1_000_000),
    (50, 100, 50, 100),
    (0, 100, 7, 300),
    (100, 100, 7, 300),
]


def arm(conversions: int, users: int, name: str = "variant A") -> Arm:
    return Arm(name, users, conversions)


def control(conversions: int, users: int) -> Arm:
    return arm(conversions, users, "the control group")


def compared(treated: Arm, against: Arm) -> Uplift:
    result = uplift(treated, against)
    assert isinstance(result, Uplift)
    return result


def p_of_scipy(*arms: Arm) -> float:
    table = [[a.conversions, a.users - a.conversions] for a in arms]
    return chi2_contingency(table, correction=False).pvalue


def close(interval: Interval, **tolerance: float) -> object:
    return pytest.approx((interval.low, interval.high), **tolerance)


@st.composite
def arms(draw: st.DrawFn, users_max: int = 10_000) -> Arm:
    users = draw(st.integers(100, users_max))
    return arm(draw(st.integers(0, users)), users)


# Against scipy


@pytest.mark.parametrize("counts", COUNTS)
def test_the_p_value_is_that_of_the_two_proportion_test(counts: tuple[int, ...]) -> None:
    treated, against = arm(*counts[:2]), control(*counts[2:])
    assert compared(treated, against).p_value == pytest.approx(p_of_scipy(treated, against), 1e-9)


@pytest.mark.parametrize("counts", COUNTS[:5])
def test_the_interval_of_the_lift_is_that_of_katz(counts: tuple[int, ...]) -> None:
    result = compared(arm(*counts[:2]), control(*counts[2:]))
    risk = relative_risk(*counts)
    low, high = risk.confidence_interval(0.95)
    assert result.lift == pytest.approx(risk.relative_risk - 1)
    assert result.lift_interval is not None
    assert close(result.lift_interval) == (low - 1, high - 1)


@given(st.integers(1, 10**7).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_of_a_rate_is_that_of_wilson(counts: tuple[int, int]) -> None:
    wilson = binomtest(*counts).proportion_ci(method="wilson")
    assert close(rate_interval(*counts), abs=1e-12) == (wilson.low, wilson.high)


@given(st.floats(0, 1000), st.integers(1, 20))
def test_the_chi_square_distribution_is_that_of_scipy(statistic: float, dof: int) -> None:
    assert chi_square_survival(statistic, dof) == pytest.approx(chi2.sf(statistic, dof), 1e-9)


@given(st.lists(arms(), min_size=2, max_size=8))
def test_variants_are_compared_with_each_other_by_the_chi_square_test(several: list[Arm]) -> None:
    result = spread(several)
    assert isinstance(result, Spread)
    conversions = sum(a.conversions for a in several)
    if 0 < conversions < sum(a.users for a in several):
        assert result.p_value == pytest.approx(p_of_scipy(*several), rel=1e-6, abs=1e-300)
    else:
        assert result.p_value == 1


# As published


@pytest.mark.parametrize(
    ("counts", "low", "high"),
    [
        ((56, 70, 48, 80), 0.0524, 0.3339),
        ((9, 10, 3, 10), 0.1705, 0.8090),
        ((6, 7, 2, 7), 0.0582, 0.8062),
        ((5, 56, 0, 29), -0.0381, 0.1926),
        ((0, 10, 0, 20), -0.1611, 0.2775),
        ((0, 10, 0, 10), -0.2775, 0.2775),
        ((10, 10, 0, 20), 0.6791, 1.0000),
        ((10, 10, 0, 10), 0.6075, 1.0000),
    ],
)
def test_the_interval_of_the_difference_is_that_of_newcombe_1998(
    counts: tuple[int, ...], low: float, high: float
) -> None:
    interval = difference_interval(arm(*counts[:2]), control(*counts[2:]))
    assert close(interval, abs=5e-5) == (low, high)


def test_several_p_values_are_adjusted_step_by_step() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.6]) == [1, 1]
    assert holm([0.2]) == [0.2]
    assert holm([]) == []


# What must hold for all counts


@given(arms(), arms())
def test_an_interval_contains_its_estimate_and_only_what_can_be(treated: Arm, against: Arm) -> None:
    result = compared(treated, against)
    assert -1 <= result.interval.low <= result.difference <= result.interval.high <= 1
    assert result.interval.low < result.interval.high
    assert 0 <= result.p_value <= 1
    assert isfinite(result.p_value)
    rate = rate_interval(treated.conversions, treated.users)
    assert 0 <= rate.low <= treated.rate <= rate.high <= 1
    if result.lift is not None and result.lift_interval is not None:
        assert -1 <= result.lift_interval.low <= result.lift <= result.lift_interval.high


@given(arms(), arms())
def test_the_arms_exchanged_give_the_opposite(treated: Arm, against: Arm) -> None:
    there, back = compared(treated, against), compared(against, treated)
    assert back.difference == -there.difference
    assert close(back.interval) == (-there.interval.high, -there.interval.low)
    assert back.p_value == pytest.approx(there.p_value)


@given(arms(), arms())
def test_the_p_value_and_the_interval_tell_the_same_story(treated: Arm, against: Arm) -> None:
    result = compared(treated, against)
    excludes_zero = result.interval.low > 0 or result.interval.high < 0
    # Between these, two good approximations may differ.
    if result.p_value < 0.01:
        assert excludes_zero
    if result.p_value > 0.1:
        assert not excludes_zero


@given(arms(), arms())
def test_a_conversion_more_makes_a_better_arm_better(treated: Arm, against: Arm) -> None:
    if treated.rate < against.rate or treated.conversions == treated.users:
        return
    less = compared(treated, against)
    more = compared(arm(treated.conversions + 1, treated.users), against)
    assert more.difference > less.difference
    assert more.interval.low > less.interval.low
    assert more.p_value <= less.p_value * (1 + 1e-9)


@given(arms(1000), arms(1000))
def test_ten_times_the_users_make_it_surer(treated: Arm, against: Arm) -> None:
    few = compared(treated, against)
    many = compared(*(arm(10 * a.conversions, 10 * a.users) for a in (treated, against)))
    assert few.interval.low <= many.interval.low < many.interval.high <= few.interval.high
    assert many.p_value <= few.p_value


@given(st.lists(st.floats(0, 1), max_size=8))
def test_adjusted_p_values_keep_their_order_and_are_no_smaller(p_values: list[float]) -> None:
    adjusted = holm(p_values)
    assert all(p <= after <= 1 for p, after in zip(p_values, adjusted, strict=True))
    in_order = [after for _, after in sorted(zip(p_values, adjusted, strict=True))]
    assert in_order == sorted(adjusted)


@pytest.mark.parametrize("rates", [(0.01, 0.01), (0.02, 0.01), (0.1, 0.05), (0.5, 0.4), (0.99, 1)])
def test_the_interval_covers_the_truth_nearly_as_often_as_it_claims(
    rates: tuple[float, float],
) -> None:
    covered = 0.0
    chances = [binom.pmf(range(101), 100, rate) for rate in rates]
    for x in range(101):
        for y in range(101):
            interval = difference_interval(arm(x, 100), control(y, 100))
            if interval.low <= rates[0] - rates[1] <= interval.high:
                covered += chances[0][x] * chances[1][y]
    assert covered > 0.94


# Where there is little to go by


def test_an_arm_of_few_users_is_not_compared() -> None:
    few, enough = control(9, 99), arm(12, 100)
    assert uplift(enough, few) == NotEnoughData((few,))
    assert uplift(few, enough) == NotEnoughData((few,))
    assert uplift(few, few) == NotEnoughData((few, few))
    assert spread([enough, enough, few]) == NotEnoughData((few,))
    assert isinstance(uplift(enough, control(9, 100)), Uplift)


@pytest.mark.parametrize("share", [0, 1])
def test_arms_that_are_all_the_same_still_have_an_interval(share: int) -> None:
    result = compared(arm(100 * share, 100), control(400 * share, 400))
    assert result.p_value == 1
    assert result.difference == 0
    assert -0.04 < result.interval.low < -0.009
    assert 0.009 < result.interval.high < 0.04
    assert result.lift_interval is None


def test_arms_of_one_rate_give_no_sign_of_a_difference() -> None:
    result = compared(arm(7, 100), control(21, 300))
    assert (result.difference, result.p_value) == (0, 1)


def test_nothing_can_be_relative_to_no_conversions() -> None:
    result = compared(arm(5, 100), control(0, 100))
    assert result.lift is None
    assert result.lift_interval is None
    assert result.p_value < 0.05


def test_of_nobody_every_rate_is_possible() -> None:
    assert rate_interval(0, 0) == Interval(0, 1)


@pytest.mark.parametrize(("conversions", "users"), [(6, 5), (-1, 5), (0, -1), (-2, -1)])
def test_counts_that_cannot_be_are_refused(conversions: int, users: int) -> None:
    with pytest.raises(ValueError, match=f"{conversions} of {users} users converted"):
        arm(conversions, users)
    with pytest.raises(ValueError, match=f"{conversions} of {users} users converted"):
        rate_interval(conversions, users)


def test_one_variant_cannot_be_compared_with_itself() -> None:
    with pytest.raises(ValueError, match="at least two"):
        spread([arm(10, 100)])


# Several variants


def test_each_variant_is_compared_with_the_control_and_adjusted() -> None:
    variants = [arm(130, 1000), arm(125, 1000), arm(1, 10)]
    against = control(100, 1000)
    first, second, few = compare_variants(variants, against)
    raw = [compared(variant, against) for variant in variants[:2]]
    assert isinstance(first, Uplift)
    assert isinstance(second, Uplift)
    assert [first.p_value, second.p_value] == [2 * raw[0].p_value, raw[1].p_value]
    assert first.interval == raw[0].interval
    assert few == NotEnoughData((variants[2],))


def test_a_single_variant_needs_no_adjustment() -> None:
    variant, against = arm(130, 1000), control(100, 1000)
    assert compare_variants([variant], against) == [uplift(variant, against)]


# Sentences


@pytest.mark.parametrize(
    ("treated", "against", "words"),
    [
        (
            arm(468, 3900),
            control(390, 3900),
            "12.0 % against 10.0 % in the control group: "
            "+2.0 points (95 % interval 0.6 to 3.4), p = 0.0048.",
        ),
        (
            arm(90, 1000),
            control(1250, 10_000),
            "9.0 % against 12.5 % in the control group: "
            "-3.5 points (95 % interval -5.3 to -1.5), p = 0.0013.",
        ),
        (
            arm(5200, 1_000_000),
            control(5000, 1_000_000),
            "0.520 % against 0.500 % in the control group: "
            "+0.020 points (95 % interval 0.000 to 0.040), p = 0.047.",
        ),
        (
            arm(0, 100),
            control(0, 100),
            "0.0 % against 0.0 % in the control group: "
            "+0.0 points (95 % interval -3.7 to 3.7), p = 1.",
        ),
        (
            arm(100, 100),
            control(0, 100),
            "100.0 % against 0.0 % in the control group: "
            "+100.0 points (95 % interval 94.8 to 100.0), p < 0.001.",
        ),
    ],
)
def test_an_uplift_is_told_in_a_sentence(treated: Arm, against: Arm, words: str) -> None:
    assert sentence(uplift(treated, against)) == words


def test_the_sentence_says_what_a_p_value_was_adjusted_for() -> None:
    results = compare_variants([arm(130, 1000), arm(125, 1000)], control(100, 1000))
    assert sentence(results[0]).endswith("p = 0.071 adjusted for 2 variants.")


def test_the_sentence_names_the_arms_with_too_few_users() -> None:
    few = control(3, 40)
    assert sentence(uplift(arm(9, 100), few)) == (
        "Not enough data: the control group has 40 users; 100 are needed."
    )
    assert sentence(uplift(arm(0, 1), few)) == (
        "Not enough data: variant A has 1 user, the control group has 40 users; 100 are needed."
    )


def test_variants_without_a_control_are_told_in_one_sentence() -> None:
    variants = [arm(120, 1000), arm(100, 1000, "variant B"), arm(80, 1000, "variant C")]
    assert sentence(spread(variants)) == (
        "12.0 % in variant A, 10.0 % in variant B, 8.0 % in variant C: "
        "p = 0.012 for no difference between them."
    )


# How many users a comparison takes


@pytest.mark.parametrize(
    ("rate", "wanted", "published"),
    [(0.05, 0.06, 8_158), (0.10, 0.15, 686), (0.5, 0.6, 388)],
)
def test_the_users_needed_are_those_of_the_textbook(
    rate: float, wanted: float, published: int
) -> None:
    assert users_needed(rate, wanted) == published  # Fleiss, for 80 % power at 5 %
    assert users_needed(wanted, rate) == published


def test_no_number_of_users_tells_equal_rates_apart() -> None:
    with pytest.raises(ValueError, match="two different rates"):
        users_needed(0.05, 0.05)
