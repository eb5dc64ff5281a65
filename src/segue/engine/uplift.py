"""What a campaign added: conversion rates of arms compared, with how sure that is (semantics.md 7).

It compares counts, whichever conversion they are of; who belongs to an arm is decided elsewhere.
All intervals are 95 % intervals, all p-values two-sided.
"""

from collections.abc import Sequence
from math import ceil, erfc, exp, floor, gamma, hypot, log, log10, sqrt
from statistics import NormalDist
from typing import Final, assert_never

from msgspec import Struct
from msgspec.structs import replace

from segue.model.limits import UPLIFT_USERS_MIN

_Z: Final = NormalDist().inv_cdf(0.975)  # 95 % lie within so many standard deviations
_Z_POWER: Final = NormalDist().inv_cdf(0.8)  # the power of tests that are planned
_P_SHOWN_MIN: Final = 0.001  # below it a p-value is no longer a number that says something


class Arm(Struct, frozen=True):
    """Users who had the same treatment, and how many of them converted at least once.

    The name is as a sentence says it, such as "variant A" or "the control group".
    """

    name: str
    users: int
    conversions: int

    def __post_init__(self) -> None:
        """Refuse counts that cannot be."""
        _check_counts(self.conversions, self.users)

    @property
    def rate(self) -> float:
        """The share of the users who converted."""
        return self.conversions / self.users


class Interval(Struct, frozen=True):
    """The values that the data do not speak against."""

    low: float
    high: float


class Uplift(Struct, frozen=True):
    """The treated arm against the control: the difference of their rates, and the relative lift.

    The lift is None where nobody in the control converted; its interval is also None where nobody
    in the treated arm did, or everybody in either. The p-value is adjusted for the number of
    `comparisons` made at once; the intervals are not.
    """

    treated: Arm
    control: Arm
    difference: float
    interval: Interval
    lift: float | None
    lift_interval: Interval | None
    p_value: float
    comparisons: int = 1


class Spread(Struct, frozen=True):
    """Variants against each other: the p-value of all having the same rate."""

    variants: tuple[Arm, ...]
    p_value: float


class NotEnoughData(Struct, frozen=True):
    """These arms have too few users for a comparison to say anything."""

    arms: tuple[Arm, ...]


def uplift(treated: Arm, control: Arm) -> Uplift | NotEnoughData:
    """Compare a treated arm with the control group."""
    if missing := _not_enough((treated, control)):
        return missing
    return Uplift(
        treated,
        control,
        difference=treated.rate - control.rate,
        interval=difference_interval(treated, control),
        lift=treated.rate / control.rate - 1 if control.conversions else None,
        lift_interval=_lift_interval(treated, control),
        p_value=_p_value((treated, control)),
    )


def compare_variants(variants: Sequence[Arm], control: Arm) -> list[Uplift | NotEnoughData]:
    """Compare each variant with the control group, in the order given.

    Of several variants one is soon far from the control by chance, hence Holm's adjustment.
    """
    results = [uplift(variant, control) for variant in variants]
    tested = [result for result in results if isinstance(result, Uplift)]
    adjusted = iter(holm([result.p_value for result in tested]))
    return [
        replace(result, p_value=next(adjusted), comparisons=len(tested))
        if isinstance(result, Uplift)
        else result
        for result in results
    ]


def spread(variants: Sequence[Arm]) -> Spread | NotEnoughData:
    """Compare two or more variants with each other, where there is no control group."""
    if len(variants) <= 1:
        message = f"{len(variants)} variants: give at least two, to compare with each other"
        raise ValueError(message)
    return _not_enough(variants) or Spread(tuple(variants), _p_value(variants))


def users_needed(rate: float, wanted: float) -> int:
    """Return how many users each of two arms needs, so that their difference is likely seen.

    The two-proportion formula of a two-sided test at 5 % that finds the difference with a chance
    of 80 %: the variance is pooled where nothing differs, and each arm's own where it does.
    """
    if not 0 < rate < 1 or not 0 < wanted < 1 or rate == wanted:
        message = f"{rate} against {wanted}: give two different rates between 0 and 1"
        raise ValueError(message)
    mean = (rate + wanted) / 2
    spread_of_none = _Z * sqrt(2 * mean * (1 - mean))
    spread_of_some = _Z_POWER * sqrt(rate * (1 - rate) + wanted * (1 - wanted))
    return ceil(((spread_of_none + spread_of_some) / (wanted - rate)) ** 2)


def rate_interval(conversions: int, users: int) -> Interval:
    """Return Wilson's interval of a rate; of nobody, nothing is known.

    The textbook's interval (Wald's) has no width when nobody or everybody converted, and covers
    the truth too rarely near there, which is where conversion rates are.
    """
    _check_counts(conversions, users)
    if users == 0:
        return Interval(0.0, 1.0)
    rate = conversions / users
    centre = (conversions + _Z**2 / 2) / (users + _Z**2)
    reach = _Z / (users + _Z**2) * sqrt(conversions * (1 - rate) + _Z**2 / 4)
    # Rounding must not push 0 or 1, or the rate itself, out of its own interval.
    return Interval(max(0.0, min(rate, centre - reach)), min(1.0, max(rate, centre + reach)))


def difference_interval(treated: Arm, control: Arm) -> Interval:
    """Return Newcombe's hybrid score interval of the difference of two rates (1998, method 10).

    It is made of Wilson's intervals, so it holds near 0 and 1, where Wald's fails: it never
    leaves −1 to 1, and has a width even when nobody in either arm converted.
    """
    of_treated = rate_interval(treated.conversions, treated.users)
    of_control = rate_interval(control.conversions, control.users)
    difference = treated.rate - control.rate
    below = hypot(treated.rate - of_treated.low, of_control.high - control.rate)
    above = hypot(of_treated.high - treated.rate, control.rate - of_control.low)
    return Interval(difference - below, difference + above)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return the p-values adjusted for there being several, by Holm's step-down method."""
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        highest = max(highest, (len(p_values) - rank) * p_values[index])
        adjusted[index] = min(1.0, highest)
    return adjusted


def chi_square_survival(statistic: float, dof: int) -> float:
    """Return the chance that a chi-square variable of `dof` degrees of freedom exceeds `statistic`.

    It is the regularised upper incomplete gamma function Q(dof / 2, statistic / 2), which for
    whole `dof` is a finite sum: Q(0, x) = 0, Q(1/2, x) = erfc(√x) and
    Q(a + 1, x) = Q(a, x) + xᵃ e⁻ˣ / Γ(a + 1). No term is negative, so even a
    tiny chance keeps its digits.
    """
    x = statistic / 2
    half = dof % 2 / 2
    chance = erfc(sqrt(x)) if half else 0.0
    for whole in range(dof // 2):
        chance += x ** (half + whole) * exp(-x) / gamma(half + whole + 1)
    return min(1.0, chance)


def sentence(result: Uplift | Spread | NotEnoughData) -> str:
    """Return the result as a sentence for people."""
    match result:
        case Uplift():
            return _uplift_sentence(result)
        case Spread(variants, p_value):
            intervals = (rate_interval(arm.conversions, arm.users) for arm in variants)
            digits = max(map(_digits, intervals))
            rates = ", ".join(f"{_percent(arm.rate, digits)} in {arm.name}" for arm in variants)
            return f"{rates}: {_p_text(p_value)} for no difference between them."
        case NotEnoughData(arms):
            counts = (f"{a.name} has {a.users} user{'' if a.users == 1 else 's'}" for a in arms)
            return f"Not enough data: {', '.join(counts)}; {UPLIFT_USERS_MIN} are needed."
        case _:
            assert_never(result)


def _check_counts(conversions: int, users: int) -> None:
    if not 0 <= conversions <= users:
        message = f"{conversions} of {users} users converted: give 0 or more, and each user once"
        raise ValueError(message)


def _not_enough(arms: Sequence[Arm]) -> NotEnoughData | None:
    few = tuple(arm for arm in arms if arm.users < UPLIFT_USERS_MIN)
    return NotEnoughData(few) if few else None


def _p_value(arms: Sequence[Arm]) -> float:
    """Return the p-value of Pearson's chi-square test that all arms have the same rate.

    With two arms this is the pooled two-proportion z-test: the statistic is the square of its z.
    """
    users = sum(arm.users for arm in arms)
    conversions = sum(arm.conversions for arm in arms)
    if conversions in (0, users):
        return 1.0  # nothing tells the arms apart; the statistic itself would be 0 / 0
    # Multiplied out to whole numbers, so that arms of the same rate give exactly 0.
    statistic = sum(
        (arm.conversions * users - arm.users * conversions) ** 2
        / (arm.users * conversions * (users - conversions))
        for arm in arms
    )
    return chi_square_survival(statistic, len(arms) - 1)


def _lift_interval(treated: Arm, control: Arm) -> Interval | None:
    """Return Katz's interval: the logarithm of a ratio of rates is nearly normal.

    Its variance fails where an arm has no conversions or nothing else.
    """
    arms = (treated, control)
    if not all(0 < arm.conversions < arm.users for arm in arms):
        return None
    centre = log(treated.rate / control.rate)
    reach = _Z * sqrt(sum(1 / arm.conversions - 1 / arm.users for arm in arms))
    return Interval(exp(centre - reach) - 1, exp(centre + reach) - 1)


def _uplift_sentence(result: Uplift) -> str:
    digits = _digits(result.interval)
    low, high = (f"{100 * end:z.{digits}f}" for end in (result.interval.low, result.interval.high))
    several = f" adjusted for {result.comparisons} variants" if result.comparisons > 1 else ""
    return (
        f"{_percent(result.treated.rate, digits)} against {_percent(result.control.rate, digits)}"
        f" in {result.control.name}: {100 * result.difference:+z.{digits}f} points"
        f" (95 % interval {low} to {high}), {_p_text(result.p_value)}{several}."
    )


def _digits(interval: Interval) -> int:
    """Return how many decimals of a percentage tell the ends of its interval apart, at least 1."""
    return max(1, 1 - floor(log10(100 * (interval.high - interval.low))))


def _percent(rate: float, digits: int) -> str:
    return f"{100 * rate:.{digits}f} %"


def _p_text(p_value: float) -> str:
    return f"p = {p_value:.2g}" if p_value >= _P_SHOWN_MIN else f"p < {_P_SHOWN_MIN}"
