"""One user's timeline in sentences: newest first, by day, with what led to what."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from itertools import groupby, islice
from typing import Any

from msgspec import Struct

from segue.engine.draft import Act
from segue.engine.local_time import shown_wall, zone_of
from segue.model.instants import format_instant
from segue.model.limits import TIMELINE_FIELDS_MAX, TIMELINE_PAGE_MAX
from segue.model.log_records import UserErased
from segue.runtime.moments import line_of
from segue.runtime.runtime import Runtime
from segue.runtime.story import Story, Told, story_of
from segue.services.explanations.words import Words
from segue.services.moment_words import Tone, label_of, sentence_of


class Linked(Struct, frozen=True):
    """Another line that this one came of, or led to; `page` is the cursor of a page with it."""

    number: int
    sentence: str
    page: int


class TimelineLine(Struct, frozen=True):
    """One thing that happened; `clock` is the user's, `utc_clock` "" where it says the same."""

    number: int
    at: int
    clock: str
    utc_clock: str
    label: str
    tone: Tone
    sentence: str
    fields: list[tuple[str, str]]
    because: Linked | None
    led_to: list[Linked]
    campaign: str | None


class TimelineDay(Struct, frozen=True):
    """What happened on one day of the user's calendar, newest first."""

    day: date
    lines: list[TimelineLine]


class TimelinePage(Struct, frozen=True):
    """Some of a user's timeline; `older` is the cursor of what came before, if there is more."""

    days: list[TimelineDay]
    count: int
    is_erased: bool  # the first line says so
    time_zone: str
    is_own_zone: bool
    begins_at: int | None
    older: int | None


async def timeline_page(
    runtime: Runtime, user_id: str, before: int | None = None, event_id: str = ""
) -> TimelinePage:
    """Return what happened to a user before the line of that number, or the newest.

    With the id of an event, the lines from it on back.
    """
    now = runtime.processor.fold.now

    def tell() -> TimelinePage:
        story = story_of(runtime.journal, runtime.snapshot, user_id, now)
        end = before if not event_id else _number_of(story, event_id)
        return _page(story, user_id, end)

    return await asyncio.to_thread(tell)


def _number_of(story: Story, event_id: str) -> int | None:
    """Return the number behind the newest line about an event."""
    for told in reversed(story.told):
        what = told.moment.what
        if isinstance(what, Act) and what.id == event_id:
            return told.number + 1
    return None


def _page(story: Story, user_id: str, before: int | None) -> TimelinePage:
    teller = _Teller(story, user_id)
    end = len(story.told) if before is None else max(min(before - 1, len(story.told)), 0)
    begin = max(end - TIMELINE_PAGE_MAX, 0)
    lines = [teller.line(told) for told in reversed(story.told[begin:end])]
    days = [TimelineDay(day, list(some)) for day, some in groupby(lines, teller.day_of)]
    return TimelinePage(
        days=days,
        count=len(story.told),
        is_erased=bool(story.told) and isinstance(story.told[0].moment.what, UserErased),
        time_zone=teller.zone.key,
        is_own_zone=teller.is_own_zone,
        begins_at=story.begins_at,
        older=begin + 1 if begin else None,
    )


class _Teller:
    def __init__(self, story: Story, user_id: str) -> None:
        own = story.state.attributes.get("time_zone")
        self.zone = zone_of(own, story.plan.workspace.time_zone)
        self.is_own_zone = own == self.zone.key
        self._words = Words(user_id, story.plan, story.now, time_zone=self.zone.key)
        self._plan = story.plan

    def line(self, told: Told) -> TimelineLine:
        at = told.moment.at
        clock, utc_clock = f"{shown_wall(at, self.zone):%H:%M:%S}", format_instant(at)[11:19]
        label, tone = label_of(told.moment.what)
        return TimelineLine(
            number=told.number,
            at=at,
            clock=clock,
            utc_clock=utc_clock if utc_clock != clock else "",
            label=label,
            tone=tone,
            sentence=self._sentence(told),
            fields=fields_of(line_of(told.moment)),
            because=self._linked(told.because) if told.because is not None else None,
            led_to=[self._linked(one) for one in told.led_to[:TIMELINE_FIELDS_MAX]],
            campaign=told.moment.campaign,
        )

    def day_of(self, line: TimelineLine) -> date:
        return shown_wall(line.at, self.zone).date()

    def _sentence(self, told: Told) -> str:
        return sentence_of(told.moment.what, self._words, self._plan)

    def _linked(self, told: Told) -> Linked:
        # Pages begin wherever they are asked to: a page that begins with the line has it for sure.
        return Linked(told.number, self._sentence(told), told.number + 1)


def fields_of(line: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the fields of a line as names and values, as many as are shown."""
    return list(islice(_fields(line), TIMELINE_FIELDS_MAX))


def _fields(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Yield the fields of a line with their places, such as "properties.size", and values."""
    match value:
        case dict() if value:
            for inner, one in value.items():
                yield from _fields(one, f"{name}.{inner}" if name else str(inner))
        case list() if any(isinstance(one, dict | list) for one in value):
            for index, one in enumerate(value):
                yield from _fields(one, f"{name}[{index}]")
        case list():
            yield name, ", ".join(shown_value(one) for one in value) or "an empty list"
        case _:
            yield name, shown_value(value)


def shown_value(value: Any) -> str:
    """Return a plain value as people read it."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "yes" if value else "no"
        case datetime():
            return f"{value:%Y-%m-%d %H:%M:%S} UTC"
        case dict() | list() if not value:
            return "empty"
        case _:
            return str(value)


def rows_of(attributes: dict[str, Any]) -> Sequence[tuple[str, str]]:
    """Return attributes as rows of name and value; what is nested has a row for each part."""
    return sorted(_fields(attributes)) if attributes else []
