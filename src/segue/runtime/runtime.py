"""The embedded runtime: log, fold, timers, outbox and senders in one process (design.md)."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import ExitStack, asynccontextmanager
from typing import Final

import structlog

from segue.clock import Clock
from segue.engine.plan import Plan, missing_trackers
from segue.errors import StorageError
from segue.model.filters import Filter
from segue.model.instants import FOREVER, SECOND, format_duration
from segue.model.limits import CHECKPOINT_INTERVAL, CLOCK_BACK_TOLD, DIRTY_STATES_MAX
from segue.model.log_records import Block, HandOver, SendsDeferred, entry_count
from segue.model.state import UserState
from segue.runtime.backlog import Load
from segue.runtime.checkpoints import Checkpoints
from segue.runtime.dispatcher import Dispatcher, Renders, Sends
from segue.runtime.duplicates import RecentIds
from segue.runtime.fold import Fold
from segue.runtime.group_commit import GroupCommit
from segue.runtime.hold import SendingHold
from segue.runtime.ingest import Ingest
from segue.runtime.live_counters import LiveCounters
from segue.runtime.live_feed import LiveFeed
from segue.runtime.live_outcomes import LiveOutcomes
from segue.runtime.live_states import LiveStates
from segue.runtime.live_timers import LiveTimers
from segue.runtime.log_reader import UserIndex
from segue.runtime.moments import Moment, moments_of, put_offs_of
from segue.runtime.outbox import Outbox
from segue.runtime.processor import Processor
from segue.runtime.read_back import LogReadBack
from segue.runtime.recovery import Progress, remember_recent_ids, replay_tail
from segue.runtime.scheduler import Scheduler
from segue.runtime.send_limits import SendLimits
from segue.runtime.suppression_list import SuppressionList
from segue.storage.ports import Journal, Snapshot, Sums

_log = structlog.get_logger(__name__)
_INDEX_PAUSE_S: Final = 0.25  # between two looks of the background index
_STORAGE_PAUSE_S: Final = 1.0  # until what the disk did not take is tried again

# Given the runtime's states and plan, how a message is filled in.
MakeRenders = Callable[["Runtime"], Renders]


def no_progress(_done: int, _total: int) -> None:
    """Show nothing."""


class Runtime:
    """Everything that runs between the log and the senders."""

    def __init__(
        self,
        journal: Journal,
        snapshot: Snapshot,
        senders: Sends,
        make_renders: MakeRenders,
        clock: Clock,
        log_bytes_max: int | None = None,
    ) -> None:
        self.journal = journal
        self.snapshot = snapshot
        self.clock = clock
        self.feed = LiveFeed(clock)
        self.log_bytes_max = log_bytes_max
        position = snapshot.position()
        self.states = LiveStates(snapshot)
        self.timers = LiveTimers(snapshot, position.now)
        outbox = Outbox(snapshot.outbox(), snapshot.dead_letters())
        self.outcomes = LiveOutcomes(outbox, self.feed)
        self.read_back = LogReadBack(journal)
        fold = Fold(self.states, self.timers, self.outcomes, self.read_back)
        fold.now = position.now
        fold.change_plan(snapshot.plan_changes())
        fold.walks = {walk.campaign: walk for walk in snapshot.walks()}
        self.checkpoints = Checkpoints(snapshot, self.states, self.timers, self.outcomes)
        self.counters = LiveCounters(snapshot, self.outcomes, self.checkpoints)
        self.suppressions = SuppressionList(
            journal.suppressions, lambda user_id: self.states.get(user_id).attributes
        )
        self.checkpoints.before_commit = self.suppressions.write
        self.processor = Processor(
            fold,
            self.states,
            self.timers,
            self.outcomes.outbox,
            self.checkpoints,
            self.suppressions,
            position,
            clock,
        )
        self.commits = GroupCommit(journal, clock, self._committed)
        self.recent_ids = RecentIds()
        self.ingest = Ingest(
            self.commits, self.processor, self.recent_ids, self.checkpoints.token_owners
        )
        self.limits = SendLimits(lambda: fold.plan, self._received_by, self.suppressions.obstacle)
        self.hold = SendingHold(journal.hold, clock)
        self.dispatcher = Dispatcher(
            self.outcomes.outbox,
            self.commits,
            make_renders(self),
            senders,
            self.limits,
            self.hold,
            clock,
        )
        self.scheduler = Scheduler(self.processor, self.commits, self.states, clock)
        self._tasks: list[asyncio.Task[None]] = []
        self.turn = asyncio.Lock()  # of whoever changes the plan or a campaign: one at a time
        self.is_ready = False

    @property
    def plan(self) -> Plan:
        """What is published at the position the fold has come to."""
        return self.processor.fold.plan

    def state_of(self, user_id: str) -> UserState | None:
        """Return a user's state as far as the log has been decided about."""
        return self.states.find(user_id)

    def recover(self, progress: Progress = no_progress) -> None:
        """Replay the tail of the log behind the last checkpoint."""
        replay_tail(self.journal, self.processor, progress, self._write_while_recovering)
        remember_recent_ids(self.journal, self.recent_ids, self.clock.now(), progress)
        self.outcomes.is_recovering = False
        self.commits.stamp(self.processor.position.now)
        ahead = self.commits.now() - self.clock.now()
        if ahead >= CLOCK_BACK_TOLD:
            _log.warning(
                "the clock has gone back: the log is ahead of it, and its time stands still until "
                "the clock has caught up; no wait ends before. Set the clock right",
                ahead=format_duration(ahead - ahead % SECOND),
            )

    def _write_while_recovering(self) -> None:
        """Keep a long way back from filling the memory, and from beginning anew after a crash."""
        if self.states.changed_count >= DIRTY_STATES_MAX:
            self.checkpoints.write_now(self.processor.position)

    async def start(self) -> None:
        """Begin to commit, decide and send. `recover` comes first."""
        loops = {
            "commit": self.commits.run(),
            "decide": self.processor.run(self.commits),
            "dispatch": self.dispatcher.run(),
            "schedule": self.scheduler.run(),
            "checkpoint": self._write_checkpoints(),
            "index": self._index_users(),
        }
        self._tasks = [asyncio.create_task(loop, name=name) for name, loop in loops.items()]
        for task in self._tasks:
            task.add_done_callback(self._ended)
        self.dispatcher.settle_cut_off()
        self.is_ready = True

    async def stop(self) -> None:
        """End in order: senders, then what is to be committed, decided and written down."""
        self.is_ready = False
        tasks = {task.get_name(): task for task in self._tasks}
        if not tasks:
            return
        for name in ("checkpoint", "index"):
            tasks[name].cancel()
        self.scheduler.close()
        await _ended_well(tasks["schedule"])
        self.dispatcher.close()
        await _ended_well(tasks["dispatch"])
        self.commits.close()
        await _ended_well(tasks["commit"])
        self.processor.close()
        await _ended_well(tasks["decide"])
        if self.processor.failure is None:
            await self._write_last_checkpoint()
        self.commits.thread.shutdown()
        self.checkpoints.thread.shutdown()
        self._tasks = []

    async def _write_last_checkpoint(self) -> None:
        try:
            await self.checkpoints.write(lambda: self.processor.position)
        except StorageError as error:
            _log.error(
                "the last checkpoint could not be written; the next start decides again about "
                "what came since the one before",
                error=str(error),
            )

    def resume_sending(self) -> bool:
        """Let what was held go; return whether anything was."""
        was_held = self.hold.end() is not None
        self.dispatcher.nudge()
        return was_held

    def loops(self) -> dict[str, bool]:
        """Return the loops by name, and whether each is running."""
        return {task.get_name(): not task.done() for task in self._tasks}

    def kept_counts(self) -> dict[str, int]:
        """Return how many things are kept in memory whose number has a bound, by what they are."""
        return {
            "entries to decide": self.commits.waiting_entries + self.processor.backlog_entries,
            "messages to hand over": len(self.outcomes.outbox),
            "hand-overs under way": self.dispatcher.under_way_count,
            "turns of messages": self.limits.kept_count,
            "clean states": self.states.clean_count,
            "recent ids": self.recent_ids.count(),
        }

    def problem(self) -> str | None:
        """Return what keeps the runtime from working, if anything does."""
        if self.processor.failure is not None:
            block = self.processor.position.seq + 1
            return f"deciding stopped at block {block}: {self.processor.failure}"
        if self.commits.trouble is not None:
            return self.commits.trouble
        for task in self._tasks:
            if task.done():
                return f"the {task.get_name()} loop has ended"
        return None if self.is_ready else "starting"

    async def decided(self, committed: "asyncio.Future[int]") -> int:
        """Wait until a record that was handed in is durable and has been decided about."""
        seq = await committed
        await self.processor.wait_for(seq)
        return seq

    @asynccontextmanager
    async def changing(
        self, filters: Iterable[Filter] = (), progress: Progress = no_progress
    ) -> AsyncIterator[None]:
        """Make a change of the plan, one at a time: what it is checked against stays as it is.

        What its filters ask about and nobody follows so far is read back from the log before, in
        a thread, while other changes may be made.
        """
        missing = missing_trackers(self.plan, filters)
        with ExitStack() as stack:
            if missing:
                reading = await asyncio.to_thread(self.read_back.read_ahead, missing, progress)
                stack.enter_context(self.read_back.offering(reading))
            async with self.turn:
                yield

    def _received_by(self, campaign: str) -> int:
        """Return how many sends of a campaign were accepted so far."""
        found = self.counters.add_up_here(campaign, Sums([0, FOREVER], by_metric=True))
        return round(sum(n for counter, n in found.items() if counter.metric == "recipients"))

    def _committed(self, block: Block, load: Load) -> None:
        self.outcomes.outbox.seq = block.seq
        for record in block.records:
            if isinstance(record, HandOver):
                self.outcomes.outbox.follow(record)
        if self.feed.is_watched:
            self.feed.publish(self._moments_in(block))
        self.processor.enqueue(block, load)

    def _moments_in(self, block: Block) -> Iterator[Moment]:
        """Yield what a block tells; what is decided about it comes as it is decided."""
        ordinal = block.first_ordinal
        for record in block.records:
            if isinstance(record, SendsDeferred):
                yield from put_offs_of(record, self.outcomes.outbox.items)
            yield from moments_of(record, ordinal)
            ordinal += entry_count(record)

    async def _write_checkpoints(self) -> None:
        last = self.clock.monotonic()
        while True:
            await asyncio.sleep(0.1)
            if self.suppressions.has_news:
                await self._write_suppressions()
            is_due = self.clock.monotonic() - last >= CHECKPOINT_INTERVAL / SECOND
            if not is_due and self.states.changed_count < DIRTY_STATES_MAX:
                continue
            try:
                await self.checkpoints.write(lambda: self.processor.position)
                await self._forget_old()
            except StorageError as error:
                _log.error("a checkpoint could not be written; it is tried again", error=str(error))
                await asyncio.sleep(_STORAGE_PAUSE_S)
            except Exception:  # noqa: BLE001 - it is tried again
                _log.exception("a checkpoint could not be written; it is tried again")
                await asyncio.sleep(_STORAGE_PAUSE_S)
            last = self.clock.monotonic()

    async def _write_suppressions(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self.checkpoints.thread, self.suppressions.write)
        except Exception:  # noqa: BLE001 - it is in force already, and written with the next
            _log.exception("the suppression list could not be written; it is tried again")

    async def _forget_old(self) -> None:
        """Keep log and record within their bound: what is written down may go, oldest first."""
        if self.log_bytes_max is None:
            return
        loop = asyncio.get_running_loop()
        before = min(self.checkpoints.written_position.seq, self.journal.indexed_seq())
        await loop.run_in_executor(
            self.commits.thread, self.journal.forget_log, self.log_bytes_max, before
        )
        await loop.run_in_executor(
            self.checkpoints.thread, self.snapshot.forget_verdicts, self.log_bytes_max
        )

    async def _index_users(self) -> None:
        index = UserIndex(self.journal)
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(_INDEX_PAUSE_S)
            seq = self.commits.last_seq
            has_more = True
            while has_more:
                try:
                    has_more = await loop.run_in_executor(self.commits.thread, index.step, seq)
                except StorageError:  # the next look takes up where this one was
                    await asyncio.sleep(_STORAGE_PAUSE_S)
                    break
                await asyncio.sleep(0)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and task.exception() is not None:
            _log.error("a loop has failed", loop=task.get_name(), error=str(task.exception()))


async def _ended_well(task: "asyncio.Task[None]") -> None:
    await asyncio.wait([task])
