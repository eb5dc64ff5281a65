"""What analytics are shown with: changes since the period before, how many users are missing."""

from typing import Final

from segue.engine.uplift import users_needed
from segue.model.state import CONTROL_VARIANT
from segue.services.comparisons import Compared, Comparison, ShownArm

_SURE: Final = 0.05
_DIGITS: Final = 2  # of a number of users that is an estimate
_USERS_MAX: Final = 10_000_000  # more is as good as never


def change_words(now: int, before: int) -> str:
    """Return how a number differs from that of the period before."""
    if now == before:
        return "as before" if now else "none before either"
    if not before:
        return "none before"
    change = 100 * (now - before) / before
    shown = f"{abs(change):.0f}" if abs(change) >= 1 else "under 1"
    return f"{shown} % {'more' if change > 0 else 'less'} than {before:,} before"


def missing_words(one: Comparison, of: Compared) -> str:
    """Return how many users it takes to tell a difference like this one from chance; or ""."""
    if one.outcome != "uplift" or one.p_value is None or one.p_value < _SURE:
        return ""
    arms = {arm.variant: arm for arm in of.arms}
    treated, control = arms.get(one.variant or ""), arms.get(CONTROL_VARIANT)
    needed = _needed(treated, control)
    if treated is None or control is None or needed is None:
        return ""
    missing = max(needed - treated.users, 0) + max(needed - control.users, 0)
    if not missing:
        return ""
    if missing > _USERS_MAX:
        return "So small a difference could hardly be told from chance with any number of users."
    return (
        f"Not enough data yet: about {_rounded(missing):,} more users needed to tell a difference "
        "like this from chance."
    )


def _needed(treated: ShownArm | None, control: ShownArm | None) -> int | None:
    """Return how many users each arm needs, if their rates are what they are now."""
    if treated is None or control is None or treated.rate is None or control.rate is None:
        return None
    rates = treated.rate, control.rate
    if treated.rate == control.rate or not all(0 < rate < 1 for rate in rates):
        return None
    return users_needed(control.rate, treated.rate)


def _rounded(count: int) -> int:
    return round(count, _DIGITS - len(str(count)))
