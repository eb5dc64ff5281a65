"""What is looked at when a send is due, what counts as success, and what is never done twice.

The rules are those of semantics.md 3, 6, 7 and 8, and D1 to D13 of campaign-facts.md 10.
"""

from collections import Counter
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

import pytest
from tests.support.story import EMAIL, Story, campaign, interacts

from segue.engine.bucketing import bucket_of, is_in_control
from segue.engine.checks import decode_campaign
from segue.engine.workspace_checks import check_segment_among, decode_segment, decode_workspace
from segue.model.effects import Count
from segue.model.events import Event
from segue.model.instants import format_instant, parse_instant
from segue.model.log_records import CampaignPublished, EventsReceived
from segue.model.problems import InvalidError
from segue.model.workspace import Workspace
from segue.runtime.fold import Fold
from segue.runtime.in_memory import DictStates, RunOutcomes
from segue.runtime.waits import TimerHeap

GO = {"event": "go"}
ALWAYS = {"re_eligibility": "always"}
IN_APP = [{"in_app_message": {"body": "Hello"}}]
FANS = {"attribute": "fan", "eq": True}


def cap(most: int, within: str, **more: Any) -> dict[str, Any]:
    return {"slug": f"at-most-{most}-in-{within}", "messages_max": most, "within": within, **more}


def capped(*caps: dict[str, Any], **more: Any) -> Story:
    """Return a story with push campaigns `c` and `d` under caps, published."""
    pushes = [campaign(slug, {"event": slug}, **ALWAYS, **more) for slug in "cd"]
    return Story(*pushes, workspace={"caps": list(caps)}).publish("c", "d")


# At due time


def test_d1_the_checks_at_due_time_are_made_in_their_order() -> None:
    """semantics.md 3, at due time; campaign-facts.md D1: each is the reason once those before
    it hold, though all after it fail."""

    def document(**delivery: Any) -> dict[str, Any]:
        return campaign(
            "c",
            GO,
            delay="1h",
            audience=FANS,
            recheck_audience=True,
            messages=EMAIL,
            **ALWAYS,
            **delivery,
        )

    over = {"end": "2026-11-02T00:30:00Z"}
    daytime = {"from": "09:00", "to": "17:00"}
    quiet = {"quiet_hours": {"from": "00:00", "to": "06:00", "otherwise": "skip"}}
    caps = {"caps": [cap(1, "30d")]}
    story = Story(
        document(window=over, time_of_day=daytime),
        campaign("earlier", GO, messages=EMAIL, quiet_hours="ignore"),
        workspace={**caps, **quiet},
    )
    story.publish("earlier").happens("u", "go").waits("1d").publish("c")
    bounced = {"name": "email_bounce", "campaign": "c"}
    steps: list[tuple[dict[str, Any], dict[str, Any], dict[str, Any], str]] = [
        ({"window": over, "time_of_day": daytime}, {**caps, **quiet}, {}, "outside_window"),
        ({"time_of_day": daytime}, {**caps, **quiet}, {}, "not_in_audience"),
        ({"time_of_day": daytime}, {**caps, **quiet}, {"fan": True}, "outside_time_of_day"),
        ({}, {**caps, **quiet}, {"fan": True}, "quiet_hours"),
        ({}, caps, {"fan": True}, "unsubscribed"),
        ({}, caps, {"fan": True, "email_subscribe": "subscribed"}, "unreachable"),
        ({}, caps, {"fan": True, "email": "new@b.test"}, "frequency_cap"),
        ({}, {}, {"fan": True}, ""),
    ]
    story.knows("u", email="old@b.test", email_subscribe="unsubscribed").happens("u", **bounced)
    for delivery, workspace, attributes, reason in steps:
        story.edit(document(**delivery)).workspace(**workspace)
        story.knows("u", fan=True).happens("u", "go").knows("u", **{"fan": False, **attributes})
        decided = story.waits("1h").of("u", "c")
        assert decided[-1] == (f"skip: {reason}" if reason else "send")
        story.waits("23h")


@pytest.mark.parametrize(
    ("otherwise", "decision", "at"),
    [
        ("skip", "skip: outside_time_of_day", "2026-11-01T05:00:00Z"),
        ("next_available", "send", "2026-11-01T09:00:00Z"),
    ],
)
def test_a_time_of_day_skips_or_holds_what_comes_due_outside_it(
    otherwise: str, decision: str, at: str
) -> None:
    """semantics.md 3: and a user who was skipped for it may enter again."""
    hours = {"from": "09:00", "to": "21:00", "otherwise": otherwise}
    story = Story(campaign("c", GO, delay="5h", time_of_day=hours)).publish("c")
    story.happens("u", "go").waits("5h").waits("4h")
    assert story.of("u", "c") == ["enter", decision]
    assert format_instant(story.verdicts[-1].at) == at
    story.happens("u", "go").waits("5h")
    may_again = ["enter", "send"] if otherwise == "skip" else ["refuse: not_re_eligible"]
    assert story.of("u", "c")[2:] == may_again


def test_a_held_send_is_looked_at_again_when_its_hours_come() -> None:
    """semantics.md 3: the checks are those of the moment it goes."""
    hours = {"from": "09:00", "to": "21:00", "otherwise": "next_available"}
    document = campaign("c", GO, time_of_day=hours, audience=FANS, recheck_audience=True)
    story = Story(document).publish("c").knows("u", fan=True).happens("u", "go").waits("1h")
    assert story.of("u", "c") == ["enter"]
    assert story.knows("u", fan=False).waits("9h").of("u", "c")[1:] == ["skip: not_in_audience"]


def test_a_local_window_begins_and_ends_by_each_users_clock() -> None:
    """semantics.md 3: start and end, optionally local; the end itself is outside."""
    window = {"start": "2026-11-02T00:00", "end": "2026-11-03T00:00", "local": True}
    story = Story(campaign("c", GO, window=window, **ALWAYS)).publish("c")
    story.knows("u", time_zone="Asia/Tokyo")
    for at in ("2026-11-01T14:59:59Z", "2026-11-01T15:00:00Z", "2026-11-02T15:00:00Z"):
        story.waits_until(at).happens("u", "go").happens("v", "go")
    out = "refuse: outside_window"
    assert story.of("u", "c") == [out, "enter", "send", out]
    assert story.of("v", "c") == [out, out, "enter", "send"]


@pytest.mark.parametrize(
    ("re_eligibility", "after_an_hour", "after_two_days"),
    [
        ("never", "refuse: not_re_eligible", "refuse: not_re_eligible"),
        ("always", "send", "send"),
        ({"after": "1d"}, "refuse: not_re_eligible", "send"),
    ],
)
def test_re_eligibility_counts_from_the_last_send(
    re_eligibility: object, after_an_hour: str, after_two_days: str
) -> None:
    """semantics.md 3: never, always, or after a duration."""
    story = Story(campaign("c", GO, re_eligibility=re_eligibility)).publish("c")
    story.happens("u", "go").waits("1h").happens("u", "go")
    assert story.of("u", "c")[-1] == after_an_hour
    assert story.waits("2d").happens("u", "go").of("u", "c")[-1] == after_two_days


def test_an_unsubscribed_user_is_skipped_and_says_why() -> None:
    """semantics.md 3: subscription; an act of a mailbox and an attribute set it alike."""
    story = Story(campaign("c", GO, messages=EMAIL, **ALWAYS)).publish("c")
    story.happens("u", "go").happens("u", "email_unsubscribe", campaign="c").happens("u", "go")
    assert story.of("u", "c") == ["enter", "send", "enter", "skip: unsubscribed"]
    story.knows("u", email_subscribe="opted_in").happens("u", "go")
    assert story.of("u", "c")[-1] == "send"


def test_a_bounced_address_is_unreachable_until_it_changes() -> None:
    """semantics.md 3: reachability of the channel."""
    story = Story(campaign("c", GO, messages=EMAIL, **ALWAYS)).publish("c")
    story.knows("u", email="a@b.test").happens("u", "email_bounce", campaign="c")
    story.happens("u", "go").knows("u", email="new@b.test").happens("u", "go")
    assert story.of("u", "c") == ["enter", "skip: unreachable", "enter", "send"]


def test_a_dead_number_and_a_stop_close_sms_and_a_message_that_was_not_delivered_does_not() -> None:
    """semantics.md 3: subscription and reachability of the channel."""
    texts = campaign("c", GO, messages=[{"sms": {"body": "Hello"}}], **ALWAYS)
    story = Story(texts).publish("c").knows("u", phone="+32470000001")
    story.happens("u", "go").happens("u", "sms_undelivered", campaign="c").happens("u", "go")
    assert story.of("u", "c") == ["enter", "send", "enter", "send"]
    story.happens("u", "sms_bounce", campaign="c").happens("u", "go")
    assert story.of("u", "c")[-1] == "skip: unreachable"
    story.knows("u", phone="+32470000002").happens("u", "sms_unsubscribe", campaign="c")
    story.happens("u", "go")
    assert story.of("u", "c")[-1] == "skip: unsubscribed"
    story.knows("u", sms_subscribe="opted_in").happens("u", "go")
    assert story.of("u", "c")[-1] == "send"


def test_a_subscription_group_reaches_only_those_who_subscribed_to_it() -> None:
    """campaign-facts.md 4.5: a group is a wish of its own, beside the channel's."""
    groups = [{"slug": "news", "name": "News"}]
    document = campaign("c", GO, subscription_group="news", **ALWAYS)
    story = Story(document, workspace={"subscription_groups": groups}).publish("c")
    story.happens("u", "go").knows("u", subscription_groups={"news": "subscribed"})
    story.happens("u", "go").knows("u", push_subscribe="unsubscribed").happens("u", "go")
    decided = [one for one in story.of("u", "c") if one != "enter"]
    assert decided == ["skip: unsubscribed", "send", "skip: unsubscribed"]


def test_one_channel_that_is_closed_leaves_the_others() -> None:
    """semantics.md 3: a send is skipped only where no channel is left."""
    both = [*EMAIL, {"push": {"title": "Hello"}}]
    story = Story(campaign("c", GO, messages=both), campaign("f", interacts("c", "email_receive")))
    story.publish("f", "c").knows("u", email_subscribe="unsubscribed").happens("u", "go")
    assert story.of("u", "c") == ["enter", "send"]
    assert story.of("u", "f") == []


def test_d2_quiet_hours_skip_or_hold_and_spread_what_they_held() -> None:
    """semantics.md 3; campaign-facts.md D2: the default is the next available time."""
    quiet = {"from": "22:00", "to": "08:00"}
    skips = campaign("skips", GO, quiet_hours={**quiet, "otherwise": "skip"})
    ignores = campaign("ignores", GO, quiet_hours="ignore")
    cards = campaign("cards", GO, messages=IN_APP)
    story = Story(campaign("holds", GO), skips, ignores, cards, workspace={"quiet_hours": quiet})
    story.publish("holds", "skips", "ignores", "cards")
    users = [f"u{number}" for number in range(20)]
    for user in users:
        story.happens(user, "go")
    story.waits("9h")
    for user in users:
        assert story.of(user, "skips") == ["enter", "skip: quiet_hours"]
        assert story.of(user, "ignores") == story.of(user, "cards") == ["enter", "send"]
    times = sorted(story.sent(user, "holds")[0] for user in users)
    assert times[0] >= "2026-11-01T08:00:00Z"
    assert times[-1] < "2026-11-01T08:10:00Z"
    assert len(set(times)) == len(users)


# Frequency caps


def test_d3_minutes_roll_and_days_are_those_of_the_users_calendar() -> None:
    """semantics.md 3; campaign-facts.md D3."""
    rolling = capped(cap(1, "30m")).happens("u", "c").waits("29m59s").happens("u", "d")
    assert rolling.of("u", "d") == ["enter", "skip: frequency_cap"]
    assert rolling.waits("1s").happens("u", "d").of("u", "d")[-1] == "send"
    daily = capped(cap(1, "1d")).knows("u", time_zone="Asia/Tokyo")
    daily.waits("14h59m").happens("u", "c").happens("u", "d").waits("1m").happens("u", "d")
    assert daily.of("u", "d") == ["enter", "skip: frequency_cap", "enter", "send"]
    two_days = capped(cap(1, "2d")).happens("u", "c")
    two_days.waits("1d").happens("u", "d").waits("1d").happens("u", "d")
    assert two_days.of("u", "d") == ["enter", "skip: frequency_cap", "enter", "send"]
    with pytest.raises(InvalidError, match="at most 30 days"):
        decode_workspace({"caps": [cap(1, "31d")]})


def test_all_caps_must_hold_and_one_may_be_of_a_channel_or_a_tag() -> None:
    """semantics.md 3: at most N messages of channel C, from campaigns with tag G, in D."""
    push = {"push": {"title": "Hello"}}
    promo = campaign("promo", {"event": "p"}, tags=["promo"], messages=[push], **ALWAYS)
    mail = campaign("mail", {"event": "m"}, messages=EMAIL, **ALWAYS)
    caps = [cap(3, "1d"), cap(2, "7d", channel="push"), cap(1, "30d", tag="promo")]
    story = Story(promo, mail, campaign("push", {"event": "q"}, **ALWAYS), workspace={"caps": caps})
    story.publish("promo", "mail", "push")
    for event in "ppqqmmm":
        story.happens("u", event)
    ends = {
        slug: [one for one in story.of("u", slug) if one != "enter"]
        for slug in ("promo", "push", "mail")
    }
    capped_out = "skip: frequency_cap"
    assert ends["promo"] == ["send", capped_out]
    assert ends["push"] == ["send", capped_out]
    assert ends["mail"] == ["send", capped_out, capped_out]


@pytest.mark.parametrize(
    ("choice", "own", "others"),
    [
        ("respect", "skip: frequency_cap", "skip: frequency_cap"),
        ("ignore", "send", "send"),
        ("ignore_but_count", "send", "skip: frequency_cap"),
    ],
)
def test_a_campaign_can_opt_out_and_then_chooses_whether_it_still_counts(
    choice: str, own: str, others: str
) -> None:
    """semantics.md 3."""
    story = Story(
        campaign("c", {"event": "c"}, frequency_caps=choice, **ALWAYS),
        campaign("d", {"event": "d"}),
        workspace={"caps": [cap(1, "1d")]},
    ).publish("c", "d")
    story.happens("u", "c").happens("u", "c").happens("u", "d")
    assert (story.of("u", "c")[-1], story.of("u", "d")[-1]) == (own, others)


def test_in_app_messages_and_cards_neither_count_nor_are_capped() -> None:
    """semantics.md 3."""
    story = capped(cap(1, "1d"), messages=IN_APP)
    story.happens("u", "c").happens("u", "c").happens("u", "d")
    assert story.of("u", "c") == ["enter", "send"] * 2
    assert story.of("u", "d") == ["enter", "send"]


def test_a_capped_message_is_gone_and_the_user_may_enter_again() -> None:
    """semantics.md 3: not queued."""
    story = capped(cap(1, "1d")).happens("u", "c").happens("u", "d").waits("3d")
    assert story.of("u", "d") == ["enter", "skip: frequency_cap"]
    assert story.happens("u", "d").of("u", "d")[-1] == "send"


def test_messages_on_their_way_count_and_those_that_came_to_nothing_do_not() -> None:
    """semantics.md 3: a cap is never passed, not even for a moment."""
    pushes = [campaign(slug, {"event": slug}, **ALWAYS) for slug in "cd"]
    caps = {"caps": [cap(1, "1d")]}
    story = Story(*pushes, workspace=caps, sends="recorded").publish("c", "d")
    story.happens("u", "c").happens("u", "d")
    assert story.of("u", "d") == ["enter", "skip: frequency_cap"]
    story.settles("u", "c", "refused", reason="gave_up").happens("u", "d")
    assert story.of("u", "d")[2:] == ["enter", "send"]


def test_there_are_at_most_ten_caps() -> None:
    """semantics.md 3."""
    caps = [{**cap(1, "1d"), "slug": f"cap-{number}"} for number in range(11)]
    decode_workspace({"caps": caps[:10]})
    with pytest.raises(InvalidError, match="has 11 entries; at most 10"):
        decode_workspace({"caps": caps})


# What the decisions of campaign-facts.md 10 add


def test_d4_re_eligibility_is_counted_in_seconds_and_not_in_days() -> None:
    """semantics.md 3; campaign-facts.md D4: over a clock change too, and at most 720 days."""
    document = campaign("c", GO, re_eligibility={"after": "1d"})
    story = Story(document, start="2026-10-24T08:00:00Z").publish("c")
    story.knows("u", time_zone="Europe/Paris").happens("u", "go")
    story.waits("23h59m59s").happens("u", "go").waits("1s").happens("u", "go")
    assert story.of("u", "c")[2:] == ["refuse: not_re_eligible", "enter", "send"]
    with pytest.raises(InvalidError, match="at most 720 days"):
        decode_campaign(campaign("c", GO, re_eligibility={"after": "721d"}))


def test_d5_a_users_share_can_be_computed_by_another_program() -> None:
    """semantics.md 5; campaign-facts.md D5."""
    for user in ("ann", "Ünï", "42"):
        digest = blake2b(b"spring-sale\0" + user.encode(), digest_size=8).digest()
        assert bucket_of("spring-sale", user) == int.from_bytes(digest, "big") % 100


def test_d6_control_users_are_enrolled_at_once_however_few_sends_a_minute_there_are() -> None:
    """semantics.md 3, step 4, which enrols at the trigger; campaign-facts.md D6 at the slot."""
    document = campaign("c", GO, control_percent=50)
    document["delivery"]["sends_per_minute_max"] = 1
    story = Story(document).publish("c")
    users = [user for user in map(str, range(20)) if is_in_control("c", user, 50)]
    for user in users:
        assert story.happens(user, "go").of(user, "c") == ["control: control_group"]


def test_d7_a_control_users_window_begins_at_enrolment() -> None:
    """semantics.md 6; campaign-facts.md D7: though treated users still wait for their delay."""
    conversions = [{"event": "bought", "within": "1d"}]
    document = campaign("c", GO, delay="5d", control_percent=50, conversions=conversions)
    story = Story(document).publish("c")
    control = [user for user in map(str, range(20)) if is_in_control("c", user, 50)][:2]
    for user in control:
        story.happens(user, "go")
    story.waits("1d").happens(control[0], "bought").waits("1s").happens(control[1], "bought")
    assert story.of(control[0], "c") == ["control: control_group", "convert"]
    assert story.of(control[1], "c") == ["control: control_group"]


def test_d8_a_conversion_is_credited_once_to_the_latest_receipt() -> None:
    """semantics.md 6; campaign-facts.md D8: one per conversion event and receipt."""
    conversions = [{"event": "bought", "within": "2d"}, {"event": "rated", "within": "2d"}]
    story = Story(campaign("c", GO, conversions=conversions, **ALWAYS)).publish("c")
    story.happens("u", "go").waits("1h").happens("u", "bought").happens("u", "bought")
    story.happens("u", "rated").happens("u", "go").waits("1h").happens("u", "bought")
    story.waits("3d").happens("u", "bought")
    letters = [one.conversion_event for one in story.verdicts if one.decision == "convert"]
    assert letters == ["A", "B", "A"]


class _Counted(RunOutcomes):
    """The outcomes of a run that adds its counters up."""

    def __init__(self) -> None:
        super().__init__("accepted", lambda: self.fold.plan)
        self.fold = Fold(DictStates(), TimerHeap(), self)
        self.total: Counter[str] = Counter()

    def count(self, count: Count, now: int) -> None:
        self.total[count.metric] += int(count.amount)


def counted(document: dict[str, Any], *acts: str | dict[str, Any]) -> Counter[str]:
    """Return the counters after acts of one user, a minute apart."""
    outcomes, now = _Counted(), parse_instant("2026-11-01T00:00:00Z")
    outcomes.fold.apply(CampaignPublished(now, "id-1", 1, decode_campaign(document)), 0)
    for ordinal, act in enumerate(acts, 1):
        now += 60_000_000
        fields = act if isinstance(act, dict) else {"name": act}
        event = Event(user_id="u", **{"campaign": document["slug"], **fields})
        outcomes.fold.apply(EventsReceived(now, [event]), ordinal)
    return outcomes.total


def test_d9_and_d10_opens_and_clicks_are_counted_in_all_and_once_per_receipt() -> None:
    """semantics.md 7; campaign-facts.md D9, D10: what click-to-open is the ratio of."""
    mail = campaign("c", GO, messages=EMAIL, **ALWAYS)
    machine = {"name": "email_open", "machine": True}
    first = ["go", machine, "email_open", "email_open", "email_click", "email_click"]
    total = counted(mail, *first, "go", "email_open")
    assert (total["sent"], total["recipients"], total["entered"]) == (2, 2, 2)
    assert (total["opens"], total["unique_opens"]) == (3, 2)
    assert (total["machine_opens"], total["unique_machine_opens"]) == (1, 1)
    assert (total["clicks"], total["unique_clicks"]) == (2, 1)


def test_d11_a_user_without_a_time_zone_has_the_workspaces_everywhere() -> None:
    """semantics.md, opening; campaign-facts.md D11."""
    zone = {"time_zone": "Asia/Tokyo"}
    delayed = campaign("delay", GO, delay={"in_days": 1, "at": "09:00"})
    hours = {"from": "09:00", "to": "17:00", "otherwise": "next_available"}
    windowed = campaign("window", GO, window={"start": "2026-11-01T12:00"})
    scheduled = campaign("plan", type="scheduled", schedule={"at": "2026-11-02T09:00:00"})
    documents = (delayed, campaign("hours", GO, time_of_day=hours), windowed, scheduled)
    story = Story(*documents, workspace=zone).publish("delay", "hours", "window", "plan")
    story.waits("2h59m").knows("u", time_zone="no/where").happens("u", "go")
    story.waits("1m").happens("u", "go").waits("2d")
    assert story.due("u", "delay") == "2026-11-02T00:00:00Z"
    assert story.sent("u", "plan") == ["2026-11-02T00:00:00Z"]
    assert story.of("u", "window") == ["refuse: outside_window", "enter", "send"]
    assert story.sent("u", "hours") == ["2026-11-01T02:59:00Z"]


def test_d12_segments_that_rest_on_each_other_are_refused() -> None:
    """campaign-facts.md D12."""

    def rests_on(slug: str, other: str) -> Any:
        return decode_segment({"slug": slug, "name": slug, "filter": {"segment": other}})

    fans = decode_segment({"slug": "fans", "name": "Fans", "filter": FANS})
    known = {"fans": fans, "a": rests_on("a", "b"), "b": rests_on("b", "fans")}
    assert not list(check_segment_among(known["b"], known, Workspace()))
    [problem] = check_segment_among(rests_on("b", "a"), known, Workspace())
    assert "may not go in a circle" in problem.message


def test_d13_a_limit_of_recipients_counts_what_passed_every_check_and_nothing_else() -> None:
    """campaign-facts.md D13: skipped and cancelled sends use up none of it."""
    document = campaign("c", GO, recipients_max=2)
    story = Story(document).publish("c").knows("skipped", push_subscribe="unsubscribed")
    for user in ("skipped", "a", "b", "too-many"):
        story.happens(user, "go")
    assert [story.of(user, "c")[-1] for user in ("skipped", "a", "b", "too-many")] == [
        "skip: unsubscribed",
        "send",
        "send",
        "skip: recipients_max",
    ]


# Conversions


def test_a_window_is_open_from_the_receipt_to_its_end_by_when_things_happened() -> None:
    """semantics.md 6: counted from receipt, by T however late it is told."""
    conversions = [{"event": "bought", "within": "1d"}]
    story = Story(campaign("c", GO, conversions=conversions)).publish("c").waits("1d")
    users = {"before": "1h", "at-once": "0s", "at-the-end": "1d", "after": "1d1s"}
    for user in users:
        story.happens(user, "go")
    story.happens("before", "bought", ago="1h").happens("at-once", "bought").waits("2d")
    story.happens("at-the-end", "bought", ago="1d").happens("after", "bought", ago="23h59m59s")
    converted = [user for user in users if story.of(user, "c")[-1] == "convert"]
    assert converted == ["at-once", "at-the-end"]


def test_in_app_messages_convert_from_their_first_view_on() -> None:
    """semantics.md 6: counted from view."""
    conversions = [{"event": "bought", "within": "1d"}]
    story = Story(campaign("c", GO, messages=IN_APP, conversions=conversions)).publish("c")
    story.happens("u", "go").waits("1d").happens("u", "bought")
    view = {"name": "in_app_message_view", "campaign": "c"}
    story.happens("u", **view).waits("23h").happens("u", **view).waits("1h")
    assert story.of("u", "c") == ["enter", "send"]
    assert story.happens("u", "bought").of("u", "c")[-1] == "convert"
    story.happens("v", "go").happens("v", **view).waits("1h").happens("v", **view)
    assert "convert" not in story.waits("23h1s").happens("v", "bought").of("v", "c")


def test_what_is_shown_in_an_app_is_received_in_the_variant_that_was_sent() -> None:
    """semantics.md 6: a conversion is of the receipt, and so of its variant."""
    shares = [("X", 1), ("Y", 99)]
    variants = [{"name": name, "percent": n, "messages": IN_APP} for name, n in shares]
    bought = {"event": "bought", "within": "1d"}
    story = Story(campaign("c", GO, messages=[], variants=variants, conversions=[bought]))
    story.publish("c").happens("u", "go").happens("u", "in_app_message_view", campaign="c")
    converted = story.happens("u", "bought").verdicts[-1]
    assert (converted.decision, converted.variant) == ("convert", "Y")


def test_every_campaign_whose_window_is_open_gets_its_own_conversion() -> None:
    """semantics.md 6: by events, purchases with conditions, sessions and interactions."""
    bought = {"purchase": {"product_id": "sku-1", "where": [{"property": "price", "gte": 10}]}}
    story = Story(
        campaign("c", GO, conversions=[bought, {"session_start": {}}]),
        campaign("d", GO, conversions=[{"purchase": {}}, interacts("c", "push_direct_open")]),
    ).publish("c", "d")
    story.happens("u", "go").happens("u", "purchase", product_id="sku-1", price=5)
    story.happens("u", "purchase", product_id="sku-1", price=10).happens("u", "session_start")
    story.happens("u", "push_direct_open", campaign="c")
    told = [(v.campaign, v.conversion_event) for v in story.verdicts if v.decision == "convert"]
    assert told == [("d", "A"), ("c", "A"), ("c", "B"), ("d", "B")]


def test_a_conversion_carries_the_properties_of_its_event_to_followers() -> None:
    """semantics.md 6: it emits `conversion`."""
    thanks = campaign("thanks", interacts("c", "conversion"), delay="1h")
    story = Story(campaign("c", GO, conversions=[{"event": "bought"}]), thanks)
    story.publish("thanks", "c").happens("u", "go").happens("u", "bought", properties={"size": 2})
    wait = story.state("u").memberships["thanks"].wait
    assert wait is not None
    assert (wait.trigger.properties, wait.trigger.conversion_event) == ({"size": 2}, "A")


@pytest.mark.parametrize(
    ("conversions", "fault"),
    [
        ([GO] * 5, "has 5 entries; at most 4"),
        ([{**GO, "within": "31d"}], "at most 30 days"),
        ([{**GO, "within": "0s"}], "longer than nothing"),
    ],
)
def test_there_are_up_to_four_conversion_events_within_thirty_days(
    conversions: list[dict[str, Any]], fault: str
) -> None:
    """semantics.md 6."""
    decode_campaign(campaign("c", GO, conversions=[{**GO, "within": "30d"}] * 4))
    with pytest.raises(InvalidError, match=fault):
        decode_campaign(campaign("c", GO, conversions=conversions))


# Never lost, never twice


def test_the_same_event_id_of_one_user_is_applied_once_within_a_day() -> None:
    """semantics.md 8."""
    story = Story(campaign("c", GO, **ALWAYS)).publish("c")
    for user in ("u", "u", "v"):
        story.happens(user, "go", id="e1")
    story.waits("1d").happens("u", "go", id="e1")
    assert story.of("u", "c") == ["enter", "send"] * 2
    assert story.of("v", "c") == ["enter", "send"]


def test_the_same_log_gives_the_same_decisions_and_ids_at_any_batch_size() -> None:
    """semantics.md 8: every id is derived from its cause."""
    documents = (
        campaign("c", GO, delay="10m", exceptions=[{"event": "stop"}], **ALWAYS),
        campaign("f", interacts("c", "exception_event"), interacts("c", "push_receive")),
    )
    start = datetime(2026, 11, 1, tzinfo=UTC)
    lines = [
        {
            "user_id": f"u{n % 3}",
            "name": "stop" if n % 4 == 3 else "go",
            "time": start.replace(minute=n),
        }
        for n in range(40)
    ]
    told = []
    for size in (1, 7, 40):
        story = Story(*documents).publish("f", "c")
        for begin in range(0, len(lines), size):
            story.batch(*lines[begin : begin + size])
        told.append(story.waits_until("2026-11-02T00:00:00Z").verdicts)
    assert told[0] == told[1] == told[2]
    assert len({one.send_id for one in told[0] if one.send_id}) > 3


def test_a_hand_over_whose_end_nobody_knows_is_told_and_the_user_may_enter_again() -> None:
    """semantics.md 8: `on_unknown: drop` is counted as a skip, never as a receipt."""
    documents = (campaign("c", GO), campaign("f", interacts("c", "push_receive")))
    story = Story(*documents, sends="recorded").publish("f", "c").happens("u", "go")
    assert story.happens("u", "go").of("u", "c")[-1] == "refuse: already_waiting"
    story.settles("u", "c", "skipped", reason="unknown_outcome").happens("u", "go")
    assert story.of("u", "c")[3:] == ["skip: unknown_outcome", "enter", "send"]
    assert story.of("u", "f") == []


def test_an_erased_user_is_forgotten_and_starts_anew() -> None:
    """semantics.md 8: what waited for them comes to nothing."""
    story = Story(campaign("c", GO, delay="1h")).publish("c").happens("u", "go").erase("u")
    story.waits("2h").happens("u", "go").waits("1h")
    assert story.of("u", "c") == ["enter", "enter", "send"]
