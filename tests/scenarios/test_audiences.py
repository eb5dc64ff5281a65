"""Who is in an audience: every filter and operator (semantics.md 4)."""

from typing import Any

import pytest
from tests.support.story import EMAIL, Story, campaign, interacts

from segue.engine.bucketing import is_in_control
from segue.model.filters import KINDS, OPERATORS, CountCondition, MomentCondition

ASK = {"event": "ask"}
IN, OUT = "enter", "refuse: not_in_audience"


def asks(node: dict[str, Any], *more: dict[str, Any], **parts: Any) -> Story:
    """Return a story in which "ask" asks whether the user is in the audience."""
    document = campaign("asks", ASK, audience=node, re_eligibility="always")
    return Story(document, *more, **parts).publish("asks", *(one["slug"] for one in more))


def answer(story: Story, user: str = "u", **more: Any) -> str:
    answers = story.happens(user, "ask", **more).of(user, "asks")
    return next(one for one in reversed(answers) if one != "send")


# Each operator: an operand, values that satisfy it, and values that do not.
COMPARED: dict[str, tuple[Any, list[Any], list[Any]]] = {
    "eq": (1, [1, 1.0], [2, True, "1"]),
    "ne": ("FR", ["BE", 1], ["FR"]),
    "in": (["FR", 1, True], ["FR", 1, True], ["BE", 2, False]),
    "not_in": (["FR", "BE"], ["DE", 1], ["FR"]),
    "gt": (10, [10.5, 11], [10, "11", True]),
    "gte": (10, [10, 11], [9.9]),
    "lt": (10, [9], [10, "9"]),
    "lte": (10, [10, -1], [11]),
    "contains": ("a", ["bar", ["a", "b"]], ["BAR", ["ab"], 1]),
    "not_contains": ("a", ["BOB", ["ab"]], ["bar", ["a"]]),
    "matches": ("^[a-c]+$", ["abc"], ["abcd", 1]),
    "before": ("2026-11-01T00:00:00Z", ["2026-10-31T23:59:59Z"], ["2026-11-01T00:00:00Z", "soon"]),
    "after": ("2026-11-01T00:00:00Z", ["2026-11-01T00:00:01Z"], ["2026-11-01T00:00:00Z"]),
    "in_last": ("2d", ["2026-10-30T00:00:00Z"], ["2026-10-29T23:59:59Z", "2026-11-01T00:00:01Z"]),
    "not_in_last": ("2d", ["2026-10-29T00:00:00Z"], ["2026-10-31T00:00:00Z", "never"]),
    "is_blank": (True, [""], ["x", 0, False]),
    "is_not_blank": (True, ["x", 0], [""]),
}


@pytest.mark.parametrize("operator", COMPARED)
def test_each_operator_compares_attributes_and_properties_strictly_by_type(operator: str) -> None:
    """semantics.md 4: typed operators."""
    operand, good, bad = COMPARED[operator]
    story = asks({"attribute": "a.b", operator: operand})
    listens = {"event": {"name": "ask", "where": [{"property": "a.b", operator: operand}]}}
    events = Story(campaign("asks", listens, re_eligibility="always")).publish("asks")
    for value, holds in [*((one, True) for one in good), *((one, False) for one in bad)]:
        story.knows("u", a={"b": value})
        assert (value, answer(story)) == (value, IN if holds else OUT)
        before = len(events.verdicts)
        events.happens("u", "ask", properties={"a": {"b": value}})
        assert (value, len(events.verdicts) > before) == (value, holds)


@pytest.mark.parametrize("operator", COMPARED)
def test_an_unknown_attribute_satisfies_nothing_but_is_blank_and_not(operator: str) -> None:
    """semantics.md 4: unknown attribute = filter false; `is_blank` and `not` see it."""
    node = {"attribute": "unknown", operator: COMPARED[operator][0]}
    assert answer(asks(node)) == (IN if operator == "is_blank" else OUT)
    assert answer(asks({"not": node})) == (OUT if operator == "is_blank" else IN)


def test_every_operator_of_the_documents_is_tried() -> None:
    """semantics.md 4."""
    assert set(COMPARED) == {name.rstrip("_") for name in OPERATORS}


def test_several_operators_must_all_hold() -> None:
    """semantics.md 4."""
    story = asks({"attribute": "age", "gte": 18, "lt": 65})
    answers = [answer(story.knows("u", age=age)) for age in (17, 18, 64, 65)]
    assert answers == [OUT, IN, IN, OUT]


def test_a_tree_joins_filters_by_all_any_and_not() -> None:
    """semantics.md 4: a tree of `all` / `any` / `not`."""
    a, b = ({"attribute": name, "eq": True} for name in "ab")
    story = asks({"any": [{"all": [a, b]}, {"not": {"any": [a, b]}}]})
    answers = {
        (x, y): answer(story.knows("u", a=x, b=y)) for x in (True, False) for y in (True, False)
    }
    assert [pair for pair, found in answers.items() if found == IN] == [
        (True, True),
        (False, False),
    ]


# What happened: a filter on events named "e", and whether it holds after the n-th, a day apart.
COUNTED: list[tuple[dict[str, Any], list[bool]]] = [
    ({}, [False, True, True, True]),
    ({"count": {"eq": 2}}, [False, False, True, False]),
    ({"count": {"gt": 1}}, [False, False, True, True]),
    ({"count": {"gte": 3}}, [False, False, False, True]),
    ({"count": {"lt": 2}}, [True, True, False, False]),
    ({"count": {"lte": 0}}, [True, False, False, False]),
    ({"count": {"gte": 2}, "within": "2d"}, [False, False, True, True]),
    ({"count": {"gte": 3}, "within": "36h"}, [False, False, False, False]),
    ({"first": {"before": "2026-11-02T00:00:01Z"}}, [False, True, True, True]),
    ({"first": {"in_last": "36h"}}, [False, True, True, False]),
    ({"last": {"after": "2026-11-03T12:00:00Z"}}, [False, False, False, True]),
    ({"last": {"not_in_last": "1h"}}, [False, False, False, False]),
    ({"count": {"gte": 0}, "last": {"in_last": "1h"}}, [False, True, True, True]),
]
THINGS: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "event": ({"name": "e"}, {"name": "e"}, {"name": "f"}),
    "event-where": (
        {"name": "e", "where": [{"property": "size", "gte": 2}]},
        {"name": "e", "properties": {"size": 2}},
        {"name": "e", "properties": {"size": 1}},
    ),
    "purchase": ({}, {"name": "purchase", "product_id": "x"}, {"name": "bought"}),
    "purchase-of": (
        {"product_id": "x", "where": [{"property": "price", "gt": 5}]},
        {"name": "purchase", "product_id": "x", "price": 6},
        {"name": "purchase", "product_id": "y", "price": 6},
    ),
    "session": ({}, {"name": "session_start"}, {"name": "session"}),
}


@pytest.mark.parametrize("thing", THINGS)
@pytest.mark.parametrize(("past", "expected"), COUNTED, ids=lambda one: str(one)[:40])
def test_what_happened_is_counted_in_all_or_in_the_last_time(
    thing: str, past: dict[str, Any], expected: list[bool]
) -> None:
    """semantics.md 4: events, purchases, sessions; ever, count, first and last."""
    what, act, other = THINGS[thing]
    story = asks({thing.partition("-")[0]: {**what, **past}})
    found = []
    for _ in expected:
        story.happens("u", **other)
        found.append(answer(story) == IN)
        story.waits("1d").happens("u", **act)
    assert found == expected


def test_every_condition_on_counts_and_moments_is_tried() -> None:
    """semantics.md 4."""
    parts = [past.get(name, {}) for past, _ in COUNTED for name in ("count", "first", "last")]
    tried = {name for one in parts for name in one}
    wanted = {*CountCondition.__struct_fields__, *MomentCondition.__struct_fields__}
    assert wanted == tried


def test_a_window_counts_back_from_when_the_trigger_happened() -> None:
    """semantics.md 4, and the opening: T, not now."""
    story = asks({"event": {"name": "e", "within": "1d"}}).happens("u", "e").waits("36h")
    assert (answer(story), answer(story, ago="12h")) == (OUT, IN)


def test_what_filters_ask_is_known_from_before_their_campaign_was_published() -> None:
    """semantics.md 4: "ever" is since the log began."""
    story = Story(campaign("asks", ASK, audience={"event": "e"})).happens("u", "e").waits("1d")
    assert answer(story.publish("asks")) == IN


def test_a_name_alone_asks_whether_it_ever_happened() -> None:
    """semantics.md 4."""
    story = asks({"event": "e"})
    assert (answer(story), answer(story.happens("u", "e"))) == (OUT, IN)


# Retargeting: a filter, what does it, and what nearly does.
MESSAGES = [*EMAIL, {"push": {"title": "Hi"}}, {"sms": {"body": "Hi"}}]
TARGETS = [
    campaign(
        slug,
        {"event": f"{slug}-go"},
        tags=["season"] if slug == "sale" else [],
        messages=MESSAGES,
        control_percent=50,
        conversions=[{"event": "bought"}],
    )
    for slug in ("sale", "other")
]
USERS = [f"u{number}" for number in range(200)]


def someone(*, in_control: bool) -> str:
    """Return a user who stands so with both targets."""
    return next(
        user
        for user in USERS
        if all(is_in_control(slug, user, 50) == in_control for slug in ("sale", "other"))
    )


TREATED, CONTROLLED = someone(in_control=False), someone(in_control=True)
Act = tuple[str, dict[str, Any]]
GO: Act = ("sale-go", {})
CLICK: Act = ("email_click", {"campaign": "sale", "alias": "cta"})
SHORT_LINK: Act = ("sms_short_link_click", {"campaign": "sale"})
TAP: Act = ("push_direct_open", {"campaign": "sale"})
OPEN: Act = ("email_open", {"campaign": "sale"})
RETARGETED: list[tuple[str, dict[str, Any], list[Act], Act]] = [
    ("received", {"campaign": "sale"}, [("other-go", {})], GO),
    ("received", {"campaign": "sale", "channel": "sms"}, [], GO),
    ("received", {"campaign": {"tag": "season"}}, [("other-go", {})], GO),
    ("received", {}, [], ("other-go", {})),
    ("received", {"campaign": "sale", "variant": "A"}, [], GO),
    ("opened", {"campaign": "sale"}, [GO, CLICK], OPEN),
    ("opened", {"campaign": "sale"}, [GO, CLICK], TAP),
    ("opened", {"campaign": "sale", "channel": "push"}, [GO, OPEN], TAP),
    ("clicked", {"campaign": "sale"}, [GO, OPEN, TAP], SHORT_LINK),
    ("clicked", {"campaign": "sale", "channel": "email"}, [GO, SHORT_LINK], CLICK),
    ("clicked", {"alias": "cta"}, [GO, ("email_click", {"campaign": "sale"})], CLICK),
    ("converted", {"campaign": "sale"}, [GO], ("bought", {})),
]


@pytest.mark.parametrize(("kind", "spec", "near", "act"), RETARGETED, ids=str)
def test_what_users_did_with_campaigns_is_a_filter_and_so_is_its_opposite(
    kind: str, spec: dict[str, Any], near: list[Act], act: Act
) -> None:
    """semantics.md 4, the retargeting family; campaign-facts.md 7.2: `not` sees everybody."""
    story, opposite = (asks(node, *TARGETS) for node in ({kind: spec}, {"not": {kind: spec}}))
    for name, more in near:
        story.happens(TREATED, name, **more)
        opposite.happens(TREATED, name, **more)
    assert (answer(story, TREATED), answer(opposite, TREATED)) == (OUT, IN)
    for one in (story, opposite):
        one.happens(TREATED, act[0], **act[1])
    assert (answer(story, TREATED), answer(opposite, TREATED)) == (IN, OUT)


def test_the_control_group_is_a_filter_and_its_conversions_are_no_conversion() -> None:
    """semantics.md 4, 5."""
    in_control = asks({"in_control": {"campaign": "sale"}}, *TARGETS)
    converted = asks({"converted": {"campaign": "sale"}}, *TARGETS)
    for story in (in_control, converted):
        for user in (TREATED, CONTROLLED):
            story.happens(user, "sale-go").happens(user, "bought")
    assert (answer(in_control, TREATED), answer(in_control, CONTROLLED)) == (OUT, IN)
    assert (answer(converted, TREATED), answer(converted, CONTROLLED)) == (IN, OUT)


def test_what_was_done_can_be_asked_for_the_last_time_only() -> None:
    """semantics.md 4: any, or in the last D."""
    story = asks({"clicked": {"campaign": "sale", "within": "2d"}}, *TARGETS)
    story.happens("u", CLICK[0], **CLICK[1]).waits("2d")
    assert (answer(story), answer(story.waits("1s"))) == (IN, OUT)


def test_the_click_that_triggers_has_not_been_done_yet() -> None:
    """semantics.md 3, step 1: its own counters come after the triggers."""
    clicked = interacts("sale", "email_click")
    first = campaign("first", clicked, audience={"not": clicked}, re_eligibility="always")
    story = Story(first, *TARGETS).publish("first", "sale", "other")
    story.happens("u", CLICK[0], **CLICK[1]).happens("u", CLICK[0], **CLICK[1])
    assert story.of("u", "first") == ["enter", "send", OUT]


def test_a_segment_is_its_filter_and_may_rest_on_others() -> None:
    """semantics.md 1, 4: its newest filter decides, from then on."""
    fans = {"slug": "fans", "name": "Fans", "filter": {"attribute": "fan", "eq": True}}
    adults = {"all": [{"segment": "fans"}, {"attribute": "age", "gte": 18}]}
    grown = {"slug": "grown-fans", "name": "Grown fans", "filter": adults}
    story = asks({"segment": "grown-fans"}, segments=[fans, grown])
    assert answer(story.knows("u", fan=True)) == OUT
    assert answer(story.knows("u", age=18)) == IN
    assert answer(story.segment("fans", {"attribute": "fan", "eq": "very"})) == OUT


def test_subscriptions_and_reachability_are_filters() -> None:
    """semantics.md 4: subscription state; who said nothing is subscribed to channels."""
    opted_in = asks({"subscription": {"email": "opted_in"}})
    subscribed = asks({"subscription": {"email": "subscribed", "news": "unsubscribed"}})
    reachable = asks({"reachable": "email"})
    steps: list[tuple[dict[str, Any], tuple[str, str, str]]] = [
        ({}, (OUT, IN, IN)),
        ({"email_subscribe": "opted_in"}, (IN, OUT, IN)),
        ({"email_subscribe": "unsubscribed"}, (OUT, OUT, OUT)),
        ({"email_subscribe": "subscribed"}, (OUT, IN, IN)),
        ({"subscription_groups": {"news": "subscribed"}}, (OUT, OUT, IN)),
    ]
    for attributes, expected in steps:
        stories = [one.knows("u", **attributes) for one in (opted_in, subscribed, reachable)]
        assert tuple(map(answer, stories)) == expected
    reachable.happens("u", "email_bounce", campaign="asks")
    assert answer(reachable) == OUT


def test_every_kind_of_filter_is_tried_in_this_module() -> None:
    """semantics.md 4."""
    tried = {name.partition("-")[0] for name in THINGS} | {kind for kind, *_ in RETARGETED}
    tried |= {"attribute", "all", "any", "not_"}  # operators and trees
    tried |= {"in_control", "segment", "subscription", "reachable", "interact_with_campaign"}
    assert tried == set(KINDS)
