"""Records that share a commit do not share a fault."""

import asyncio

import pytest

from segue.errors import ConflictError
from segue.model.events import Event
from segue.model.log_records import EventsReceived, Record, entry_count
from segue.runtime.group_commit import MakeRecords
from segue.runtime.ingest import Rejected, Taken
from tests.support.live import LiveRuntime

START = 1_000_000
TOO_LARGE = Event("ann", "paid", properties={"amount": 1 << 80})


def received(at: int, *events: Event) -> list[Record]:
    return [EventsReceived(at, list(events))]


async def test_what_cannot_be_written_fails_alone() -> None:
    live = LiveRuntime(START)
    await live.start()
    hand_in = live.runtime.commits.hand_in_all
    # All in one turn of the event loop, so that one commit is tried for all.
    futures = [
        hand_in(lambda at: received(at, Event("ann", "one"))),
        hand_in(lambda at: received(at, TOO_LARGE)),
        hand_in(lambda at: received(at, Event("bob", "two"))),
    ]
    first, second, third = await asyncio.gather(*futures, return_exceptions=True)
    assert (first, third) == (1, 2)
    assert isinstance(second, OverflowError)
    blocks = list(live.stores.journal.read_log())
    assert [block.first_ordinal for block in blocks] == [0, 1]
    assert sum(entry_count(record) for block in blocks for record in block.records) == 2
    await live.settle()
    await live.stop()


@pytest.mark.parametrize("event_id", [None, "e1"])
async def test_an_event_with_a_number_too_large_is_rejected_by_index(event_id: str | None) -> None:
    live = LiveRuntime(START)
    await live.start()
    good = Event("ann", "looked", id=event_id)
    taken = await live.runtime.ingest.take_events([Rejected(0, "bad"), TOO_LARGE, good])
    message = "holds a whole number beyond 64 bits; send it as text"
    assert taken == Taken(1, 0, [Rejected(0, "bad"), Rejected(1, message)])
    await live.stop()


async def test_parts_that_want_to_be_alone_are_blocks_that_nothing_comes_between() -> None:
    live = LiveRuntime(START)
    await live.start()
    commits = live.runtime.commits
    before = commits.hand_in_all(lambda at: received(at, Event("ann", "before")))
    meanwhile: list[asyncio.Future[int]] = []

    def prepare() -> list[MakeRecords]:
        assert before.done()  # nothing is on its way
        meanwhile.append(commits.hand_in_all(lambda at: received(at, Event("bob", "after"))))
        return [
            lambda at: received(at, Event("cat", "first")),
            lambda at: received(at, Event("cat", "second")),
        ]

    assert await commits.alone(prepare) == 3
    assert await meanwhile[0] == 4
    names = [
        [event.name for record in block.records for event in record.events]
        for block in live.stores.journal.read_log()
    ]
    assert names == [["before"], ["first"], ["second"], ["after"]]
    await live.settle()
    await live.stop()


async def test_a_preparation_that_fails_leaves_the_others_to_go_on() -> None:
    live = LiveRuntime(START)
    await live.start()
    commits = live.runtime.commits
    meanwhile: list[asyncio.Future[int]] = []

    def prepare() -> list[MakeRecords]:
        meanwhile.append(commits.hand_in_all(lambda at: received(at, Event("bob", "after"))))
        raise ConflictError("too many")

    with pytest.raises(ConflictError, match="too many"):
        await commits.alone(prepare)
    assert await meanwhile[0] == 1
    await live.settle()
    await live.stop()
