"""Checkpoints: now and then, what the fold changed is written down with its position.

Collecting happens between two records, so that all parts stand for the same position; writing
happens in a thread of its own, while the fold goes on.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from segue.model.log_records import PlanChange, ScheduleWalked
from segue.runtime.address_index import AddressIndex
from segue.runtime.live_outcomes import LiveOutcomes
from segue.runtime.live_states import LiveStates
from segue.runtime.live_timers import LiveTimers
from segue.runtime.token_owners import TokenOwners
from segue.storage.ports import Checkpoint, Position, Snapshot


class Checkpoints:
    """Writes checkpoints, one at a time."""

    def __init__(
        self,
        snapshot: Snapshot,
        states: LiveStates,
        timers: LiveTimers,
        outcomes: LiveOutcomes,
    ) -> None:
        self._snapshot = snapshot
        self._states = states
        self._timers = timers
        self._outcomes = outcomes
        self.plan_changes: list[PlanChange] = []
        self.walks: dict[str, ScheduleWalked] = {}
        self.token_owners = TokenOwners(snapshot)
        self.addresses = AddressIndex(snapshot, states)
        self.before_commit: Callable[[], None] | None = None  # in the thread that commits
        self.written_position = snapshot.position()
        self.position_being_written: Position | None = None
        self._lock = asyncio.Lock()
        self.thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="snapshot")

    async def write(self, position: Callable[[], Position]) -> None:
        """Write everything that changed up to `position`, which is asked when the turn comes."""
        async with self._lock:
            checkpoint = self._collect(position())
            if not _has_news(checkpoint, self.written_position):
                self._end(is_written=True)
                return
            self.position_being_written = checkpoint.position
            loop = asyncio.get_running_loop()
            writing = loop.run_in_executor(self.thread, self._commit, checkpoint)
            try:
                # A thread cannot be cancelled: whoever is cancelled here waits for its end, since
                # what it writes would otherwise be written, and counted, once more.
                await asyncio.shield(writing)
            finally:
                await asyncio.wait([writing])
                self._settle(checkpoint, is_written=writing.exception() is None)

    def write_now(self, position: Position) -> None:
        """Write everything in this thread, while nothing else goes on."""
        checkpoint = self._collect(position)
        is_written = False
        try:
            self._commit(checkpoint)
            is_written = True
        finally:
            self._settle(checkpoint, is_written=is_written)

    def _commit(self, checkpoint: Checkpoint) -> None:
        if self.before_commit is not None:
            self.before_commit()
        self._snapshot.commit(checkpoint)

    def _settle(self, checkpoint: Checkpoint, *, is_written: bool) -> None:
        """Let go of what was written; after a failure it is written again."""
        self.position_being_written = None
        if is_written:
            self.written_position = checkpoint.position
        else:
            self.plan_changes = checkpoint.plan_changes + self.plan_changes
            self.walks = {walk.campaign: walk for walk in checkpoint.walks} | self.walks
        self._end(is_written)

    def _collect(self, position: Position) -> Checkpoint:
        states, erased = self._states.begin_writing()
        timers_set, timers_gone = self._timers.begin_writing()
        outbox_put, outbox_gone = self._outcomes.outbox.begin_writing()
        letters_put, letters_gone = self._outcomes.outbox.letters.begin_writing(position.now)
        counts, verdicts = self._outcomes.begin_writing()
        plan_changes, self.plan_changes = self.plan_changes, []
        walks, self.walks = self.walks, {}
        return Checkpoint(
            position=position,
            states=states,
            erased=erased,
            timers_set=timers_set,
            timers_gone=timers_gone,
            outbox_put=outbox_put,
            outbox_gone=outbox_gone,
            letters_put=letters_put,
            letters_gone=letters_gone,
            counts=counts,
            plan_changes=plan_changes,
            walks=list(walks.values()),
            token_owners=self.token_owners.begin_writing(),
            addressed=self.addresses.begin_writing(),
            verdicts=verdicts,
        )

    def _end(self, is_written: bool) -> None:
        self._states.end_writing(is_written)
        self._timers.end_writing(is_written)
        self._outcomes.outbox.end_writing(is_written)
        self._outcomes.outbox.letters.end_writing(is_written)
        self._outcomes.end_writing(is_written)
        self.token_owners.end_writing(is_written)
        self.addresses.end_writing(is_written)


def _has_news(checkpoint: Checkpoint, written: Position) -> bool:
    """Return whether anything but time has moved on: an idle server writes nothing."""
    return checkpoint.position.seq != written.seq or bool(
        checkpoint.states
        or checkpoint.timers_gone
        or checkpoint.outbox_put
        or checkpoint.outbox_gone
        or checkpoint.letters_gone
    )
