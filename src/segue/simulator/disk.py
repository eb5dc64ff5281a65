"""Stores whose power can be cut: what was synced stays, what was being written may be torn.

The memory stores are the disk's contents. A write that is cut off is rolled back or there as a
whole, unless the world has a bug on purpose.
"""

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Protocol

from msgspec.structs import replace

from segue.errors import StorageFullError
from segue.model.log_records import Block, SendsAttempted, TimeAdvanced
from segue.simulator.faults import Faults
from segue.simulator.virtual_loop import Killed
from segue.storage.encoding import encode_block
from segue.storage.memory import MemoryJournal
from segue.storage.memory_snapshot import MemorySnapshot
from segue.storage.ports import Checkpoint, Journal, LogEnd, Snapshot, StoredCampaign


class Disk(Protocol):
    """Where a world keeps what outlives its processes."""

    @property
    def journal(self) -> Journal:
        """The journal of the process that runs now."""

    @property
    def snapshot(self) -> Snapshot:
        """The snapshot of the process that runs now."""

    @property
    def trouble(self) -> "Trouble":
        """What goes wrong with its writes."""

    @property
    def verdict_count(self) -> int:
        """How many decisions are on record."""

    def power_cut(self) -> None:
        """Lose what was not synced, and be as the next process finds it."""

    def close(self) -> None:
        """Let go of everything."""


class Trouble:
    """Decides what becomes of each write, and remembers what was given to be written."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self.is_full = False
        self.is_off = False  # the power: whatever a dead process still does reaches no disk
        self.offered: dict[int, set[bytes]] = {}  # what was to be a block, by its number

    def begin(self, what: str) -> None:
        """Let a write begin, or not.

        Raises:
            StorageFullError: it is full.
        """
        if self.is_off:
            raise Killed
        if self.is_full:
            self.faults.count(f"{what} refused by a full disk")
            raise StorageFullError("The disk is full: no space left on the device.")

    def cuts_off(self) -> bool:
        """Return whether the process is killed during this write."""
        return self.faults.throw("tear", 0.006)

    def offer(self, block: Block) -> None:
        """Remember a block that is to be written."""
        self.offered.setdefault(block.seq, set()).add(fingerprint(block))


def fingerprint(block: Block) -> bytes:
    """Return what tells a block from every other."""
    return blake2b(encode_block(block), digest_size=16).digest()


class MemoryDisk:
    """A disk in memory."""

    def __init__(self, faults: Faults) -> None:
        self.trouble = Trouble(faults)
        self.journal = _Journal(self.trouble)
        self.snapshot = _Snapshot(self.trouble)

    @property
    def verdict_count(self) -> int:
        """How many decisions are on record."""
        return self.snapshot.verdict_count

    def power_cut(self) -> None:
        """Lose what was not synced."""
        self.journal.lose_unsynced()
        self.trouble.is_off = False

    def close(self) -> None:
        """There are no files to close."""


class _Journal(MemoryJournal):
    """A journal that can be cut off while it writes."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__()
        self._trouble = trouble
        self._synced = LogEnd()

    def append(self, block: Block, campaigns: Sequence[StoredCampaign] = ()) -> None:
        """Append a block, unless the disk is full; the power may go before, amid or after."""
        trouble = self._trouble
        trouble.begin("batches")
        block = _without_attempts(block, trouble.faults)
        trouble.offer(block)
        if trouble.cuts_off():
            self._cut_off(block, campaigns)
            raise Killed
        super().append(block, campaigns)
        if "ack_before_sync" not in trouble.faults.bugs or trouble.faults.dice.happens(0.5):
            self._synced = self._end

    def index_users(self, through_seq: int, pairs: Iterable[tuple[str, int]]) -> None:
        """Note which users occur in blocks, unless the disk is full."""
        self._trouble.begin("notes of users")
        super().index_users(through_seq, pairs)

    @property
    def synced(self) -> LogEnd:
        """Where the log ends if the power goes now."""
        return self._synced

    def lose_unsynced(self) -> None:
        """Take out the blocks that were not synced."""
        for seq in range(self._synced.seq + 1, self._end.seq + 1):
            self._byte_count -= len(self._blocks.pop(seq).stored)
        self._end = self._synced

    def _cut_off(self, block: Block, campaigns: Sequence[StoredCampaign]) -> None:
        """Leave of a write what the power let through."""
        faults = self._trouble.faults
        if faults.dice.happens(0.4):  # all of it, and nobody heard of it
            super().append(block, campaigns)
            self._synced = self._end
            faults.count("batches written and not acknowledged")
            return
        faults.count("torn batches")
        half = _half(block)
        if "keep_torn_batches" in faults.bugs and half is not None:
            super().append(half)
            self._synced = self._end


class _Snapshot(MemorySnapshot):
    """A snapshot that can be cut off while it writes."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__()
        self._trouble = trouble
        self.verdict_count = 0

    def commit(self, checkpoint: Checkpoint) -> None:
        """Write a checkpoint, unless the disk is full; the power may go before, amid or after."""
        self._trouble.begin("checkpoints")
        faults = self._trouble.faults
        if not self._trouble.cuts_off():
            self._commit(checkpoint)
            return
        if faults.dice.happens(0.4):
            self._commit(checkpoint)
            faults.count("checkpoints written and not noticed")
        else:
            faults.count("torn checkpoints")
            if "keep_torn_checkpoints" in faults.bugs:
                self._commit(replace(checkpoint, timers_set=[], timers_gone=[]))
        raise Killed

    def _commit(self, checkpoint: Checkpoint) -> None:
        super().commit(checkpoint)
        self.verdict_count += len(checkpoint.verdicts)


def _half(block: Block) -> Block | None:
    """Return the first half of a block's records, or of its only one's entries."""
    if len(block.records) > 1:
        return replace(block, records=block.records[: len(block.records) // 2])
    entries = getattr(block.records[0], "events", [])
    if len(entries) > 1:
        first = replace(block.records[0], events=entries[: len(entries) // 2])
        return replace(block, records=[first])
    return None


def _without_attempts(block: Block, faults: Faults) -> Block:
    """Return the block as a disk with that bug writes it."""
    if "drop_attempts" not in faults.bugs:
        return block
    records = [
        TimeAdvanced(record.received_at) if isinstance(record, SendsAttempted) else record
        for record in block.records
    ]
    return replace(block, records=records)
