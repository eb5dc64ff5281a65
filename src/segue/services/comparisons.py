"""A campaign's variants compared, for each conversion event, as people and programs read it.

Users are compared, not conversions: each belongs to the arm of the first receipt, and has
converted or not. A comparison is of the whole life of the campaign, whatever period is shown.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, assert_never

from msgspec import Struct

from segue.engine.plan import LETTERS
from segue.engine.uplift import (
    Arm,
    NotEnoughData,
    Spread,
    Uplift,
    compare_variants,
    rate_interval,
    sentence,
    spread,
)
from segue.model.campaigns import Campaign
from segue.model.state import CONTROL_VARIANT

Outcome = Literal["uplift", "spread", "not_enough_data", "nothing_to_compare"]


class ShownArm(Struct, frozen=True):
    """A variant or the control group: its users, those who converted, the rate and its interval."""

    variant: str
    users: int
    conversions: int
    rate: float | None  # None of nobody
    rate_low: float
    rate_high: float


class Comparison(Struct, frozen=True, omit_defaults=True):
    """What a variant added over the control group; or, without one, whether the variants differ.

    Rates, differences and lifts are shares: 0.02 is two points of a hundred, or two per cent.
    """

    outcome: Outcome
    sentence: str
    variant: str | None = None  # None: of all variants against each other
    difference: float | None = None
    difference_low: float | None = None
    difference_high: float | None = None
    lift: float | None = None
    lift_low: float | None = None
    lift_high: float | None = None
    p_value: float | None = None
    comparisons: int | None = None  # made at once; the p-value is adjusted for their number


class Compared(Struct, frozen=True):
    """The arms and the comparisons of one conversion event."""

    conversion_event: str
    arms: list[ShownArm]
    comparisons: list[Comparison]


def compare(
    document: Campaign,
    variants: Sequence[str],
    users: Mapping[str, int],
    converted: Mapping[tuple[str, str], int],
) -> list[Compared]:
    """Compare the variants for each conversion event.

    `users` are those of each arm, `converted` those of each arm and conversion event.
    """
    has_control = document.control_percent > 0 or users.get(CONTROL_VARIANT, 0) > 0
    arms = [*variants, *([CONTROL_VARIANT] if has_control else [])]
    compared = []
    for number, letter in enumerate(LETTERS):
        if number < len(document.conversions) or any(letter == one for _, one in converted):
            counts = [Arm(_named(v), users.get(v, 0), converted.get((v, letter), 0)) for v in arms]
            shown = [_shown(variant, arm) for variant, arm in zip(arms, counts, strict=True)]
            comparisons = _compared(variants, counts[: len(variants)], counts[len(variants) :])
            compared.append(Compared(letter, shown, comparisons))
    return compared


def _named(variant: str) -> str:
    return "the control group" if variant == CONTROL_VARIANT else f"variant {variant}"


def _shown(variant: str, arm: Arm) -> ShownArm:
    interval = rate_interval(arm.conversions, arm.users)
    rate = arm.rate if arm.users else None
    return ShownArm(variant, arm.users, arm.conversions, rate, interval.low, interval.high)


def _compared(
    variants: Sequence[str], arms: Sequence[Arm], control: Sequence[Arm]
) -> list[Comparison]:
    if control:
        results = compare_variants(arms, control[0])
        return [_comparison(name, one) for name, one in zip(variants, results, strict=True)]
    if len(arms) > 1:
        return [_comparison(None, spread(arms))]
    message = "Nothing to compare: there is neither a control group nor a second variant."
    return [Comparison("nothing_to_compare", message)]


def _comparison(variant: str | None, result: Uplift | Spread | NotEnoughData) -> Comparison:
    said = sentence(result)
    match result:
        case Uplift():
            lift = result.lift_interval
            return Comparison(
                "uplift",
                said,
                variant,
                difference=result.difference,
                difference_low=result.interval.low,
                difference_high=result.interval.high,
                lift=result.lift,
                lift_low=lift.low if lift is not None else None,
                lift_high=lift.high if lift is not None else None,
                p_value=result.p_value,
                comparisons=result.comparisons,
            )
        case Spread():
            return Comparison("spread", said, p_value=result.p_value)
        case NotEnoughData():
            return Comparison("not_enough_data", said, variant)
        case _:
            assert_never(result)
