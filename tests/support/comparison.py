"""Decides one world twice, by the engine and by the oracle, and says where they differ."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

import msgspec

from segue.model.instants import parse_instant
from segue.model.verdicts import Verdict
from segue.runtime.line_records import Project, Survey
from segue.runtime.lines import Line, read_line, verdict_line
from segue.runtime.offline import OfflineRun, RunCheckpoint
from tests.support.oracle import decide_log
from tests.support.random_worlds import World

Decisions = list[dict[str, Any]]
BATCH_SIZES = (1, 1, 2, 3, 7, 100)
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


def differences(world: World, dice: int = 0) -> list[str]:
    """Return the decisions that only one of the two makes; none, if all is well.

    The engine decides the world twice: in one go, and in batches of random sizes with a stop at a
    random line, from which another run goes on.
    """
    random = Random(dice)
    expected = decided_by_oracle(world)
    in_one_go = decided_by_engine(world)
    in_parts = decided_by_engine(world, random, stop_after=random.randint(0, len(world.lines)))
    if in_parts != in_one_go:
        return [
            f"in one go, but not in parts: {one}\nin parts, but not in one go: {other}"
            for one, other in zip(essence(in_one_go), essence(in_parts), strict=False)
            if one != other
        ] or ["in parts the engine decides more, or less, or in another order"]
    return decided_by_one(in_one_go, expected)


def decided_by_one(by_engine: Decisions, by_oracle: Decisions) -> list[str]:
    """Return the decisions of which one has more than the other, in the order of their time."""
    engine, oracle = Counter(essence(by_engine)), Counter(essence(by_oracle))
    alone = [(line, "engine") for line in (engine - oracle).elements()]
    alone += [(line, "oracle") for line in (oracle - engine).elements()]
    return [f"the {who} alone: {line}" for line, who in sorted(alone)]


def decided_by_oracle(world: World) -> Decisions:
    """Return the oracle's decision lines."""
    return decide_log(world.campaigns, world.lines, world.until, world.segments, world.workspace)


def decided_by_engine(
    world: World, batches: Random | None = None, stop_after: int | None = None
) -> Decisions:
    """Return the engine's decision lines, of a run that is stopped after some lines and resumed."""
    read = [read_line(msgspec.json.encode(line)) for line in world.lines]
    lines = [line for line in read if line is not None]
    survey = Survey()
    for line in lines:
        survey.look_at(line)
    project = Project(world.campaigns, world.segments, world.workspace)
    run = OfflineRun(project, survey)
    verdicts: list[Verdict] = []
    if stop_after is not None:
        verdicts += _fed(run, lines[:stop_after], batches)
        kept = msgspec.msgpack.encode(run.checkpoint())
        checkpoint = msgspec.msgpack.decode(kept, type=RunCheckpoint)
        run = OfflineRun(project, survey, resume_from=checkpoint)
    verdicts += _fed(run, lines[stop_after or 0 :], batches)
    if world.until is not None:
        verdicts += run.advance(parse_instant(world.until))
    return [msgspec.json.decode(msgspec.json.encode(verdict_line(one))) for one in verdicts]


def _fed(run: OfflineRun, lines: list[Line], batches: Random | None) -> list[Verdict]:
    if batches is None:
        return run.feed(lines)
    verdicts: list[Verdict] = []
    while lines:
        size = batches.choice(BATCH_SIZES)
        verdicts += run.feed(lines[:size])
        lines = lines[size:]
    return verdicts


def essence(decisions: Decisions) -> list[str]:
    """Return what is compared, as lines of text in an order of their own."""
    kept = [{name: line[name] for name in COMPARED if name in line} for line in decisions]
    return sorted(msgspec.json.encode(line).decode() for line in kept)


def differ(world: World) -> bool:
    """Say whether the two differ over a world that may be none any more."""
    try:
        return bool(differences(world))
    except Exception:  # noqa: BLE001 - a log that nobody can read is not the one looked for
        return False


def smallest(world: World, is_wanted: Callable[[World], bool] = differ) -> World:
    """Return a world of as few lines as can be, over which the two still differ."""
    size = len(world.lines) // 2
    while size:
        start = 0
        while start < len(world.lines):
            fewer = replace(world, lines=world.lines[:start] + world.lines[start + size :])
            if fewer.lines and is_wanted(fewer):
                world = fewer
            else:
                start += size
        size //= 2
    return world


def report(world: World) -> str:
    """Return a world in full, as a person reads it who looks for the fault."""
    documents = [*world.campaigns.values(), *world.segments.values()]
    documents += [world.workspace] if world.workspace is not None else []
    parts = [*documents, *world.lines, {"until": world.until}]
    return "\n".join(msgspec.json.encode(part).decode() for part in parts)
