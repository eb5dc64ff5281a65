"""From event to wait: triggers, delays, exceptions, chains, and other ways to begin.

The rules are those of semantics.md 3, and B1 to B16 of campaign-facts.md 10.
"""

from typing import Any

import pytest
from tests.support.story import EMAIL, Story, campaign, interacts

from segue.engine.checks import decode_campaign
from segue.engine.doubts import doubts_of
from segue.engine.reference_checks import check_cycles
from segue.model.limits import EXCEPTIONS_MAX
from segue.model.problems import InvalidError

GO, STOP = {"event": "go"}, {"event": "stop"}
NEVER_DONE = {"event": {"name": "go", "count": {"eq": 0}}}


def tuesday_at_nine(**more: Any) -> dict[str, Any]:
    return campaign("c", GO, delay={"on_next": "tuesday", "at": "09:00"}, **more)


# Order


def test_timers_due_by_the_instant_of_an_event_fire_before_it() -> None:
    """semantics.md 3: an exception at the due time itself is too late."""
    waits = campaign("c", GO, delay="1h", exceptions=[STOP])
    story = Story(waits).publish("c").happens("u", "go")
    story.now += 3_600_000_000
    assert story.happens("u", "stop").of("u", "c") == ["enter", "send"]


def test_attributes_of_a_call_come_before_its_events_and_decide_about_them() -> None:
    """semantics.md 3, step 1."""
    story = Story(campaign("c", GO, audience={"attribute": "fan", "eq": True})).publish("c")
    story.batch({"user_id": "u", "attributes": {"fan": True}}, {"user_id": "u", "name": "go"})
    assert story.of("u", "c") == ["enter", "send"]


def test_exceptions_come_before_conversions_and_these_before_triggers() -> None:
    """semantics.md 3: steps 2 to 4; what is emitted is handled right after the event."""
    story = Story(
        campaign("a-triggers", GO, interacts("z-waits", "exception_event")),
        campaign("b-converts", {"event": "begin"}, conversions=[GO]),
        campaign("z-waits", {"event": "begin"}, delay="1h", exceptions=[GO]),
    ).publish("a-triggers", "b-converts", "z-waits")
    story.happens("u", "begin").happens("u", "go")
    told = [f"{verdict.campaign} {verdict.decision}" for verdict in story.verdicts[3:]]
    assert told == [
        "z-waits cancel",
        "b-converts convert",
        "a-triggers enter",
        "a-triggers send",
        "a-triggers refuse",
    ]


def test_the_first_entry_check_that_fails_is_the_reason() -> None:
    """semantics.md 3, step 4: the checks in their order."""
    no_end = {"window": {"start": "2026-11-02T00:00:00Z"}}
    fans = {"attribute": "fan", "eq": True}
    story = Story(campaign("c", GO, delay="1h", audience=fans, **no_end)).waits("1h").publish("c")
    story.happens("u", "go", ago="30m").happens("u", "go").waits("1d").happens("u", "go")
    story.knows("u", fan=True).happens("u", "go").happens("u", "go").waits("1h").happens("u", "go")
    assert story.of("u", "c") == [
        "refuse: published_after_event",
        "refuse: outside_window",
        "refuse: not_in_audience",
        "enter",
        "refuse: already_waiting",
        "send",
        "refuse: not_re_eligible",
    ]


# Delay


@pytest.mark.parametrize(
    ("delay", "due"),
    [
        ("immediately", "2026-11-01T10:00:00Z"),
        ({"after": "90s"}, "2026-11-01T10:01:30Z"),
        ({"after": "1h30m"}, "2026-11-01T11:30:00Z"),
        ({"after": "2w"}, "2026-11-15T10:00:00Z"),
        ({"in_days": 0, "at": "12:00"}, "2026-11-01T12:00:00Z"),
        ({"in_days": 0, "at": "09:00"}, "2026-11-01T10:00:00Z"),
        ({"in_days": 1, "at": "09:00"}, "2026-11-02T09:00:00Z"),
        ({"on_next": "monday", "at": "09:00"}, "2026-11-02T09:00:00Z"),
    ],
)
def test_each_delay_is_counted_from_the_event_and_never_earlier_than_now(
    delay: object, due: str
) -> None:
    """semantics.md 3: due = T plus the delay."""
    story = Story(campaign("c", GO, delay=delay)).publish("c").waits("10h").happens("u", "go")
    assert story.due("u", "c") == due


def test_a_late_event_has_its_delay_counted_from_when_it_happened() -> None:
    """semantics.md 3: T is the moment it happened."""
    story = Story(campaign("c", GO, delay="2h")).publish("c").waits("1d")
    story.happens("u", "go", ago="1h").waits("59m")
    assert story.of("u", "c") == ["enter"]
    assert story.waits("1m").of("u", "c") == ["enter", "send"]


def test_a_delay_that_is_over_already_sends_at_once_and_not_earlier_than_now() -> None:
    """semantics.md 3: due is never earlier than now."""
    story = Story(campaign("c", GO, delay="2h")).publish("c").waits("1d")
    story.happens("u", "go", ago="5h")
    assert story.of("u", "c") == ["enter", "send"]
    assert story.verdicts[0].due == story.now


def test_an_event_from_the_future_happened_now() -> None:
    """semantics.md, opening: T is never later than now."""
    story = Story(campaign("c", GO, delay="1h")).publish("c")
    ahead = {"time": "2028-01-01T00:00:00Z", "received_at": "2026-11-01T10:00:00Z"}
    story.batch({"user_id": "u", "name": "go", **ahead})
    assert story.due("u", "c") == "2026-11-01T11:00:00Z"


def test_a_weeks_wait_over_a_clock_change_ends_at_the_local_time() -> None:
    """semantics.md 3: calendar days are the user's, whose clocks go back on 25 October."""
    waits = campaign("c", GO, delay={"in_days": 2, "at": "09:00"})
    story = Story(waits, start="2026-10-24T08:00:00Z").publish("c")
    story.knows("u", time_zone="Europe/Paris").happens("u", "go")
    assert story.due("u", "c") == "2026-10-26T08:00:00Z"


# Exceptions


def test_an_exception_before_the_trigger_does_nothing() -> None:
    """semantics.md 3: exceptions act only while a user waits."""
    waits = campaign("c", GO, delay="1h", exceptions=[STOP])
    story = Story(waits).publish("c").happens("u", "stop").happens("u", "go").waits("1h")
    assert story.of("u", "c") == ["enter", "send"]


def test_an_exception_that_happened_before_the_wait_began_does_nothing_even_if_late() -> None:
    """semantics.md 3, step 2: where T' ≤ T."""
    waits = campaign("c", GO, delay="1h", exceptions=[STOP])
    story = Story(waits).publish("c").waits("1h").happens("u", "go").waits("10m")
    story.happens("u", "stop", ago="20m").waits("1h")
    assert story.of("u", "c") == ["enter", "send"]


def test_an_exception_without_a_delay_does_nothing_and_publishing_warns_of_it() -> None:
    """semantics.md 3."""
    document = campaign("c", GO, exceptions=[STOP])
    story = Story(document).publish("c").happens("u", "go").happens("u", "stop")
    assert story.of("u", "c") == ["enter", "send"]
    assert [one.path for one in doubts_of(decode_campaign(document))] == ["delivery.exceptions"]


def test_after_a_cancelled_wait_the_user_may_enter_again_whatever_re_eligibility_says() -> None:
    """semantics.md 3, step 2."""
    waits = campaign("c", GO, delay="1h", exceptions=[STOP])
    story = Story(waits).publish("c").happens("u", "go").happens("u", "stop").happens("u", "go")
    assert story.of("u", "c") == ["enter", "cancel: exception_event", "enter"]


def test_a_chain_with_no_act_of_a_person_is_cut_after_ten_hops() -> None:
    """semantics.md 3; campaign-facts.md B16."""
    story = Story(
        campaign("a", GO, interacts("b", "push_receive"), re_eligibility="always"),
        campaign("b", interacts("a", "push_receive"), re_eligibility="always"),
    ).publish("a", "b")
    story.happens("u", "go")
    assert [verdict.decision for verdict in story.verdicts].count("send") == 10
    assert story.verdicts[-1].reason == "chain_limit"


def test_campaigns_that_restart_each_other_by_exceptions_come_to_an_end() -> None:
    """semantics.md 3: each is the other's trigger and exception, and one event restarts both."""

    def restarts(slug: str, other: str) -> dict[str, Any]:
        restart = [GO, interacts(other, "exception_event")]
        return campaign(slug, *restart, exceptions=restart, delay="1h", re_eligibility="always")

    story = Story(restarts("a", "b"), restarts("b", "a")).publish("a", "b")
    story.happens("u", "go").happens("u", "go")
    assert [one.decision for one in story.verdicts].count("cancel") <= 2 * 10 + 2
    assert story.verdicts[-1].reason == "chain_limit"
    story.happens("u", "go").waits("1h")
    assert (story.of("u", "a")[-1], story.of("u", "b")[-1]) == ("send", "send")


def test_an_act_of_a_person_begins_a_new_chain() -> None:
    """semantics.md 3: only sends with no act of a person in between are counted."""
    story = Story(
        campaign("a", GO, interacts("b", "push_direct_open"), re_eligibility="always"),
        campaign("b", interacts("a", "push_receive"), re_eligibility="always"),
    ).publish("a", "b")
    story.happens("u", "go")
    for _ in range(12):
        story.happens("u", "push_direct_open", campaign="b")
    assert story.of("u", "a") == ["enter", "send"] * 13


# What the decisions of campaign-facts.md 10 add


def test_b1_the_exceptions_are_any_of_many_and_of_all_kinds() -> None:
    """campaign-facts.md B1: the catalogue of triggers, or-ed, at most 20."""
    kinds: list[dict[str, Any]] = [
        STOP,
        {"purchase": {}},
        {"session_start": {}},
        interacts("target", "email_click"),
    ]
    acts: list[tuple[str, dict[str, Any]]] = [
        ("stop", {}),
        ("purchase", {"product_id": "sku-1"}),
        ("session_start", {}),
        ("email_click", {"campaign": "target"}),
    ]
    waits = campaign("c", GO, delay="1h", exceptions=kinds)
    story = Story(waits, campaign("target", {"event": "x"}, messages=EMAIL)).publish("c", "target")
    for name, more in acts:
        story.happens(name, "go").happens(name, name, **more)
        assert story.of(name, "c") == ["enter", "cancel: exception_event"]
    with pytest.raises(InvalidError, match=f"at most {EXCEPTIONS_MAX} are allowed"):
        decode_campaign(campaign("c", GO, delay="1h", exceptions=[STOP] * (EXCEPTIONS_MAX + 1)))


def test_b1_a_session_start_may_not_be_both_trigger_and_exception() -> None:
    """semantics.md 3; campaign-facts.md B1."""
    session: dict[str, Any] = {"session_start": {}}
    with pytest.raises(InvalidError, match="may not be both trigger and exception"):
        decode_campaign(campaign("c", session, delay="1h", exceptions=[session]))


def test_b2_an_exception_counts_from_the_triggers_instant_to_just_before_the_send() -> None:
    """semantics.md 3, step 2: T' ≤ T < due; campaign-facts.md B2."""
    waits = campaign("c", GO, delay="1h", exceptions=[STOP])
    story = Story(waits).publish("c")
    for user, after in (("same", "0s"), ("last", "59m59s"), ("late", "1h")):
        story.happens(user, "go").waits(after).happens(user, "stop").waits("2h")
    for user in ("same", "last"):
        assert story.of(user, "c") == ["enter", "cancel: exception_event"]
    assert story.of("late", "c") == ["enter", "send"]


def test_b3_an_event_that_is_trigger_and_exception_restarts_the_wait() -> None:
    """semantics.md 3; campaign-facts.md B3."""
    story = Story(campaign("c", GO, delay="1h", exceptions=[GO])).publish("c")
    story.happens("u", "go").waits("30m").happens("u", "go").waits("59m")
    assert story.of("u", "c") == ["enter", "cancel: exception_event", "enter"]
    assert story.waits("1m").of("u", "c")[-1] == "send"


def test_b4_the_time_of_an_exception_decides_but_after_the_send_it_comes_too_late() -> None:
    """semantics.md 3, step 2; campaign-facts.md B4."""
    waits = campaign("c", GO, delay="1h", exceptions=[STOP])
    story = Story(waits).publish("c").happens("u", "go").waits("30m")
    story.happens("v", "go").waits("20m").happens("v", "stop", ago="10m").waits("30m")
    story.happens("u", "stop", ago="30m")
    assert story.of("u", "c") == ["enter", "send"]
    assert story.of("v", "c") == ["enter", "cancel: exception_event"]


def test_b5_an_exception_may_be_an_interaction_with_any_other_campaign() -> None:
    """campaign-facts.md B5: whatever the trigger is about."""
    opened = interacts("elsewhere", "push_direct_open")
    story = Story(
        campaign("target", GO),
        campaign("elsewhere", {"event": "x"}),
        campaign("c", interacts("target", "push_receive"), delay="1h", exceptions=[opened]),
    ).publish("c", "target", "elsewhere")
    story.happens("u", "go").happens("u", "push_direct_open", campaign="target")
    assert story.of("u", "c") == ["enter"]
    story.happens("u", "push_direct_open", campaign="elsewhere")
    assert story.of("u", "c") == ["enter", "cancel: exception_event"]


def test_b6_only_an_exception_that_cancels_is_an_event_that_others_can_follow() -> None:
    """semantics.md 3, step 2: cancelling emits `exception_event`; campaign-facts.md B6."""
    story = Story(
        campaign("c", GO, delay="1h", exceptions=[STOP]),
        campaign("sorry", interacts("c", "exception_event"), re_eligibility="always"),
    ).publish("c", "sorry")
    story.happens("u", "stop").happens("u", "go").happens("u", "stop").happens("u", "stop")
    assert story.of("u", "sorry") == ["enter", "send"]


@pytest.mark.parametrize("delay", [{"after": "366d"}, {"in_days": 366, "at": "09:00"}])
def test_b7_a_delay_is_at_most_a_year(delay: dict[str, Any]) -> None:
    """semantics.md 3; campaign-facts.md B7."""
    with pytest.raises(InvalidError, match=r"delivery\.delay.* 365"):
        decode_campaign(campaign("c", GO, delay=delay))
    decode_campaign(campaign("c", GO, delay="365d"))


@pytest.mark.parametrize(
    ("on", "due"),
    [
        ("2026-11-02T08:00:00Z", "2026-11-03T09:00:00Z"),
        ("2026-11-03T08:00:00Z", "2026-11-10T09:00:00Z"),
        ("2026-11-03T23:59:59Z", "2026-11-10T09:00:00Z"),
        ("2026-11-04T00:00:00Z", "2026-11-10T09:00:00Z"),
    ],
)
def test_b8_the_next_weekday_is_strictly_next_and_the_same_day_a_week_away(
    on: str, due: str
) -> None:
    """semantics.md 3; campaign-facts.md B8."""
    story = Story(tuesday_at_nine()).publish("c").waits_until(on).happens("u", "go")
    assert story.due("u", "c") == due
    assert story.waits("8d").sent("u", "c") == [due]


@pytest.mark.parametrize(
    ("at", "start", "due"),
    [
        # clocks in Paris jump from 02:00 to 03:00 on 29 March 2026, back on 25 October
        ("02:30", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z"),
        ("02:30", "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z"),
        ("09:00", "2026-10-24T12:00:00Z", "2026-10-25T08:00:00Z"),
    ],
)
def test_b9_local_times_are_the_users_and_a_clock_change_moves_or_repeats_them(
    at: str, start: str, due: str
) -> None:
    """semantics.md 3; campaign-facts.md B9: a skipped time is the change itself, a doubled one
    the first."""
    waits = campaign("c", GO, delay={"in_days": 1, "at": at})
    story = Story(waits, start=start).publish("c")
    story.knows("u", time_zone="Europe/Paris").happens("u", "go")
    assert story.due("u", "c") == due


def test_b10_a_second_trigger_during_a_wait_enters_nobody() -> None:
    """semantics.md 3: only one wait per user and campaign; campaign-facts.md B10."""
    story = Story(campaign("c", GO, delay="1h", re_eligibility="always")).publish("c")
    story.happens("u", "go").happens("u", "go").waits("1h").happens("u", "go").waits("1h")
    assert story.of("u", "c") == ["enter", "refuse: already_waiting", "send", "enter", "send"]


def test_b11_the_window_is_checked_at_the_trigger_and_again_when_the_send_is_due() -> None:
    """semantics.md 3; campaign-facts.md B11: and a delay as long as the window is warned of."""
    window = {"start": "2026-11-01T01:00:00Z", "end": "2026-11-01T03:00:00Z"}
    document = campaign("c", GO, delay="1h", window=window)
    story = Story(document).publish("c").happens("early", "go")
    story.waits("1h").happens("inside", "go").waits("90m").happens("late", "go")
    story.waits("30m").happens("after", "go").waits("1h")
    assert story.of("early", "c") == story.of("after", "c") == ["refuse: outside_window"]
    assert story.of("inside", "c") == ["enter", "send"]
    assert story.of("late", "c") == ["enter", "skip: outside_window"]
    too_long = campaign("c", GO, delay="2h", window=window)
    assert [one.path for one in doubts_of(decode_campaign(too_long))] == ["delivery.window"]


def test_b12_the_audience_is_checked_on_entry_and_if_wanted_again_when_due() -> None:
    """semantics.md 3, 4; campaign-facts.md B12."""
    fans = {"attribute": "fan", "eq": True}
    once = campaign("once", GO, delay="1h", audience=fans)
    again = campaign("again", GO, delay="1h", audience=fans, recheck_audience=True)
    story = Story(once, again).publish("once", "again").knows("u", fan=True).happens("u", "go")
    story.knows("u", fan=False).waits("1h").happens("u", "go")
    assert story.of("u", "once") == ["enter", "send", "refuse: not_in_audience"]
    assert story.of("u", "again") == ["enter", "skip: not_in_audience", "refuse: not_in_audience"]


def test_b13_the_event_that_triggers_is_not_counted_yet_but_its_attributes_are_set() -> None:
    """semantics.md 3, step 1; campaign-facts.md B13."""
    audience = {"all": [NEVER_DONE, {"attribute": "fan", "eq": True}]}
    story = Story(campaign("c", GO, audience=audience, re_eligibility="always")).publish("c")
    story.batch({"user_id": "u", "attributes": {"fan": True}}, {"user_id": "u", "name": "go"})
    story.happens("u", "go")
    assert story.of("u", "c") == ["enter", "send", "refuse: not_in_audience"]


def test_b14_an_exception_cancels_a_send_that_quiet_hours_hold() -> None:
    """semantics.md 3, quiet hours; campaign-facts.md B14."""
    quiet = {"from": "00:00", "to": "06:00"}
    waits = campaign("c", GO, delay="1h", exceptions=[STOP], quiet_hours=quiet)
    story = Story(waits).publish("c").happens("u", "go").happens("v", "go").waits("5h")
    story.happens("u", "stop").waits("2h")
    assert story.of("u", "c") == ["enter", "cancel: exception_event"]
    assert story.of("v", "c") == ["enter", "send"]


def test_b15_any_of_several_triggers_enters_once_and_the_wait_knows_which() -> None:
    """campaign-facts.md B15."""
    opened = interacts("target", "push_direct_open")
    waits = campaign("c", GO, opened, {"purchase": {}}, delay="1h")
    story = Story(waits, campaign("target", {"event": "x"})).publish("c", "target")
    story.happens("a", "go", properties={"size": 2})
    story.happens("b", "push_direct_open", campaign="target", id="e1")
    story.happens("c", "purchase", product_id="sku-1", price=5)
    waiting = {user: story.state(user).memberships["c"].wait for user in "abc"}
    triggers = [wait.trigger for wait in waiting.values() if wait is not None]
    assert [one.name for one in triggers] == ["go", "push_direct_open", "purchase"]
    assert triggers[0].properties == {"size": 2}
    assert (triggers[1].campaign, triggers[1].event_id) == ("target", "e1")
    assert triggers[2].properties == {"product_id": "sku-1", "price": 5}


def test_b16_a_campaign_cannot_follow_itself_and_a_loop_is_told_at_publication() -> None:
    """semantics.md 2, cycles; campaign-facts.md B16."""
    with pytest.raises(InvalidError, match="cannot be triggered by itself"):
        decode_campaign(campaign("c", interacts("c", "push_receive")))
    others = {"a": decode_campaign(campaign("a", interacts("b", "push_receive")))}
    endless = decode_campaign(campaign("b", interacts("a", "push_receive")))
    warned = check_cycles(endless, others)
    assert (warned.errors, len(warned.warnings)) == ([], 1)
    always = {"re_eligibility": "always"}
    others = {"a": decode_campaign(campaign("a", interacts("b", "push_receive"), **always))}
    endless = decode_campaign(campaign("b", interacts("a", "push_receive"), **always))
    assert "that nothing ever stops: b → a → b" in check_cycles(endless, others).errors[0].message


# Other ways to begin


def test_a_scheduled_campaign_comes_to_everybody_known_in_its_audience() -> None:
    """semantics.md 3, entry checks; a user of whom nothing is known is nobody's audience."""
    schedule = {"at": "2026-11-02T09:00:00", "time_zone": "Europe/Paris"}
    document = campaign("c", type="scheduled", schedule=schedule)
    document["audience"] = {"not": {"attribute": "fan", "eq": False}}
    story = Story(document).publish("c").knows("u", fan=True).knows("v", fan=False)
    story.happens("stranger", "go").waits("2d")
    assert story.sent("u", "c") == ["2026-11-02T08:00:00Z"]
    assert story.of("v", "c") == ["refuse: not_in_audience"]
    assert story.of("stranger", "c") == []


def test_a_local_schedule_comes_to_each_user_when_their_clocks_show_it() -> None:
    """semantics.md, opening: a user's local time comes from their time zone."""
    schedule = {"at": "2026-11-02T09:00:00", "local": True}
    story = Story(campaign("c", type="scheduled", schedule=schedule)).publish("c")
    zones = {"t": "Asia/Tokyo", "p": "Europe/Paris", "unknown": "Nowhere/Land"}
    for user, zone in zones.items():
        story.knows(user, time_zone=zone)
    story.waits("2d")
    assert story.sent("t", "c") == ["2026-11-02T00:00:00Z"]
    assert story.sent("p", "c") == ["2026-11-02T08:00:00Z"]
    assert story.sent("unknown", "c") == ["2026-11-02T09:00:00Z"]


def test_a_recurring_schedule_comes_again_to_those_who_may_have_it_again() -> None:
    """semantics.md 3, re-eligibility, of scheduled campaigns too."""
    schedule = {"cron": "0 9 * * MON"}
    once = campaign("once", type="scheduled", schedule=schedule)
    weekly = campaign("weekly", type="scheduled", schedule=schedule, re_eligibility="always")
    story = Story(once, weekly).publish("once", "weekly").knows("u", fan=True).waits("9d")
    assert story.sent("u", "weekly") == ["2026-11-02T09:00:00Z", "2026-11-09T09:00:00Z"]
    assert story.of("u", "once") == ["enter", "send", "refuse: not_re_eligible"]


def test_an_api_triggered_campaign_passes_the_same_checks_and_may_wait() -> None:
    """semantics.md 3: an entry like any other, with the properties of the call."""
    fans = {"attribute": "fan", "eq": True}
    document = campaign("c", type="api", audience=fans, delay="1h", exceptions=[STOP])
    story = Story(document).publish("c").send("c", "u", code="X1").knows("u", fan=True)
    story.send("c", "u", code="X2")
    wait = story.state("u").memberships["c"].wait
    assert wait is not None
    assert (wait.trigger.name, wait.trigger.properties) == ("api_trigger", {"code": "X2"})
    assert story.happens("u", "stop").of("u", "c") == [
        "refuse: not_in_audience",
        "enter",
        "cancel: exception_event",
    ]
