"""The same log gives the same decisions, live with restarts and checkpoints, and over a file.

semantics.md 8: on any runtime, at any batch size.
"""

import asyncio
from random import Random
from typing import Any

import msgspec
import pytest

from segue.channels.sender import Accepted, Answer, Refused, TryLater, Unknown
from segue.model.events import AttributeChange, Event
from segue.model.instants import DAY, HOUR, parse_instant
from segue.model.log_records import (
    AttributesReceived,
    CampaignPublished,
    CampaignStopped,
    EventsReceived,
    Record,
    SendsRetried,
)
from segue.model.rendered import Rendered
from segue.runtime.duplicates import RecentIds
from segue.runtime.line_records import LineRecords, Project, Survey
from segue.runtime.lines import EventLine, Line, accepted_at, lines_of, read_line, verdict_line
from segue.runtime.offline import OfflineRun
from segue.runtime.replay import compare_with_record
from segue.services.dead_letters import DeadLetters
from tests.support.live import LiveRuntime, phones_of
from tests.support.random_worlds import World, world_of_seed

pytestmark = pytest.mark.slow

SEEDS_A_TEST = 10


def records_of(world: World) -> list[tuple[int, Record]]:
    """Return what a server would have written of the world's lines, each with its instant."""
    records = LineRecords(world.campaigns, "accepted")
    recent = RecentIds()
    lines = [read_line(msgspec.json.encode(line)) for line in world.lines]
    survey = Survey()
    for line in lines:
        if line is not None:
            survey.look_at(line)
    users = sorted({line["user_id"] for line in world.lines if "user_id" in line})
    addresses = [
        AttributeChange(user, {"email": f"{user}@segue.test", "phone": "+33600000000"})
        for user in users
    ]
    now = start_of(world)
    found: list[tuple[int, Record]] = [
        (now, AttributesReceived(now, addresses)),
        (now, phones_of(now, *users)),
    ]
    for number, line in enumerate(line for line in lines if line is not None):
        now = accepted_at(line, now)
        if number == 0:
            project = Project(world.campaigns, world.segments, world.workspace)
            found += [(now, change) for change in records.initial(project, survey, now)]
        if isinstance(line, EventLine) and _is_double(line, recent, now):
            continue  # kept out at ingest
        record = (
            EventsReceived(now, [plain(line)])
            if isinstance(line, EventLine)
            else records.of(line, now)
        )
        if record is not None and not _is_of_no_campaign(record, records):
            found.append((now, record))
    return found


def _is_double(line: EventLine, recent: RecentIds, now: int) -> bool:
    return line.id is not None and recent.is_duplicate(line.user_id, line.id, now)


def _is_of_no_campaign(record: Record, records: LineRecords) -> bool:
    """Return whether it ends a campaign never published, which a server would not write."""
    if not isinstance(record, CampaignStopped):
        return False
    published = [one for one in records.plan_changes if isinstance(one, CampaignPublished)]
    return record.campaign not in [one.document.slug for one in published]


def start_of(world: World) -> int:
    """Return the instant of the world's first line."""
    first = world.lines[0]
    return parse_instant(first.get("received_at") or first["time"])


def plain(line: EventLine) -> Event:
    """Return an event as the log holds one: its instant stands on the record."""
    return Event(**{name: getattr(line, name) for name in Event.__struct_fields__})


def told(verdicts: list[Any]) -> list[bytes]:
    return [msgspec.json.encode(verdict_line(verdict)) for verdict in verdicts]


def decided_over_a_file(live: LiveRuntime, until: int, batch_size: int) -> list[bytes]:
    """Return what a run decides about the log as the server wrote it."""
    lines: list[Line] = []
    survey = Survey()
    for block in live.stores.journal.read_log():
        for fields in lines_of(block):
            line = read_line(msgspec.json.encode(fields))
            assert line is not None
            survey.look_at(line)
            lines.append(line)
    run = OfflineRun(Project(), survey, "recorded")
    verdicts = []
    for start in range(0, len(lines), batch_size):
        verdicts += run.feed(lines[start : start + batch_size])
    return told(verdicts + run.advance(until))


@pytest.mark.parametrize("first_seed", range(0, 60, SEEDS_A_TEST))
async def test_a_live_server_and_a_run_over_its_log_decide_byte_for_byte_the_same(
    first_seed: int,
) -> None:
    decided = 0
    for seed in range(first_seed, first_seed + SEEDS_A_TEST):
        live, recorded = await recorded_live(seed)
        until = live.runtime.processor.fold.now
        assert decided_over_a_file(live, until, 1 + seed % 5) == recorded, f"seed {seed}"
        decided += len(recorded)
    assert decided > 3 * SEEDS_A_TEST


class Moody:
    """A provider that takes half of the messages, and refuses, loses or puts off the others."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)

    async def send(self, _message: Rendered) -> Answer:
        answers = (Accepted(), Refused("no"), Unknown("broke off"), TryLater("not now"))
        return self._random.choices(answers, (3, 1, 1, 1))[0]

    def turn(self, _message: Rendered, now: int) -> int:
        return now


async def test_with_messages_that_fail_and_are_retried_it_is_the_same() -> None:
    retried = 0
    for seed in range(30):
        live, recorded = await recorded_live(seed, Moody(seed))
        until = live.runtime.processor.fold.now
        assert decided_over_a_file(live, until, 1 + seed % 5) == recorded, f"seed {seed}"
        compared = compare_with_record(live.stores.journal, live.stores.snapshot)
        assert compared.difference is None, f"seed {seed}"
        assert compared.equal == len(recorded)
        records = [one for block in live.stores.journal.read_log() for one in block.records]
        retried += sum(len(one.sends) for one in records if isinstance(one, SendsRetried))
    assert retried > 30


async def recorded_live(seed: int, senders: Moody | None = None) -> tuple[LiveRuntime, list[bytes]]:
    """Live through a world in random batches, with restarts, crashes and checkpoints.

    What fails is retried, now and then.
    """
    random = Random(seed)
    world = world_of_seed(seed)
    live = LiveRuntime(start_of(world), senders)
    await live.start()
    waiting: list[Record] = []
    for at, record in records_of(world):
        if waiting and (at > live.clock.now() or random.random() < 0.4):
            await live.hand_in(waiting)
            waiting = []
        if at > live.clock.now():
            await live.move_to(at)
        match random.randrange(20):
            case 0 if not waiting:
                await live.stop()
                await live.start()
            case 1 if not waiting:
                await live.crash()
                await live.start()
            case 2 | 3:
                await live.checkpoint()
            case 4 | 5 | 6 if senders is not None:
                await DeadLetters(live.runtime).retry({"may_double": random.random() < 0.5})
                await live.settle()
        waiting.append(record)
    if waiting:
        await live.hand_in(waiting)
    await live.move_to(live.clock.now() + random.choice((0, HOUR, DAY)))
    return live, told(await live.stop())


async def test_a_stop_while_a_checkpoint_is_being_written_records_nothing_twice() -> None:
    for seed in range(8):
        world = world_of_seed(seed)
        live = LiveRuntime(start_of(world))
        await live.start()
        for at, record in records_of(world):
            await live.move_to(at)
            await live.hand_in([record])
        checkpoint = asyncio.create_task(live.checkpoint())
        await asyncio.sleep(0)  # it has begun, and its thread is at work
        checkpoint.cancel()
        recorded = [verdict_line(verdict) for verdict in await live.stop()]
        lines = [msgspec.json.encode(line) for line in recorded]
        assert len(set(lines)) == len(lines)
