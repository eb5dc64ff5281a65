"""What a comparison of variants comes to, for somebody who does not read p-values."""

from typing import Final, assert_never

from segue.model.limits import UPLIFT_USERS_MIN
from segue.services.comparisons import Compared, Comparison

_SURE: Final = 0.05  # above it, chance alone is too good an explanation
_ONCE_IN_MAX: Final = 1_000


def plain_words(one: Comparison, of: Compared) -> str:
    """Return what a comparison says, without statistics."""
    match one.outcome:
        case "uplift":
            return _uplift_words(one)
        case "spread":
            p_value = one.p_value if one.p_value is not None else 1.0
            if p_value < _SURE:
                return f"The variants differ. If they did not, {_chance(p_value)}."
            return f"The variants may well be alike: if they are, {_chance(p_value)}."
        case "not_enough_data":
            missing = [
                f"{_arm(arm.variant)} needs about {UPLIFT_USERS_MIN - arm.users:,} more users"
                for arm in of.arms
                if arm.users < UPLIFT_USERS_MIN
            ]
            return f"Not enough data yet: {', '.join(missing)}."
        case "nothing_to_compare":
            return one.sentence
        case _:
            assert_never(one.outcome)


def _uplift_words(one: Comparison) -> str:
    difference, p_value = one.difference or 0.0, one.p_value if one.p_value is not None else 1.0
    arm = _arm(one.variant or "")
    arm = arm[0].upper() + arm[1:]
    if difference == 0:
        return f"{arm} converts as often as sending nothing."
    points = f"{abs(100 * difference):.2g}"
    points += " point" if points == "1" else " points"
    direction = "more" if difference > 0 else "less"
    if p_value < _SURE:
        said = f"{arm} converts {points} {direction} than sending nothing."
        return f"{said} If it made no difference, {_chance(p_value)}."
    said = f"{arm} converted {points} {direction} than sending nothing, which may well be chance"
    return f"{said}: if it made no difference, {_chance(p_value)}."


def _chance(p_value: float) -> str:
    if p_value * _ONCE_IN_MAX < 1:
        return f"it would look like this less than 1 time in {_ONCE_IN_MAX:,}"
    if p_value > 0.5:  # noqa: PLR2004 - more often than not
        return "it would look like this most of the time"
    return f"it would look like this 1 time in {round(1 / p_value):,}"


def _arm(variant: str) -> str:
    return "the control group" if variant == "control" else f"variant {variant}"
