"""A message is kept just before its hand-over is in the log; that takes milliseconds."""

from collections.abc import Collection
from typing import Final

from segue.model.channels import Channel
from segue.runtime.runtime import Runtime

_PAUSE_S: Final = 0.02
_LOOKS_MAX: Final = 100  # then something else is wrong, and the next look finds it


def is_settled(runtime: Runtime, send_id: str, channel: Channel) -> bool:
    """Return whether a hand-over is in the log: what was done before it would follow nothing."""
    return f"{send_id}/{channel}" not in runtime.outcomes.outbox.items


async def wait_until_settled(runtime: Runtime, sends: Collection[tuple[str, Channel]]) -> None:
    """Wait until the hand-overs of messages, by send and channel, are in the log."""
    for _ in range(_LOOKS_MAX):
        if all(is_settled(runtime, *send) for send in sends):
            return
        await runtime.clock.sleep(_PAUSE_S)
