"""Who waits for a campaign: in order, in pages, whatever lies in memory or in the file."""

from typing import Any

import pytest

from segue.model.instants import DAY, HOUR, MINUTE
from segue.model.problems import InvalidError
from segue.services.waiting import WaitingPage, waiting_for
from tests.support.desk import Desk
from tests.support.documents import follower


async def page(desk: Desk, limit: int = 100, cursor: str = "") -> WaitingPage:
    return await waiting_for(desk.live.runtime, desk.totals, "nudge", limit, cursor)


async def pages(desk: Desk, limit: int) -> list[str]:
    """Return everybody who waits, read page by page."""
    found = await page(desk, limit)
    users = [one.user_id for one in found.data]
    while found.next_cursor is not None:
        found = await page(desk, limit, found.next_cursor)
        assert len(found.data) <= limit
        users += [one.user_id for one in found.data]
    return users


async def publish(desk: Desk, **delivery: Any) -> None:
    waits = {"triggers": [{"event": "looked"}], "delay": {"after": "1d"}, **delivery}
    for slug in ("nudge", "other"):
        desk.campaigns.create(follower(slug, delivery=waits))
    await desk.publish_set("nudge", "other")


async def test_those_due_first_come_first_with_what_is_known_of_their_wait(desk: Desk) -> None:
    await publish(desk)
    await desk.happens("looked", "zoe")
    await desk.happens("looked", "bob", "ann")
    found = await page(desk)
    assert found.count == 3
    assert [one.user_id for one in found.data] == ["zoe", "ann", "bob"]
    first = found.data[0]
    assert (first.entered, first.due) == ("2026-11-01T02:00:00Z", "2026-11-02T02:00:00Z")
    assert (first.variant, first.held, found.next_cursor) == ("A", False, None)


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
async def test_pages_hold_everybody_once_in_order(desk: Desk, limit: int) -> None:
    """Some waits are written, some only in memory, and some of either are gone."""
    await publish(desk, exceptions=[{"event": "bought"}])
    users = [f"user-{number}" for number in range(12)]
    for user in users[:6]:
        await desk.happens("looked", user)
    await desk.live.checkpoint()
    for user in users[6:]:
        await desk.happens("looked", user)
    await desk.happens("bought", "user-0", "user-3", "user-4", "user-7")
    left = [user for user in users if user not in ("user-0", "user-3", "user-4", "user-7")]
    assert await pages(desk, limit) == left
    assert (await page(desk, limit)).count == 8
    await desk.live.checkpoint()
    assert await pages(desk, limit) == left


async def test_one_that_is_held_is_marked(desk: Desk) -> None:
    hours = {"from": "09:00", "to": "17:00", "otherwise": "next_available"}
    await publish(desk, time_of_day=hours)
    await desk.happens("looked", "ann")  # due at two in the morning
    assert not (await page(desk)).data[0].held
    await desk.live.move_to(desk.live.clock.now() + DAY + MINUTE)
    [ann] = (await page(desk)).data
    assert (ann.held, ann.due) == (True, "2026-11-02T09:00:00Z")
    await desk.live.move_to(desk.live.clock.now() + 8 * HOUR)
    assert (await page(desk)).data == []


@pytest.mark.parametrize("cursor", ["x", "1", " ann", "99999999999999999999 ann", "-1 ann", "² a"])
async def test_a_cursor_that_is_none_is_refused(desk: Desk, cursor: str) -> None:
    await publish(desk)
    with pytest.raises(InvalidError) as refused:
        await page(desk, cursor=cursor)
    assert refused.value.problems[0].path == "cursor"
