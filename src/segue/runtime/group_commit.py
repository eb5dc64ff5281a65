"""Group commit: records that arrive while a commit runs share the next one.

A record gets its instant when it is handed in, and instants never go back; so the order of the
log, of the instants and of handing in are one.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from msgspec import Struct

from segue.clock import Clock
from segue.model.log_records import Block, Record, entry_count
from segue.storage.ports import Journal, StoredCampaign

_BLOCK_ENTRIES_MAX: Final = 20_000  # a block is decoded as a whole: this keeps it a few megabytes


class _Handed(Struct):
    record: Record
    campaigns: Sequence[StoredCampaign]
    committed: "asyncio.Future[int]"


class GroupCommit:
    """The one writer of the log."""

    def __init__(self, journal: Journal, clock: Clock, on_commit: Callable[[Block], None]) -> None:
        self._journal = journal
        self._clock = clock
        self._on_commit = on_commit
        self._end = journal.log_end()
        self._now = self._end.received_at
        self._waiting: list[_Handed] = []
        self._wake = asyncio.Event()
        self._is_closing = False
        self._committing = 0
        self.thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="journal")

    def stamp(self, floor: int = 0) -> int:
        """Return the instant to be: the clock's, never before one that was given already."""
        self._now = max(self._now, floor, self._clock.now())
        return self._now

    @property
    def is_idle(self) -> bool:
        """Whether nothing that was handed in is yet to be committed."""
        return not self._waiting and not self._committing

    @property
    def last_seq(self) -> int:
        """The newest committed block."""
        return self._end.seq

    def hand_in(
        self,
        make_record: Callable[[int], Record],
        campaigns: Callable[[int], Sequence[StoredCampaign]] | None = None,
    ) -> "asyncio.Future[int]":
        """Queue the record of an instant; the future gives its block's number once it is durable.

        `campaigns` are saved in the same transaction.
        """
        at = self.stamp()
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        saved = campaigns(at) if campaigns is not None else ()
        self._waiting.append(_Handed(make_record(at), saved, future))
        self._wake.set()
        return future

    async def run(self) -> None:
        """Commit what is handed in, until closed and empty."""
        loop = asyncio.get_running_loop()
        while not (self._is_closing and not self._waiting):
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                batch = self._take()
                block = Block(
                    self._end.seq + 1, self._end.next_ordinal, [one.record for one in batch]
                )
                saved = [campaign for one in batch for campaign in one.campaigns]
                self._committing = len(batch)
                try:
                    await loop.run_in_executor(self.thread, self._journal.append, block, saved)
                except Exception as error:  # noqa: BLE001 - every caller is told; none may hang
                    self._fail(batch, error)
                else:
                    self._succeed(batch, block)
                finally:
                    self._committing = 0

    def close(self) -> None:
        """Let `run` end once everything is committed."""
        self._is_closing = True
        self._wake.set()

    def _take(self) -> list[_Handed]:
        taken, entries = 0, 0
        while taken < len(self._waiting) and entries < _BLOCK_ENTRIES_MAX:
            entries += entry_count(self._waiting[taken].record)
            taken += 1
        batch, self._waiting = self._waiting[:taken], self._waiting[taken:]
        return batch

    def _succeed(self, batch: list[_Handed], block: Block) -> None:
        entries = sum(entry_count(one.record) for one in batch)
        self._end = type(self._end)(
            block.seq, block.first_ordinal + entries, batch[-1].record.received_at
        )
        self._on_commit(block)
        for one in batch:
            if not one.committed.cancelled():
                one.committed.set_result(block.seq)

    def _fail(self, batch: list[_Handed], error: Exception) -> None:
        for one in batch:
            if not one.committed.cancelled():
                one.committed.set_exception(error)
