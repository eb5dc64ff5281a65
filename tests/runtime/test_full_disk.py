"""What a running server does while its disk takes nothing, and once it does again."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from segue.channels.sender import Accepted, Answer
from segue.errors import StorageFullError
from segue.model.campaigns import Campaign, CustomEvent, Delay, Delivery, Trigger
from segue.model.events import AttributeChange, Event
from segue.model.instants import HOUR, MINUTE
from segue.model.log_records import (
    AttributesReceived,
    Block,
    CampaignPublished,
    EventsReceived,
    Record,
    SendsAttempted,
    SendsSettled,
    TimeAdvanced,
)
from segue.model.messages import Email, Message
from segue.model.rendered import Rendered
from segue.storage.memory import MemoryJournal
from tests.support.live import LiveRuntime

START = 1_700_000_000_000_000


class BoundedJournal(MemoryJournal):
    """A journal in memory whose disk is full as long as somebody says so."""

    def __init__(self) -> None:
        super().__init__()
        self.is_full = False
        self.refused = 0

    def append(self, block: Block, campaigns: object = ()) -> None:
        if self.is_full:
            self.refused += 1
            raise StorageFullError("the disk is full")
        super().append(block, campaigns)  # type: ignore[arg-type]

    @contextmanager
    def full(self) -> Iterator[None]:
        self.is_full = True
        yield
        self.is_full = False


class Provider:
    """Takes every message, and tells what happens meanwhile."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.meanwhile: Callable[[], None] = lambda: None

    async def send(self, message: Rendered) -> Answer:
        self.taken.append(message.user_id)
        self.meanwhile()
        return Accepted()

    def turn(self, _message: Rendered, now: int) -> int:
        return now


class Stage(LiveRuntime):
    """A runtime on such a journal, with a campaign that greets who comes."""

    def __init__(self) -> None:
        self.provider = Provider()
        super().__init__(START, senders=self.provider)
        self.journal = self.stores.journal = BoundedJournal()

    async def open(self) -> None:
        await self.start()
        welcome = Campaign(
            slug="welcome",
            name="Welcome",
            delivery=Delivery(triggers=[Trigger(event=CustomEvent("came"))]),
            messages=[Message(email=Email(subject="Hello", text="Hello"))],
        )
        await self.hand_in([CampaignPublished(START, "id-1", 1, welcome)])
        address = {"email": "ann@shop.test"}
        changes = [AttributeChange(user, address) for user in ("ann", "bob")]
        await self.hand_in([AttributesReceived(START, changes)])

    def records(self, kind: type[Record]) -> list[Record]:
        records = (record for block in self.journal.read_log() for record in block.records)
        return [record for record in records if isinstance(record, kind)]

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not holds():  # noqa: ASYNC110 - what is looked at tells nobody that it has changed
                await asyncio.sleep(0.01)


async def test_events_are_refused_while_the_disk_is_full_and_nothing_of_them_is_kept() -> None:
    stage = Stage()
    await stage.open()
    event = Event("ann", "came", id="e1")
    with stage.journal.full():
        with pytest.raises(StorageFullError):
            await stage.runtime.ingest.take_events([event])
        assert stage.runtime.problem() == "the disk is full"
        assert stage.records(EventsReceived) == []
    await stage.until(lambda: stage.runtime.problem() is None)
    assert stage.records(TimeAdvanced)  # it found out by itself, though nobody came
    taken = await stage.runtime.ingest.take_events([event])  # the same id is no double
    assert (taken.accepted, taken.duplicates) == (1, 0)
    await stage.until(lambda: bool(stage.records(SendsSettled)))
    assert stage.provider.taken == ["ann"]
    await stage.stop()


async def test_nothing_is_handed_over_that_cannot_be_recorded() -> None:
    stage = Stage()
    await stage.open()
    stage.runtime.hold.begin("test")
    await stage.runtime.ingest.take_events([Event("ann", "came"), Event("bob", "came")])
    await stage.settle()
    with stage.journal.full():
        stage.runtime.resume_sending()
        await stage.until(lambda: stage.journal.refused > 0)
        assert stage.provider.taken == []
    await stage.until(lambda: stage.runtime.problem() is None)
    stage.clock.advance(2_000_000)
    stage.runtime.dispatcher.nudge()
    await stage.until(lambda: len(stage.provider.taken) == 2)
    await stage.settle()
    assert sorted(stage.provider.taken) == ["ann", "bob"]
    await stage.stop()


async def test_an_outcome_that_cannot_be_recorded_is_recorded_later_and_sent_once() -> None:
    stage = Stage()
    await stage.open()

    def fill_up() -> None:
        stage.journal.is_full = True

    stage.provider.meanwhile = fill_up
    await stage.runtime.ingest.take_events([Event("ann", "came")])
    await stage.until(lambda: stage.journal.refused > 0)
    assert len(stage.records(SendsAttempted)) == 1
    assert stage.records(SendsSettled) == []
    stage.provider.meanwhile = lambda: None
    stage.journal.is_full = False
    await stage.until(lambda: bool(stage.records(SendsSettled)))
    await stage.settle()
    assert stage.provider.taken == ["ann"]
    assert len(stage.runtime.outcomes.outbox) == 0
    assert all(stage.runtime.loops().values())
    await stage.stop()


async def test_a_server_ends_in_order_while_its_disk_is_full() -> None:
    stage = Stage()
    await stage.open()
    stage.journal.is_full = True
    with pytest.raises(StorageFullError):
        await stage.runtime.ingest.take_events([Event("ann", "came")])
    async with asyncio.timeout(10):
        await stage.stop()


async def test_a_clock_that_goes_back_neither_disorders_the_log_nor_fires_twice() -> None:
    stage = Stage()
    await stage.open()
    later = Campaign(
        slug="later",
        name="Later",
        delivery=Delivery(triggers=[Trigger(event=CustomEvent("looked"))], delay=Delay(after="1m")),
        re_eligibility="always",
        messages=[Message(email=Email(subject="Later", text="Later"))],
    )
    await stage.hand_in([CampaignPublished(START, "id-2", 1, later)])
    await stage.runtime.ingest.take_events([Event("ann", "looked")])
    await stage.move_to(START + 2 * MINUTE)
    assert stage.provider.taken == ["ann"]

    stage.clock.advance(-HOUR)
    await stage.runtime.ingest.take_events([Event("bob", "came"), Event("bob", "looked")])
    # What needs no waiting goes out at once, though the clock has not come to it.
    await stage.until(lambda: stage.provider.taken == ["ann", "bob"])
    await stage.crash()
    stage.runtime = stage._new_runtime()
    stage.runtime.recover()
    await stage.runtime.start()
    await stage.until(lambda: len(stage.records(SendsSettled)) == 2)
    stage.clock.advance(HOUR)
    await stage.move_to(START + 2 * MINUTE + 2 * HOUR)
    assert stage.provider.taken == ["ann", "bob", "bob"]
    instants = [
        record.received_at for block in stage.journal.read_log() for record in block.records
    ]
    assert instants == sorted(instants)
    decisions = [verdict for verdict in await stage.stop() if verdict.decision == "send"]
    assert len(decisions) == len({(one.user_id, one.campaign) for one in decisions}) == 3
