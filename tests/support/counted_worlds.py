"""Random worlds as counted runs, in which sends come to different ends and users are erased."""

from collections.abc import Callable
from random import Random
from typing import Any

from segue.model.effects import Deliver
from segue.model.events import SendSettled, SettledAs
from segue.model.instants import parse_instant
from tests.support.counted_run import CountedRun, settled
from tests.support.plain_worlds import world_of_seed
from tests.support.random_worlds import World

# Most are accepted; of a campaign with two channels, often only one.
OUTCOMES: tuple[tuple[SettledAs, str | None], ...] = (
    *[("accepted", None)] * 6,
    ("refused", "refused"),
    ("refused", "gave_up"),
    ("skipped", "aborted"),
    ("skipped", "template_error"),
)


def run_of_seed(seed: int, after_each: Callable[[CountedRun], None] = lambda _: None) -> CountedRun:
    """Return the run of a world to its end; after each line it is handed out to be looked at."""
    world = world_of_seed(seed)
    run = CountedRun(world.campaigns, _lines_of(world, seed), _settle_by_chance)
    run.all(lambda: after_each(run))
    if world.until is not None:
        run.advance(parse_instant(world.until))
    after_each(run)
    return run


def _settle_by_chance(deliver: Deliver) -> list[SendSettled]:
    """Let what becomes of a message follow from its send's id."""
    random = Random(deliver.send_id)
    return [settled(deliver, channel, *random.choice(OUTCOMES)) for channel in deliver.channels]


def _lines_of(world: World, seed: int) -> list[dict[str, Any]]:
    """Return the world's lines, each event with an id of its own, and some users erased."""
    random = Random(seed)
    lines: list[dict[str, Any]] = []
    for number, line in enumerate(world.lines):
        lines.append({**line, "id": f"line-{number}"} if "name" in line else line)
        if "user_id" in line and random.random() < 0.03:
            at = line.get("received_at", line["time"])
            lines.append({"control": "erase", "user_id": line["user_id"], "time": at})
    return lines
