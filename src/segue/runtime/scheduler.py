"""Brings scheduled campaigns to their users: a part of them at a time, as records of the log."""

import asyncio
from typing import Final

from msgspec.structs import replace

from segue.clock import Clock
from segue.errors import StorageError
from segue.model.instants import SECOND
from segue.model.limits import WALK_USERS_MAX
from segue.model.log_records import ScheduleWalked
from segue.runtime.group_commit import GroupCommit
from segue.runtime.live_states import LiveStates
from segue.runtime.processor import Processor
from segue.runtime.schedules import Schedules

_LOOK_EVERY_S: Final = 1.0  # a campaign may be published at any time


class Scheduler:
    """Writes the next part of a walk once the one before has been decided about.

    So other records get their turn in between, however many users there are.
    """

    def __init__(
        self, processor: Processor, commits: GroupCommit, states: LiveStates, clock: Clock
    ) -> None:
        self._processor = processor
        self._commits = commits
        self._states = states
        self._clock = clock
        self._schedules = Schedules()
        self._wake = asyncio.Event()
        self._is_closing = False

    async def run(self) -> None:
        """Walk when a schedule has come, until closed."""
        while not self._is_closing:
            walk = self.next_walk()
            if walk is None or walk.walk_at > self._clock.now():
                await self._sleep(walk)
                continue
            if self._processor.is_held_up:
                await self._sleep(None)  # so that what users do finds room in the outbox
                continue
            try:
                await self._walk_on(walk)
            except StorageError:
                await self._sleep(None)  # nothing of it was kept: the same part comes again

    def close(self) -> None:
        """Let `run` end; a walk goes on from where it is at the next start."""
        self._is_closing = True
        self._wake.set()

    def nudge(self) -> None:
        """Look again now: time has moved, or something was published."""
        self._wake.set()

    def next_walk(self) -> ScheduleWalked | None:
        """Return the part of a walk that comes next; None when none will come."""
        fold = self._processor.fold
        return self._schedules.next_walk(fold.plan, fold.walks)

    async def _walk_on(self, walk: ScheduleWalked) -> None:
        users = self._states.ids_after(walk.after, WALK_USERS_MAX)
        through = users[-1] if len(users) == WALK_USERS_MAX else None
        seq = await self._commits.hand_in(lambda at: replace(walk, received_at=at, through=through))
        await self._processor.wait_for(seq)

    async def _sleep(self, walk: ScheduleWalked | None) -> None:
        pause = _LOOK_EVERY_S
        if walk is not None:
            pause = min(pause, max((walk.walk_at - self._clock.now()) / SECOND, 0.001))
        self._wake.clear()
        try:
            await asyncio.wait_for(self._wake.wait(), pause)
        except TimeoutError:
            return
