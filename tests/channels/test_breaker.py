"""A provider that is down is left alone for a while, then asked by one message."""

import asyncio

import pytest

from segue.channels.breaker import Breaker, Breakers
from segue.channels.sender import Accepted, Answer, Refused, TryLater, Unknown
from segue.clock import FixedClock
from segue.model.instants import SECOND
from segue.model.limits import BREAKER_FAILURES_MAX, BREAKER_PAUSE, BREAKER_PAUSE_MAX, BREAKERS_MAX

DOWN = TryLater("HTTP 503", is_outage=True)
PAUSE_S = BREAKER_PAUSE / SECOND


class Line:
    """A breaker and what is behind it."""

    def __init__(self) -> None:
        self.clock = FixedClock()
        self.breaker = Breaker("Provider", self.clock)
        self.call_count = 0

    async def ask(self, answer: Answer) -> Answer:
        async def call() -> Answer:
            self.call_count += 1
            return answer

        return await self.breaker.guard(call)

    async def is_open(self) -> bool:
        before = self.call_count
        answer = await self.ask(DOWN)
        if self.call_count != before:
            return False
        assert isinstance(answer, TryLater)
        assert answer.retry_after_s is not None
        assert answer.retry_after_s > 0
        return True


async def opened() -> Line:
    line = Line()
    for _ in range(BREAKER_FAILURES_MAX):
        await line.ask(DOWN)
    return line


async def test_it_opens_after_so_many_failures_in_a_row() -> None:
    line = Line()
    for _ in range(BREAKER_FAILURES_MAX - 1):
        assert await line.ask(DOWN) == DOWN
    await line.ask(Unknown("broke off"))
    answer = await line.ask(Accepted())
    assert line.call_count == BREAKER_FAILURES_MAX
    left_alone = "Provider was down, and is left alone for a while"
    assert answer == TryLater(left_alone, PAUSE_S, is_outage=True, was_asked=False)


@pytest.mark.parametrize("good", [Accepted(), Refused("no"), TryLater("not this one")])
async def test_any_word_of_a_provider_that_works_begins_the_count_anew(good: Answer) -> None:
    line = Line()
    for _ in range(3):
        for _ in range(BREAKER_FAILURES_MAX - 1):
            await line.ask(DOWN)
        assert await line.ask(good) == good
    assert line.call_count == 3 * BREAKER_FAILURES_MAX


async def test_after_the_pause_one_message_asks_and_the_others_wait_for_its_answer() -> None:
    line = await opened()
    line.clock.advance(BREAKER_PAUSE)
    answered = asyncio.Event()

    async def slow() -> Answer:
        await answered.wait()
        return Accepted()

    probe = asyncio.create_task(line.breaker.guard(slow))
    await asyncio.sleep(0)
    assert await line.is_open()
    answered.set()
    assert await probe == Accepted()
    assert not await line.is_open()


async def test_a_provider_that_is_still_down_is_left_alone_again() -> None:
    line = await opened()
    line.clock.advance(BREAKER_PAUSE)
    assert await line.ask(DOWN) == DOWN
    assert await line.is_open()
    line.clock.advance(BREAKER_PAUSE)
    assert not await line.is_open()


async def test_a_message_that_was_to_ask_and_was_cut_off_does_not_shut_it_for_ever() -> None:
    line = await opened()
    line.clock.advance(BREAKER_PAUSE)

    async def never() -> Answer:
        await asyncio.Event().wait()
        return Accepted()

    probe = asyncio.create_task(line.breaker.guard(never))
    await asyncio.sleep(0)
    probe.cancel()
    assert await line.is_open()
    line.clock.advance(BREAKER_PAUSE)
    assert not await line.is_open()


async def test_a_provider_that_asks_for_time_gets_it_at_once_up_to_a_limit() -> None:
    line = Line()
    await line.ask(TryLater("HTTP 503", 90.0, is_outage=True))
    line.clock.advance(89 * SECOND)
    assert await line.is_open()
    line.clock.advance(SECOND)
    assert await line.ask(Accepted()) == Accepted()
    await line.ask(TryLater("HTTP 503", 1e9, is_outage=True))
    assert await line.is_open()
    line.clock.advance(BREAKER_PAUSE_MAX)
    assert not await line.is_open()


async def test_each_name_has_a_breaker_of_its_own_and_only_so_many_are_kept() -> None:
    breakers = Breakers(FixedClock())
    calls: list[str] = []

    async def ask(name: str) -> Answer:
        async def call() -> Answer:
            calls.append(name)
            return TryLater("HTTP 503", 60.0, is_outage=True)

        return await breakers.guard(name, call)

    for name in ("a", "b", "a", "b"):
        await ask(name)
    assert calls == ["a", "b"]
    for number in range(BREAKERS_MAX - 1):
        await ask(f"other-{number}")
    await ask("a")
    await ask("b")
    assert calls.count("a") == 2, "the one used longest ago was forgotten"
