"""Reading the log back: one user's history, or all of it; and keeping the index of users."""

from collections.abc import Iterator

from segue.model.log_records import (
    AttributesReceived,
    Block,
    CampaignPublished,
    CampaignStopped,
    EventsReceived,
    Record,
    SendsSettled,
    UserErased,
    entry_count,
)
from segue.storage.ports import Journal

_INDEX_PAIRS_MAX = 2_000  # written at a time: a commit that waits behind it waits milliseconds


EVERYBODY = ""  # no user has this id: under it the index notes what concerns all users


def users_in(record: Record) -> Iterator[str]:
    """Yield the users a record is about."""
    match record:
        case EventsReceived():
            yield from (event.user_id for event in record.events)
        case AttributesReceived():
            yield from (change.user_id for change in record.changes)
        case SendsSettled():
            yield from (settled.user_id for settled in record.settled)
        case UserErased():
            yield record.user_id
        case CampaignPublished() | CampaignStopped():
            yield EVERYBODY
        case _:
            return


def history_of(journal: Journal, user_id: str) -> Iterator[tuple[Record, int]]:
    """Yield the records that concern a user, cut down to this user, with their ordinals.

    Publications concern everybody. Blocks that the index does not reach yet are looked through.
    """
    indexed = journal.indexed_seq()
    noted = {*journal.blocks_of_user(user_id), *journal.blocks_of_user(EVERYBODY)}
    for block in journal.read_blocks(sorted(seq for seq in noted if seq <= indexed)):
        yield from _about(block, user_id)
    for block in journal.read_log(indexed):
        yield from _about(block, user_id)


def _about(block: Block, user_id: str) -> Iterator[tuple[Record, int]]:
    ordinal = block.first_ordinal
    for record in block.records:
        match record:
            case EventsReceived():
                for index, event in enumerate(record.events):
                    if event.user_id == user_id:
                        yield EventsReceived(record.received_at, [event]), ordinal + index
            case AttributesReceived():
                for index, change in enumerate(record.changes):
                    if change.user_id == user_id:
                        yield AttributesReceived(record.received_at, [change]), ordinal + index
            case SendsSettled():
                mine = [settled for settled in record.settled if settled.user_id == user_id]
                if mine:
                    yield SendsSettled(record.received_at, mine), ordinal
            case UserErased() if record.user_id == user_id:
                yield record, ordinal
            case CampaignPublished() | CampaignStopped():
                yield record, ordinal
            case _:
                pass
        ordinal += entry_count(record)


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
