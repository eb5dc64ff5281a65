"""The Campaign Connector's table, row by row (semantics.md 2; campaign-facts.md C1).

Every interaction and option: it enters, it does not enter before publication, it cancels as an
exception, it converts, it filters. What nearly is the interaction does none of these.
"""

import pytest
from tests.support.interaction_table import (
    NEVER,
    PEOPLE,
    ROWS,
    Row,
    Try,
    did_not,
    does,
    go,
    listener,
    prepare,
    story_of,
)
from tests.support.story import Story, campaign, interacts

from segue.engine.checks import decode_campaign
from segue.model.campaigns import DidNot
from segue.model.interactions import INTERACTIONS, RECEIVE_BY_CHANNEL
from segue.model.problems import InvalidError

ASK, BEGIN = {"event": "ask"}, {"event": "begin"}
# A receipt happens when it is handed over, however old its cause: it is never late.
CAN_BE_LATE = [row for row in ROWS if row.is_prepared or row.interaction == "control_group_enroll"]
WAITABLE = {
    one.name
    for one in INTERACTIONS.values()
    if one.name == "conversion" or (one.channel and one.act != RECEIVE_BY_CHANNEL[one.channel])
}
WAITED_FOR = [
    row
    for row in ROWS
    if row.interaction in WAITABLE and row.spec.keys() <= set(DidNot.__struct_fields__)
]


def name_of(row: Row) -> str:
    return row.name


def try_it(story: Story, one: Try, ago: str | None = None) -> str:
    """Let it happen, and return the user."""
    one.deed(story, PEOPLE[one.who], one.slug, ago)
    return PEOPLE[one.who]


def everybody(story: Story, event: str) -> None:
    for user in PEOPLE.values():
        story.happens(user, event)


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_as_a_trigger_it_enters_and_what_is_near_does_not(row: Row) -> None:
    """semantics.md 2, and campaign-facts.md C1, C2, C4, C5, C8, C9, C12."""
    follower = listener("follower", row, row.happening)
    story = story_of(row, follower).publish("follower", "sale", "other")
    prepare(story, row)
    for near in row.near:
        assert story.of(try_it(story, near), "follower") == []
    assert story.of(try_it(story, row.done_by), "follower")[:2] == ["enter", "send"]


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_before_the_followers_publication_it_enters_nobody(row: Row) -> None:
    """semantics.md 2, the publish rule."""
    follower = listener("follower", row, row.happening, re_eligibility="always")
    story = story_of(row, follower).publish("sale", "other")
    prepare(story, row)
    user = try_it(story, row.done_by)
    story.waits("1m").publish("follower").waits("40d")
    assert story.of(user, "follower") == []


@pytest.mark.parametrize("row", CAN_BE_LATE, ids=name_of)
def test_reported_after_the_publication_it_still_enters_nobody(row: Row) -> None:
    """semantics.md 2: never, however late it arrives."""
    follower = listener("follower", row, row.happening, re_eligibility="always")
    story = story_of(row, follower).publish("sale", "other")
    prepare(story, row)
    story.waits("1h").publish("follower")
    user = try_it(story, row.done_by, ago="30m")
    assert story.of(user, "follower") == ["refuse: published_after_event"]


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_as_an_exception_it_cancels_the_wait_and_what_is_near_does_not(row: Row) -> None:
    """semantics.md 3, step 2; campaign-facts.md B1, B5."""
    waiting = listener("waiting", row, BEGIN, delay="30d", exceptions=[row.happening])
    story = story_of(row, waiting).publish("waiting", "sale", "other")
    prepare(story, row)
    everybody(story, "begin")
    for near in row.near:
        assert story.of(try_it(story, near), "waiting") == ["enter"]
    user = try_it(story, row.done_by)
    assert story.of(user, "waiting") == ["enter", "cancel: exception_event"]


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_as_a_conversion_it_is_credited_and_what_is_near_is_not(row: Row) -> None:
    """semantics.md 6: an interaction with a campaign may be a conversion event."""
    conversion = {**row.happening, "within": "30d"}
    wants = listener("wants", row, BEGIN, conversions=[conversion])
    story = story_of(row, wants).publish("wants", "sale", "other")
    prepare(story, row)
    everybody(story, "begin")
    for near in row.near:
        assert story.of(try_it(story, near), "wants") == ["enter", "send"]
    user = try_it(story, row.done_by)
    assert story.of(user, "wants") == ["enter", "send", "convert"]


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_as_a_filter_it_decides_and_so_does_its_opposite(row: Row) -> None:
    """semantics.md 4, the retargeting family."""
    story = story_of(
        row,
        listener("did", row, ASK, audience=row.happening),
        listener("did-not", row, ASK, audience={"not": row.happening}, re_eligibility="always"),
    ).publish("did", "did-not", "sale", "other")
    prepare(story, row)
    for near in row.near:
        try_it(story, near)
    everybody(story, "ask")
    for user in PEOPLE.values():
        assert story.of(user, "did") == ["refuse: not_in_audience"]
        assert story.of(user, "did-not") == ["enter", "send"]
    user = try_it(story, row.done_by)
    story.happens(user, "ask")
    assert story.of(user, "did")[1:] == ["enter", "send"]
    assert story.of(user, "did-not")[2:] == ["refuse: not_in_audience"]


def receives(story: Story, row: Row) -> str:
    """Let the user receive what the row names: by view, where that is the receipt."""
    user, slug = PEOPLE[row.done_by.who], row.done_by.slug
    go(story, user, slug)
    channel = INTERACTIONS[row.interaction].channel
    if channel in ("in_app_message", "content_card"):
        does(f"{channel}_view")(story, user, slug)
    return user


def decided(story: Story, user: str) -> list[str]:
    """Return what was decided but for refusals, as of a second view while the user waits."""
    return [one for one in story.of(user, "follower") if not one.startswith("refuse")]


@pytest.mark.parametrize("row", WAITED_FOR, ids=name_of)
def test_did_not_sends_where_only_something_near_came_in_time(row: Row) -> None:
    """semantics.md 2, `did_not`; campaign-facts.md C14."""
    follower = listener("follower", row, did_not(row))
    story = story_of(row, follower).publish("follower", "sale", "other")
    user = receives(story, row)
    for near in row.near:
        if near.who == row.done_by.who:
            try_it(story.waits("1d"), near)
    assert decided(story, user) == ["enter"]
    assert decided(story.waits("7d"), user) == ["enter", "send"]


@pytest.mark.parametrize("row", WAITED_FOR, ids=name_of)
def test_did_not_sends_nothing_where_it_came_in_time(row: Row) -> None:
    """semantics.md 2, `did_not`; campaign-facts.md C14."""
    follower = listener("follower", row, did_not(row))
    story = story_of(row, follower).publish("follower", "sale", "other")
    user = receives(story, row)
    try_it(story.waits("6d"), row.done_by)
    assert decided(story.waits("7d"), user) == ["enter", "cancel: exception_event"]


@pytest.mark.parametrize("row", WAITED_FOR, ids=name_of)
def test_did_not_enters_nobody_who_received_before_its_publication(row: Row) -> None:
    """semantics.md 2, the publish rule."""
    story = story_of(row, listener("follower", row, did_not(row))).publish("sale", "other")
    user = receives(story, row)
    story.waits("1m").publish("follower").waits("30d")
    assert decided(story, user) == []


def test_a_second_view_does_not_wait_for_a_conversion_that_was_credited() -> None:
    """semantics.md 2, 6: a receipt converts once."""
    cards = [{"content_card": {"title": "Hello"}}]
    unconverted = {"did_not": {"campaign": "card", "interaction": "conversion", "within": "7d"}}
    story = Story(
        campaign("card", BEGIN, messages=cards, conversions=[{"event": "bought"}]),
        campaign("again", unconverted),
    ).publish("again", "card")
    story.happens("u", "begin").happens("u", "content_card_view", campaign="card")
    story.waits("1h").happens("u", "bought").happens("u", "content_card_view", campaign="card")
    assert story.waits("30d").of("u", "again") == ["enter", "cancel: exception_event"]


def test_did_not_is_a_trigger_and_nothing_else() -> None:
    """semantics.md 2: it is short for receive, delay and exception."""
    spec = {"did_not": {"campaign": "sale", "interaction": "email_click", "within": "7d"}}
    for name in ("exceptions", "conversions"):
        with pytest.raises(InvalidError, match=rf'{name}\[0\]\.did_not: "did_not" is no field'):
            decode_campaign(campaign("c", BEGIN, delay="1d", **{name: [spec]}))


def test_nobody_in_a_control_group_has_a_variant() -> None:
    """semantics.md 5: the row that the table does not have."""
    row = next(one for one in ROWS if one.interaction == "control_group_enroll")
    listens = interacts("sale", "control_group_enroll", variant="A")
    story = story_of(row, listener("follower", row, listens)).publish("follower", "sale", "other")
    assert story.of(try_it(story, row.done_by), "follower") == []
    assert {one for one in NEVER if one[0] == row.interaction} == NEVER


def test_every_interaction_and_option_of_the_catalogue_has_its_row() -> None:
    """semantics.md 2: the table."""
    wanted = {
        (one.name, option)
        for one in INTERACTIONS.values()
        for option in ("plain", "variant", "tag", "any", *one.options)
    }
    wanted |= {("conversion", "include_control")}
    written = {(row.interaction, name) for row in ROWS for name in (row.option, *row.spec)}
    assert wanted - written == NEVER


def test_everything_that_can_be_waited_for_has_its_row_with_did_not() -> None:
    """semantics.md 2, `did_not`."""
    options = set(DidNot.__struct_fields__)
    wanted = {
        (name, option)
        for name in WAITABLE
        for option in ("tag", "any", "variant", *INTERACTIONS[name].options)
        if option in ("tag", "any") or option in options
    }
    written = {(row.interaction, name) for row in WAITED_FOR for name in (row.option, *row.spec)}
    assert wanted <= written
