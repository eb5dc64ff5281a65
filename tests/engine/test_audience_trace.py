"""An audience taken apart: it agrees with the compiled one, and says what it found."""

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from tests.support.random_filters import AT, SEGMENTS, SLUGS, filters, users
from tests.support.story import campaign

from segue.engine.audience import Audiences
from segue.engine.audience_trace import trace_audience
from segue.engine.checks import decode_campaign
from segue.engine.matching import Target
from segue.model.filters import Filter
from segue.model.instants import DAY, to_datetime
from segue.model.state import Done, Membership, UserState
from segue.model.traces import FilterTrace


def target(slug: str, *tags: str) -> Target:
    document = decode_campaign(campaign(slug, {"event": "go"}, tags=list(tags)))
    return Target(slug, f"id-of-{slug}", document)


# "gone" was archived: users have memberships with it, and no reference finds it but its slug.
TARGETS = {slug: target(slug, tag) for slug, tag in zip(SLUGS[:2], ("red", "blue"), strict=True)}


def traced(written: dict[str, Any], state: UserState) -> FilterTrace:
    audience = msgspec.convert(written, Filter)
    found = trace_audience(audience, state, AT, TARGETS, SEGMENTS)
    assert found is not None
    return found


def parts_of(trace: FilterTrace, node: Filter) -> list[tuple[FilterTrace, Filter]]:
    """Return every filter of a tree with its trace, but for those inside segments."""
    inner = [*(node.all or ()), *(node.any or ()), *([node.not_] if node.not_ else [])]
    pairs = [(trace, node)]
    for part, below in zip(trace.parts, inner, strict=False):
        pairs += parts_of(part, below)
    return pairs


@given(st.data())
def test_every_filter_answers_as_the_compiled_audience_does(data: st.DataObject) -> None:
    audience = data.draw(filters)
    state = data.draw(users(audience))
    compiled = Audiences(TARGETS, SEGMENTS)
    found = trace_audience(audience, state, AT, TARGETS, SEGMENTS)
    assert found is not None
    for trace, node in parts_of(found, node=audience):
        assert trace.is_passed == compiled.compile(node)(state, AT), (trace, node)


def test_everybody_has_no_trace() -> None:
    assert trace_audience(None, UserState(), AT, TARGETS, SEGMENTS) is None


def test_an_attribute_shows_its_value_and_each_operator() -> None:
    state = UserState(attributes={"age": 40})
    found = traced({"attribute": "age", "gte": 18, "lt": 30}, state)
    assert (found.is_passed, found.found) == (False, 40)
    assert [(one.operator, one.wanted, one.is_passed) for one in found.conditions] == [
        ("gte", 18.0, True),
        ("lt", 30.0, False),
    ]


def test_a_filter_that_decides_nothing_any_more_is_told_as_well() -> None:
    state = UserState(attributes={"country": "DE"})
    written = {
        "all": [{"attribute": "country", "eq": "FR"}, {"attribute": "vip", "is_blank": True}]
    }
    found = traced(written, state)
    assert [(part.is_passed, part.found) for part in found.parts] == [(False, "DE"), (True, None)]


def test_retargeting_shows_the_newest_act_though_it_is_too_old() -> None:
    acts = [Done("email_receive", "", "A", False, AT - ago * DAY, 1) for ago in (40, 9)]
    state = UserState(memberships={"one": Membership(done=acts)})
    found = traced({"received": {"campaign": "one", "within": "7d"}}, state)
    assert not found.is_passed
    assert found.found == {
        "act": "email_receive",
        "campaign": "one",
        "last_at": to_datetime(AT - 9 * DAY),
    }


def test_a_segment_shows_the_filter_inside() -> None:
    found = traced({"segment": "french"}, UserState(attributes={"country": "DE"}))
    assert (found.is_passed, found.filter) == (False, "french")
    assert [part.found for part in found.parts] == ["DE"]
    assert traced({"segment": "missing"}, UserState()).found == "missing"
