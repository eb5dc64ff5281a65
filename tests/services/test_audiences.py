"""What is told of an audience: whether a user belongs and why, some users, its words, its size."""

import asyncio
from typing import Any

import msgspec
import pytest

from segue.engine.audience_trace import trace_audience
from segue.engine.plan import EMPTY_PLAN
from segue.errors import NotFoundError
from segue.model.events import Event
from segue.model.filters import Filter
from segue.model.instants import DAY, HOUR
from segue.model.limits import (
    SAMPLE_USERS_MAX,
    SUGGESTED_MAX,
    SUGGESTION_EVENTS_MAX,
    SUGGESTION_LIFE,
)
from segue.model.log_records import EventsReceived
from segue.model.problems import InvalidError
from segue.model.state import EMPTY_STATE
from segue.services.audiences import Audiences, filter_clause
from segue.services.counts import Counts
from segue.services.explanations.filter_words import tree_words
from segue.services.explanations.words import Words
from segue.services.segments import Segments
from tests.support.desk import Desk

EVERYBODY: dict[str, Any] = {"attribute": "email", "is_not_blank": True}
LOOKED: dict[str, Any] = {"event": "looked"}
A: dict[str, Any] = {"attribute": "a", "eq": 1}
B: dict[str, Any] = {"attribute": "b", "eq": 2}


def audiences_of(desk: Desk) -> Audiences:
    runtime = desk.live.runtime
    return Audiences(runtime, Segments(runtime), Counts(runtime, patience_s=10))


# Whether a user belongs


async def test_what_nobody_followed_is_read_back_for_the_user_who_is_tested(desk: Desk) -> None:
    await desk.happens("looked", "ann", "bob", "ann")
    audiences = audiences_of(desk)
    twice = {"event": {"name": "looked", "count": {"gte": 2}}}
    ann, bob = await audiences.test(twice, "ann"), await audiences.test(twice, "bob")
    assert (ann.is_member, ann.sentence) == (True, "ann matches.")
    assert not bob.is_member
    assert "it happened once" in bob.sentence
    assert bob.trace is not None
    assert bob.trace.sentence.startswith('the event "looked" happened at least twice')
    recently = {"event": {"name": "looked", "within": "1d"}}
    assert (await audiences.test(recently, "ann")).is_member
    await desk.live.move_to(desk.live.clock.now() + DAY + HOUR)
    assert not (await audiences.test(recently, "ann")).is_member


async def test_what_is_followed_already_is_told_as_it_is_followed(desk: Desk) -> None:
    await desk.happens("looked", "ann")
    segments = Segments(desk.live.runtime)
    await segments.create({"slug": "lookers", "name": "Lookers", "filter": LOOKED})
    await desk.happens("looked", "ann")
    audiences = audiences_of(desk)
    told = await audiences.test({"segment": "lookers"}, "ann")
    assert told.is_member
    assert told.trace is not None
    assert "it happened twice" in told.trace.parts[0].sentence


async def test_everybody_belongs_where_nothing_is_asked_and_nobody_is_made_up(
    desk: Desk,
) -> None:
    await desk.knows("ann")
    audiences = audiences_of(desk)
    told = await audiences.test(None, "ann")
    assert (told.is_member, told.trace) == (True, None)
    assert "for everyone" in told.sentence
    for node in (None, EVERYBODY, LOOKED):
        with pytest.raises(NotFoundError, match="'nobody'"):
            await audiences.test(node, "nobody")


@pytest.mark.parametrize(
    ("node", "path"),
    [
        ({"all": []}, "filter.all"),
        ({"segment": "missing"}, "filter.segment"),
        ({"attribute": "", "eq": 1}, "filter.attribute"),
        ({"event": ""}, "filter.event"),
        ({"event": "purchase"}, "filter.event"),
        ({"event": {"name": "email_open"}}, "filter.event.name"),
    ],
)
async def test_a_filter_that_is_not_right_is_told_with_its_places(
    desk: Desk, node: dict[str, Any], path: str
) -> None:
    await desk.knows("ann")
    with pytest.raises(InvalidError) as told:
        await audiences_of(desk).test(node, "ann")
    assert [one.path for one in told.value.problems] == [path]


# Some users


async def test_a_count_names_some_of_those_who_belong(desk: Desk) -> None:
    names = [f"user-{number:02}" for number in range(2 * SAMPLE_USERS_MAX)]
    await desk.knows(*names)
    counts = Counts(desk.live.runtime, patience_s=10)
    size = await counts.begin({"filter": EVERYBODY})
    sample = counts.sample(size.id)
    assert len(sample) == len(set(sample)) == SAMPLE_USERS_MAX
    assert set(sample) <= set(names)
    none = await counts.begin({"filter": {"attribute": "email", "eq": "nobody@shop.test"}})
    assert counts.sample(none.id) == []


async def test_those_of_whom_only_the_log_tells_are_named_too(desk: Desk) -> None:
    await desk.happens("looked", "ann")
    counts = Counts(desk.live.runtime, patience_s=10)
    size = await counts.begin({"filter": LOOKED})
    assert counts.sample(size.id) == ["ann"]


async def test_the_end_of_a_count_is_told_whenever_it_comes(desk: Desk) -> None:
    await desk.knows("ann")
    counts, ends = Counts(desk.live.runtime, patience_s=0), []
    size = await counts.begin({"filter": EVERYBODY}, ends.append)
    while counts.find(size.id).status != "done":  # noqa: ASYNC110 - it goes on meanwhile
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert [(one.id, one.count, one.is_exact) for one in ends] == [(size.id, 1, True)]


async def test_a_segments_size_is_of_the_filter_that_was_counted(desk: Desk) -> None:
    await desk.knows("ann", "bob")
    segments, sizes = Segments(desk.live.runtime), audiences_of(desk).sizes
    await segments.create({"slug": "all", "name": "All", "filter": EVERYBODY})
    assert sizes.of("all") is None
    await sizes.begin("all")
    await asyncio.sleep(0)
    size = sizes.of("all")
    assert size is not None
    assert (size.count, size.users, size.at) == (2, 2, desk.live.clock.now())
    await segments.put("all", {"name": "Renamed", "filter": A})
    assert sizes.of("all") is None
    with pytest.raises(NotFoundError):
        await sizes.begin("none")


# In words


@pytest.mark.parametrize(
    ("node", "words"),
    [
        (A, "a is 1"),
        ({"all": [A]}, "a is 1"),
        ({"all": [A, B]}, "a is 1 and that b is 2"),
        ({"any": [A, {"all": [A, B]}]}, "a is 1 or that (a is 1 and that b is 2)"),
        ({"not": {"any": [A, B]}}, "it does not hold that (a is 1 or that b is 2)"),
        ({"not": {"any": [A]}}, "it does not hold that a is 1"),
        ({"all": [{"any": [A, B]}]}, "a is 1 or that b is 2"),
    ],
)
def test_what_belongs_together_is_said_together(node: dict[str, Any], words: str) -> None:
    trace = trace_audience(msgspec.convert(node, Filter), EMPTY_STATE, 0, {}, {})
    assert trace is not None
    speaker = Words("a user", EMPTY_PLAN, 0, {})
    assert tree_words(trace, speaker) == words
    assert filter_clause(node, speaker) == words


@pytest.mark.parametrize("raw", [{}, {"attribute": "a"}, {"all": []}, {"nmae": 1}, [], None, "x"])
def test_what_is_not_whole_is_not_said(raw: Any) -> None:
    assert filter_clause(raw, Words("a user", EMPTY_PLAN, 0, {})) == ""


# What can be written


async def test_names_come_from_profiles_the_log_and_what_is_written(desk: Desk) -> None:
    await desk.knows("ann")
    await desk.live.checkpoint()
    await desk.happens("looked", "ann")
    desk.draft(
        "drafted", {"event": "came"}, tags=["sale"], audience={"attribute": "asked", "eq": 1}
    )
    desk.draft("listening", {"event": "listened"})
    await desk.publish("listening")
    found = audiences_of(desk).names.all()
    assert {"asked", "email"} <= set(found.attributes)
    assert {"looked", "listened"} <= set(found.events)
    assert "email_click" not in found.events
    assert {slug for slug, _ in found.campaigns} == {"drafted", "listening"}
    assert any(words.endswith("(draft)") for _, words in found.campaigns)
    assert found.tags == ["sale"]


async def test_what_is_offered_and_looked_at_has_a_bound(desk: Desk) -> None:
    for number in range(SUGGESTED_MAX + 5):
        await desk.happens(f"event-{number:04}", "ann")
    found = audiences_of(desk).names.all()
    assert len(found.events) <= min(SUGGESTED_MAX, SUGGESTION_EVENTS_MAX)
    assert f"event-{SUGGESTED_MAX + 4:04}" in found.events  # the newest are looked at


async def test_users_and_the_log_are_looked_at_from_time_to_time(desk: Desk) -> None:
    suggestions = audiences_of(desk).names
    await desk.happens("first", "ann")
    assert suggestions.all().events == ["first"]
    now = desk.live.clock.now()
    await desk.live.hand_in([EventsReceived(now, [Event("ann", "second")])])
    desk.draft("meanwhile", {"event": "came"})
    assert [slug for slug, _ in suggestions.all().campaigns] == ["meanwhile"]
    assert suggestions.all().events == ["first"]
    await desk.live.move_to(now + SUGGESTION_LIFE)
    assert suggestions.all().events == ["first", "second"]
