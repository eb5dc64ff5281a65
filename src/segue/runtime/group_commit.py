"""Group commit: records that arrive while a commit runs share the next one.

A record gets its instant when it is handed in, and instants never go back; so the order of the
log, of the instants and of handing in are one.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import structlog
from msgspec import Struct

from segue.clock import Clock
from segue.errors import StorageError
from segue.model.log_records import Block, Record, TimeAdvanced
from segue.runtime.backlog import Load, load_of
from segue.storage.ports import Journal, StoredCampaign

_BLOCK_ENTRIES_MAX: Final = 20_000  # a block is decoded as a whole: this keeps it a few megabytes
_AGAIN_AFTER_S: Final = 1.0  # until what must be written is tried again on a disk that is full

_log = structlog.get_logger(__name__)


class _Handed(Struct):
    records: Sequence[Record]
    campaigns: Sequence[StoredCampaign]
    committed: "asyncio.Future[int]"
    load: Load
    is_apart: bool = False  # in a block of its own


MakeRecords = Callable[[int], Sequence[Record]]
MakeCampaigns = Callable[[int], Sequence[StoredCampaign]]
_ToHandIn = tuple[MakeRecords, MakeCampaigns | None, "asyncio.Future[int]"]


class GroupCommit:
    """The one writer of the log."""

    def __init__(
        self, journal: Journal, clock: Clock, on_commit: Callable[[Block, Load], None]
    ) -> None:
        self._journal = journal
        self._clock = clock
        self._on_commit = on_commit
        self._end = journal.log_end()
        self._now = self._end.received_at
        self._waiting: list[_Handed] = []
        self._held: list[_ToHandIn] = []
        self._is_held = False
        self._turn = asyncio.Lock()  # of those who want to be alone
        self._idle = asyncio.Event()  # nothing is waiting, and nothing being committed
        self._idle.set()
        self._wake = asyncio.Event()
        self._is_closing = False
        self._committing = 0
        self.waiting_entries = 0  # handed in and not durable yet
        self.waiting_bytes = 0
        self.trouble: str | None = None  # why the log cannot be written, as long as it cannot
        self.thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="journal")

    def stamp(self, floor: int = 0) -> int:
        """Return the instant to be: the clock's, never before one that was given already."""
        self._now = max(self._now, floor, self._clock.now())
        return self._now

    def now(self) -> int:
        """Return the instant that time has come to: the clock may have gone back since."""
        return max(self._now, self._clock.now())

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
        campaigns: MakeCampaigns | None = None,
    ) -> "asyncio.Future[int]":
        """Queue the record of an instant; the future gives its block's number once it is durable.

        `campaigns` are saved in the same transaction.
        """
        return self.hand_in_all(lambda at: [make_record(at)], campaigns)

    def hand_in_all(
        self,
        make_records: MakeRecords,
        campaigns: MakeCampaigns | None = None,
    ) -> "asyncio.Future[int]":
        """Queue records of one instant, which are committed together or not at all."""
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        if self._is_held:
            self._held.append((make_records, campaigns, future))
        else:
            self._queue(make_records, campaigns, future)
        return future

    def insist(self, make_record: Callable[[int], Record]) -> "asyncio.Future[int]":
        """Hand in what nobody else would hand in again: anew as long as it cannot be written."""
        loop = asyncio.get_running_loop()
        durable: asyncio.Future[int] = loop.create_future()

        def begin() -> None:
            if not durable.done():
                self.hand_in(make_record).add_done_callback(end)

        def end(committed: "asyncio.Future[int]") -> None:
            if committed.cancelled() or durable.done():
                durable.cancel()
            elif (error := committed.exception()) is None:
                durable.set_result(committed.result())
            elif not isinstance(error, StorageError):
                durable.set_exception(error)
            elif self._is_closing:
                durable.cancel()
            else:
                loop.call_later(_AGAIN_AFTER_S, begin)

        begin()
        return durable

    async def alone(
        self,
        prepare: Callable[[], Sequence[MakeRecords]],
        campaigns: MakeCampaigns | None = None,
    ) -> int:
        """Commit parts that nothing else may come between, nor before once `prepare` has begun.

        Each part is a block, so that others have their turn while it is decided about; `campaigns`
        are saved with the first. What is handed in meanwhile comes after. `prepare` must be quick.
        """
        loop = asyncio.get_running_loop()
        futures: list[asyncio.Future[int]] = []
        async with self._turn:
            self._is_held = True
            try:
                await self._idle.wait()
                for number, make_records in enumerate(prepare()):
                    futures.append(loop.create_future())
                    saved = None if number else campaigns
                    self._queue(make_records, saved, futures[-1], is_apart=True)
            finally:
                self._is_held = False
                held, self._held = self._held, []
                for one in held:
                    self._queue(*one)
        return max(await asyncio.gather(*futures))

    def _queue(
        self,
        make_records: MakeRecords,
        campaigns: MakeCampaigns | None,
        future: "asyncio.Future[int]",
        *,
        is_apart: bool = False,
    ) -> None:
        at = self.stamp()
        saved = campaigns(at) if campaigns is not None else ()
        records = make_records(at)
        load = load_of(records)
        self.waiting_entries += load.entries
        self.waiting_bytes += load.bytes
        self._waiting.append(_Handed(records, saved, future, load, is_apart))
        self._idle.clear()
        self._wake.set()

    async def run(self) -> None:
        """Commit what is handed in, until closed and empty."""
        while not (self._is_closing and not self._waiting):
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                batch = self._take()
                self._committing = len(batch)
                try:
                    await self._commit(batch)
                finally:
                    self._committing = 0
                    for one in batch:
                        self.waiting_entries -= one.load.entries
                        self.waiting_bytes -= one.load.bytes
            self._idle.set()

    def close(self) -> None:
        """Let `run` end once everything is committed."""
        self._is_closing = True
        self._wake.set()

    async def _commit(self, batch: list[_Handed]) -> None:
        """Commit what was handed in together; if that fails, each by itself.

        One that cannot be written must not take the others with it.
        """
        loop = asyncio.get_running_loop()
        records = [record for one in batch for record in one.records]
        block = Block(self._end.seq + 1, self._end.next_ordinal, records)
        saved = [campaign for one in batch for campaign in one.campaigns]
        try:
            await loop.run_in_executor(self.thread, self._journal.append, block, saved)
        except StorageError as error:
            self._begin_trouble(str(error))
            for one in batch:
                self._fail(one, error)
        except Exception as error:  # noqa: BLE001 - every caller is told; none may hang
            if len(batch) == 1:
                self._fail(batch[0], error)
                return
            for one in batch:
                await self._commit([one])
        else:
            self._succeed(batch, block)

    def _begin_trouble(self, trouble: str) -> None:
        """Tell that the log cannot be written, and find out when it can, whoever comes or not."""
        if self.trouble is None:
            _log.error("the log cannot be written", error=trouble)
            self.insist(TimeAdvanced)
        self.trouble = trouble

    def _take(self) -> list[_Handed]:
        taken, entries = 0, 0
        while taken < len(self._waiting) and entries < _BLOCK_ENTRIES_MAX:
            one = self._waiting[taken]
            if one.is_apart and taken:
                break
            entries += one.load.entries
            taken += 1
            if one.is_apart:
                break
        batch, self._waiting = self._waiting[:taken], self._waiting[taken:]
        return batch

    def _succeed(self, batch: list[_Handed], block: Block) -> None:
        load = Load(sum(one.load.entries for one in batch), sum(one.load.bytes for one in batch))
        self._end = type(self._end)(
            block.seq, block.first_ordinal + load.entries, block.records[-1].received_at
        )
        if self.trouble is not None:
            _log.info("the log can be written again")
            self.trouble = None
        self._on_commit(block, load)
        for one in batch:
            if not one.committed.cancelled():
                one.committed.set_result(block.seq)

    def _fail(self, one: _Handed, error: Exception) -> None:
        if not one.committed.cancelled():
            one.committed.set_exception(error)
