"""A world: a folder of documents, a log, and the moment up to which it is run."""

from dataclasses import dataclass, field
from random import Random
from typing import Any

import msgspec
from hypothesis import strategies as st

from segue.model.campaigns import Campaign
from segue.model.instants import DAY, HOUR, format_instant
from segue.model.workspace import Segment, Workspace
from tests.support.random_worlds.author import Author
from tests.support.random_worlds.diary import Diary
from tests.support.random_worlds.stage import SEGMENTS, Stage

LIVES = ("publish", "stop", "archive")


@dataclass(frozen=True)
class World:
    """Documents as a folder has them, a log, and the moment up to which it is run."""

    campaigns: dict[str, Campaign]
    lines: list[dict[str, Any]]
    until: str | None
    segments: dict[str, Segment] = field(default_factory=dict)
    workspace: Workspace | None = None


def world_of_seed(seed: int) -> World:
    """Return the world that follows from a number."""
    random = Random(seed)
    stage = Stage(random)
    author = Author(stage)
    documents = [author.document(number) for number in range(len(stage.targets))]
    segments = [author.audiences.segment(slug) for slug in SEGMENTS if stage.happens(0.7)]
    workspace = author.workspace() if stage.happens(0.8) else None
    diary = Diary(stage, author)
    lines = diary.lines()
    until = diary.now + random.choice((0, HOUR, DAY, 8 * DAY))
    return World(
        {each["slug"]: msgspec.convert(each, Campaign) for each in documents},
        lines,
        format_instant(until),
        {each["slug"]: msgspec.convert(each, Segment) for each in segments},
        msgspec.convert(workspace, Workspace) if workspace is not None else None,
    )


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Draw a world; a failing one shrinks by leaving out campaigns, and lines of its log.

    Lines that publish, stop or archive stay, so that a campaign's life stays a possible one.
    """
    world = world_of_seed(draw(st.integers(0, 2**32)))
    often = st.sampled_from((False, True, True, True, True, True, True, True))
    campaigns = {slug: each for slug, each in world.campaigns.items() if draw(often)}
    lines = [
        line
        for line in world.lines
        if (draw(often) or line.get("control") in LIVES)
        and ("control" not in line or line.get("campaign") in (None, *campaigns))
    ]
    segments = {slug: each for slug, each in world.segments.items() if draw(often)}
    workspace = world.workspace if draw(often) else None
    return World(campaigns, lines, world.until, segments, workspace)
