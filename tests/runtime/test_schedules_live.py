"""Scheduled campaigns on a live runtime: in parts, after a crash, by each user's own time."""

import asyncio
from typing import Any

from segue.engine.checks import decode_campaign
from segue.model.events import AttributeChange
from segue.model.instants import DAY, HOUR, format_instant, parse_instant
from segue.model.limits import WALK_USERS_MAX
from segue.model.log_records import (
    AttributesReceived,
    CampaignPublished,
    CampaignStopped,
    ScheduleWalked,
)
from tests.support.live import LiveRuntime

START = parse_instant("2026-11-01T00:00:00Z")
PUSH = [{"push": {"title": "Hello"}}]


def scheduled(slug: str, schedule: dict[str, Any], **parts: Any) -> CampaignPublished:
    delivery = {"type": "scheduled", "schedule": schedule}
    document = {"slug": slug, "name": slug, "delivery": delivery, "messages": PUSH, **parts}
    return CampaignPublished(START, f"id-{slug}", 1, decode_campaign(document))


async def told_of(live: LiveRuntime) -> list[tuple[str, str, str]]:
    """Return each send: when, to whom, of which campaign."""
    verdicts = await live.stop()
    return [
        (format_instant(one.at), one.user_id, one.campaign)
        for one in verdicts
        if one.decision == "send"
    ]


def walks_of(live: LiveRuntime) -> list[ScheduleWalked]:
    return [
        record
        for block in live.stores.journal.read_log()
        for record in block.records
        if isinstance(record, ScheduleWalked)
    ]


def crowd() -> AttributesReceived:
    """Return more users than are walked at a time, of whom every thousandth is meant."""
    changes = [
        AttributeChange(f"u{number:05}", {"is_meant": number % 1_000 == 0})
        for number in range(2 * WALK_USERS_MAX + 10)
    ]
    return AttributesReceived(START, changes)


MEANT = {"attribute": "is_meant", "eq": True}
MEANT_USERS = ["u00000", "u01000", "u02000", "u03000", "u04000"]


async def test_a_schedule_comes_once_to_everybody_who_is_known_then() -> None:
    """Users are walked in parts, so that other records get their turn in between."""
    live = LiveRuntime(START)
    await live.start()
    news = scheduled("news", {"at": "2026-11-01T09:00:00"}, audience=MEANT)
    await live.hand_in([crowd(), news])
    await live.move_to(START + 9 * HOUR - 1)
    assert walks_of(live) == []
    await live.move_to(START + 9 * HOUR)
    await live.move_to(START + 3 * DAY)
    assert [(walk.after, walk.through) for walk in walks_of(live)] == [
        ("", "u01999"),
        ("u01999", "u03999"),
        ("u03999", None),
    ]
    assert [user for _, user, _ in await told_of(live)] == MEANT_USERS


async def test_a_walk_that_a_crash_cut_off_goes_on_and_comes_to_nobody_twice() -> None:
    """semantics.md 8: a kill at any instant repeats no decision."""
    live = LiveRuntime(START)
    await live.start()
    daily = scheduled("news", {"cron": "0 9 * * *"}, audience=MEANT, re_eligibility="always")
    await live.hand_in([crowd(), daily])
    for day in range(3):
        live.clock.advance(START + day * DAY + 9 * HOUR - live.clock.now())
        while len(walks_of(live)) < 3 * day + 1 + day % 2:
            live.runtime.scheduler.nudge()
            await asyncio.sleep(0.001)
        await live.crash()
        await live.start()
    sends = await told_of(live)
    assert len(sends) == len(set(sends)) == 3 * len(MEANT_USERS)


async def test_a_local_schedule_comes_to_each_user_by_their_own_clock() -> None:
    """semantics.md 3: a user's local time comes from their time_zone, else the workspace's."""
    live = LiveRuntime(START)
    await live.start()
    zones = {"apia": "Pacific/Apia", "paris": "Europe/Paris", "pago": "Pacific/Pago_Pago"}
    changes = [AttributeChange(user, {"time_zone": zone}) for user, zone in zones.items()]
    changes.append(AttributeChange("nowhere", {"time_zone": "Atlantis"}))
    daily = scheduled("news", {"cron": "0 9 * * *", "local": True}, re_eligibility="always")
    await live.hand_in([AttributesReceived(START, changes), daily])
    for hour in range(72):
        await live.move_to(START + hour * HOUR)
    sends = await told_of(live)
    assert sorted(at for at, user, _ in sends if user == "paris") == [
        "2026-11-02T08:00:00Z",
        "2026-11-03T08:00:00Z",
    ]
    assert [at for at, user, _ in sends if user == "pago"] == [
        "2026-11-02T20:00:00Z",
        "2026-11-03T20:00:00Z",
    ]
    assert len([at for at, user, _ in sends if user == "nowhere"]) == 2


async def test_a_campaign_that_was_stopped_comes_to_nobody_who_was_still_to_be_reached() -> None:
    live = LiveRuntime(START)
    await live.start()
    change = AttributeChange("pago", {"time_zone": "Pacific/Pago_Pago"})
    news = scheduled("news", {"at": "2026-11-02T09:00:00", "local": True})
    await live.hand_in([AttributesReceived(START, [change]), news])
    await live.move_to(START + DAY)  # walked, and on its way
    await live.hand_in([CampaignStopped(live.clock.now(), "news")])
    await live.move_to(START + 4 * DAY)
    assert await told_of(live) == []
