"""Measurements of the engine on this machine, each beside the floor of its own run.

The floor is what cannot be saved: decoding the events and appending them durably.
"""

import asyncio
import resource
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from segue.clock import Clock
from segue.model.events import Event
from segue.model.log_records import Block, CampaignPublished, EventsReceived
from segue.runtime.checkpoints import Checkpoints
from segue.runtime.fold import Fold
from segue.runtime.live_feed import LiveFeed
from segue.runtime.live_outcomes import LiveOutcomes
from segue.runtime.live_states import LiveStates
from segue.runtime.live_timers import LiveTimers
from segue.runtime.outbox import Outbox
from segue.runtime.processor import Processor
from segue.runtime.suppression_list import SuppressionList
from segue.simulator.load import bodies, campaigns
from segue.storage.open import Stores, open_stores

BATCH_SIZE: Final = 2_000
CHECKPOINT_EVENTS: Final = 200_000
Progress = Callable[[int, int], None]


class Call(Struct):
    """The body of a call, as the HTTP layer decodes it."""

    events: list[Event]


class Measured(Struct):
    """One figure: events a second, the floor of the same run, and their ratio."""

    name: str
    rate: float
    floor: float
    ratio: float
    events: int
    decisions: int
    log_bytes: int
    memory_bytes: int


async def measure_engine(
    clock: Clock, events: int, users: int, every_event_counts: bool, progress: Progress
) -> Measured:
    """Measure decode, append and decide, with checkpoints, against decode and append alone."""
    count = max(events // BATCH_SIZE, 1)
    began_at = clock.now()
    calls = list(bodies(count, BATCH_SIZE, users, began_at, every_event_counts))
    floor = floor_of(clock, calls)
    with (
        tempfile.TemporaryDirectory(prefix="segue-bench-") as folder,
        open_stores(Path(folder)) as stores,
    ):
        processor, checkpoints, outcomes = load_processor(stores, clock, began_at)
        began = clock.monotonic()
        await decide_all(calls, stores, processor, checkpoints, clock, progress)
        elapsed = clock.monotonic() - began
        log_bytes = stores.journal.log_bytes()
        checkpoints.thread.shutdown()
    rate = count * BATCH_SIZE / elapsed
    return Measured(
        name="engine-all" if every_event_counts else "engine",
        rate=round(rate),
        floor=round(floor),
        ratio=round(rate / floor, 3),
        events=count * BATCH_SIZE,
        decisions=outcomes.verdict_count,
        log_bytes=log_bytes,
        memory_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    )


def measure_floor(clock: Clock, batch_size: int, batch_count: int) -> float:
    """Return how many events a second are decoded and appended in batches of that size."""
    return floor_of(clock, list(bodies(batch_count, batch_size, 100_000, clock.now())))


def floor_of(clock: Clock, calls: list[bytes]) -> float:
    """Return the middle one of three measurements: machines are noisy."""
    return sorted(_measure_floor_once(clock, calls) for _ in range(3))[1]


def _measure_floor_once(clock: Clock, calls: list[bytes]) -> float:
    decoder = msgspec.json.Decoder(Call)
    events = 0
    with (
        tempfile.TemporaryDirectory(prefix="segue-floor-") as folder,
        open_stores(Path(folder)) as stores,
    ):
        began = clock.monotonic()
        for number, call in enumerate(calls):
            decoded = decoder.decode(call).events
            stores.journal.append(Block(number + 1, events, [EventsReceived(clock.now(), decoded)]))
            events += len(decoded)
        return events / (clock.monotonic() - began)


def load_processor(
    stores: Stores, clock: Clock, now: int
) -> tuple[Processor, Checkpoints, LiveOutcomes]:
    """Return a processor with the load's campaigns published at `now`."""
    states = LiveStates(stores.snapshot)
    timers = LiveTimers(stores.snapshot, now)
    outcomes = LiveOutcomes(Outbox(), LiveFeed(clock))
    fold = Fold(states, timers, outcomes)
    checkpoints = Checkpoints(stores.snapshot, states, timers, outcomes)
    position = stores.snapshot.position()
    suppressions = SuppressionList(
        stores.journal.suppressions, lambda user_id: states.get(user_id).attributes
    )
    processor = Processor(
        fold, states, timers, outcomes.outbox, checkpoints, suppressions, position, clock
    )
    published = [
        CampaignPublished(now, f"id-{document.slug}", 1, document) for document in campaigns()
    ]
    stores.journal.append(Block(1, 0, [*published]))
    processor.apply(Block(1, 0, [*published]))
    return processor, checkpoints, outcomes


async def decide_all(
    calls: list[bytes],
    stores: Stores,
    processor: Processor,
    checkpoints: Checkpoints,
    clock: Clock,
    progress: Progress,
) -> None:
    decoder = msgspec.json.Decoder(Call)
    writing: asyncio.Task[None] | None = None
    for number, call in enumerate(calls):
        events = decoder.decode(call).events
        at = processor.position
        block = Block(at.seq + 1, at.next_ordinal, [EventsReceived(clock.now(), events)])
        stores.journal.append(block)
        processor.apply(block)
        if (number + 1) * BATCH_SIZE % CHECKPOINT_EVENTS < BATCH_SIZE:
            if writing is not None:
                await writing
            writing = asyncio.create_task(checkpoints.write(lambda: processor.position))
        await asyncio.sleep(0)
        progress(number + 1, len(calls))
    if writing is not None:
        await writing
    await checkpoints.write(lambda: processor.position)
