"""Reading the log back: one user's history, or all of it; and keeping the index of users."""

from collections.abc import Collection, Iterator
from itertools import chain
from typing import Any

from msgspec.structs import replace

from segue.model.log_records import (
    AttributesReceived,
    Backfilled,
    Block,
    DevicesChanged,
    EventsReceived,
    PlanChange,
    Record,
    ScheduleWalked,
    SendsDeferred,
    SendsRequested,
    SendsRetried,
    SendsSettled,
    UserErased,
    entry_count,
)
from segue.storage.ports import Journal

_INDEX_PAIRS_MAX = 2_000  # written at a time: a commit that waits behind it waits milliseconds


EVERYBODY = ""  # no user has this id: under it the index notes what concerns all users


def users_in(record: Record) -> Iterator[str]:
    """Yield what a record is noted under in the index: the users it is about.

    A deferral names no user; it is noted under the ids of its sends, which no user has.
    """
    match record:
        case EventsReceived():
            yield from (event.user_id for event in record.events)
        case AttributesReceived() | DevicesChanged():
            yield from (change.user_id for change in record.changes)
        case SendsSettled():
            yield from (settled.user_id for settled in record.settled)
        case SendsRetried():
            yield from (deliver.user_id for deliver in record.sends)
        case SendsDeferred():
            yield from (send_id for send_id, *_ in record.deferred)
        case UserErased():
            yield record.user_id
        case SendsRequested():
            yield from (one.user_id for one in record.recipients)
        case Backfilled():
            yield from (event.user_id for event in record.events)
        case _ if isinstance(record, PlanChange | ScheduleWalked):
            yield EVERYBODY
        case _:
            return


def history_of(journal: Journal, user_id: str) -> Iterator[tuple[Record, int]]:
    """Yield the records that concern a user, cut down to this user, with their ordinals.

    Changes of the plan concern everybody. Blocks that the index does not reach yet are looked
    through.
    """
    indexed = journal.indexed_seq()
    noted = {*journal.blocks_of_user(user_id), *journal.blocks_of_user(EVERYBODY)}
    for block in journal.read_blocks(sorted(seq for seq in noted if seq <= indexed)):
        yield from _about(block, user_id)
    for block in journal.read_log(indexed):
        yield from _about(block, user_id)


def deferrals_of(journal: Journal, send_ids: Collection[str]) -> Iterator[SendsDeferred]:
    """Yield the deferrals of some sends, cut down to them, in the order of the log."""
    if not send_ids:
        return
    indexed = journal.indexed_seq()
    noted = {seq for send_id in send_ids for seq in journal.blocks_of_user(send_id)}
    known = journal.read_blocks(sorted(seq for seq in noted if seq <= indexed))
    for block in chain(known, journal.read_log(indexed)):
        for record in block.records:
            if isinstance(record, SendsDeferred):
                mine = [one for one in record.deferred if one[0] in send_ids]
                if mine:
                    yield SendsDeferred(record.received_at, mine)


def _about(block: Block, user_id: str) -> Iterator[tuple[Record, int]]:
    ordinal = block.first_ordinal
    for record in block.records:
        match record:
            case (
                EventsReceived()
                | AttributesReceived()
                | DevicesChanged()
                | SendsRequested()
                | Backfilled()
            ):
                yield from _entries_of(record, ordinal, user_id)
            case SendsSettled():
                mine = [settled for settled in record.settled if settled.user_id == user_id]
                if mine:
                    yield SendsSettled(record.received_at, mine), ordinal
            case SendsRetried():
                sends = [deliver for deliver in record.sends if deliver.user_id == user_id]
                if sends:
                    yield SendsRetried(record.received_at, sends), ordinal
            case UserErased() if record.user_id != user_id:
                pass
            case ScheduleWalked() if not _walks_by(record, user_id):
                pass
            case _ if isinstance(record, PlanChange | UserErased | ScheduleWalked):
                yield record, ordinal
        ordinal += entry_count(record)


def _entries_of(
    record: EventsReceived | AttributesReceived | DevicesChanged | SendsRequested | Backfilled,
    first_ordinal: int,
    user_id: str,
) -> Iterator[tuple[Record, int]]:
    """Yield a user's entries of a record, each as a record with the ordinal it has."""
    for name in ("events", "changes", "recipients"):
        entries: list[Any] = getattr(record, name, [])
        for index, entry in enumerate(entries):
            if entry.user_id == user_id:
                yield replace(record, **{name: [entry]}), first_ordinal + index


def _walks_by(record: ScheduleWalked, user_id: str) -> bool:
    return record.after < user_id and (record.through is None or user_id <= record.through)


class UserIndex:
    """Notes in the background which users occur in which blocks."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def step(self, through_seq: int) -> bool:
        """Note the next few blocks up to `through_seq`; return whether there is more to do."""
        after = self._journal.indexed_seq()
        pairs: set[tuple[str, int]] = set()
        last = after
        for block in self._journal.read_log(after):
            if block.seq > through_seq:
                break
            pairs.update((user, block.seq) for record in block.records for user in users_in(record))
            last = block.seq
            if len(pairs) >= _INDEX_PAIRS_MAX:
                break
        if last > after:
            self._journal.index_users(last, sorted(pairs))
        return last < through_seq
