"""The only reader of time and randomness in the program.

Everything that needs either takes a `Clock`, so that a test or a simulation can hand it another.
"""

import asyncio
import secrets
import time
from typing import Protocol


class Clock(Protocol):
    """Where a program gets its time and its randomness from."""

    def now(self) -> int:
        """The wall-clock instant in microseconds since 1970, UTC."""

    def monotonic(self) -> float:
        """Seconds that never go back, for measuring how long something took."""

    def token(self, byte_count: int) -> bytes:
        """Unpredictable bytes, fit for keys and secrets."""

    def jitter(self) -> float:
        """A number from 0 (included) to 1 (excluded), to spread retries."""

    async def sleep(self, seconds: float) -> None:
        """Let other tasks run for `seconds`."""


class SystemClock:
    """The machine's own clock and random source."""

    def now(self) -> int:
        """Return the machine's wall-clock instant in microseconds since 1970, UTC."""
        return time.time_ns() // 1_000

    def monotonic(self) -> float:
        """Return the machine's monotonic clock in seconds."""
        return time.perf_counter()

    def token(self, byte_count: int) -> bytes:
        """Return bytes of the operating system's random source."""
        return secrets.token_bytes(byte_count)

    def jitter(self) -> float:
        """Return a random fraction below 1."""
        return secrets.randbelow(1 << 30) / (1 << 30)

    async def sleep(self, seconds: float) -> None:
        """Sleep on the running event loop."""
        await asyncio.sleep(seconds)


class FixedClock:
    """A clock that a test moves by hand; its randomness is a counter."""

    def __init__(self, now: int = 0) -> None:
        self._now = now
        self._drawn = 0

    def now(self) -> int:
        """Return the instant it was last set to."""
        return self._now

    def monotonic(self) -> float:
        """Return the same instant, in seconds."""
        return self._now / 1_000_000

    def advance(self, microseconds: int) -> None:
        """Move the clock forward."""
        self._now += microseconds

    def token(self, byte_count: int) -> bytes:
        """Return bytes that differ at every call and repeat in every run."""
        self._drawn += 1
        return self._drawn.to_bytes(byte_count, "big")

    def jitter(self) -> float:
        """Return the middle of the range."""
        return 0.5

    async def sleep(self, seconds: float) -> None:
        """Move the clock by `seconds` and let other tasks run once."""
        self._now += int(seconds * 1_000_000)
        await asyncio.sleep(0)


class SkippingClock:
    """A clock that goes as another one does, and can be moved forward; never back."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.ahead = 0  # microseconds skipped so far

    def now(self) -> int:
        """Return the other clock's instant, and what was skipped so far."""
        return self._clock.now() + self.ahead

    def monotonic(self) -> float:
        """Return the other clock's seconds, and those that were skipped."""
        return self._clock.monotonic() + self.ahead / 1_000_000

    def skip_to(self, instant: int) -> None:
        """Move on to an instant; one that is past changes nothing."""
        self.ahead += max(instant - self.now(), 0)

    def token(self, byte_count: int) -> bytes:
        """Return the other clock's bytes."""
        return self._clock.token(byte_count)

    def jitter(self) -> float:
        """Return the other clock's fraction."""
        return self._clock.jitter()

    async def sleep(self, seconds: float) -> None:
        """Sleep as the other clock does."""
        await self._clock.sleep(seconds)
