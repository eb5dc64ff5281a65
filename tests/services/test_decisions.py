"""The newest decisions about a campaign: in order, page by page, whatever is written meanwhile."""

import pytest

from segue.model.problems import InvalidError
from segue.services import decisions
from segue.services.decisions import decisions_of
from tests.support.desk import Desk

SENDS = ("send", "skip")


async def opened(desk: Desk) -> None:
    """Let two campaigns start by one event, which some users have no address for."""
    desk.draft("sale", {"event": "began"}, re_eligibility="always")
    desk.draft("news", {"event": "began"}, re_eligibility="always")
    await desk.publish_set("sale", "news")
    await desk.knows("ann", "bob", "cat")


async def walked(desk: Desk, limit: int, *kinds: str) -> list[tuple[str, str]]:
    """Return all decisions about the sale, by pages of a size."""
    found, cursor = [], ""
    while True:
        page = await decisions_of(desk.live.runtime, "sale", kinds or SENDS, limit, cursor)  # type: ignore[arg-type]
        assert len(page.data) <= limit
        found += [(one.user_id, one.decision) for one in page.data]
        if page.next_cursor is None:
            return found
        cursor = page.next_cursor


async def test_the_newest_come_first_and_others_campaigns_not(desk: Desk) -> None:
    await opened(desk)
    await desk.happens("began", "ann", "dan")
    await desk.happens("began", "bob")
    page = await decisions_of(desk.live.runtime, "sale", SENDS, 10)
    told = [(one.user_id, one.decision, one.reason) for one in page.data]
    assert told == [("bob", "send", None), ("dan", "skip", "no_address"), ("ann", "send", None)]
    assert page.next_cursor is None


async def test_only_the_kinds_that_are_asked_for_are_told(desk: Desk) -> None:
    await opened(desk)
    await desk.happens("began", "ann", "dan")
    assert await walked(desk, 10, "skip") == [("dan", "skip")]
    assert await walked(desk, 10, "enter") == [("dan", "enter"), ("ann", "enter")]
    assert await walked(desk, 10, "convert") == []


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
async def test_pages_of_any_size_tell_each_decision_once(desk: Desk, limit: int) -> None:
    await opened(desk)
    expected = []
    for number in range(4):
        await desk.happens("began", "ann", "bob", "cat")
        expected += [("ann", "send"), ("bob", "send"), ("cat", "send")]
        if number % 2:
            await desk.live.checkpoint()
    assert await walked(desk, limit) == expected[::-1]


async def test_a_cursor_leads_on_though_what_was_pending_is_written_meanwhile(desk: Desk) -> None:
    await opened(desk)
    await desk.happens("began", "ann", "bob", "cat")
    await desk.live.checkpoint()
    await desk.happens("began", "ann", "bob", "cat")
    runtime = desk.live.runtime
    first = await decisions_of(runtime, "sale", SENDS, 2)
    assert [one.user_id for one in first.data] == ["cat", "bob"]
    await desk.live.checkpoint()
    await desk.happens("began", "cat")
    await desk.live.checkpoint()
    await desk.happens("began", "ann")
    second = await decisions_of(runtime, "sale", SENDS, 9, first.next_cursor or "")
    assert [one.user_id for one in second.data] == ["ann", "cat", "bob", "ann"]


async def test_a_page_ends_where_it_has_read_enough_and_the_next_goes_on(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decisions, "DECISION_BLOCKS_MAX", 2)
    await opened(desk)
    await desk.happens("began", "ann")
    for _ in range(4):
        await desk.happens("other", "bob")
        await desk.campaigns.stop("news")
        await desk.publish("news")
        await desk.live.checkpoint()
        await desk.happens("began", "dan")
    first = await decisions_of(desk.live.runtime, "sale", ("convert",), 5)
    assert (first.data, first.next_cursor is not None) == ([], True)
    assert first.read_back_to is not None
    assert ("ann", "send") in await walked(desk, 5)


@pytest.mark.parametrize("cursor", ["x", "1", "1.2.3", "-1.2", "1.x", "9" * 16 + ".1"])
async def test_a_cursor_that_is_none_is_refused(desk: Desk, cursor: str) -> None:
    with pytest.raises(InvalidError, match=r"cursor"):
        await decisions_of(desk.live.runtime, "sale", SENDS, 5, cursor)


async def test_a_cursor_beyond_everything_begins_at_the_newest(desk: Desk) -> None:
    await opened(desk)
    await desk.happens("began", "ann")
    page = await decisions_of(desk.live.runtime, "sale", SENDS, 5, "999.999")
    assert [one.user_id for one in page.data] == ["ann"]


async def test_what_is_forgotten_ends_the_walk(desk: Desk) -> None:
    await opened(desk)
    for user in ("ann", "bob", "cat"):
        await desk.happens("began", user)
        await desk.live.checkpoint()
    page = await decisions_of(desk.live.runtime, "sale", SENDS, 1)
    desk.live.stores.snapshot.forget_verdicts(0)
    later = await decisions_of(desk.live.runtime, "sale", SENDS, 9, page.next_cursor or "")
    assert [one.user_id for one in page.data] == ["cat"]
    assert [one.user_id for one in later.data] == []
    assert later.next_cursor is None
