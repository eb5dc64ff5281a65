"""Publishing a follower with a backfill: whom it missed enters, once, and nobody falls between."""

import asyncio

import pytest

from segue.errors import ConflictError
from segue.model.events import Event
from segue.model.instants import HOUR
from segue.model.log_records import Backfilled, CampaignPublished, EventsReceived
from segue.runtime import backfill
from segue.services import backfilling
from tests.support.desk import Desk, clicked

ENTERED = ("enter", None)


async def clicked_before(desk: Desk, *users: str) -> None:
    """Let users click in a mail of `target`, which `late` follows as a draft."""
    desk.draft("target")
    desk.draft("late", *clicked("target"), re_eligibility="never")
    await desk.publish("target")
    await desk.knows(*users)
    await desk.clicks("target", *users)


def entered(desk: Desk, slug: str = "late") -> list[str]:
    return sorted(user for user, *decided in desk.decided(slug) if tuple(decided) == ENTERED)


async def test_missed_users_enter_once_with_the_publication(desk: Desk) -> None:
    await clicked_before(desk, "ann", "bob")
    await desk.clicks("target", "ann")
    done = await desk.publish("late", backfill=True)
    assert done.backfilled == {"late": 2}
    assert done.missed.user_count == 2
    assert [one for one in done.warnings if "will not enter" in one.problem.message] == []
    assert entered(desk) == ["ann", "bob"]
    await desk.clicks("target", "ann", "eve")
    assert entered(desk) == ["ann", "bob", "eve"]


async def test_without_the_wish_nobody_is_let_in(desk: Desk) -> None:
    await clicked_before(desk, "ann")
    done = await desk.publish("late")
    assert done.backfilled == {}
    assert "will not enter; backfill lets them" in done.warnings[-1].problem.message
    assert entered(desk) == []


async def test_the_delay_counts_from_the_interaction_and_exceptions_since_count(
    desk: Desk,
) -> None:
    desk.draft("target")
    delivery = {
        "triggers": clicked("target"),
        "delay": {"after": "3h"},
        "exceptions": [{"event": "bought"}],
    }
    desk.draft("late", delivery=delivery)
    await desk.publish("target")
    await desk.clicks("target", "ann", "bob")
    at = desk.live.clock.now()
    await desk.happens("bought", "bob")
    await desk.publish("late", backfill=True)
    assert entered(desk) == ["ann"]
    membership = desk.live.runtime.states.get("ann").memberships["late"]
    assert membership.wait is not None
    assert membership.wait.due_at == at + 3 * HOUR


async def test_a_dry_run_tells_how_many_would_be_let_in(desk: Desk) -> None:
    await clicked_before(desk, "ann", "bob")
    told = await desk.publish("late", backfill=True, dry_run=True)
    assert told.backfilled == {"late": 2}
    assert entered(desk) == []
    assert desk.statuses()["late"] == "draft"


async def test_only_those_are_backfilled_that_are_named(desk: Desk) -> None:
    desk.draft("also", *clicked("target"))
    await clicked_before(desk, "ann")
    done = await desk.publish_set("late", "also", backfill=["also"])
    assert done.backfilled == {"also": 1}
    assert (entered(desk, "also"), entered(desk)) == (["ann"], [])


async def test_nobody_falls_between_the_backfill_and_the_publication(desk: Desk) -> None:
    """Clicks come in all the while: each user enters, by one or by the other."""
    await clicked_before(desk, *(f"early-{number}" for number in range(20)))
    runtime = desk.live.runtime
    users = [f"u{number}" for number in range(60)]

    async def click_on() -> None:
        for user in users:
            event = Event(user, "email_click", campaign="target", alias="cta")
            await runtime.commits.hand_in(lambda at, one=event: EventsReceived(at, [one]))
            await asyncio.sleep(0)

    clicking = asyncio.create_task(click_on())
    done = await desk.publish("late", backfill=True)
    await clicking
    await runtime.processor.wait_for(runtime.commits.last_seq)
    assert entered(desk) == sorted([*users, *(f"early-{number}" for number in range(20))])
    assert 20 <= done.backfilled["late"] <= 80


async def test_it_is_logged_right_behind_the_publication_in_parts(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backfilling, "BACKFILL_PART_EVENTS", 2)
    await clicked_before(desk, "ann", "bob", "eve")
    await desk.publish("late", backfill=True)
    records = [record for block in desk.live.stores.journal.read_log() for record in block.records]
    place = next(
        index
        for index, one in enumerate(records)
        if isinstance(one, CampaignPublished) and one.document.slug == "late"
    )
    behind = records[place + 1 : place + 3]
    assert [len(one.events) for one in behind if isinstance(one, Backfilled)] == [2, 1]


async def test_too_many_keep_the_publication_back(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backfill, "BACKFILL_USERS_MAX", 1)
    await clicked_before(desk, "ann", "bob")
    with pytest.raises(ConflictError, match="2 users have missed late"):
        await desk.publish("late", backfill=True)
    assert desk.statuses()["late"] == "draft"
