"""A filter that is new asks about what is as old as the log."""

from typing import Any

import pytest

from segue.engine.checks import decode_campaign
from segue.engine.plan import EMPTY_PLAN, filters_of, missing_trackers
from segue.engine.workspace_checks import decode_segment
from segue.model.events import AttributeChange, Event
from segue.model.instants import DAY, HOUR, parse_instant
from segue.model.log_records import (
    AttributesReceived,
    CampaignPublished,
    EventsReceived,
    Record,
    SegmentSet,
    UserErased,
)
from tests.support.live import LiveRuntime

START = parse_instant("2026-11-01T00:00:00Z")
BOUGHT_TWICE = {"purchase": {"count": {"gte": 2}, "within": "2d"}}
PURCHASE = {"product_id": "sku", "price": 5.0}


def published(at: int, slug: str, audience: dict[str, Any]) -> CampaignPublished:
    document = {
        "slug": slug,
        "name": slug,
        "delivery": {"triggers": [{"event": "go"}]},
        "re_eligibility": "always",
        "audience": audience,
        "messages": [{"webhook": {"url": "https://shop.test/hook"}}],
    }
    return CampaignPublished(at, f"id-{slug}", 1, decode_campaign(document))


def events(at: int, *named: tuple[str, str]) -> EventsReceived:
    return EventsReceived(
        at,
        [
            Event(user, name, **(PURCHASE if name == "purchase" else {}))  # type: ignore[arg-type]
            for user, name in named
        ],
    )


async def lived(*records: Record, is_prepared: bool = False) -> dict[str, list[str]]:
    """Return what was decided for each user, as the records happen one after the other."""
    live = LiveRuntime(START)
    await live.start()
    for record in records:
        await live.move_to(record.received_at)
        if is_prepared and isinstance(record, CampaignPublished | SegmentSet):
            async with live.runtime.changing(filters_of(record)):
                await live.hand_in([events(record.received_at, ("late", "purchase"))])
                await live.hand_in([record])
        else:
            await live.hand_in([record])
        await live.crash()
        await live.start()
    told: dict[str, list[str]] = {}
    for verdict in await live.stop():
        told.setdefault(verdict.user_id, []).append(verdict.reason or verdict.decision)
    return told


@pytest.mark.parametrize("is_prepared", [False, True])
async def test_a_new_campaigns_audience_knows_what_happened_before_it(is_prepared: bool) -> None:
    """design.md: history is read back from the log before a campaign goes live."""
    told = await lived(
        events(START, ("often", "purchase"), ("once", "purchase"), ("long-ago", "purchase")),
        events(START, ("long-ago", "purchase"), ("erased", "purchase"), ("erased", "purchase")),
        UserErased(START + HOUR, "erased"),
        events(START + 2 * DAY, ("often", "purchase"), ("erased", "purchase")),
        events(START + 2 * DAY, ("late", "purchase")),
        published(START + 2 * DAY + 1, "offer", BOUGHT_TWICE),
        events(START + 2 * DAY + HOUR, ("often", "purchase")),
        events(
            START + 2 * DAY + 2 * HOUR,
            *((user, "go") for user in ("often", "once", "long-ago", "erased", "late")),
        ),
        is_prepared=is_prepared,
    )
    assert told["often"] == ["enter", "send"]
    assert told["once"] == told["long-ago"] == told["erased"] == ["not_in_audience"]
    assert told["late"] == (["enter", "send"] if is_prepared else ["not_in_audience"])


async def test_a_new_segment_knows_it_too_and_what_was_asked_for_once_stays_known() -> None:
    segment = decode_segment({"slug": "fans", "name": "Fans", "filter": BOUGHT_TWICE})
    told = await lived(
        AttributesReceived(START, [AttributeChange("often", {"name": "Often"})]),
        events(START, ("often", "purchase"), ("often", "purchase")),
        published(START + 1, "plain", {"segment": "fans"}),
        events(START + HOUR, ("often", "go")),
        SegmentSet(START + 2 * HOUR, segment),
        events(START + 3 * HOUR, ("often", "go")),
        SegmentSet(
            START + 4 * HOUR,
            decode_segment({**segment_document(), "filter": {"not": BOUGHT_TWICE}}),
        ),
        events(START + 5 * HOUR, ("often", "go")),
    )
    assert told["often"] == ["not_in_audience", "enter", "send", "not_in_audience"]


def segment_document() -> dict[str, Any]:
    return {"slug": "fans", "name": "Fans"}


async def test_one_reading_serves_all_records_that_are_handed_in_together() -> None:
    """What lies between two records of a block is read for the later one, and nothing twice."""
    live = LiveRuntime(START)
    await live.start()
    await live.hand_in([events(START, ("often", "purchase"), ("often", "look"))])
    asked = {"first": BOUGHT_TWICE, "second": {"event": {"name": "look", "count": {"eq": 2}}}}
    segments = [
        decode_segment({"slug": slug, "name": slug, "filter": node}) for slug, node in asked.items()
    ]
    filters = [segment.filter for segment in segments]
    trackers = missing_trackers(EMPTY_PLAN, filters)
    async with live.runtime.changing(filters):
        await live.hand_in(
            [
                events(START, ("often", "purchase")),
                SegmentSet(START, segments[0]),
                events(START, ("often", "look"), ("often", "purchase")),
                SegmentSet(START, segments[1]),
            ]
        )
    counts = {one.name: one.key for one in trackers}
    histories = live.runtime.states.get("often").histories
    assert histories[counts["purchase"]].count == 3
    assert histories[counts["look"]].count == 2
    await live.stop()


async def test_a_change_of_the_plan_is_prepared_and_then_made_alone() -> None:
    live = LiveRuntime(START)
    await live.start()
    await live.hand_in([events(START, ("often", "look"))])
    node = decode_segment({"slug": "x", "name": "X", "filter": {"event": "look"}}).filter
    told: list[tuple[int, int]] = []
    runtime = live.runtime
    async with runtime.changing([node], lambda done, total: told.append((done, total))):
        assert told == [(1, 1)]
        assert runtime.turn.locked()
    assert not runtime.turn.locked()
    # Nobody holds on to what was read.
    assert list(runtime.read_back.histories(missing_trackers(EMPTY_PLAN, [node]), 0)) == []
    await live.stop()
