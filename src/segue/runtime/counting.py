"""Counts an audience that nobody saved, over all users as they are when it begins.

What the filter asks about and nobody followed so far is first read back from the log.
"""

import asyncio
from collections import Counter

from msgspec import Struct, field
from msgspec.structs import replace

from segue.engine.audience_parts import leaves_among, parts_read
from segue.engine.past import past_of, tracker_of
from segue.engine.plan import audience_of, missing_trackers
from segue.engine.reachability import PARTS_READ, channels_that_reach
from segue.errors import SegueError
from segue.model.channels import CHANNELS, Channel
from segue.model.filters import Filter
from segue.model.limits import SAMPLE_USERS_MAX, STATES_SCANNED_MAX
from segue.model.state import EMPTY_STATE, UserState
from segue.runtime.read_back import Reading
from segue.runtime.runtime import Runtime
from segue.runtime.state_scan import scan
from segue.storage.partial_states import is_empty


class CountCancelledError(SegueError):
    """Nobody wants to know any more."""


class Tally(Struct):
    """How many users were looked at, and how many belong, by the channels that reach them.

    Some of those who belong are named: whoever was come to first.
    """

    users: int = 0
    matching: Counter[tuple[Channel, ...]] = field(default_factory=Counter)
    sample: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many users belong to the audience."""
        return self.matching.total()

    def reachable(self) -> dict[Channel, int]:
        """Return how many of those can be reached by each channel."""
        pairs = self.matching.items()
        return {
            channel: sum(count for channels, count in pairs if channel in channels)
            for channel in CHANNELS
        }


class AudienceCount:
    """One count. A user counts who has a profile, or did something that the filter asks about."""

    def __init__(self, runtime: Runtime, node: Filter | None) -> None:
        plan = runtime.plan
        self.is_reading_log = False
        self.is_cancelled = False
        self.done = 0  # blocks of the log while that is read, then users
        self.total = 0
        self.tally = Tally()  # of the users that are done
        self._tally = Tally()  # which a thread adds to
        self._runtime = runtime
        self._at = runtime.clock.now()
        self._holds = audience_of(plan, node)
        self._parts = parts_read(node, plan.segments) | PARTS_READ
        asked = [past_of(leaf) for leaf in leaves_among(node, plan.segments)]
        self._own_keys = frozenset(tracker_of(past).key for past in asked if past is not None)
        self._missing = missing_trackers(plan, [node] if node is not None else [])
        self._reading = Reading(self._missing)

    @property
    def needs_log(self) -> bool:
        """Whether the filter asks about what nobody follows so far."""
        return bool(self._missing)

    async def run(self) -> None:
        """Count until everybody was looked at.

        Raises:
            CountCancelledError: it was cancelled meanwhile.
        """
        try:
            await self._read_log()
            await self._look_at_all()
        finally:
            self._reading.histories.clear()

    async def _read_log(self) -> None:
        self.is_reading_log = self.needs_log
        if self.needs_log:
            journal = self._runtime.journal
            await asyncio.to_thread(self._reading.read, journal, None, self._progressed)
        self.is_reading_log = False
        self.done = self.total = 0

    async def _look_at_all(self) -> None:
        await scan(self._runtime, self._visit, self._looked_at, self._parts)
        # Of these only the log tells: none of their events was of interest to anybody.
        others = list(self._reading.histories)
        for start in range(0, len(others), STATES_SCANNED_MAX):
            few = others[start : start + STATES_SCANNED_MAX]
            await asyncio.to_thread(self._visit_all, few)
            self._looked_at(self.done + len(few), self.done + len(few))

    def _progressed(self, done: int, total: int) -> None:
        if self.is_cancelled:
            raise CountCancelledError
        self.done, self.total = done, total

    def _looked_at(self, done: int, total: int) -> None:
        self._progressed(done, total)
        seen = self._tally
        self.tally = Tally(seen.users, seen.matching.copy(), seen.sample.copy())

    def _visit_all(self, user_ids: list[str]) -> None:
        for user_id in user_ids:
            self._visit(user_id, EMPTY_STATE)

    def _visit(self, user_id: str, stored: UserState) -> None:
        """Look at a user, in a thread."""
        read_back = self._reading.histories
        state = self._with_histories(user_id, stored) if read_back else stored
        if not (state.attributes or self._is_counted(state)):
            return
        self._tally.users += 1
        if self._holds(state, self._at):
            self._tally.matching[channels_that_reach(state)] += 1
            if len(self._tally.sample) < SAMPLE_USERS_MAX:
                self._tally.sample.append(user_id)

    def _with_histories(self, user_id: str, state: UserState) -> UserState:
        found = self._reading.histories.pop(user_id, None)
        if found is None:
            return state
        return replace(state, histories={**state.histories, **found})

    def _is_counted(self, state: UserState) -> bool:
        """Return whether a user without attributes is one whom a count should see.

        Whether something else that they did is followed, for another filter, must not matter.
        """
        if state.devices or not (is_empty(state.memberships) and is_empty(state.subscriptions)):
            return True
        return bool(self._own_keys) and not self._own_keys.isdisjoint(state.histories)
