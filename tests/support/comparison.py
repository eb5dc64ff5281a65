"""Decides one world twice, by the engine and by the oracle, and says where they differ."""

from collections.abc import Iterator
from typing import Any

import msgspec

from segue.model.instants import parse_instant
from segue.runtime.line_records import Project, Survey
from segue.runtime.lines import Line, read_line, verdict_line
from segue.runtime.offline import OfflineRun, RunCheckpoint
from tests.support.oracle import decide_log
from tests.support.random_worlds import World

Decisions = list[dict[str, Any]]
COMPARED = (
    "at",
    "user_id",
    "campaign",
    "decision",
    "reason",
    "variant",
    "due",
    "conversion_event",
    "cause",
    "send_id",
)


def decided_by_oracle(world: World) -> Decisions:
    """Return the oracle's decision lines."""
    return decide_log(world.campaigns, world.lines, world.until, world.segments, world.workspace)


def decided_by_engine(world: World, batch_sizes: Iterator[int], stop_after: int) -> Decisions:
    """Return the engine's decision lines, of a run that is stopped after some lines and resumed."""
    read = [read_line(msgspec.json.encode(line)) for line in world.lines]
    lines = [line for line in read if line is not None]
    survey = Survey()
    for line in lines:
        survey.look_at(line)
    project = Project(world.campaigns, world.segments, world.workspace)
    first = OfflineRun(project, survey)
    verdicts = _fed(first, lines[:stop_after], batch_sizes)
    kept = msgspec.msgpack.encode(first.checkpoint())
    second = OfflineRun(
        project, survey, resume_from=msgspec.msgpack.decode(kept, type=RunCheckpoint)
    )
    verdicts += _fed(second, lines[stop_after:], batch_sizes)
    if world.until is not None:
        verdicts += second.advance(parse_instant(world.until))
    return [msgspec.json.decode(msgspec.json.encode(verdict_line(one))) for one in verdicts]


def _fed(run: OfflineRun, lines: list[Line], batch_sizes: Iterator[int]) -> list[Any]:
    verdicts = []
    while lines:
        size = next(batch_sizes)
        verdicts += run.feed(lines[:size])
        lines = lines[size:]
    return verdicts


def essence(decisions: Decisions) -> list[str]:
    """Return what is compared, as lines of text in an order of their own."""
    kept = [{name: line[name] for name in COMPARED if name in line} for line in decisions]
    return sorted(msgspec.json.encode(line).decode() for line in kept)
