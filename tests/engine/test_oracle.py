"""The oracle against the worked examples, and against cases small enough to decide by hand."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from tests.support.oracle import bucket_of, decide_log

from segue.model.campaigns import Campaign

EXAMPLES = Path(__file__).parents[1] / "examples"
COMPARED = ("at", "user_id", "campaign", "decision")
PUSH = {"push": {"title": "Hello"}}
EMAIL = {"email": {"subject": "Hello", "text": "Hello"}}
CARD = {"content_card": {"title": "Hello"}}


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Read a file of JSON lines."""
    return [msgspec.json.decode(line) for line in path.read_bytes().splitlines() if line]


def campaign(slug: str, trigger: dict[str, Any], **more: Any) -> Campaign:
    """Return a campaign with one trigger; `delay` and `exceptions` go to its delivery."""
    delivery = {"type": "action", "triggers": [trigger]}
    delivery |= {name: more.pop(name) for name in ("delay", "exceptions") if name in more}
    document = {"slug": slug, "name": slug, "delivery": delivery, "messages": [PUSH], **more}
    return msgspec.convert(document, Campaign)


def follows(slug: str, interaction: str, **more: Any) -> dict[str, Any]:
    """Return a happening: an interaction with a campaign."""
    return {"interact_with_campaign": {"campaign": slug, "interaction": interaction, **more}}


def event(name: str, time: str, **more: Any) -> dict[str, Any]:
    """Return a line of user u, at that time of 1 November."""
    return {"user_id": "u", "name": name, "time": f"2026-11-01T{time}Z", **more}


def decided(
    campaigns: list[Campaign], *lines: dict[str, Any], until: str | None = "2026-12-01T00:00:00Z"
) -> list[str]:
    """Return what is decided, each as "campaign decision reason"."""
    first = {"control": "advance", "time": "2026-11-01T00:00:00Z"}
    decisions = decide_log({each.slug: each for each in campaigns}, [first, *lines], until)
    return [
        " ".join(line[name] for name in ("campaign", "decision", "reason") if name in line)
        for line in decisions
    ]


@pytest.mark.parametrize("folder", sorted(path.parent.name for path in EXAMPLES.glob("*/until")))
def test_the_worked_examples_come_out_as_written(folder: str) -> None:
    example = EXAMPLES / folder
    documents = [yaml.safe_load(path.read_text()) for path in example.glob("campaigns/*.yaml")]
    campaigns = {each["slug"]: msgspec.convert(each, Campaign) for each in documents}
    until = (example / "until").read_text().strip()
    decisions = decide_log(campaigns, read_lines(example / "events.ndjson"), until)
    expected = read_lines(example / "decisions.ndjson")
    assert sorted(
        [line[name] for name in COMPARED] for line in decisions if line["decision"] != "refuse"
    ) == sorted([line[name] for name in COMPARED] for line in expected)


def test_a_second_event_is_refused_while_the_user_waits_and_after_the_send() -> None:
    greet = campaign("greet", {"event": "go"}, delay={"after": "1h"})
    lines = [event("go", "01:00:00"), event("go", "01:30:00"), event("go", "02:00:00")]
    assert decided([greet], *lines) == [
        "greet enter",
        "greet refuse already_waiting",
        "greet send",
        "greet refuse not_re_eligible",
    ]


def test_an_exception_at_the_due_instant_comes_too_late() -> None:
    greet = campaign("greet", {"event": "go"}, delay={"after": "1h"}, exceptions=[{"event": "no"}])
    in_time = [event("go", "01:00:00"), event("no", "01:59:59")]
    too_late = [event("go", "01:00:00"), event("no", "02:00:00")]
    assert decided([greet], *in_time) == ["greet enter", "greet cancel exception_event"]
    assert decided([greet], *too_late) == ["greet enter", "greet send"]


def test_an_event_that_is_trigger_and_exception_starts_a_new_wait() -> None:
    greet = campaign("greet", {"event": "go"}, delay={"after": "1h"}, exceptions=[{"event": "go"}])
    decisions = decided([greet], event("go", "01:00:00"), event("go", "01:30:00"))
    expected = ["greet enter", "greet cancel exception_event", "greet enter", "greet send"]
    assert decisions == expected


def test_a_stop_cancels_the_waiting_and_the_exceptions_follower_hears_nothing() -> None:
    greet = campaign("greet", {"event": "go"}, delay={"after": "1h"})
    sorry = campaign("sorry", follows("greet", "exception_event"))
    stop = {"control": "stop", "campaign": "greet", "time": "2026-11-01T01:30:00Z"}
    decisions = decided([greet, sorry], event("go", "01:00:00"), stop, event("go", "02:00:00"))
    assert decisions == ["greet enter", "greet cancel campaign_stopped"]


def test_an_event_before_the_publication_enters_nobody_however_late_it_comes() -> None:
    greet = campaign("greet", {"event": "go"})
    publish = {"control": "publish", "campaign": "greet", "time": "2026-11-01T02:00:00Z"}
    late = event("go", "01:00:00", received_at="2026-11-01T03:00:00Z")
    assert decided([greet], publish, late) == ["greet refuse published_after_event"]


def test_did_not_open_sends_to_those_who_did_not() -> None:
    first = campaign("first", {"event": "go"}, messages=[EMAIL])
    did_not = {"campaign": "first", "interaction": "email_open", "within": "1h"}
    again = campaign("again", {"did_not": did_not})
    start, opened = event("go", "01:00:00"), event("email_open", "01:30:00", campaign="first")
    entered = ["first enter", "first send", "again enter"]
    assert decided([first, again], start) == [*entered, "again send"]
    assert decided([first, again], start, opened) == [*entered, "again cancel exception_event"]


def test_a_conversion_counts_once_for_a_receipt_and_can_be_followed() -> None:
    conversions = [{"event": "buy", "within": "1h"}]
    greet = campaign("greet", {"event": "go"}, conversions=conversions)
    thank = campaign("thank", follows("greet", "conversion", conversion_event="A"))
    lines = [event("go", "01:00:00"), event("buy", "02:00:00"), event("buy", "02:00:00")]
    expected = ["greet enter", "greet send", "greet convert", "thank enter", "thank send"]
    assert decided([greet, thank], *lines) == expected


def test_a_card_is_received_when_it_is_viewed() -> None:
    conversions = [{"event": "buy", "within": "1h"}]
    card = campaign("card", {"event": "go"}, messages=[CARD], conversions=conversions)
    go, buy = event("go", "01:00:00"), event("buy", "02:30:00")
    view = event("content_card_view", "02:00:00", campaign="card")
    assert decided([card], go, buy) == ["card enter", "card send"]
    assert decided([card], go, view, buy) == ["card enter", "card send", "card convert"]


def test_a_chain_without_a_person_is_cut_after_ten_hops() -> None:
    follower = follows("loop", "push_receive")
    loop = campaign("loop", {"event": "go"}, re_eligibility="always")
    back = campaign("back", follower, re_eligibility="always", delay={"after": "1h"})
    echo = campaign("loop", follows("back", "push_receive"), re_eligibility="always")
    triggers = [*loop.delivery.triggers, *echo.delivery.triggers]
    delivery = msgspec.structs.replace(loop.delivery, triggers=triggers)
    loop = msgspec.structs.replace(loop, delivery=delivery)
    decisions = decided([loop, back], event("go", "01:00:00"))
    assert decisions.count("loop send") + decisions.count("back send") == 10
    assert decisions[-1] == "loop refuse chain_limit"


def test_email_to_the_unsubscribed_is_left_out_or_skipped() -> None:
    both = campaign("both", {"event": "go"}, messages=[EMAIL, PUSH])
    alone = campaign("alone", {"event": "go"}, messages=[EMAIL], re_eligibility="never")
    heard = campaign("heard", follows("any", "email_receive"))
    leave = event("email_unsubscribe", "01:00:00", campaign="alone")
    go = event("go", "02:00:00")
    skipped = ["alone enter", "alone skip unsubscribed"]
    assert decided([both, alone, heard], leave, go, go) == [
        *skipped,
        "both enter",
        "both send",
        *skipped,
        "both refuse not_re_eligible",
    ]


def test_a_changed_address_can_be_reached_again() -> None:
    alone = campaign("alone", {"event": "go"}, messages=[EMAIL])
    bounce = event("email_bounce", "01:00:00", campaign="alone")
    change = {
        "user_id": "u",
        "attributes": {"email": "new@shop.test"},
        "time": "2026-11-01T03:00:00Z",
    }
    lines = [bounce, event("go", "02:00:00"), change, event("go", "04:00:00")]
    expected = ["alone enter", "alone skip unreachable", "alone enter", "alone send"]
    assert decided([alone], *lines) == expected


def test_a_number_that_bounced_and_one_that_asked_to_stop_get_no_text() -> None:
    texted = campaign("texted", {"event": "go"}, messages=[{"sms": {"body": "Hello"}}])
    heard = [
        event(f"sms_{act}", "01:00:00", campaign="texted") for act in ("bounce", "undelivered")
    ]
    later = {"user_id": "u", "time": "2026-11-01T03:00:00Z"}
    lines = [
        *heard,
        event("go", "02:00:00"),
        later | {"attributes": {"phone": "+32470000001"}},
        event("sms_unsubscribe", "04:00:00", campaign="texted"),
        event("go", "05:00:00"),
        later | {"attributes": {"sms_subscribe": "opted_in"}, "time": "2026-11-01T06:00:00Z"},
        event("sms_undelivered", "07:00:00", campaign="texted"),
        event("go", "08:00:00"),
    ]
    skips = ["texted enter", "texted skip unreachable", "texted enter", "texted skip unsubscribed"]
    assert decided([texted], *lines) == [*skips, "texted enter", "texted send"]


def test_the_control_group_sends_nothing_and_its_conversions_fire_only_who_asks() -> None:
    conversions = [{"event": "buy", "within": "1h"}]
    share = bucket_of("greet", "u") + 1
    greet = campaign("greet", {"event": "go"}, control_percent=share, conversions=conversions)
    plain = campaign("plain", follows("greet", "conversion"))
    asks = campaign("asks", follows("greet", "conversion", include_control=True))
    decisions = decided([greet, plain, asks], event("go", "01:00:00"), event("buy", "01:30:00"))
    expected = ["greet control control_group", "greet convert", "asks enter", "asks send"]
    assert decisions == expected


def test_the_same_id_is_applied_once_in_a_day() -> None:
    greet = campaign("greet", {"event": "go"}, re_eligibility="always")
    lines = [event("go", "01:00:00", id="1"), event("go", "02:00:00", id="1")]
    assert decided([greet], *lines) == ["greet enter", "greet send"]
