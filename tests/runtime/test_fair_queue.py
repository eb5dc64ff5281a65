"""Who goes next: in turn from each campaign, and none takes every place."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from segue.channels.sender import Accepted, Answer
from segue.engine.checks import decode_campaign
from segue.model.events import AttributeChange, Event
from segue.model.instants import HOUR, parse_instant
from segue.model.limits import SENDERS_MAX, TIMERS_AT_ONCE_MAX
from segue.model.log_records import AttributesReceived, CampaignPublished, EventsReceived
from segue.model.rendered import Rendered
from segue.runtime import processor, scheduler
from segue.runtime.counter_check import check_counters
from segue.runtime.dispatcher import _Slots
from segue.runtime.fair_queue import FairQueue
from segue.runtime.replay import compare_with_record
from tests.support.live import LiveRuntime

START = parse_instant("2026-11-01T00:00:00Z")


def queue_of(**messages: list[int]) -> FairQueue:
    """Return a queue of messages named after their campaign and place, each at an instant."""
    queue = FairQueue(lambda _key, _at: True)
    for campaign, instants in messages.items():
        for number, at in enumerate(instants):
            queue.put(campaign, f"{campaign}{number}", at)
    return queue


def room(count: int) -> Any:
    left = [count]

    def may_take(_campaign: str) -> bool:
        left[0] -= 1
        return left[0] >= 0

    return may_take


def test_a_message_that_stands_in_the_queue_twice_at_an_instant_is_taken_once() -> None:
    # Found by `segue simulate --seed 10166 --days 7`: cut off by a crash, and the clock set back.
    queue = FairQueue(lambda _key, at: at == 5)
    for _ in range(2):
        queue.put("c", "s/webhook", 5)
    assert queue.take(5, lambda _campaign: True) == ["s/webhook"]
    assert queue.take(5, lambda _campaign: True) == []


def test_a_large_campaign_and_a_small_one_take_turns() -> None:
    queue = queue_of(big=[1, 1, 1, 1, 1], small=[1, 1])
    assert queue.take(1, room(3)) == ["big0", "small0", "big1"]
    assert queue.take(1, room(9)) == ["small1", "big2", "big3", "big4"]
    assert queue.take(1, room(9)) == []
    assert queue.next_at() is None


def test_of_a_campaign_what_may_go_first_goes_first_and_nothing_before_its_time() -> None:
    queue = queue_of(a=[5, 3, 9, 3])
    assert queue.take(5, room(9)) == ["a1", "a3", "a0"]
    assert queue.next_at() == 9
    assert queue.take(8, room(9)) == []


def test_what_is_outdated_is_let_go_of() -> None:
    current = {"one": 2}
    queue = FairQueue(lambda key, at: current.get(key) == at)
    queue.put("a", "one", 1)
    queue.put("a", "gone", 1)
    queue.put("a", "one", 2)
    assert queue.take(1, room(9)) == []
    assert queue.take(2, room(9)) == ["one"]
    assert queue.next_at() is None


def test_one_campaign_leaves_places_for_others_and_others_for_more() -> None:
    slots = _Slots()

    def fill(campaign: str) -> int:
        count = 0
        while slots.take(campaign):
            count += 1
        return count

    taken = [fill(name) for name in ("big", "second", "third", "fourth")]
    assert taken[0] == SENDERS_MAX * 3 // 4
    assert all(count > 0 for count in taken[:3])
    assert sum(taken) <= SENDERS_MAX
    for _ in range(taken[0]):
        slots.give_back("big")
    assert fill("fifth") > taken[1]


class SlowProvider:
    """Never answers for a campaign; the others' messages it takes at once."""

    def __init__(self, never: str) -> None:
        self.never = never
        self.handed: Counter[str] = Counter()
        self.may_answer = asyncio.Event()

    async def send(self, message: Rendered) -> Answer:
        self.handed[message.campaign] += 1
        if message.campaign == self.never:
            await self.may_answer.wait()
        return Accepted()

    def turn(self, _message: Rendered, now: int) -> int:
        return now


def published(slug: str, **delivery: Any) -> CampaignPublished:
    document = {
        "slug": slug,
        "name": slug,
        "delivery": delivery,
        "messages": [{"webhook": {"url": "https://shop.test/hook"}}],
    }
    return CampaignPublished(START, f"id-{slug}", 1, decode_campaign(document))


async def until(holds: Any) -> None:
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110 - what is looked at tells nobody that it has changed
            await asyncio.sleep(0.005)


async def stop(live: LiveRuntime, provider: SlowProvider) -> None:
    provider.may_answer.set()
    await live.stop()


async def test_a_campaign_whose_provider_never_answers_delays_no_other() -> None:
    provider = SlowProvider("news")
    live = LiveRuntime(START, provider)
    await live.start()
    await live.hand_in(
        [
            published("news", triggers=[{"event": "all"}]),
            published("code", triggers=[{"event": "one"}]),
        ]
    )
    crowd = [Event(f"u{number}", "all") for number in range(500)]
    await live.runtime.ingest.take_events(crowd)
    await until(lambda: provider.handed["news"] == SENDERS_MAX * 3 // 4)
    for number in range(20):
        await live.runtime.ingest.take_events([Event(f"u{number}", "one")])
    await until(lambda: provider.handed["code"] == 20)
    assert provider.handed["news"] == SENDERS_MAX * 3 // 4
    await stop(live, provider)


async def test_a_schedule_for_everybody_waits_for_room_and_leaves_some_to_what_users_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(processor, "OUTBOX_WALK_MAX", 50)
    monkeypatch.setattr(scheduler, "WALK_USERS_MAX", 20)
    monkeypatch.setattr(scheduler, "_LOOK_EVERY_S", 0.01)
    provider = SlowProvider("news")
    live = LiveRuntime(START, provider)
    await live.start()
    changes = [AttributeChange(f"u{number:03}", {"x": 1}) for number in range(300)]
    await live.hand_in([AttributesReceived(START, changes)])
    await live.hand_in(
        [
            published("news", type="scheduled", schedule={"at": "2026-11-01T01:00:00Z"}),
            published("code", triggers=[{"event": "one"}]),
        ]
    )
    live.clock.advance(HOUR)
    live.runtime.scheduler.nudge()
    outbox = live.runtime.outcomes.outbox
    await until(lambda: len(outbox) > 50)
    await live.runtime.ingest.take_events([Event("u001", "one")])
    await until(lambda: provider.handed["code"] == 1)
    assert len(outbox) <= 50 + 20 + 1
    provider.may_answer.set()
    await until(lambda: provider.handed["news"] == 300)  # and all of them get it in the end
    await live.settle()
    await live.stop()


async def test_timers_that_are_due_together_fire_in_parts_and_each_once_after_a_crash() -> None:
    provider = SlowProvider("nobody")
    live = LiveRuntime(START, provider)
    await live.start()
    await live.hand_in([published("later", triggers=[{"event": "go"}], delay={"after": "1h"})])
    users = [f"u{number}" for number in range(TIMERS_AT_ONCE_MAX + 100)]
    await live.hand_in([EventsReceived(START, [Event(user, "go") for user in users])])
    live.clock.advance(HOUR)
    live.runtime.dispatcher.close()
    assert not live.runtime.processor._let_time_pass(START + HOUR)
    await live.checkpoint()  # between two parts of one instant
    await live.crash()
    journal, snapshot = live.stores.journal, live.stores.snapshot
    assert snapshot.position().now == START + HOUR
    assert len(snapshot.timers_of("later")) == 100
    compared = compare_with_record(journal, snapshot)
    assert compared.difference is None
    assert compared.equal == len(users) + TIMERS_AT_ONCE_MAX  # entered, and sent
    counted = check_counters(journal, snapshot, lambda _done, _total: None)
    assert counted is not None
    assert counted.faults == []

    await live.start()
    await live.move_to(START + HOUR)
    sent = [one for one in await live.stop() if one.decision == "send"]
    assert {one.at for one in sent} == {START + HOUR}
    assert sorted(one.user_id for one in sent) == sorted(users)
    assert provider.handed["later"] == len(users)
    assert compare_with_record(journal, snapshot).difference is None
