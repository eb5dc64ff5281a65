"""The time of a rehearsal: what comes next in it, and moving on to that.

On the way everything happens at its own instant, as if the time had been waited for: what a message
leads to a day later is due a day after the message, and not after the skip.
"""

import asyncio

from msgspec import Struct

from segue.clock import SkippingClock
from segue.model.instants import SECOND
from segue.model.limits import REHEARSAL_STOPS_MAX
from segue.runtime.fold import split_timer
from segue.runtime.quiet import settle
from segue.runtime.runtime import Runtime


class Due(Struct, frozen=True, order=True):
    """What happens next by itself: a campaign's turn with a user, or with all ("")."""

    at: int
    campaign: str
    user_id: str


class Skipped(Struct, frozen=True):
    """How far a skip came; `is_cut` says that too much happened on the way to come to its end."""

    at: int
    stop_count: int
    is_cut: bool


class RehearsalTime:
    """Moves the clock of a rehearsal's runtime."""

    def __init__(self, runtime: Runtime, clock: SkippingClock) -> None:
        self._runtime = runtime
        self._clock = clock
        self._turn = asyncio.Lock()

    def now(self) -> int:
        """Return the rehearsal's instant."""
        return self._clock.now()

    @property
    def ahead(self) -> int:
        """How much was skipped so far."""
        return self._clock.ahead

    def next_due(self) -> Due | None:
        """Return what happens next: a wait that ends, a schedule, a message that was put off."""
        timer, walk = self._runtime.timers.first(), self._runtime.scheduler.next_walk()
        found = [
            Due(one.next_attempt_at, one.deliver.campaign, one.deliver.user_id)
            for one in self._runtime.outcomes.outbox.items.values()
        ]
        if timer is not None:
            found.append(Due(timer.due_at, split_timer(timer)[0], timer.user_id))
        if walk is not None:
            found.append(Due(walk.walk_at, walk.campaign, ""))
        return min(found, default=None)

    async def settle(self) -> None:
        """Let everything happen that is due.

        Raises:
            BusyError: it takes too long.
        """
        await settle(self._runtime, self._clock.now())

    async def skip_to_next(self) -> Due | None:
        """Move on to what happens next, and let it happen; None where nothing will.

        Raises:
            BusyError: it takes too long.
        """
        async with self._turn:
            await self.settle()
            due = self.next_due()
            if due is not None:
                await self._move_to(due.at)
            return due

    async def skip(self, span: int) -> Skipped:
        """Move on by a span, with a stop at everything that happens on the way.

        Raises:
            BusyError: it takes too long.
        """
        async with self._turn:
            await self.settle()
            end = self._clock.now() + span
            for count in range(REHEARSAL_STOPS_MAX):
                due = self.next_due()
                if due is None or due.at > end:
                    await self._move_to(end)
                    return Skipped(end, count, is_cut=False)
                await self._move_to(due.at)
            return Skipped(self._clock.now(), REHEARSAL_STOPS_MAX, is_cut=True)

    async def _move_to(self, at: int) -> None:
        self._clock.skip_to(at)
        await settle(self._runtime, at)


def span_words(span: int) -> str:
    """Return how long something is, in its two largest units: "6 days 23 h"."""
    seconds = max(span, 0) // SECOND
    days, hours, minutes = seconds // 86_400, seconds // 3_600 % 24, seconds // 60 % 60
    day_word = "day" if days == 1 else "days"
    parts = [(days, f"{days} {day_word}"), (hours, f"{hours} h"), (minutes, f"{minutes} min")]
    first = next((index for index, (count, _) in enumerate(parts) if count), None)
    if first is None:
        return f"{seconds} s"
    return " ".join(words for count, words in parts[first : first + 2] if count)
