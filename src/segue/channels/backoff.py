"""When to try a message again: a policy that answers with an instant, or gives up."""

from typing import Final

from segue.model.channels import Channel
from segue.model.instants import HOUR, MINUTE, SECOND
from segue.model.limits import EMAIL_RETRY_WINDOW, WEBHOOK_ATTEMPTS_MAX, WEBHOOK_RETRY_WINDOW

_EMAIL_PAUSE_MIN: Final = MINUTE
_EMAIL_PAUSE_MAX: Final = 4 * HOUR
_OTHER_PAUSE_MIN: Final = 2 * SECOND


def next_attempt(
    channel: Channel,
    attempts: int,
    first_attempt_at: int,
    now: int,
    retry_after_s: float | None,
    jitter: float,
) -> int | None:
    """Return when to try again after `attempts` tries, or None to give up.

    Pauses double; `jitter` (0 to 1) takes up to a half off, so that many do not come back at
    once. A provider's own wish is honoured where it asks for more (channel-facts.md 1.6, 6.11).
    """
    if channel == "email":
        pause = min(_EMAIL_PAUSE_MIN << min(attempts - 1, 20), _EMAIL_PAUSE_MAX)
        window = EMAIL_RETRY_WINDOW
    else:
        if attempts >= WEBHOOK_ATTEMPTS_MAX:
            return None
        pause = _OTHER_PAUSE_MIN << 2 * (attempts - 1)
        window = WEBHOOK_RETRY_WINDOW
    pause = int(pause * (1 - jitter / 2))
    if retry_after_s is not None:
        pause = max(pause, int(retry_after_s * SECOND))
    again_at = now + pause
    return again_at if again_at <= first_attempt_at + window else None
