"""A provider's rate limit as a token bucket: each message takes its turn, and waits for it."""

import math

from segue.model.instants import SECOND


class Throttle:
    """Gives turns: a second's worth at once after a rest, then evenly; None is no limit."""

    def __init__(self, per_second_max: float | None) -> None:
        self._pause = 0.0 if per_second_max is None else SECOND / per_second_max
        self._burst = 0.0 if per_second_max is None else max(SECOND - self._pause, 0.0)
        self._full_at = 0.0  # when the bucket would be full again; the turns given reach so far

    def turn(self, now: int, count: int = 1) -> int:
        """Return when `count` more calls may be made, `now` or later; the turn is taken.

        They are made together, so their pauses follow them.
        """
        at = max(now, self._full_at - self._burst)
        self._full_at = max(self._full_at, at) + count * self._pause
        return math.ceil(at)
