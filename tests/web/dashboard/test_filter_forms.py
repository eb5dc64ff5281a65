"""The filter builder without a server: filters become forms, and forms become filters."""

from html import unescape
from typing import Any

import msgspec
import pytest
from hypothesis import given
from selectolax.lexbor import LexborHTMLParser
from tests.support.forms import changed, form_of
from tests.support.random_filters import trees

from segue.engine.audience_checks import check_audience
from segue.engine.plan import EMPTY_PLAN
from segue.model.filters import Filter
from segue.model.limits import FILTER_DEPTH_MAX
from segue.services.explanations.words import Words
from segue.services.interaction_choices import InteractionChoices
from segue.services.suggestions import Suggestions
from segue.web.dashboard import shell
from segue.web.dashboard.filters.reading import read_audience, read_filter
from segue.web.dashboard.filters.views import HELPERS, filter_view
from segue.web.dashboard.form_fields import Fields
from segue.web.dashboard.forms import Form

OFFER = Suggestions(
    attributes=["country"],
    events=["go"],
    campaigns=[("one", "One"), ("two", "Two")],
    tags=["red"],
    segments=[("french", "French")],
    groups=[("news", "News")],
    choices=InteractionChoices([]),
)
TEMPLATE = shell._environment.from_string(
    '{% from "filters/tree.html" import filter_tree with context %}'
    '<form action="/here">{{ filter_tree(view, offer, faults, live) }}</form>'
)
LIVE = {"path": "/here", "target": "#x", "may_post": True}
COUNTRY = {"attribute": "country", "eq": "FR"}
AGE = {"attribute": "age", "gte": 18}


def shown(tree: Any, place: str = "filter", faults: dict[str, str] | None = None) -> str:
    view = filter_view(tree, place, Words("a user", EMPTY_PLAN, 0, {}))
    return TEMPLATE.render(view=view, offer=OFFER, faults=faults or {}, live=LIVE, **HELPERS)


def sent(
    tree: Any, changes: dict[str, str] | None = None, edit: str = "", place: str = "filter"
) -> Any:
    """Return what comes of a filter's form after some fields were changed and a button pressed."""
    pairs = changed(form_of(shown(tree, place), "/here"), changes or {})
    return read_filter(Fields(Form(pairs)).at(place), edit, tree)


def same(one: Any, other: Any) -> bool:
    return msgspec.convert(one, Filter) == msgspec.convert(other, Filter)


@given(trees)
def test_a_filter_comes_out_of_its_form_as_it_went_in(tree: dict[str, Any]) -> None:
    filter_ = msgspec.convert(tree, Filter)
    if list(check_audience(filter_, "filter")):
        return  # an empty count says nothing, and is refused
    assert same(sent(tree), tree)


@given(trees)
def test_a_form_under_another_name_says_the_same(tree: dict[str, Any]) -> None:
    assert sent(tree, place="a.b[3].audience") == sent(tree)


@pytest.mark.parametrize(
    "tree",
    [
        {"attribute": "a", "eq": "10"},
        {"attribute": "a", "eq": 10, "ne": "true", "contains": "null"},
        {"attribute": "a", "in": ["", " x ", "1", 1, None, True, "two\nlines"]},
        {"attribute": " spaced ", "matches": " ^a\\s"},
        {"attribute": "a", "in_last": "1h30m", "before": "2026-11-01T10:00:00+02:00"},
        {"not": {"not": {"not": COUNTRY}}},
        {"not": {"all": [COUNTRY, {"not": {"any": [AGE]}}]}},
        {"event": {"name": "go"}},
        {"event": {"name": "go", "where": [{"property": "a.b", "gt": 1, "lte": 2.5}]}},
        {"purchase": {}},
        {"session": {"count": {"eq": 0}, "last": {"in_last": "2w"}}},
        {"received": {"campaign": {"tag": "no such tag"}, "channel": "sms", "variant": "B"}},
        {"clicked": {"campaign": "no-such-campaign", "alias": "cta", "within": "90m"}},
        {"subscription": {"email": "opted_in", "gone": "unsubscribed"}},
        {"segment": "no-such-segment"},
    ],
    ids=repr,
)
def test_what_is_rarely_written_comes_out_too(tree: dict[str, Any]) -> None:
    assert same(sent(tree), tree)


def test_a_kind_that_is_chosen_begins_anew() -> None:
    assert sent(COUNTRY, {"filter.kind": "event"}) == {"event": ""}
    assert sent({"event": "go"}, {"filter.kind": "attribute"}) == {"attribute": "", "eq": {}}
    assert sent(COUNTRY, {"filter.kind": "subscription"}) == {"subscription": {}}


def test_another_filter_on_campaigns_keeps_the_campaign_and_the_time() -> None:
    received = {"received": {"campaign": "two", "channel": "email", "within": "3d"}}
    kept = {"campaign": "two", "within": "3d"}
    assert sent(received, {"filter.kind": "converted"}) == {"converted": kept}
    assert sent(received, {"filter.kind": "opened"}) == {"opened": {**kept, "channel": "email"}}


def test_a_filter_becomes_a_group_with_itself_in_it() -> None:
    assert sent(COUNTRY, {"filter.kind": "any"}) == {"any": [COUNTRY]}
    group = {"all": [COUNTRY, AGE]}
    assert sent(group, {"filter.kind": "any"}) == {"any": [COUNTRY, AGE]}
    assert sent(group, {"filter.all[1].kind": "any"}) == {"all": [COUNTRY, {"any": [AGE]}]}


def test_a_filter_is_turned_round_and_back() -> None:
    assert sent(COUNTRY, {"filter.holds": "no"}) == {"not": COUNTRY}
    assert sent({"not": COUNTRY}, {"filter.holds": "yes"}) == COUNTRY
    inner = {"any": [{"not": COUNTRY}, AGE]}
    turned = sent(inner, {"filter.any[0].holds": "yes", "filter.any[1].holds": "no"})
    assert turned == {"any": [COUNTRY, {"not": AGE}]}


def test_operators_are_added_changed_and_left_out() -> None:
    assert sent(AGE, {"filter.new_operator": "lt"}) == {"attribute": "age", "gte": 18, "lt": ""}
    assert sent(AGE, {"filter.gte.operator": "gt"}) == {"attribute": "age", "gt": 18}
    assert sent(AGE, {"filter.gte.operator": "none"}) == {"attribute": "age"}
    assert sent(AGE, {"filter.gte": "21.5"}) == {"attribute": "age", "gte": 21.5}
    assert sent(AGE, {"filter.gte": "old"}) == {"attribute": "age", "gte": "old"}


def test_how_often_and_when_are_added_to_an_event() -> None:
    often = sent({"event": "go"}, {"filter.event.count.new_operator": "gte"})
    assert often == {"event": {"name": "go", "count": {"gte": ""}}}
    said = sent(often, {"filter.event.count.gte": "3", "filter.event.within": "2"})
    assert said == {"event": {"name": "go", "count": {"gte": 3}, "within": "2d"}}
    first = sent(said, {"filter.event.first.new_operator": "in_last", "filter.event.name": "come"})
    assert first["event"]["first"] == {"in_last": ""}
    assert first["event"]["name"] == "come"


def test_buttons_add_and_remove_what_they_stand_at() -> None:
    tree = {"all": [COUNTRY, {"any": [AGE]}]}
    blank = {"attribute": "", "eq": {}}
    assert sent(tree, edit="add filter.all") == {"all": [*tree["all"], blank]}
    assert sent(tree, edit="add filter.all[1].any")["all"][1] == {"any": [AGE, blank]}
    assert sent(tree, edit="remove filter.all[0]") == {"all": [{"any": [AGE]}]}
    assert sent(tree, edit="remove filter.all[1].any[0]")["all"][1] == {"any": []}
    for nothing in ("", "remove", "remove filter.all[7]", "drop filter.all[0]", "add filter"):
        assert sent(tree, edit=nothing) == tree
    where = {"event": {"name": "go", "where": [{"property": "a", "eq": 1}]}}
    added = sent(where, edit="add filter.event.where")
    assert added["event"]["where"][1] == {"property": "", "eq": {}}
    assert sent(where, edit="remove filter.event.where[0]") == {"event": {"name": "go"}}


def test_a_button_hits_what_it_was_shown_at_though_the_form_says_otherwise_by_now() -> None:
    tree = {"all": [COUNTRY, {"not": AGE}]}
    turned = {"filter.kind": "any", "filter.holds": "no"}
    assert sent(tree, turned, "remove filter.all[1]") == {"not": {"any": [COUNTRY]}}
    added = sent(tree, turned, "add filter.all")
    assert len(added["not"]["any"]) == 3
    assert sent(tree, {"filter.all[1].holds": "yes"}, "remove filter.all[1]") == {"all": [COUNTRY]}


def test_a_subscription_is_added_and_left_out() -> None:
    added = sent({"subscription": {"email": "opted_in"}}, {"filter.subscription.new": "news"})
    assert added == {"subscription": {"email": "opted_in", "news": "subscribed"}}
    left = sent(added, {"filter.subscription[0].name": ""})
    assert left == {"subscription": {"news": "subscribed"}}


def test_everyone_a_segment_and_filters_are_chosen_and_lead_into_each_other() -> None:
    def read(**fields: str) -> Any:
        pairs = [(f"audience.{name}", value) for name, value in fields.items()]
        return read_audience(Fields(Form(pairs)).at("audience"), "", {"segment": "french"})

    assert read(who="everyone") is None
    assert read(who="segment") == {"segment": "french"}
    assert read(who="segment", segment="other") == {"segment": "other"}
    assert read(who="filters", segment="french") == {"all": [{"segment": "french"}]}
    assert read(who="filters", kind="attribute", attribute="a") == {"attribute": "a"}


def test_a_form_without_end_is_read_to_an_end() -> None:
    depth = 900
    names = ["filter" + ".not" * level + ".holds" for level in range(depth)]
    pairs = [(name, "no") for name in names]
    tree = read_filter(Fields(Form(pairs)).at("filter"))
    assert 0 < len(str(tree)) < 20 * 3 * FILTER_DEPTH_MAX
    groups = [("filter" + ".all[0]" * level + ".kind", "all") for level in range(depth)]
    assert read_filter(Fields(Form(groups)).at("filter"))["all"]


def test_no_group_is_offered_where_it_would_be_too_deep() -> None:
    tree: Any = COUNTRY
    for _ in range(FILTER_DEPTH_MAX - 1):
        tree = {"all": [tree]}
    place = "filter" + ".all[0]" * (FILTER_DEPTH_MAX - 1)
    [kinds] = _selects(shown(tree), f"{place}.kind")
    assert "attribute" in kinds
    assert "any" not in kinds
    [kinds] = _selects(shown(tree["all"][0]), f"{place.removesuffix('.all[0]')}.kind")
    assert "any" in kinds


def _selects(html: str, name: str) -> list[list[str]]:
    found = LexborHTMLParser(html).css("select")
    return [
        [option.attributes.get("value") or "" for option in one.css("option")]
        for one in found
        if one.attributes.get("name") == name
    ]


def test_each_filter_says_itself_in_words_and_an_unfinished_one_says_that() -> None:
    html = unescape(shown({"all": [COUNTRY, {"event": ""}, {"not": AGE}, {"not": {"not": AGE}}]}))
    assert 'It holds that country is "FR".' in html
    assert html.count("Not finished yet.") == 1
    assert html.count("It does not hold that age is at least 18.") == 1
    assert html.count("It holds that age is at least 18.") == 1


def test_a_fault_stands_at_its_field() -> None:
    faults = {"filter.all[0].eq": "<b>wrong</b>", "filter.all": "too few"}
    html = shown({"all": [COUNTRY]}, faults=faults)
    assert 'id="filter.all[0].eq-fault"' in html
    assert "&lt;b&gt;wrong&lt;/b&gt;" in html
    assert 'aria-invalid="true"' in html
    assert "too few" in html


def test_markup_in_names_is_text() -> None:
    script = "<script>alert(1)</script>"
    tree = {
        "any": [
            {"attribute": script, "eq": script},
            {"event": {"name": script, "where": [{"property": script, "matches": script}]}},
            {"received": {"campaign": {"tag": script}, "variant": script}},
            {"subscription": {script: "subscribed"}},
            {"segment": script},
        ]
    }
    assert "<script" not in shown(tree)
