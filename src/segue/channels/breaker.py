"""Circuit breakers: a provider that is down is left alone for a while, then asked by one message.

While a breaker is open, messages are tried later without a call, and so without waiting for
the provider's timeout.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable

from segue.channels.sender import Accepted, Answer, Refused, TryLater, Unknown
from segue.clock import Clock
from segue.model.instants import SECOND
from segue.model.limits import (
    BREAKER_FAILURES_MAX,
    BREAKER_PAUSE,
    BREAKER_PAUSE_MAX,
    BREAKERS_MAX,
)


class Breaker:
    """The breaker of one provider: open after so many failures in a row, or when it asks to be."""

    def __init__(self, name: str, clock: Clock) -> None:
        self._name = name
        self._clock = clock
        self._failures = 0
        self._open_until_s: float | None = None

    @property
    def left_s(self) -> float:
        """For how long it is still left alone; 0 where it is not."""
        if self._open_until_s is None:
            return 0.0
        return max(self._open_until_s - self._clock.monotonic(), 0.0)

    async def guard(self, call: Callable[[], Awaitable[Answer]]) -> Answer:
        """Make a call, unless the breaker is open, and learn from the answer.

        When the pause is over, one call is let through; the others wait for what comes of it.
        """
        now_s = self._clock.monotonic()
        if self._open_until_s is not None:
            left_s = self._open_until_s - now_s
            if left_s > 0:
                detail = f"{self._name} was down, and is left alone for a while"
                return TryLater(detail, left_s, is_outage=True, was_asked=False)
            self._open_until_s = now_s + BREAKER_PAUSE / SECOND
        answer = await call()
        self._learn(answer)
        return answer

    def _learn(self, answer: Answer) -> None:
        match answer:
            case TryLater(is_outage=True, retry_after_s=wish_s):
                self._fail(wish_s)
            case Unknown():
                self._fail(None)
            case Accepted() | Refused() | TryLater():
                self._failures = 0
                self._open_until_s = None

    def _fail(self, wish_s: float | None) -> None:
        self._failures += 1
        is_down = self._open_until_s is not None or self._failures >= BREAKER_FAILURES_MAX
        pause_s = max(BREAKER_PAUSE / SECOND if is_down else 0.0, wish_s or 0.0)
        if pause_s > 0:
            until_s = self._clock.monotonic() + min(pause_s, BREAKER_PAUSE_MAX / SECOND)
            self._open_until_s = max(until_s, self._open_until_s or 0.0)


class Breakers:
    """Breakers by name; of too many, the one used longest ago is forgotten."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._breakers: OrderedDict[str, Breaker] = OrderedDict()

    def resting(self) -> dict[str, float]:
        """Return those that are left alone at present, and for how many seconds still."""
        return {name: one.left_s for name, one in self._breakers.items() if one.left_s > 0}

    async def guard(self, name: str, call: Callable[[], Awaitable[Answer]]) -> Answer:
        """Make a call behind the breaker of a name."""
        breaker = self._breakers.setdefault(name, Breaker(name, self._clock))
        self._breakers.move_to_end(name)
        while len(self._breakers) > BREAKERS_MAX:
            self._breakers.popitem(last=False)
        return await breaker.guard(call)
