"""Coming back: the last checkpoint, then the tail of the log again (design.md, line 3)."""

from collections.abc import Callable

from segue.engine.plan import EMPTY_PLAN, Plan, apply_changes
from segue.model.instants import HOUR
from segue.model.limits import DUPLICATE_WINDOW
from segue.model.log_records import Block, EventsReceived, PlanChange
from segue.runtime.duplicates import RecentIds
from segue.runtime.processor import Processor
from segue.storage.ports import Journal, Snapshot

# (blocks done, blocks in all)
Progress = Callable[[int, int], None]


def plan_at_end(journal: Journal, snapshot: Snapshot) -> Plan:
    """Return what is published at the end of the log, without deciding about anything in it."""
    return apply_changes(EMPTY_PLAN, all_plan_changes(journal, snapshot))


def all_plan_changes(journal: Journal, snapshot: Snapshot) -> list[PlanChange]:
    """Return every change of the plan: the snapshot's, and those in the log behind it."""
    reached = snapshot.position().seq  # first: a checkpoint in between must not hide any
    stored = snapshot.plan_changes()
    behind = (
        record
        for block in journal.read_log(reached)
        for record in block.records
        if isinstance(record, PlanChange)
    )
    return [*stored, *(change for change in behind if change not in stored)]


def replay_tail(
    journal: Journal, processor: Processor, progress: Progress, after_block: Callable[[], None]
) -> None:
    """Apply the blocks behind the processor's position."""
    first, last = processor.position.seq, journal.log_end().seq
    for block in journal.read_log(first):
        processor.apply(block)
        after_block()
        progress(block.seq - first, last - first)


def remember_recent_ids(
    journal: Journal, recent_ids: RecentIds, now: int, progress: Progress
) -> None:
    """Note the ids of the events that were accepted in the last 24 hours."""
    since = now - DUPLICATE_WINDOW
    first = _first_block_since(journal, since - HOUR)
    last = journal.log_end().seq
    for block in journal.read_log(first - 1):
        _note(block, recent_ids)
        progress(block.seq - first + 1, last - first + 1)


def _first_block_since(journal: Journal, since: int) -> int:
    """Return the first block that ends at or after `since`, by bisection."""
    low, high = max(journal.first_seq(), 1), journal.log_end().seq + 1
    while low < high:
        middle = (low + high) // 2
        block = next(journal.read_blocks([middle]), None)
        if block is None or block.records[-1].received_at < since:
            low = middle + 1
        else:
            high = middle
    return low


def _note(block: Block, recent_ids: RecentIds) -> None:
    for record in block.records:
        if isinstance(record, EventsReceived):
            for event in record.events:
                if event.id is not None:
                    recent_ids.is_duplicate(event.user_id, event.id, record.received_at)
