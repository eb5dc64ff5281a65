"""Missed users (semantics.md 2): who did what a follower follows before it was published."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from segue.engine.checks import decode_campaign
from segue.errors import ConflictError
from segue.model.campaigns import Campaign, Delay, Delivery
from segue.model.events import AttributeChange, Event
from segue.model.instants import DAY, HOUR, format_instant, parse_instant, to_datetime
from segue.model.log_records import (
    AttributesReceived,
    Backfilled,
    CampaignPublished,
    CampaignStopped,
    EventsReceived,
    TimeAdvanced,
    UserErased,
)
from segue.runtime import backfill as backfill_module
from segue.runtime.backfill import Backfill
from segue.runtime.recorded import RecordedLog
from tests.support.drafts import Together, alone, record_without, replaced
from tests.support.random_worlds import world_of_seed
from tests.support.recorder import Recorder
from tests.support.story import EMAIL, campaign, interacts

pytestmark = pytest.mark.slow

NOW = parse_instant("2026-11-10T12:00:00Z")
SALE = campaign(
    "sale",
    {"event": "go"},
    messages=EMAIL,
    conversions=[{"purchase": {}, "within": "3d"}],
    re_eligibility="always",
)


class Past:
    """What was recorded before the follower was published at NOW."""

    def __init__(self, *documents: dict[str, Any]) -> None:
        self.recorder = Recorder()
        for document in documents or (SALE,):
            self.publish(decode_campaign(document), NOW - 30 * DAY)

    def publish(self, document: Campaign, at: int) -> None:
        self.recorder.take(CampaignPublished(at, f"id-{document.slug}", 1, document))

    def happens(self, days_ago: float, user_id: str, name: str, **more: Any) -> "Past":
        at = NOW - int(days_ago * DAY)
        event = Event(user_id, name, time=to_datetime(at), **more)
        self.recorder.take(EventsReceived(at, [event]))
        return self

    def backfill(self, document: dict[str, Any]) -> Backfill:
        log = RecordedLog(self.recorder.journal, self.recorder.snapshot)
        found = Backfill(log, decode_campaign(document))
        found.read_on()
        return found

    def publish_with_backfill(self, document: dict[str, Any]) -> list[str]:
        """Publish at NOW, let the missed users enter, and return what was decided about them."""
        found = self.backfill(document)
        self.publish(decode_campaign(document), NOW)
        before = len(self.recorder.verdicts)
        self.recorder.take(Backfilled(NOW, document["slug"], found.events()))
        self.recorder.take(TimeAdvanced(NOW + 30 * DAY))
        return [
            f"{one.user_id} {one.decision}"
            + (f" {one.reason}" if one.reason else "")
            + (f" due {format_instant(one.due)}" if one.due else f" at {format_instant(one.at)}")
            for one in self.recorder.verdicts[before:]
            if one.campaign == document["slug"]
        ]


def follower(*triggers: dict[str, Any], **more: Any) -> dict[str, Any]:
    return campaign("later", *(triggers or (interacts("sale", "email_receive"),)), **more)


def resend(**more: Any) -> dict[str, Any]:
    """Return the seed's campaign: a week after an email, unless it was opened."""
    return follower(delay="7d", exceptions=[interacts("sale", "email_other_open")], **more)


def test_an_email_received_three_days_ago_is_followed_four_days_from_now() -> None:
    past = Past().happens(3, "ann", "go")
    assert past.publish_with_backfill(resend()) == [
        "ann enter due 2026-11-14T12:00:00Z",
        "ann send at 2026-11-14T12:00:00Z",
    ]


def test_a_delay_that_is_over_already_sends_at_once() -> None:
    past = Past().happens(9, "ann", "go")
    assert past.publish_with_backfill(resend()) == [
        "ann enter due 2026-11-10T12:00:00Z",
        "ann send at 2026-11-10T12:00:00Z",
    ]


def test_who_opened_since_does_not_enter() -> None:
    past = Past().happens(3, "ann", "go").happens(2, "ann", "email_open", campaign="sale")
    past.happens(3, "bob", "go").happens(2, "bob", "email_open", campaign="sale", machine=True)
    assert [one.user_id for one in past.backfill(resend()).events()] == ["bob"]


def test_who_received_it_again_after_opening_enters_for_the_second_time() -> None:
    past = Past().happens(5, "ann", "go").happens(4, "ann", "email_open", campaign="sale")
    past.happens(2, "ann", "go")
    assert past.publish_with_backfill(resend())[0] == "ann enter due 2026-11-15T12:00:00Z"


def test_who_did_it_twice_enters_once_for_the_first_time() -> None:
    past = Past().happens(6, "ann", "go").happens(2, "ann", "go")
    assert past.publish_with_backfill(resend()) == [
        "ann enter due 2026-11-11T12:00:00Z",
        "ann send at 2026-11-11T12:00:00Z",
    ]


def test_a_delay_to_a_local_time_counts_from_the_interaction() -> None:
    """2026-11-07 was a Saturday: the next Monday is the 9th, which is over."""
    past = Past().happens(3, "ann", "go").happens(0.5, "bob", "go")
    document = follower()
    document["delivery"]["delay"] = {"on_next": "monday", "at": "09:00"}
    assert past.publish_with_backfill(document)[::2] == [
        "ann enter due 2026-11-10T12:00:00Z",
        "bob enter due 2026-11-16T09:00:00Z",
    ]


def test_a_click_is_found_with_all_that_a_template_sees_of_it() -> None:
    past = Past().happens(3, "ann", "go")
    past.happens(2, "ann", "email_click", campaign="sale", alias="cta", link="https://shop.test/")
    document = follower(interacts("sale", "email_alias_click", alias="cta"), delay="7d")
    live = Past()
    live.publish(decode_campaign(document), NOW - 29 * DAY)
    live.happens(3, "ann", "go")
    live.happens(2, "ann", "email_click", campaign="sale", alias="cta", link="https://shop.test/")
    past.publish(decode_campaign(document), NOW)
    found = past.backfill(document).events()
    past.recorder.take(Backfilled(NOW, "later", found))
    waits = [one.recorder.fold.states.get("ann").memberships["later"].wait for one in (past, live)]
    assert waits[0] is not None
    assert waits[1] is not None
    assert waits[0].trigger.properties == waits[1].trigger.properties
    for name in ("name", "time", "campaign", "interaction", "variant", "link", "alias"):
        assert getattr(waits[0].trigger, name) == getattr(waits[1].trigger, name)
    assert waits[0].due_at == waits[1].due_at


def test_what_segue_derived_itself_is_found_too() -> None:
    control = campaign("split", {"event": "go"}, control_percent=99)
    past = Past(SALE, control).happens(3, "ann", "go").happens(3, "bob", "go")
    past.happens(2, "ann", "purchase", product_id="sku", price=5.0, currency="EUR")
    converted = follower(interacts("sale", "conversion", conversion_event="A"))
    in_control = follower(interacts("split", "control_group_enroll"))
    assert [one.user_id for one in past.backfill(converted).events()] == ["ann"]
    assert [one.user_id for one in past.backfill(in_control).events()] == ["ann", "bob"]


def test_did_not_finds_who_received_and_has_not_done_it() -> None:
    did_not = {"did_not": {"campaign": "sale", "interaction": "email_click", "within": "7d"}}
    past = Past().happens(3, "ann", "go").happens(3, "bob", "go")
    past.happens(2, "bob", "email_click", campaign="sale")
    assert past.publish_with_backfill(follower(did_not))[0] == "ann enter due 2026-11-14T12:00:00Z"


def test_events_that_are_no_interactions_are_not_backfilled() -> None:
    past = Past().happens(3, "ann", "go")
    assert past.backfill(follower({"event": "go"})).events() == []
    assert past.backfill(follower({"event": "go"}, interacts("sale", "email_click"))).events() == []


def test_what_happened_since_the_publication_was_not_missed() -> None:
    past = Past().happens(5, "ann", "go")
    past.publish(decode_campaign(follower(delay="7d")), NOW - 4 * DAY)
    past.happens(3, "ann", "go").happens(3, "bob", "go")
    found = past.backfill(follower(delay="7d"))
    assert [(one.user_id, one.time) for one in found.events()] == [
        ("ann", to_datetime(NOW - 5 * DAY))
    ]


def test_what_came_while_it_was_stopped_was_missed_and_what_came_before_was_not() -> None:
    past = Past().happens(9, "ann", "go")
    past.publish(decode_campaign(follower()), NOW - 8 * DAY)
    past.happens(7, "bob", "go")
    past.recorder.take(CampaignStopped(NOW - 6 * DAY, "later"))
    past.happens(5, "eve", "go")
    found = past.backfill(follower())
    assert [one.user_id for one in found.events()] == ["ann", "eve"]
    assert found.preview(NOW).entering == 2


def test_the_engine_refuses_who_entered_since_or_is_in_no_audience() -> None:
    past = Past().happens(5, "ann", "go").happens(5, "bob", "go").happens(5, "eve", "go")
    change = AttributeChange("bob", {"country": "FR"})
    past.recorder.take(AttributesReceived(NOW - 4 * DAY, [change]))
    document = follower(delay="7d", audience={"attribute": "country", "is_blank": True})
    past.publish(decode_campaign(document), NOW - 4 * DAY)
    past.happens(3, "ann", "go")
    found = past.backfill(document)
    before = len(past.recorder.verdicts)
    past.recorder.take(Backfilled(NOW, "later", found.events()))
    decided = [(one.user_id, one.reason) for one in past.recorder.verdicts[before:]]
    assert decided == [("ann", "already_waiting"), ("bob", "not_in_audience"), ("eve", None)]


def test_an_erased_user_has_missed_nothing() -> None:
    past = Past().happens(3, "ann", "go")
    past.recorder.take(UserErased(NOW - 2 * DAY, "ann"))
    assert past.backfill(resend()).events() == []
    assert past.backfill(resend()).preview(NOW).users == 0


def test_missed_users_are_counted_before_exceptions_and_by_what_would_become_of_them() -> None:
    past = Past()
    for name in ("ann", "bob", "eve"):
        past.happens(3, name, "go")
    past.happens(2, "ann", "email_open", campaign="sale")
    past.recorder.take(AttributesReceived(NOW - HOUR, [AttributeChange("bob", {"country": "FR"})]))
    document = resend(audience={"attribute": "country", "is_blank": True})
    preview = past.backfill(document).preview(NOW)
    assert (preview.users, preview.entering, preview.control) == (3, 1, 0)
    assert preview.refused == {"not_in_audience": 1}


def test_a_backfill_that_is_read_on_finds_what_one_reading_finds() -> None:
    past = Past().happens(5, "ann", "go").happens(5, "bob", "go")
    early = past.backfill(resend())
    past.happens(4, "ann", "email_open", campaign="sale").happens(3, "eve", "go")
    early.read_on(past.recorder.journal.log_end().seq)
    assert early.events() == past.backfill(resend()).events()
    assert [one.user_id for one in early.events()] == ["bob", "eve"]


def test_more_users_than_a_record_holds_are_refused_with_their_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(backfill_module, "BACKFILL_USERS_MAX", 1)
    past = Past().happens(5, "ann", "go").happens(5, "bob", "go")
    with pytest.raises(ConflictError, match="2 users have missed later, and at most 1"):
        past.backfill(resend()).events()


def very_long(document: Campaign) -> Campaign:
    """Return the follower with a wait that outlasts the world, and without what refuses users."""
    triggers = [
        replace(one, did_not=replace(one.did_not, within="365d")) if one.did_not else one
        for one in document.delivery.triggers
        if one.did_not or one.interact_with_campaign
    ]
    is_did_not = any(one.did_not for one in triggers)
    delay = "immediately" if is_did_not else Delay(after="365d")
    delivery = Delivery(triggers=triggers, delay=delay, exceptions=document.delivery.exceptions)
    return replace(
        document, delivery=delivery, audience=None, re_eligibility="always", control_percent=0
    )


@given(st.integers(0, 2**32))
def test_it_finds_who_would_still_wait_had_the_follower_always_been_there(seed: int) -> None:
    world = world_of_seed(seed)
    slug = max(world.campaigns)
    unasked = [one for one in world.lines if "control" not in one or one.get("campaign") != slug]
    world = alone(replaced(world, lines=unasked), slug, may_name_itself=False)
    recorder = record_without(world, slug)
    log = RecordedLog(recorder.journal, recorder.snapshot)
    long = very_long(world.campaigns[slug])
    fold = Together(long, recorder, log.begin.received_at - 30 * DAY).fold
    states = {user_id: fold.states.get(user_id) for user_id in fold.states.ids_between("", None)}
    waits = {
        user_id: state.memberships[slug].wait
        for user_id, state in states.items()
        if slug in state.memberships
    }
    expected = {(user_id, wait.trigger.event_id) for user_id, wait in waits.items() if wait}
    found = Backfill(log, world.campaigns[slug])
    found.read_on()
    assert {(event.user_id, event.id) for event in found.events()} == expected
