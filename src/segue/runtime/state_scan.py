"""Looks at every user's state as it is at one moment, while the fold goes on changing them.

A thread reads the snapshot, which checkpoints overwrite meanwhile; what differs from the moment
is held in memory (`LiveStates.held`). So a count is exact, and nobody waits for it.
"""

import asyncio
from collections.abc import Callable, Collection, Iterator
from itertools import islice

from segue.model.limits import STATES_SCANNED_MAX
from segue.model.state import STATE_PARTS, StatePart, UserState
from segue.runtime.live_states import View
from segue.runtime.recovery import Progress
from segue.runtime.runtime import Runtime, no_progress
from segue.storage.ports import Snapshot

Visit = Callable[[str, UserState], None]


async def scan(
    runtime: Runtime,
    visit: Visit,
    progress: Progress = no_progress,
    parts: Collection[StatePart] = STATE_PARTS,
) -> int:
    """Call `visit` with each user and their state as of now; return how many there were.

    `visit` runs in a thread, in no order; it is called a bounded number of times before the event
    loop has its turn. It may look at no other `parts` of a state than these.
    """
    total = await asyncio.to_thread(runtime.snapshot.count_users)
    count = 0
    with runtime.states.held() as view:
        states = _as_held(runtime.snapshot, view, list(view), parts)
        while visited := await asyncio.to_thread(_visit_some, states, visit):
            count += visited
            progress(count, max(count, total))
    return count


def _visit_some(states: Iterator[tuple[str, UserState]], visit: Visit) -> int:
    count = 0
    for user_id, state in islice(states, STATES_SCANNED_MAX):
        visit(user_id, state)
        count += 1
    return count


def _as_held(
    snapshot: Snapshot, view: View, unwritten: list[str], parts: Collection[StatePart]
) -> Iterator[tuple[str, UserState]]:
    """Yield states as a view holds them; `unwritten` are the users it began with.

    Only those may be missing from the snapshot: a user held later was in it, or did not exist.
    """
    unseen = set(unwritten)
    for user_id, stored in snapshot.scan_states(parts):
        unseen.discard(user_id)
        state = view.get(user_id, stored)
        if state is not None:
            yield user_id, state
    for user_id in sorted(unseen):
        state = view[user_id]
        if state is not None:
            yield user_id, state
