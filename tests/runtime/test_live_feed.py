"""The live feed: ids, what is kept for those who come back, and what falling behind costs."""

from segue.clock import FixedClock
from segue.engine.checks import decode_campaign
from segue.model.events import AttributeChange, Event, SendSettled
from segue.model.instants import MINUTE, SECOND, parse_instant
from segue.model.limits import LIVE_FEED_LINGER, LIVE_FEED_MAX
from segue.model.log_records import (
    AttributesReceived,
    CampaignPublished,
    EventsReceived,
    UserErased,
)
from segue.model.verdicts import Verdict
from segue.runtime.live_feed import LiveFeed, LiveItem, Subscription
from segue.runtime.moments import Moment
from tests.support.live import LiveRuntime

START = parse_instant("2026-11-01T00:00:00Z")
DOCUMENT = {
    "slug": "offer",
    "name": "Offer",
    "delivery": {"triggers": [{"event": "go"}]},
    "messages": [{"webhook": {"url": "https://shop.test/hook"}}],
}


def moments(*user_ids: str) -> list[Moment]:
    return [Moment(START, AttributeChange(user_id, {})) for user_id in user_ids]


async def read(subscription: Subscription) -> list[LiveItem]:
    items = []
    while (item := await subscription.next(0.01)) is not None:
        items.append(item)
    return items


async def users(subscription: Subscription) -> list[str]:
    return [item.moment.user_id for item in await read(subscription)]


async def test_who_comes_back_gets_what_came_meanwhile() -> None:
    feed = LiveFeed(FixedClock(START))
    first = feed.subscribe()
    feed.publish(moments("ann", "ben"))
    ann, _ben = await read(first)
    feed.unsubscribe(first)
    feed.publish(moments("cem"))
    again = feed.subscribe(feed.id_of(ann))
    feed.publish(moments("dan"))
    assert (again.missed, again.has_gap) == (0, False)
    assert await users(again) == ["ben", "cem", "dan"]


async def test_what_is_no_longer_kept_is_counted_as_missed() -> None:
    feed = LiveFeed(FixedClock(START))
    begin = feed.keep()
    feed.publish(moments(*["ann"] * (LIVE_FEED_MAX + 7)))
    again = feed.subscribe(begin)
    assert again.missed == 7
    assert len(await users(again)) == LIVE_FEED_MAX


async def test_a_reader_that_falls_behind_loses_the_oldest() -> None:
    feed = LiveFeed(FixedClock(START))
    slow = feed.subscribe()
    feed.publish(moments("ann", *["ben"] * LIVE_FEED_MAX))
    assert slow.missed == 1
    assert set(await users(slow)) == {"ben"}


async def test_an_id_from_before_a_restart_or_from_nowhere_is_a_gap() -> None:
    clock = FixedClock(START)
    feed = LiveFeed(clock)
    begin = feed.keep()
    clock.advance(SECOND)
    restarted = LiveFeed(clock)
    restarted.keep()
    restarted.publish(moments("ann"))
    for after in (begin, "nonsense", "-", f"{begin}x"):
        again = restarted.subscribe(after)
        assert again.has_gap, after
        assert await users(again) == ["ann"]


async def test_it_costs_nothing_once_nobody_has_looked_on_for_a_minute() -> None:
    clock = FixedClock(START)
    feed = LiveFeed(clock)
    assert not feed.is_watched
    subscription = feed.subscribe()
    feed.publish(moments("ann"))
    [item] = await read(subscription)
    name = feed.id_of(item)
    feed.unsubscribe(subscription)
    clock.advance(LIVE_FEED_LINGER - SECOND)
    assert feed.is_watched
    clock.advance(2 * SECOND)
    assert not feed.is_watched
    assert feed.subscribe(name).has_gap  # what came meanwhile is not known


async def test_a_user_who_was_erased_is_not_told_of_again() -> None:
    feed = LiveFeed(FixedClock(START))
    begin = feed.keep()
    feed.publish(moments("ann", "ben", "ann"))
    feed.publish([Moment(START, UserErased(START, "ann"))])
    told = await read(feed.subscribe(begin))
    assert [type(one.moment.what).__name__ for one in told] == ["AttributeChange", "UserErased"]
    assert told[0].moment.user_id == "ben"


async def test_only_what_is_wanted_takes_room() -> None:
    feed = LiveFeed(FixedClock(START))
    begin = feed.keep()
    feed.publish(moments("ann", *["ben"] * 20))
    wanted = feed.subscribe(begin, lambda moment: moment.user_id == "ann")
    feed.publish(moments(*["ben"] * (LIVE_FEED_MAX + 1), "ann"))
    assert await users(wanted) == ["ann", "ann"]
    assert wanted.missed == 0


async def test_an_event_its_decisions_its_send_and_the_answer_come_in_order() -> None:
    live = LiveRuntime(START)
    await live.start()
    subscription = live.runtime.feed.subscribe()
    await live.hand_in([CampaignPublished(START, "id-offer", 1, decode_campaign(DOCUMENT))])
    await live.hand_in(
        [
            AttributesReceived(START, [AttributeChange("ann", {"city": "Ghent"})]),
            EventsReceived(START, [Event("ann", "go", id="e1")]),
        ]
    )
    await live.move_to(START + MINUTE)
    told = [item.moment.what for item in await read(subscription)]
    kinds = [type(one).__name__ for one in told]
    assert kinds == ["AttributeChange", "Act", "Verdict", "Verdict", "SendSettled"]
    decisions = [one.decision for one in told if isinstance(one, Verdict)]
    assert decisions == ["enter", "send"]
    [settled] = [one for one in told if isinstance(one, SendSettled)]
    assert settled.settled_as == "accepted"
    await live.stop()
