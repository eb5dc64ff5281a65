"""Whether a runtime has done everything there is to do before its clock moves on."""

import asyncio
from typing import Final

from segue.errors import BusyError, SegueError
from segue.runtime.runtime import Runtime

_LOOK_EVERY_S: Final = 0.002  # a message is on a phone in some milliseconds
_PATIENCE_S: Final = 10.0


def is_quiet(runtime: Runtime, at: int) -> bool:
    """Return whether all that is due by an instant, and by now, is decided and handed over.

    What leaves one place is in the next at the same moment, so that nothing is overlooked.
    """
    walk, now = runtime.scheduler.next_walk(), max(at, runtime.clock.now())
    return (
        runtime.commits.is_idle
        and runtime.processor.position.seq == runtime.commits.last_seq
        and runtime.processor.fold.now >= at
        and runtime.timers.next_due() > now  # a record may set one that is due at its own instant
        and (walk is None or walk.walk_at > now)
        and (runtime.hold.is_on or not _has_to_hand_over(runtime, now))
    )


async def settle(runtime: Runtime, at: int) -> None:
    """Let a runtime whose clock has come to an instant do all that is due by then.

    Raises:
        BusyError: it is not done within ten seconds.
        SegueError: one of its loops has ended.
    """
    clock = runtime.clock
    deadline = clock.monotonic() + _PATIENCE_S
    while not is_quiet(runtime, at):
        # They sleep for up to a second: none of them knows that time has moved.
        for loop in (runtime.processor, runtime.dispatcher, runtime.scheduler):
            loop.nudge()
        if (problem := runtime.problem()) is not None:
            raise SegueError(f"it does not go on: {problem}")
        if clock.monotonic() > deadline:
            message = f"after {_PATIENCE_S:.0f} s there is still more to do; try again in a moment"
            raise BusyError(message)
        await asyncio.sleep(_LOOK_EVERY_S)


def _has_to_hand_over(runtime: Runtime, now: int) -> bool:
    """Return whether a message is on its way, or could go by now."""
    items = runtime.outcomes.outbox.items.values()
    return runtime.dispatcher.is_busy or any(
        one.is_attempted or one.next_attempt_at <= now for one in items
    )
