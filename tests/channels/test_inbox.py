"""Messages for devices are handed over by being kept."""

import asyncio
import threading
from collections.abc import Sequence

import pytest

from segue.channels.inbox import InboxSender
from segue.channels.registry import Senders
from segue.channels.sender import Accepted, Refused, TryLater
from segue.channels.settings import ChannelSettings
from segue.clock import FixedClock
from segue.errors import BusyError, SegueError
from segue.model.instants import DAY
from segue.model.limits import DEVICE_STREAMS_MAX, INBOX_GRACE, INBOX_LIFE_MAX
from segue.model.rendered import RenderedEmail, RenderedNote
from segue.storage.memory_inbox import MemoryInbox
from segue.storage.ports import InboxItem

NOW = 100 * DAY


def note(send_id: str = "s1", user_id: str = "ann", **content: object) -> RenderedNote:
    return RenderedNote(send_id, user_id, "sale", "content_card", content, "B")


class CountingInbox(MemoryInbox):
    """Notes how many messages came at once, and waits where it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[int] = []
        self.gate = threading.Event()
        self.gate.set()

    def put(self, items: Sequence[InboxItem], expired_before: int) -> None:
        self.gate.wait(10)
        self.batches.append(len(items))
        super().put(items, expired_before)


class FullInbox(MemoryInbox):
    """Is on a disk that is full."""

    def put(self, items: Sequence[InboxItem], expired_before: int) -> None:
        raise SegueError("segue.db cannot be written: the disk is full.")


async def test_a_message_is_accepted_once_it_is_kept_with_campaign_and_variant() -> None:
    inbox = MemoryInbox()
    sender = InboxSender(inbox, FixedClock(NOW))
    assert isinstance(await sender.send(note(title="Sale")), Accepted)
    [kept] = inbox.of_user("ann")
    assert (kept.campaign, kept.variant, kept.content) == ("sale", "B", {"title": "Sale"})
    assert (kept.available_at, kept.expires_at) == (NOW, NOW + INBOX_LIFE_MAX)


async def test_a_message_expires_as_its_author_said() -> None:
    inbox = MemoryInbox()
    await InboxSender(inbox, FixedClock(NOW)).send(note(title="Sale", expires_after="2d"))
    [kept] = inbox.of_user("ann")
    assert kept.expires_at == NOW + 2 * DAY
    assert kept.content == {"title": "Sale"}


async def test_what_expired_long_ago_goes_when_something_comes() -> None:
    inbox, clock = MemoryInbox(), FixedClock(NOW)
    sender = InboxSender(inbox, clock)
    await sender.send(note("old", title="Old"))
    clock.advance(INBOX_LIFE_MAX + INBOX_GRACE)
    await sender.send(note("new", title="New"))
    assert [one.send_id for one in inbox.of_user("ann")] == ["new", "old"]
    clock.advance(1)
    await sender.send(note("newer", title="Newer"))
    assert [one.send_id for one in inbox.of_user("ann")] == ["newer", "new"]


async def test_messages_that_come_while_others_are_written_share_the_next_write() -> None:
    inbox = CountingInbox()
    inbox.gate.clear()
    sender = InboxSender(inbox, FixedClock(NOW))
    first = asyncio.create_task(sender.send(note("s0", title="Sale")))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    rest = [asyncio.create_task(sender.send(note(f"s{n}", title="Sale"))) for n in range(1, 10)]
    await asyncio.sleep(0)
    inbox.gate.set()
    answers = await asyncio.gather(first, *rest)
    await sender.close()
    assert all(isinstance(answer, Accepted) for answer in answers)
    assert inbox.batches == [1, 9]


async def test_a_disk_that_is_full_is_tried_again_later() -> None:
    answer = await InboxSender(FullInbox(), FixedClock(NOW)).send(note(title="Sale"))
    detail = "segue.db cannot be written: the disk is full."
    assert answer == TryLater(detail, was_asked=False)


async def test_what_is_not_for_devices_is_refused() -> None:
    mail = RenderedEmail("s1", "ann", "sale", "ann@people.test", "shop@shop.test", "Hi")
    assert isinstance(await InboxSender(MemoryInbox(), FixedClock()).send(mail), Refused)


async def test_who_looks_on_is_told_of_their_own_messages_only() -> None:
    watchers = (sender := InboxSender(MemoryInbox(), FixedClock(NOW))).watchers
    ann, bob, everybody = watchers.watch("ann"), watchers.watch("bob"), watchers.watch(None)
    await sender.send(note(title="Sale"))
    assert ann.is_set()
    assert everybody.is_set()
    assert not bob.is_set()
    watchers.unwatch("ann", ann)
    watchers.unwatch("bob", bob)
    watchers.unwatch(None, everybody)


def test_only_so_many_may_look_on() -> None:
    watchers = InboxSender(MemoryInbox(), FixedClock()).watchers
    events = [watchers.watch("ann") for _ in range(DEVICE_STREAMS_MAX)]
    with pytest.raises(BusyError, match="from time to time"):
        watchers.check_room()
    watchers.unwatch("ann", events[0])
    watchers.check_room()


async def test_an_inbox_takes_what_devices_fetch() -> None:
    inbox = MemoryInbox()
    senders = Senders(ChannelSettings(), FixedClock(), lambda _name: bytes(40))
    senders.keep_for_devices(InboxSender(inbox, FixedClock()))
    await senders.send(note(title="Sale"))
    await senders.close()
    assert len(inbox.of_user("ann")) == 1
