"""When and whether a send goes (semantics.md 3), decided by hand, by the engine and the oracle."""

from typing import Any

import pytest
from tests.support.by_hand import (
    CARD,
    EMAIL,
    PUSH,
    SMS,
    at,
    campaign,
    control,
    decided,
    follows,
    knows,
    sent,
    told,
)

GO = {"event": "go"}
PARIS = knows("00:00", time_zone="Europe/Paris")


@pytest.mark.parametrize(
    ("zone", "delay", "event_at", "send_at"),
    [
        # 1 November is a Sunday: strictly the next one.
        ("UTC", {"on_next": "sunday", "at": "09:00"}, "01:00", "2026-11-08T09:00:00Z"),
        ("UTC", {"on_next": "monday", "at": "09:00"}, "01:00", "2026-11-02T09:00:00Z"),
        # In Paris it is Sunday already, in New York it is Saturday still.
        ("Europe/Paris", {"on_next": "sunday", "at": "00:30"}, "00:10", "2026-11-07T23:30:00Z"),
        ("America/New_York", {"on_next": "sunday", "at": "00:30"}, "00:10", "2026-11-01T04:30:00Z"),
        # One o'clock comes twice in New York that night: the first counts.
        ("America/New_York", {"on_next": "sunday", "at": "01:30"}, "00:10", "2026-11-01T05:30:00Z"),
        ("America/New_York", {"in_days": 1, "at": "02:30"}, "00:10", "2026-11-01T07:30:00Z"),
        ("UTC", {"in_days": 0, "at": "12:00"}, "01:00", "2026-11-01T12:00:00Z"),
        ("UTC", {"in_days": 0, "at": "00:30"}, "01:00", "2026-11-01T01:00:00Z"),  # past: at once
        ("Nowhere/Atoll", {"in_days": 1, "at": "00:30"}, "01:00", "2026-11-02T00:30:00Z"),
    ],
)
def test_a_delay_ends_at_a_local_time(
    zone: str, delay: dict[str, Any], event_at: str, send_at: str
) -> None:
    lines = knows("00:00", time_zone=zone), at(event_at, "go")
    assert sent(decided([campaign("greet", GO, delay=delay)], *lines)) == [f"{send_at} u"]


def test_a_delay_to_a_local_time_that_is_skipped_ends_when_clocks_have_changed() -> None:
    delay = {"in_days": 1, "at": "02:30"}
    lines = [
        knows("2027-03-13T12:00:00Z", time_zone="America/New_York"),
        at("2027-03-13T13:00:00Z", "go"),
    ]
    decisions = decided([campaign("greet", GO, delay=delay)], *lines, until="2027-03-20T00:00:00Z")
    assert sent(decisions) == ["2027-03-14T07:00:00Z u"]  # 3 o'clock


@pytest.mark.parametrize(
    ("event_at", "expected"),
    [
        ("00:59:59", "greet refuse outside_window"),
        ("01:00:00", "greet enter"),
        ("01:59:59", "greet enter"),
        ("02:00:00", "greet refuse outside_window"),
    ],
)
def test_a_window_has_its_start_and_not_its_end(event_at: str, expected: str) -> None:
    window = {"start": "2026-11-01T02:00:00", "end": "2026-11-01T03:00:00", "local": True}
    decisions = decided([campaign("greet", GO, window=window)], PARIS, at(event_at, "go"))
    assert told(decisions)[0] == expected


def test_a_window_that_has_closed_when_a_send_is_due_skips_it() -> None:
    window = {"end": "2026-11-01T02:00:00Z"}
    greet = campaign("greet", GO, delay={"after": "1h"}, window=window)
    in_time, too_late = at("00:59:59", "go"), at("01:00", "go")
    assert told(decided([greet], in_time)) == ["greet enter", "greet send"]
    assert told(decided([greet], too_late)) == ["greet enter", "greet skip outside_window"]


def test_outside_its_hours_a_send_is_skipped_or_waits_for_them() -> None:
    hours = {"from": "09:00", "to": "21:00"}  # 8 to 20 UTC
    strict = campaign("strict", GO, time_of_day={**hours, "otherwise": "skip"})
    patient = campaign("patient", GO, time_of_day={**hours, "otherwise": "next_available"})
    decisions = decided([strict, patient], PARIS, at("07:59:59", "go"))
    assert told(decisions) == [
        "patient enter",
        "strict enter",
        "strict skip outside_time_of_day",
        "patient send",
    ]
    assert sent(decisions) == ["2026-11-01T08:00:00Z u"]
    at_the_end = told(decided([strict], PARIS, at("20:00", "go")))
    assert at_the_end == ["strict enter", "strict skip outside_time_of_day"]


def test_quiet_hours_hold_what_is_pushed_and_spread_it_after_their_end() -> None:
    quiet = {"quiet_hours": {"from": "22:00", "to": "08:00"}, "time_zone": "Europe/Paris"}
    campaigns = [
        campaign("held", GO),
        campaign("shown", GO, messages=[CARD]),
        campaign("urgent", GO, quiet_hours="ignore"),
        campaign("strict", GO, quiet_hours={"from": "01:00", "to": "02:00", "otherwise": "skip"}),
    ]
    decisions = decided(campaigns, at("00:30", "go"), workspace=quiet)
    held, *at_once = reversed(sent(decisions))
    assert at_once == ["2026-11-01T00:30:00Z u"] * 2
    assert "2026-11-01T07:00:00" <= held < "2026-11-01T07:10:00"
    assert "strict skip quiet_hours" in told(decisions)


def test_an_exception_cancels_a_send_that_is_held() -> None:
    quiet = {"quiet_hours": {"from": "00:00", "to": "08:00"}}
    greet = campaign("greet", GO, exceptions=[{"event": "no"}])
    decisions = decided([greet], at("01:00", "go"), at("07:59", "no"), workspace=quiet)
    assert told(decisions) == ["greet enter", "greet cancel exception_event"]


def test_a_held_send_is_looked_at_again_when_it_is_due_again() -> None:
    quiet = {"quiet_hours": {"from": "00:00", "to": "08:00"}}
    greet = campaign("greet", GO, messages=[EMAIL])
    leave = knows("07:00", email_subscribe="unsubscribed")
    decisions = decided([greet], at("01:00", "go"), leave, workspace=quiet)
    assert told(decisions) == ["greet enter", "greet skip unsubscribed"]


def test_a_cap_of_days_counts_by_the_users_calendar_and_one_of_hours_rolls() -> None:
    greet = campaign("greet", GO, re_eligibility="always")
    lines = [PARIS, at("22:30", "go"), at("22:59:59", "go"), at("23:00", "go")]
    by_day = {"caps": [{"slug": "a", "messages_max": 1, "within": "1d"}]}
    rolling = {"caps": [{"slug": "a", "messages_max": 1, "within": "25h"}]}
    assert sent(decided([greet], *lines, workspace=by_day)) == [
        "2026-11-01T22:30:00Z u",
        "2026-11-01T23:00:00Z u",  # midnight in Paris
    ]
    assert sent(decided([greet], *lines, workspace=rolling)) == ["2026-11-01T22:30:00Z u"]


def test_two_sends_of_one_event_cannot_both_slip_under_a_cap() -> None:
    caps = {"caps": [{"slug": "a", "messages_max": 1, "within": "1h"}]}
    both = [campaign("first", GO, messages=[PUSH, EMAIL]), campaign("second", GO)]
    assert told(decided(both, at("01:00", "go"), workspace=caps)) == [
        "first enter",
        "first send",
        "second enter",
        "second skip frequency_cap",
    ]


def test_a_campaign_may_ignore_caps_and_then_counts_only_if_it_says_so() -> None:
    caps = {"caps": [{"slug": "a", "messages_max": 1, "within": "1h"}]}
    other = campaign("other", {"event": "next"})
    lines = at("01:00", "go"), at("01:10", "next")
    ignoring = campaign("ignoring", GO, frequency_caps="ignore")
    counting = campaign("counting", GO, frequency_caps="ignore_but_count")
    assert told(decided([ignoring, other], *lines, workspace=caps))[-1] == "other send"
    capped = told(decided([counting, other], *lines, workspace=caps))
    assert capped[-1] == "other skip frequency_cap"


def test_what_closes_the_last_channel_is_the_reason() -> None:
    """semantics.md 3: subscription, reachability, then caps; the others were still open."""
    caps = {"caps": [{"slug": "a", "messages_max": 1, "within": "1h", "channel": "push"}]}
    first = campaign("first", GO)
    both = campaign("second", {"event": "next"}, messages=[EMAIL, PUSH])
    leave = knows("00:00", email_subscribe="unsubscribed")
    lines = leave, at("01:00", "go"), at("01:10", "next")
    skipped = told(decided([first, both], *lines, workspace=caps))
    assert skipped[-1] == "second skip frequency_cap"


def test_a_campaign_of_a_subscription_group_goes_to_its_subscribers_alone() -> None:
    groups = {"subscription_groups": [{"slug": "news", "name": "News"}]}
    news = campaign("news", GO, subscription_group="news", messages=[SMS, CARD])
    join = knows("00:30", subscription_groups={"news": "subscribed"})
    expected = ["news enter", "news skip unsubscribed"]
    assert told(decided([news], at("01:00", "go"), workspace=groups)) == expected
    joined = told(decided([news], join, at("01:00", "go"), workspace=groups))
    assert joined == ["news enter", "news send"]


def test_a_schedule_comes_to_every_known_user_at_its_time_in_its_zone() -> None:
    schedule = {"cron": "0 9 * * *", "time_zone": "Europe/Paris"}
    daily = campaign("daily", type="scheduled", schedule=schedule, re_eligibility="always")
    lines = knows("00:00", "u", plan="gold"), knows("12:00", "v", plan="free")
    decisions = decided([daily], *lines, until="2026-11-02T12:00:00Z")
    assert sent(decisions) == [
        "2026-11-01T08:00:00Z u",
        "2026-11-02T08:00:00Z u",
        "2026-11-02T08:00:00Z v",
    ]


def test_a_local_schedule_comes_to_each_user_at_their_own_time() -> None:
    schedule = {"at": "2026-11-02T09:00:00", "local": True}
    once = campaign("once", type="scheduled", schedule=schedule)
    lines = PARIS, knows("00:00", "v", time_zone="America/New_York")
    decisions = decided([once], *lines)
    assert sent(decisions) == ["2026-11-02T08:00:00Z u", "2026-11-02T14:00:00Z v"]


def test_a_program_sends_a_campaign_that_is_active() -> None:
    """semantics.md 1: a stopped campaign enters nobody."""
    receipt = campaign("receipt", type="api", delay={"after": "1h"}, re_eligibility="always")
    lines = [
        control("01:00", "send", "receipt", user_id="u"),
        control("03:00", "stop", "receipt"),
        control("04:00", "send", "receipt", user_id="u"),
        control("05:00", "archive", "receipt"),
        control("06:00", "send", "receipt", user_id="u"),
    ]
    assert told(decided([receipt], *lines)) == [
        "receipt enter",
        "receipt send",
        "receipt refuse campaign_stopped",
        "receipt refuse campaign_archived",
    ]


def test_a_backfilled_interaction_enters_with_a_delay_from_its_own_time() -> None:
    """semantics.md 2: recorded interactions enter, each with its delay counted from its own T."""
    first, late = campaign("first", GO), campaign("late", follows("first", "push_direct_open"))
    late["delivery"]["delay"] = {"after": "3h"}
    opened = at("01:00", "push_direct_open", campaign="first")
    lines = [
        opened,
        control("02:00", "publish", "late"),
        control("02:30", "backfill", "late", events=[opened]),
    ]
    decisions = decided([first, late], *lines)
    assert told(decisions) == ["late enter", "late send"]
    assert sent(decisions) == ["2026-11-01T04:00:00Z u"]
