"""Applies committed blocks to the fold, and lets time pass when there is nothing to apply."""

import asyncio
from collections import deque

import structlog

from segue.clock import Clock
from segue.model.instants import SECOND
from segue.model.limits import OUTBOX_MAX, OUTBOX_WALK_MAX, TIMERS_AT_ONCE_MAX
from segue.model.log_records import (
    AttributesReceived,
    Block,
    DevicesChanged,
    EventsReceived,
    PlanChange,
    Record,
    ScheduleWalked,
    UserErased,
    entry_count,
)
from segue.runtime.backlog import Load
from segue.runtime.checkpoints import Checkpoints
from segue.runtime.fold import Fold
from segue.runtime.group_commit import GroupCommit
from segue.runtime.live_states import LiveStates
from segue.runtime.live_timers import LiveTimers
from segue.runtime.outbox import Outbox
from segue.runtime.suppression_list import SuppressionList
from segue.storage.ports import Position

_log = structlog.get_logger(__name__)
_IDLE_WAIT_MAX_S = 1.0  # how long time may stand still while nothing happens


class Processor:
    """The one that decides. It is always at a position between two blocks when others look."""

    def __init__(
        self,
        fold: Fold,
        states: LiveStates,
        timers: LiveTimers,
        outbox: Outbox,
        checkpoints: Checkpoints,
        suppressions: SuppressionList,
        position: Position,
        clock: Clock,
    ) -> None:
        self.fold = fold
        self.position = position
        self.failure: Exception | None = None
        self.backlog_entries = 0  # durable and not decided about yet
        self.backlog_bytes = 0
        self.outbox_max = OUTBOX_MAX
        self.timers_at_once_max = TIMERS_AT_ONCE_MAX
        self._states = states
        self._timers = timers
        self._outbox = outbox
        self._checkpoints = checkpoints
        self._suppressions = suppressions
        self._clock = clock
        self._blocks: deque[tuple[Block, Load]] = deque()
        self._wake = asyncio.Event()
        self._is_closing = False
        self._applied = asyncio.Condition()

    @property
    def is_held_up(self) -> bool:
        """Whether the senders are so far behind that what can wait should."""
        return len(self._outbox) > OUTBOX_WALK_MAX

    def enqueue(self, block: Block, load: Load) -> None:
        """Take a committed block, and what it weighs, to be applied in its turn."""
        self._blocks.append((block, load))
        self.backlog_entries += load.entries
        self.backlog_bytes += load.bytes
        self._wake.set()

    def apply(self, block: Block) -> None:
        """Apply a block to the fold, whole."""
        ordinal = block.first_ordinal
        self._outbox.seq = block.seq
        for record in block.records:
            self._prefetch(record)
            self.fold.apply(record, ordinal)
            self._checkpoints.token_owners.follow(record)
            self._checkpoints.addresses.follow(record)
            self._suppressions.follow(record, block.seq)
            if isinstance(record, PlanChange):
                self._checkpoints.plan_changes.append(record)
            elif isinstance(record, UserErased):
                self._outbox.forget(record.user_id)
            elif isinstance(record, ScheduleWalked):
                self._checkpoints.walks[record.campaign] = record
            ordinal += entry_count(record)
        self._suppressions.followed(block.seq)
        self.position = Position(block.seq, ordinal, self.fold.now)

    async def run(self, commits: GroupCommit) -> None:
        """Apply what is committed, until closed and nothing is left."""
        while not (self._is_closing and not self._blocks):
            try:
                await self._step(commits)
            except Exception as error:
                # Going on would decide later entries on a state that misses this one.
                self.failure = error
                _log.exception("deciding stopped", position=self.position.seq)
                raise
        self._wake.set()

    async def wait_for(self, seq: int) -> None:
        """Return once block `seq` has been applied."""
        async with self._applied:
            await self._applied.wait_for(
                lambda: self.position.seq >= seq or self.failure is not None
            )

    def close(self) -> None:
        """Let `run` end once every committed block is applied."""
        self._is_closing = True
        self._wake.set()

    def nudge(self) -> None:
        """Look again now: something made room or time has moved."""
        self._wake.set()

    async def _step(self, commits: GroupCommit) -> None:
        if len(self._outbox) > self.outbox_max and not self._is_closing:
            # Bounded: deciding waits for the senders; hand-overs free the outbox by themselves.
            await self._sleep(_IDLE_WAIT_MAX_S)
        elif self._blocks:
            if self._let_time_pass(self._blocks[0][0].records[0].received_at):
                await self._apply_next()
        elif not commits.is_idle or self._is_closing:
            # Time never passes ahead of a record that has its instant already; which wakes this.
            await self._sleep(_IDLE_WAIT_MAX_S)
        elif self._let_time_pass(commits.stamp()):
            await self._sleep((self._timers.next_due() - self._clock.now()) / SECOND)
        await asyncio.sleep(0)

    async def _apply_next(self) -> None:
        block, load = self._blocks.popleft()
        self.apply(block)
        self.backlog_entries -= load.entries
        self.backlog_bytes -= load.bytes
        async with self._applied:
            self._applied.notify_all()

    def _let_time_pass(self, now: int) -> bool:
        """Fire what is due, a bounded number at once; return whether that was all."""
        is_there = self.fold.advance(now, self.timers_at_once_max)
        self.position = Position(self.position.seq, self.position.next_ordinal, self.fold.now)
        return is_there

    async def _sleep(self, pause_s: float) -> None:
        self._wake.clear()
        try:
            await asyncio.wait_for(self._wake.wait(), min(max(pause_s, 0.001), _IDLE_WAIT_MAX_S))
        except TimeoutError:
            return

    def _prefetch(self, record: Record) -> None:
        match record:
            case EventsReceived():
                interests = self.fold.plan.interests
                self._states.prefetch(
                    event.user_id for event in record.events if event.name in interests
                )
            case AttributesReceived() | DevicesChanged():
                self._states.prefetch(change.user_id for change in record.changes)
            case _:
                return
