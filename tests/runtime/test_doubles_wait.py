"""A call is acknowledged once its events are durable, also those that came with an earlier call."""

import asyncio
import threading
from collections.abc import Sequence

import pytest

from segue.errors import StorageFullError
from segue.model.events import Event
from segue.model.log_records import Block
from segue.runtime.ingest import Taken
from segue.storage.ports import StoredCampaign
from tests.support.live import LiveRuntime

START = 1_000_000
GO = Event("ann", "go", id="e1")


class SlowDisk:
    """Holds appends back until it is let, and then takes them or not."""

    def __init__(self, live: LiveRuntime, monkeypatch: pytest.MonkeyPatch) -> None:
        self.may_go = threading.Event()
        self.is_full = False
        self._append = live.stores.journal.append
        monkeypatch.setattr(live.stores.journal, "append", self.append)

    def append(self, block: Block, campaigns: Sequence[StoredCampaign] = ()) -> None:
        self.may_go.wait(10)
        if self.is_full:
            self.is_full = False
            raise StorageFullError("the disk is full")
        self._append(block, campaigns)


async def begun(
    monkeypatch: pytest.MonkeyPatch,
) -> tuple[LiveRuntime, SlowDisk, "asyncio.Task[Taken]", "asyncio.Task[Taken]"]:
    """Return a server that was told of an event twice, the first not being durable yet."""
    live = LiveRuntime(START)
    await live.start()
    disk = SlowDisk(live, monkeypatch)
    first = asyncio.create_task(live.runtime.ingest.take_events([GO]))
    await asyncio.sleep(0.01)
    second = asyncio.create_task(live.runtime.ingest.take_events([GO]))
    await asyncio.sleep(0.01)
    return live, disk, first, second


def events_in(live: LiveRuntime) -> list[Event]:
    records = [one for block in live.stores.journal.read_log() for one in block.records]
    return [event for one in records for event in getattr(one, "events", [])]


async def test_a_double_is_not_acknowledged_before_its_first_is_durable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Found by `segue simulate --seed 2 --days 1`: a kill then lost what had been acknowledged.
    live, disk, first, second = await begun(monkeypatch)
    assert not second.done()
    disk.may_go.set()
    assert await first == Taken(1, 0, [])
    assert await second == Taken(0, 1, [])
    assert events_in(live) == [GO]
    await live.stop()


async def test_a_double_whose_first_is_lost_is_taken_in_its_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    live, disk, first, second = await begun(monkeypatch)
    disk.is_full = True
    disk.may_go.set()
    with pytest.raises(StorageFullError):
        await first
    assert await second == Taken(1, 0, [])
    assert events_in(live) == [GO]
    await live.settle()
    await live.stop()


async def test_a_caller_who_goes_away_leaves_no_event_that_is_taken_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    live, disk, first, second = await begun(monkeypatch)
    first.cancel()
    disk.may_go.set()
    assert await second == Taken(0, 1, [])
    assert await live.runtime.ingest.take_events([GO]) == Taken(0, 1, [])
    assert events_in(live) == [GO]
    await live.settle()
    await live.stop()
