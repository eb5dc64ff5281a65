"""An audience that nobody saved is counted over all users, whatever was followed so far."""

from typing import Any

import pytest

from segue.engine.workspace_checks import decode_segment
from segue.model.events import AttributeChange, Event
from segue.model.instants import DAY, parse_instant
from segue.model.log_records import (
    AttributesReceived,
    EventsReceived,
    SegmentSet,
    UserErased,
)
from segue.runtime.counting import AudienceCount, CountCancelledError
from tests.support.live import LiveRuntime

START = parse_instant("2026-11-01T00:00:00Z")
BOUGHT_TWICE = {"event": {"name": "bought", "count": {"gte": 2}}}


class Shop:
    """A runtime with some users."""

    def __init__(self) -> None:
        self.live = LiveRuntime(START)

    async def knows(self, *users: str, **attributes: Any) -> None:
        changes = [AttributeChange(user, attributes) for user in users]
        await self.live.hand_in([AttributesReceived(self.live.clock.now(), changes)])

    async def happens(self, name: str, *users: str) -> None:
        events = [Event(user, name) for user in users]
        await self.live.hand_in([EventsReceived(self.live.clock.now(), events)])

    async def saves(self, slug: str, filter_: dict[str, Any]) -> None:
        segment = decode_segment({"slug": slug, "name": slug, "filter": filter_})
        await self.live.hand_in([SegmentSet(self.live.clock.now(), segment)])

    def count(self, filter_: dict[str, Any] | None) -> AudienceCount:
        node = None
        if filter_ is not None:
            node = decode_segment({"slug": "x", "name": "X", "filter": filter_}).filter
        return AudienceCount(self.live.runtime, node)

    async def counts(self, filter_: dict[str, Any] | None) -> tuple[int, int]:
        """Return how many users belong to an audience, and of how many."""
        count = self.count(filter_)
        await count.run()
        assert count.done == count.total
        return count.tally.count, count.tally.users


@pytest.fixture
async def shop() -> Any:
    shop = Shop()
    await shop.live.start()
    yield shop
    await shop.live.stop()


async def test_changes_that_no_checkpoint_has_written_count_as_they_are(shop: Shop) -> None:
    await shop.knows("ann", "bob", "eve", country="FR")
    await shop.live.checkpoint()
    await shop.knows("bob", country="DE")
    await shop.knows("cat", country="FR")
    await shop.live.hand_in([UserErased(START, "eve")])
    assert await shop.counts({"attribute": "country", "eq": "FR"}) == (2, 3)
    assert await shop.counts(None) == (3, 3)


async def test_channels_reach_those_who_have_an_address_and_did_not_leave(shop: Shop) -> None:
    await shop.knows("ann", "bob", email="a@people.test")
    await shop.knows("bob", email_subscribe="unsubscribed")
    await shop.knows("cat", phone="+331")
    count = shop.count(None)
    await count.run()
    reachable = count.tally.reachable()
    assert reachable == {
        "email": 1,
        "sms": 1,
        "push": 0,
        "webhook": 3,
        "in_app_message": 3,
        "content_card": 3,
    }


async def test_what_nobody_followed_is_read_back_from_the_log(shop: Shop) -> None:
    """A filter that nobody asked for before knows the past, as it will once it is saved."""
    await shop.knows("ann", "bob", name="x")
    await shop.happens("bought", "ann", "bob", "ann", "only-events", "only-events")
    await shop.live.checkpoint()
    await shop.happens("bought", "late", "late")
    asked = BOUGHT_TWICE
    before = await shop.counts(asked)
    assert before == (3, 4)  # ann, only-events and late, of these and bob
    assert shop.live.runtime.plan.trackers == {}
    await shop.saves("fans", asked)
    assert await shop.counts({"segment": "fans"}) == before
    await shop.live.checkpoint()
    assert await shop.counts(asked) == before


async def test_an_erased_users_past_is_not_read_back(shop: Shop) -> None:
    await shop.happens("bought", "ann", "ann")
    await shop.live.hand_in([UserErased(START, "ann")])
    assert await shop.counts(BOUGHT_TWICE) == (0, 0)


async def test_who_is_counted_does_not_depend_on_what_others_follow(shop: Shop) -> None:
    """Of a user whose every event is of no interest nothing is kept but what is followed."""
    await shop.happens("looked", "passer-by")
    await shop.knows("ann", country="FR")
    asked = {"not": {"attribute": "country", "eq": "FR"}}
    before = await shop.counts(asked)
    await shop.saves("lookers", {"event": "looked"})
    assert await shop.counts(asked) == before == (0, 1)
    assert await shop.counts({"event": "looked"}) == (1, 2)


async def test_windows_count_back_from_the_moment_of_the_count(shop: Shop) -> None:
    await shop.happens("bought", "ann")
    await shop.live.move_to(START + 3 * DAY)
    await shop.happens("bought", "bob")
    assert await shop.counts({"event": {"name": "bought", "within": "2d"}}) == (1, 2)


async def test_a_cancelled_count_ends(shop: Shop) -> None:
    await shop.knows("ann", country="FR")
    for asked in ({"attribute": "country", "eq": "FR"}, BOUGHT_TWICE):
        count = shop.count(asked)
        count.is_cancelled = True
        with pytest.raises(CountCancelledError):
            await count.run()
