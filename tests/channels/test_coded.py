"""Short links are kept before their message is handed over."""

import asyncio
import threading
from collections.abc import Sequence

from segue.channels.coded import CodedSenders
from segue.channels.sender import Accepted, Answer, TryLater
from segue.clock import FixedClock
from segue.content.codes import CodeMaker
from segue.content.links import Origin
from segue.content.short_links import Shortener, tracked_link
from segue.errors import SegueError
from segue.model.instants import DAY
from segue.model.limits import SHORT_LINK_LIFE
from segue.model.rendered import Rendered, RenderedEmail, RenderedSms
from segue.storage.memory_codes import MemoryCodes
from segue.storage.ports import StoredCode
from tests.support.mailbox import KeptMessages

NOW = 100 * DAY
MAKER = CodeMaker(b"a secret of thirty-two bytes ok!")
TEXT = "Sale https://shop.test/a, terms (https://shop.test/b)"


def text(send_id: str = "s1", user_id: str = "ann", body: str = TEXT) -> RenderedSms:
    origin = Origin(send_id, user_id, "sale", "B")
    short, links = Shortener("https://go.test", MAKER).shorten(body, origin)
    return RenderedSms(
        send_id, user_id, "sale", "+32470123456", short, variant="B", short_links=links
    )


class WatchedCodes(MemoryCodes):
    """Notes how many codes came at once; waits, or fails, where it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[int] = []
        self.fault: Exception | None = None
        self.gate = threading.Event()
        self.gate.set()

    def put(self, codes: Sequence[StoredCode], now: int) -> list[StoredCode]:
        self.gate.wait(10)
        self.batches.append(len(codes))
        if self.fault is not None:
            raise self.fault
        return super().put(codes, now)


class CheckingMailbox(KeptMessages):
    """Follows the links of each text that it is handed, at once."""

    def __init__(self, codes: MemoryCodes) -> None:
        super().__init__()
        self.codes = codes
        self.led_to: list[str | None] = []

    async def send(self, message: Rendered) -> Answer:
        assert isinstance(message, RenderedSms)
        for one in message.short_links:
            assert f"https://go.test/s/{one.code}" in message.body
            tracked = self.codes.find(one.code, NOW)
            self.led_to.append(tracked.link if tracked is not None else None)
        return await super().send(message)


class World:
    def __init__(self) -> None:
        self.codes = WatchedCodes()
        self.mailbox = CheckingMailbox(self.codes)
        self.clock = FixedClock(NOW)
        self.sender = CodedSenders(self.mailbox, self.codes, MAKER, self.clock)

    @property
    def bodies(self) -> list[str]:
        messages = [one.message for one in self.mailbox.delivered]
        return [one.body for one in messages if isinstance(one, RenderedSms)]


async def test_links_lead_where_they_led_before_the_text_is_handed_over() -> None:
    world = World()
    message = text()
    assert isinstance(await world.sender.send(message), Accepted)
    assert world.mailbox.led_to == ["https://shop.test/a", "https://shop.test/b"]
    assert world.bodies == [message.body]
    tracked = world.codes.find(message.short_links[1].code, NOW)
    assert tracked is not None
    assert (tracked.user_id, tracked.campaign, tracked.variant) == ("ann", "sale", "B")
    assert (tracked.send_id, tracked.channel, tracked.alias) == ("s1", "sms", "link-2")


async def test_links_live_as_long_as_is_promised() -> None:
    world = World()
    message = text()
    await world.sender.send(message)
    code = message.short_links[0].code
    assert world.codes.find(code, NOW + SHORT_LINK_LIFE - 1) is not None
    assert world.codes.find(code, NOW + SHORT_LINK_LIFE) is None


async def test_a_text_that_is_sent_again_has_the_same_links_and_doubles_nothing() -> None:
    world = World()
    for _ in range(3):
        await world.sender.send(text())
        world.clock.advance(DAY)
    assert len(set(world.bodies)) == 1
    assert len(world.codes._codes) == 2


async def test_links_that_cannot_be_kept_put_the_text_off_and_nobody_is_asked() -> None:
    world = World()
    for fault in (SegueError("segue.db cannot be written: the disk is full."), OSError("gone")):
        world.codes.fault = fault
        answer = await world.sender.send(text())
        assert isinstance(answer, TryLater)
        assert str(fault) in answer.detail
        assert not answer.was_asked
    assert world.mailbox.count == 0
    world.codes.fault = None
    assert isinstance(await world.sender.send(text()), Accepted)


async def test_texts_that_come_while_others_are_written_share_the_next_write() -> None:
    world = World()
    world.codes.gate.clear()
    first = asyncio.create_task(world.sender.send(text("s0")))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    rest = [asyncio.create_task(world.sender.send(text(f"s{n}"))) for n in range(1, 10)]
    await asyncio.sleep(0)
    world.codes.gate.set()
    answers = await asyncio.gather(first, *rest)
    await world.sender.close()
    assert all(isinstance(answer, Accepted) for answer in answers)
    assert world.codes.batches == [2, 18]


async def test_a_code_that_another_link_has_gives_way_to_the_next() -> None:
    world = World()
    message = text()
    first, second = message.short_links
    bobs = tracked_link(Origin("s9", "bob", "sale", "B"), "link-1", "https://shop.test/bob")
    world.codes.put([StoredCode(second.code, bobs, NOW + DAY)], NOW)
    await world.sender.send(message)
    await world.sender.send(message)
    assert world.mailbox.led_to == ["https://shop.test/a", "https://shop.test/b"] * 2
    [body, again] = world.bodies
    assert body == again != message.body
    assert first.code in body
    assert second.code not in body
    assert len(body) == len(message.body)
    assert body.replace(body.split("/s/")[2][:8], second.code) == message.body
    assert world.codes.find(second.code, NOW) == bobs


async def test_codes_that_are_all_taken_put_the_text_off() -> None:
    class Taken(MemoryCodes):
        def put(self, codes: Sequence[StoredCode], now: int) -> list[StoredCode]:
            return list(codes)

    world = World()
    sender = CodedSenders(world.mailbox, Taken(), MAKER, world.clock)
    answer = await sender.send(text())
    assert isinstance(answer, TryLater)
    assert "stand for other links" in answer.detail
    assert world.mailbox.count == 0


async def test_what_has_no_links_is_handed_over_without_a_write() -> None:
    codes, mailbox = WatchedCodes(), KeptMessages()
    sender = CodedSenders(mailbox, codes, MAKER, FixedClock(NOW))
    await sender.send(text(body="No link"))
    await sender.send(RenderedEmail("s1", "ann", "sale", "ann@b.test", "shop@b.test", "Hi"))
    assert mailbox.count == 2
    assert codes.batches == []
    assert sender.turn(text(), NOW) == NOW
