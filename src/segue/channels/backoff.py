"""When to try a message again: a policy that answers with an instant, or gives up."""

import math
from typing import Final

from segue.model.channels import Channel
from segue.model.instants import HOUR, MINUTE, SECOND
from segue.model.limits import EMAIL_RETRY_WINDOW, WEBHOOK_ATTEMPTS_MAX, WEBHOOK_RETRY_WINDOW

# A greylisting server wants a minute at least; beyond four hours a mail is old news.
_EMAIL_PAUSE_MIN: Final = MINUTE
_EMAIL_PAUSE_MAX: Final = 4 * HOUR
_EMAIL_GROWTH: Final = 2
# Five pauses of 4, 16, 64, 256 and 1,024 seconds at the most: 23 of the 30 minutes.
_OTHER_PAUSE_MIN: Final = SECOND
_OTHER_GROWTH: Final = 4
_EXPONENT_MAX: Final = 20  # far beyond every window


def next_attempt(
    channel: Channel,
    attempts: int,
    first_attempt_at: int,
    now: int,
    retry_after_s: float | None,
    jitter: float,
) -> int | None:
    """Return when to try again after `attempts` tries, or None to give up.

    The longest pause doubles for email and quadruples otherwise; `jitter` (0 to 1) picks anywhere
    between the shortest and it, so that many do not come back at once. A provider's own wish is
    honoured where it asks for more. The last email try is at the end of its window, not hours
    before it (channel-facts.md 1.6, 6.11).
    """
    if channel == "email":
        window = EMAIL_RETRY_WINDOW
        pause = _pause(_EMAIL_PAUSE_MIN, _EMAIL_GROWTH, _EMAIL_PAUSE_MAX, attempts, jitter)
    else:
        if attempts >= WEBHOOK_ATTEMPTS_MAX:
            return None
        window = WEBHOOK_RETRY_WINDOW
        pause = _pause(_OTHER_PAUSE_MIN, _OTHER_GROWTH, WEBHOOK_RETRY_WINDOW, attempts, jitter)
    rest = first_attempt_at + window - now
    wished = _wish(retry_after_s, rest)
    if channel == "email" and rest >= _EMAIL_PAUSE_MIN:
        pause = min(pause, rest)
    pause = max(pause, wished)
    return now + pause if pause <= rest else None


def _pause(shortest: int, growth: int, longest: int, attempts: int, jitter: float) -> int:
    exponent = min(max(attempts, 1), _EXPONENT_MAX)
    ceiling = min(shortest * growth**exponent, longest)
    return shortest + int((ceiling - shortest) * jitter)


def _wish(retry_after_s: float | None, rest: int) -> int:
    """Return the provider's wish in microseconds; one beyond the rest is only "too long"."""
    if retry_after_s is None or math.isnan(retry_after_s):
        return 0
    return int(max(0.0, min(retry_after_s * SECOND, rest + 1.0)))
