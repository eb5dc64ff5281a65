"""A filter that is new asks about what is as old as the log."""

from typing import Any

import pytest

from segue.engine.checks import decode_campaign
from segue.engine.plan import EMPTY_PLAN, filters_of, with_trackers
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
            trackers = with_trackers(EMPTY_PLAN, filters_of(record)).trackers
            live.runtime.read_back.prepare(list(trackers.values()))
            await live.hand_in([events(record.received_at, ("late", "purchase"))])
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
