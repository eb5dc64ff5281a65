"""A running server's counters are exact at every moment, and those of a run over its log."""

import asyncio
import threading
from collections import defaultdict
from collections.abc import Callable

import pytest

from segue.engine.checks import decode_campaign
from segue.model.events import Event
from segue.model.instants import FOREVER
from segue.model.log_records import CampaignPublished, EventsReceived
from segue.runtime.lines import lines_of
from segue.storage.memory_snapshot import MemorySnapshot
from segue.storage.open import Stores
from segue.storage.ports import Checkpoint, Counter, Position, Sums
from tests.runtime.test_one_log_one_outcome import recorded_live
from tests.support.counted_run import CountedRun, CountKey
from tests.support.live import LiveRuntime
from tests.support.plain_worlds import START
from tests.support.story import campaign

pytestmark = pytest.mark.slow

WHOLE = Sums([0, FOREVER], by_metric=True)


@pytest.mark.parametrize("first_seed", [0, 10, 20])
async def test_a_live_server_counts_as_a_run_over_its_log_does(first_seed: int) -> None:
    """However often it was stopped, killed or written down in between."""
    counted = 0
    for seed in range(first_seed, first_seed + 10):
        live, _ = await recorded_live(seed)
        until = live.runtime.processor.fold.now
        lines = [line for block in live.stores.journal.read_log() for line in lines_of(block)]
        run = CountedRun({}, lines, lambda _: [], sends="recorded").all()
        run.advance(until)
        written: dict[CountKey, float] = {}
        for slug in live.runtime.plan.campaigns:
            for counter, amount in live.stores.snapshot.counters(slug):
                names = (counter.variant, counter.metric, counter.detail, counter.channel)
                written[CountKey(slug, counter.hour, *names)] = amount
        assert {key: n for key, n in written.items() if n} == run.counts, f"seed {seed}"
        counted += len(written)
    assert counted > 100


class SlowSnapshot(MemorySnapshot):
    """One that stays in `commit`, before or after it has written, until it is let go."""

    def __init__(self, *, waits_first: bool) -> None:
        super().__init__()
        self.is_there = threading.Event()
        self.may_go = threading.Event()
        self._waits_first = waits_first

    def commit(self, checkpoint: Checkpoint) -> None:
        if self._waits_first:
            self._wait()
        super().commit(checkpoint)
        if not self._waits_first:
            self._wait()

    def _wait(self) -> None:
        self.is_there.set()
        self.may_go.wait()


@pytest.mark.parametrize("waits_first", [True, False])
async def test_what_is_being_written_is_counted_once(waits_first: bool) -> None:
    snapshot = SlowSnapshot(waits_first=waits_first)
    live = await one_has_entered(snapshot)
    assert await entered(live) == (1, 1)
    writing = asyncio.create_task(live.checkpoint())
    await asyncio.to_thread(snapshot.is_there.wait)
    await live.hand_in([EventsReceived(START, [Event("bob", "go")])])
    found = await entered(live)
    snapshot.may_go.set()
    await writing
    assert found == await entered(live) == (2, 2)
    await live.stop()
    assert sums_of(dict(snapshot.sum_counters("c", WHOLE))) == {"entered": 2, "waiting": 2}


class Overtaken(SlowSnapshot):
    """One that is written to at a moment of the first reading."""

    def __init__(self, moment: str) -> None:
        super().__init__(waits_first=False)
        self.write: Callable[[], None] = lambda: None
        self.is_armed = False
        self._moment = moment
        self._positions = 0

    def sum_counters(self, campaign: str, sums: Sums) -> list[tuple[Counter, float]]:
        self._passes("before the sums")
        found = super().sum_counters(campaign, sums)
        self._passes("after the sums")
        return found

    def position(self) -> Position:
        found = super().position()
        self._positions += self.is_armed
        if self._positions == 2:
            self._passes("after all")
        return found

    def _passes(self, moment: str) -> None:
        if self.is_armed and moment == self._moment:
            self.is_armed = False
            self.write()


@pytest.mark.parametrize("moment", ["before the sums", "after the sums", "after all"])
async def test_a_read_that_a_checkpoint_overtook_is_made_again(moment: str) -> None:
    """Else what was written is in neither part of the sum, or in both."""
    snapshot = Overtaken(moment)
    live = await one_has_entered(snapshot)
    loop = asyncio.get_running_loop()

    def write() -> None:
        writing = asyncio.run_coroutine_threadsafe(live.checkpoint(), loop)
        snapshot.is_there.wait()
        if moment != "before the sums":  # then it also ends; else it is still under way
            snapshot.may_go.set()
            writing.result()

    snapshot.write, snapshot.is_armed = write, True
    [found] = await live.runtime.counters.add_up("c", [WHOLE])
    snapshot.may_go.set()
    assert not snapshot.is_armed
    assert sums_of(found) == {"entered": 1, "waiting": 1}
    await live.stop()


async def one_has_entered(snapshot: MemorySnapshot) -> LiveRuntime:
    live = LiveRuntime(START)
    live.stores = Stores(live.stores.journal, snapshot)
    await live.start()
    document = decode_campaign(campaign("c", {"event": "go"}, delay="1h"))
    await live.hand_in([CampaignPublished(START, "id", 1, document)])
    await live.hand_in([EventsReceived(START, [Event("ann", "go")])])
    return live


async def entered(live: LiveRuntime) -> tuple[float, float]:
    """Return how many have entered, read in a thread and read here."""
    [in_thread] = await live.runtime.counters.add_up("c", [WHOLE])
    here = live.runtime.counters.add_up_here("c", WHOLE)
    one_by_one = live.runtime.counters.since("c", 0)
    assert sums_of(here) == sums_of(one_by_one)
    return sums_of(in_thread)["entered"], sums_of(here)["entered"]


def sums_of(found: dict[Counter, float] | list[tuple[Counter, float]]) -> dict[str, float]:
    sums: dict[str, float] = defaultdict(float)
    for counter, amount in found.items() if isinstance(found, dict) else found:
        sums[counter.metric] += amount
    return dict(sums)
