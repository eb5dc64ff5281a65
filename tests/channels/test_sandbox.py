"""The mailbox that nothing leaves."""

import asyncio

from segue.channels.sandbox import SandboxMailbox
from segue.channels.sender import Accepted
from segue.clock import FixedClock
from segue.model.rendered import RenderedSms


def note(number: int, user_id: str = "ada") -> RenderedSms:
    return RenderedSms(f"snd_{number}", user_id, "welcome", "+32470123456", "Hi")


async def test_messages_are_kept_by_user_and_index_with_their_time() -> None:
    clock = FixedClock(7)
    mailbox = SandboxMailbox(clock=clock)
    for number, user_id in enumerate(("ada", "ben", "ada")):
        assert isinstance(await mailbox.send(note(number, user_id)), Accepted)
        clock.advance(1)
    assert [one.message.send_id for one in mailbox.of_user("ada")] == ["snd_0", "snd_2"]
    assert [(one.index, one.at) for one in mailbox.since(1)] == [(1, 8), (2, 9)]
    assert mailbox.since(3) == []


async def test_only_the_newest_are_kept_and_all_are_counted() -> None:
    mailbox = SandboxMailbox(keep_max=3, clock=FixedClock())
    for number in range(10):
        await mailbox.send(note(number))
    assert mailbox.count == 10
    assert [one.index for one in mailbox.delivered] == [7, 8, 9]
    assert [one.index for one in mailbox.since(0)] == [7, 8, 9]
    assert [one.index for one in mailbox.since(8)] == [8, 9]


async def test_a_reader_waits_for_what_is_new() -> None:
    mailbox = SandboxMailbox(clock=FixedClock())
    await mailbox.send(note(0))
    new, all_of_them = mailbox.subscribe(), mailbox.subscribe(0)
    waiting = asyncio.create_task(new.next())
    await asyncio.sleep(0)
    assert not waiting.done()
    await mailbox.send(note(1))
    assert (await waiting).index == 1
    assert [(await all_of_them.next()).index for _ in range(2)] == [0, 1]


async def test_every_reader_gets_every_message() -> None:
    mailbox = SandboxMailbox(clock=FixedClock())
    readers = [mailbox.subscribe() for _ in range(3)]
    waiting = [asyncio.create_task(reader.next()) for reader in readers]
    await asyncio.sleep(0)
    await mailbox.send(note(0))
    assert [found.index for found in await asyncio.gather(*waiting)] == [0, 0, 0]


async def test_a_reader_that_falls_behind_misses_the_oldest_and_knows() -> None:
    mailbox = SandboxMailbox(keep_max=3, clock=FixedClock())
    reader = mailbox.subscribe()
    for number in range(10):
        await mailbox.send(note(number))
    assert [(await reader.next()).index for _ in range(3)] == [7, 8, 9]
    assert reader.missed_count == 7


async def test_the_mailbox_itself_reads_each_message_once() -> None:
    mailbox = SandboxMailbox(clock=FixedClock())
    for number in range(2):
        await mailbox.send(note(number))
    assert [(await mailbox.next()).index for _ in range(2)] == [0, 1]
    waiting = asyncio.create_task(mailbox.next())
    await asyncio.sleep(0)
    assert not waiting.done()
    await mailbox.send(note(2))
    assert (await waiting).index == 2
    await mailbox.close()


async def test_one_can_wait_for_a_number_of_messages() -> None:
    mailbox = SandboxMailbox(clock=FixedClock())
    waiting = asyncio.create_task(mailbox.wait_beyond(1))
    await mailbox.send(note(0))
    await asyncio.sleep(0)
    assert not waiting.done()
    await mailbox.send(note(1))
    await waiting
