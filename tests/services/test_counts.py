"""Counts that take longer than an answer may wait go on as jobs."""

import asyncio
import threading
from collections.abc import Collection, Iterator
from typing import Any

import pytest

from segue.errors import BusyError, NotFoundError, SegueError
from segue.model.state import STATE_PARTS, StatePart, UserState
from segue.services.counts import AudienceSize, Counts
from segue.storage.memory_snapshot import MemorySnapshot
from segue.storage.open import Stores, open_memory
from tests.support.desk import Desk

EVERYBODY: dict[str, Any] = {"filter": {"attribute": "email", "is_not_blank": True}}
UNKNOWN: dict[str, Any] = {"filter": {"event": "looked"}}


class DamagedSnapshot(MemorySnapshot):
    """A snapshot with a state that cannot be read."""

    def scan_states(
        self, parts: Collection[StatePart] = STATE_PARTS
    ) -> Iterator[tuple[str, UserState]]:
        raise SegueError("the state of user 'ann' is damaged")


class HeldSnapshot(MemorySnapshot):
    """A snapshot whose states come when they are let go."""

    def __init__(self) -> None:
        super().__init__()
        self.may_go = threading.Event()

    def scan_states(
        self, parts: Collection[StatePart] = STATE_PARTS
    ) -> Iterator[tuple[str, UserState]]:
        self.may_go.wait(10)
        return super().scan_states(parts)


async def ended(counts: Counts, count_id: str) -> AudienceSize:
    while counts.find(count_id).status in ("counting", "reading_log"):  # noqa: ASYNC110
        await asyncio.sleep(0)
    return counts.find(count_id)


async def desk_with(snapshot: MemorySnapshot) -> Desk:
    desk = Desk()
    desk.live.stores = Stores(open_memory().journal, snapshot)
    await desk.open()
    return desk


async def test_a_long_count_estimates_until_it_is_exact(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("segue.runtime.state_scan.STATES_SCANNED_MAX", 1)
    await desk.knows(*(f"user-{number}" for number in range(9)))
    await desk.live.checkpoint()
    counts = Counts(desk.live.runtime, patience_s=0)
    size = await counts.begin(EVERYBODY)
    assert (size.status, size.is_exact, size.count, size.users) == ("counting", False, None, None)
    estimates = set()
    while (size := counts.find(size.id)).status == "counting":
        if size.done:
            estimates.add((size.count, size.users, size.total, size.is_exact))
        await asyncio.sleep(0)
    assert estimates == {(9, 9, 9, False)}  # whoever was seen belongs, and so all seem to
    assert (size.status, size.is_exact, size.count, size.done) == ("done", True, 9, 9)


async def test_a_count_that_has_to_read_the_log_says_so_and_they_take_turns(desk: Desk) -> None:
    await desk.happens("looked", "ann", "bob", "ann")
    counts = Counts(desk.live.runtime, patience_s=0)
    first, second = [await counts.begin(UNKNOWN) for _ in range(2)]
    assert first.status in ("counting", "reading_log")
    for size in (first, second):
        done = await ended(counts, size.id)
        assert (done.status, done.count, done.users) == ("done", 2, 2)


async def test_only_so_many_are_counted_at_once() -> None:
    snapshot = HeldSnapshot()
    desk = await desk_with(snapshot)
    counts = Counts(desk.live.runtime, patience_s=0)
    begun = [await counts.begin(EVERYBODY) for _ in range(4)]
    with pytest.raises(BusyError, match="try again"):
        await counts.begin(EVERYBODY)
    snapshot.may_go.set()
    await counts.cancel(begun[0].id)
    await counts.begin(EVERYBODY)
    await counts.close()
    await desk.live.stop()


async def test_a_cancelled_count_is_gone_and_the_last_are_kept(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("segue.services.counts.COUNTS_KEPT_MAX", 2)
    counts = Counts(desk.live.runtime, patience_s=5)
    first = await counts.begin(EVERYBODY)
    await counts.cancel(first.id)
    sizes = [await counts.begin(EVERYBODY) for _ in range(4)]
    for gone in (first, sizes[0]):
        with pytest.raises(NotFoundError):
            counts.find(gone.id)
    assert counts.find(sizes[3].id).status == "done"


async def test_a_count_that_fails_says_why() -> None:
    desk = await desk_with(DamagedSnapshot())
    size = await Counts(desk.live.runtime).begin(EVERYBODY)
    assert (size.status, size.count) == ("failed", None)
    assert size.error == "the state of user 'ann' is damaged"
    await desk.live.stop()
