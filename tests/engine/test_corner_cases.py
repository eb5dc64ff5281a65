"""Corners of the rules in which the engine and the oracle once differed, decided by both."""

import msgspec
import pytest
from tests.support.by_hand import (
    CARD,
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
from tests.support.oracle import bucket_of

from segue.engine.reference_checks import check_cycles
from segue.model.campaigns import Campaign
from segue.model.limits import CHAIN_HOPS_MAX
from segue.runtime.line_records import Project, Survey
from segue.runtime.lines import read_line
from segue.runtime.offline import OfflineRun

GO = {"event": "go"}
WEDNESDAY = "2026-11-04T12:00:00Z"


def two_variants(first: list[dict[str, object]], second: list[dict[str, object]]) -> list[object]:
    """Return two variants; user u gets the second by `share_of_first`."""
    share = bucket_of("greet", "u")
    return [
        {"name": "V1", "percent": share, "messages": first},
        {"name": "V2", "percent": 100 - share, "messages": second},
    ]


def test_a_card_that_is_viewed_was_received_in_the_variant_that_was_sent() -> None:
    """semantics.md 6: a conversion is credited to the receipt, here by view."""
    variants = two_variants([CARD], [CARD])
    greet = campaign("greet", GO, variants=variants, conversions=[{"event": "buy"}])
    view = at("02:00", "content_card_view", campaign="greet")
    decisions = decided([greet], at("01:00", "go"), view, at("03:00", "buy"))
    assert [line["variant"] for line in decisions if line["decision"] == "convert"] == ["V2"]


def test_an_interaction_may_name_its_campaign_by_id() -> None:
    """semantics.md 2: `campaign` is a slug or an id."""
    greet, thank = campaign("greet", GO), campaign("thank", follows("number-7", "push_direct_open"))
    publish = control("00:10", "publish", "greet", campaign_id="number-7")
    edit = control("00:20", "edit", "greet", document={**greet, "tags": ["new"]})
    opened = at("01:00", "push_direct_open", campaign="number-7")
    assert told(decided([greet, thank], publish, edit, opened)) == ["thank enter", "thank send"]


def test_two_campaigns_that_follow_each_others_exceptions_enter_ten_times_at_the_most() -> None:
    again = follows({"tag": "red"}, "exception_event")
    wait = {"delay": {"after": "1h"}, "tags": ["red"]}
    greet = campaign("greet", GO, exceptions=[{"event": "no"}], **wait)
    circle = [
        campaign(slug, again, exceptions=[again], re_eligibility="always", **wait)
        for slug in ("left", "right")
    ]
    first = at("01:00", "go"), at("01:10", "no")
    second = at("01:20", "go"), at("01:30", "no")
    ends = {"until": "2026-11-01T01:30:00Z"}
    once = told(decided([greet, *circle], *first, **ends))
    assert once == ["greet enter", "greet cancel exception_event", "left enter", "right enter"]
    twice = told(decided([greet, *circle], *first, *second, **ends))
    assert "left refuse chain_limit" in twice
    assert twice.count("left enter") <= 1 + CHAIN_HOPS_MAX


def test_a_crowd_of_campaigns_that_follow_each_others_exceptions_comes_to_an_end_soon() -> None:
    """semantics.md 3: a chain with no act of a person in between is cut after ten hops."""
    again = follows({"tag": "red"}, "exception_event")
    wait = {"delay": {"after": "1h"}, "tags": ["red"]}
    crowd = [
        campaign(f"c{number}", GO, again, exceptions=[again, {"event": "no"}], **wait)
        for number in range(6)
    ]
    decisions = decided(crowd, at("01:00", "go"), at("01:10", "no"), until="2026-11-01T01:10:00Z")
    assert len(decisions) < 1_000


def test_a_control_group_whose_conversion_is_any_conversion_comes_to_an_end() -> None:
    any_conversion = follows("any", "conversion", include_control=True)
    share = bucket_of("echo", "u") + 1
    echo = campaign(
        "echo",
        GO,
        any_conversion,
        control_percent=share,
        re_eligibility="always",
        conversions=[{"event": "buy"}, any_conversion],
    )
    decisions = told(decided([echo], at("01:00", "go"), at("02:00", "buy")))
    assert "echo refuse chain_limit" in decisions
    assert decisions.count("echo control control_group") == 1 + CHAIN_HOPS_MAX


def test_a_filter_sees_what_was_done_with_a_campaign_that_is_archived() -> None:
    """semantics.md 2: with an archived campaign interactions are recorded and fire nothing."""
    old = campaign("old", {"event": "start"}, tags=["red"])
    audience = {"opened": {"campaign": {"tag": "red"}}}
    greet = campaign("greet", GO, audience=audience)
    fired = campaign("fired", follows("old", "push_direct_open"))
    archive = control("00:10", "archive", "old")
    opened = at("01:00", "push_direct_open", campaign="old")
    decisions = decided([old, greet, fired], archive, opened, at("02:00", "go"))
    assert told(decisions) == ["greet enter", "greet send"]


def test_whether_the_audience_is_looked_at_again_is_said_by_the_newest_version() -> None:
    """campaign-facts.md A5; at which audience, by the one that entered (semantics.md 1)."""
    waits = {"delay": {"after": "2h"}, "audience": {"attribute": "plan", "eq": "gold"}}
    checked = campaign("greet", GO, **waits, recheck_audience=True)
    unchecked = campaign("greet", GO, **waits)
    gold, free = knows("00:30", plan="gold"), knows("01:30", plan="free")
    go = at("01:00", "go")
    loosened = decided(
        [checked], gold, go, control("01:10", "edit", "greet", document=unchecked), free
    )
    tightened = decided(
        [unchecked], gold, go, control("01:10", "edit", "greet", document=checked), free
    )
    assert told(loosened) == ["greet enter", "greet send"]
    assert told(tightened) == ["greet enter", "greet skip not_in_audience"]


def test_an_edited_schedule_does_not_make_up_for_what_it_never_was() -> None:
    """semantics.md 1: a change of the trigger governs entries after it."""
    hourly = {"type": "scheduled", "schedule": {"cron": "0 * * * *"}, "re_eligibility": "always"}
    weekly = {**hourly, "schedule": {"cron": "0 0 * * 0"}}
    edit = control(WEDNESDAY, "edit", "news", document=campaign("news", **hourly))
    decisions = decided(
        [campaign("news", **weekly)],
        knows("00:10", plan="gold"),
        edit,
        until="2026-11-04T13:30:00Z",
    )
    assert sent(decisions) == ["2026-11-04T12:00:00Z u", "2026-11-04T13:00:00Z u"]


def test_a_new_time_zone_of_the_workspace_does_not_bring_back_the_hours_before() -> None:
    schedule = {"cron": "0 9 * * *"}
    news = campaign("news", type="scheduled", schedule=schedule, re_eligibility="always")
    begin = control("00:00", "workspace", workspace={"time_zone": "America/New_York"})
    move = control("10:00", "workspace", workspace={"time_zone": "Europe/Paris"})
    lines = begin, knows("00:10", plan="gold"), move
    decisions = decided([news], *lines, until="2026-11-03T00:00:00Z")
    # At ten o'clock it is eleven in Paris; at nine o'clock there it was not time yet.
    assert sent(decisions) == ["2026-11-02T08:00:00Z u"]


def test_two_local_times_of_a_schedule_that_a_clock_change_makes_one_come_once() -> None:
    schedule = {"cron": "0,30 2 * * *", "local": True}
    news = campaign("news", type="scheduled", schedule=schedule, re_eligibility="always")
    zone = knows("2027-03-13T12:00:00Z", time_zone="America/New_York")
    decisions = decided([news], zone, until="2027-03-15T06:45:00Z")
    # On 14 March the clocks of New York go from 2:00 to 3:00.
    expected = ["2027-03-14T07:00:00Z u", "2027-03-15T06:00:00Z u", "2027-03-15T06:30:00Z u"]
    assert sent(decisions) == expected


def test_a_local_schedule_comes_to_those_who_were_known_when_it_set_out() -> None:
    schedule = {"at": "2026-11-02T09:00:00", "local": True}  # it sets out at 19:00 UTC
    news = campaign("news", type="scheduled", schedule=schedule)
    unknown, known = knows("01:00", plan=None), knows("23:00", plan="gold")
    assert sent(decided([news], unknown, known)) == []


def test_a_limit_of_recipients_counts_those_from_before_it_was_set() -> None:
    greet = campaign("greet", GO)
    limited = campaign("greet", GO, recipients_max=2)
    edit = control("03:00", "edit", "greet", document=limited)
    lines = at("01:00", "go", "a"), at("02:00", "go", "b"), edit, at("04:00", "go", "c")
    decisions = told(decided([greet], *lines))
    assert decisions[-2:] == ["greet send", "greet skip recipients_max"]


def test_ids_do_not_depend_on_what_shares_a_batch_with_a_duplicate() -> None:
    """semantics.md 8: the same decisions at any batch size; `differences` tries several."""
    greet = campaign("greet", GO, re_eligibility="always")
    first, again = at("01:00", "no", id="1"), at("01:00", "no", id="1")
    decisions = decided([greet], first, again, *[at("01:00", "go", f"u{n}") for n in range(9)])
    assert len({line["cause"] for line in decisions}) == 9


def test_a_conversion_of_the_control_group_in_the_log_fires_only_who_asks() -> None:
    """semantics.md 5: its conversions fire no follower unless `include_control` is set."""
    share = bucket_of("greet", "u") + 1
    greet = campaign("greet", GO, control_percent=share)
    plain = campaign("plain", follows("greet", "conversion"))
    asks = campaign("asks", follows("greet", "conversion", include_control=True))
    converted = at("02:00", "conversion", campaign="greet", conversion_event="A")
    decisions = told(decided([greet, plain, asks], at("01:00", "go"), converted))
    assert decisions == ["greet control control_group", "asks enter", "asks send"]


def test_an_interaction_has_the_variant_of_before_it_whatever_it_enters() -> None:
    share = bucket_of("alpha", "u") + 1
    opened = follows({"tag": "red"}, "push_direct_open")
    alpha = campaign("alpha", opened, control_percent=share, tags=["red"])
    beta = campaign("beta", follows("alpha", "push_direct_open", variant="control"))
    decisions = told(decided([alpha, beta], at("01:00", "push_direct_open", campaign="alpha")))
    assert decisions == ["alpha control control_group"]


@pytest.mark.parametrize(("phone", "expected"), [("+331", "skip"), ("+332", "send")])
def test_a_dead_phone_number_is_dead_until_another_takes_its_place(
    phone: str, expected: str
) -> None:
    greet = msgspec.convert(campaign("greet", GO, messages=[SMS]), Campaign)
    run = OfflineRun(Project({"greet": greet}), Survey(), sends="recorded")

    def fed(line: dict[str, object]) -> list[str]:
        read = read_line(msgspec.json.encode(line))
        assert read is not None
        return [verdict.send_id or verdict.decision for verdict in run.feed([read])]

    fed(knows("00:00", phone="+331"))
    _, send_id = fed(at("01:00", "go"))
    fed(
        {
            "user_id": "u",
            "outcome": "refused",
            "campaign": "greet",
            "send_id": send_id,
            "channel": "sms",
            "reason": "unreachable",
            "time": "2026-11-01T01:00:00Z",
        }
    )
    fed(knows("02:00", phone=phone))
    assert (fed(at("03:00", "go"))[-1] == "skip") == (expected == "skip")


def test_a_circle_of_sends_on_a_day_that_may_be_today_is_refused() -> None:
    """semantics.md 2: a local time of the same day may have passed, and is no delay then."""
    today = {"delay": {"in_days": 0, "at": "09:00"}, "re_eligibility": "always"}
    left = campaign("left", GO, follows("right", "push_receive"), **today)
    right = campaign("right", follows("left", "push_receive"), **today)
    first, second = msgspec.convert([left, right], list[Campaign])
    assert check_cycles(first, {"right": second}).errors
    tomorrow = {**today, "delay": {"in_days": 1, "at": "09:00"}}
    later = msgspec.convert(campaign("left", *left["delivery"]["triggers"], **tomorrow), Campaign)
    assert not check_cycles(later, {"right": second}).errors
