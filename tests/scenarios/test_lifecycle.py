"""A campaign's life: draft, active, stopped, archived, and what an edit changes.

The rules are those of semantics.md 1, and A1 to A10 of campaign-facts.md 10.
"""

from typing import Any

import pytest
from tests.support.story import EMAIL, Story, campaign, interacts

from segue.engine.checks import decode_campaign
from segue.engine.reference_checks import References, check_references
from segue.engine.target_checks import KnownCampaign

GO, STOP = {"event": "go"}, {"event": "stop"}
CLICKED = interacts("target", "email_click")


def target(**more: Any) -> dict[str, Any]:
    link = '<a href="https://shop.test">Shop</a>'
    messages = [{"email": {"subject": "Hello", "html": link}}]
    return campaign("target", GO, **{"messages": messages, **more})


def test_a_draft_sends_nothing_and_nothing_is_recorded_against_it() -> None:
    """semantics.md 1: a draft."""
    asks = campaign("asks", {"event": "ask"}, audience=CLICKED)
    story = Story(target(), asks).publish("asks")
    story.happens("u", "go").happens("u", "email_click", campaign="target")
    story.publish("target").happens("u", "ask")
    assert story.of("u", "target") == []
    assert story.of("u", "asks") == ["refuse: not_in_audience"]


def test_stopping_cancels_the_waiting_and_publishing_again_starts_anew() -> None:
    """semantics.md 1: a stopped campaign may become active, with a new `published_at`."""
    story = Story(campaign("c", GO, delay="1h")).publish("c").happens("u", "go").stop("c")
    story.waits("2h").happens("u", "go").publish("c").happens("u", "go", ago="1h")
    assert story.of("u", "c") == [
        "enter",
        "cancel: campaign_stopped",
        "refuse: published_after_event",
    ]
    assert story.happens("u", "go").waits("1h").of("u", "c")[-2:] == ["enter", "send"]


def test_archiving_cancels_with_its_own_reason() -> None:
    """semantics.md 1: an archived campaign is as a stopped one."""
    story = Story(campaign("c", GO, delay="1h")).publish("c").happens("u", "go").archive("c")
    story.happens("v", "go").waits("2h")
    assert story.of("u", "c") == ["enter", "cancel: campaign_archived"]
    assert story.of("v", "c") == []


def test_publishing_and_stopping_are_entries_of_the_same_log_as_events() -> None:
    """semantics.md 1: each campaign is as it was at every event, even within one instant."""

    def control(word: str) -> dict[str, Any]:
        return {"control": word, "campaign": "c"}

    story = Story(campaign("c", GO, re_eligibility="always"))
    events = {user: {"user_id": user, "name": "go"} for user in "abcd"}
    story.batch(events["a"], control("publish"), events["b"], control("stop"), events["c"])
    story.batch(control("publish"), events["d"])
    sent = {user: story.of(user, "c") for user in "abcd"}
    assert sent == {"a": [], "b": ["enter", "send"], "c": [], "d": ["enter", "send"]}


def test_a_waiting_user_keeps_the_delay_and_exceptions_of_the_version_that_entered_them() -> None:
    """semantics.md 1: editing makes a new version; the wait keeps its own."""
    story = Story(campaign("c", GO, delay="1h", exceptions=[STOP])).publish("c")
    story.happens("old", "go").happens("cancelled", "go")
    story.edit(campaign("c", GO, delay="3h", exceptions=[{"event": "other"}]))
    story.happens("new", "go").happens("cancelled", "stop")
    for user in ("old", "new"):
        story.happens(user, "other" if user == "old" else "stop")
    story.waits("3h")
    assert story.of("cancelled", "c") == ["enter", "cancel: exception_event"]
    assert story.sent("old", "c") == ["2026-11-01T01:00:00Z"]
    assert story.sent("new", "c") == ["2026-11-01T03:00:00Z"]


def test_a_waiting_user_keeps_the_variant_of_the_version_that_entered_them() -> None:
    """semantics.md 1, 5."""

    def split(a: int) -> list[dict[str, Any]]:
        push = [{"push": {"title": "Hello"}}]
        shares = [one for one in (("A", a), ("B", 100 - a)) if one[1]]
        return [{"name": name, "percent": share, "messages": push} for name, share in shares]

    story = Story(campaign("c", GO, delay="1h", variants=split(100))).publish("c")
    story.happens("u", "go").edit(campaign("c", GO, delay="1h", variants=split(0))).waits("1h")
    story.happens("v", "go").waits("1h")
    assert story.last("u", "c", "send").variant == "A"
    assert story.last("v", "c", "send").variant == "B"


def test_a_change_of_trigger_and_audience_governs_entries_after_it() -> None:
    """semantics.md 1."""
    story = Story(campaign("c", GO, re_eligibility="always")).publish("c").happens("u", "go")
    begins = {"event": "begin"}
    story.edit(campaign("c", begins, re_eligibility="always", audience={"segment": "fans"}))
    story.happens("u", "go").happens("u", "begin")
    story.segment("fans", {"attribute": "fan", "eq": True}).knows("u", fan=True)
    story.happens("u", "begin")
    expected = ["enter", "send", "refuse: not_in_audience", "enter", "send"]
    assert story.of("u", "c") == expected


def test_an_edit_keeps_the_instant_of_publication() -> None:
    """semantics.md 1: an edit is a new version, not a new publication."""
    story = Story(campaign("c", GO)).publish("c").waits("2h")
    story.edit(campaign("c", GO, name="New name")).happens("u", "go", ago="1h")
    assert story.of("u", "c") == ["enter", "send"]


# What the decisions of campaign-facts.md 10 add


def against(status: str, spec: dict[str, Any] = CLICKED, **more: Any) -> References:
    known = KnownCampaign("target", "id-1", status, decode_campaign(target(**more)))
    follower = decode_campaign(campaign("follower", spec))
    return check_references(follower, {"target": known})


@pytest.mark.parametrize("status", ["draft", "active"])
def test_a1_a_draft_or_active_campaign_may_be_followed(status: str) -> None:
    """semantics.md 1; campaign-facts.md A1."""
    assert against(status) == References([], [])


def test_a1_a_stopped_target_is_a_warning_and_an_archived_or_missing_one_an_error() -> None:
    """semantics.md 1; campaign-facts.md A1."""
    stopped = against("stopped")
    assert not stopped.errors
    assert "target is stopped" in stopped.warnings[0].message
    assert "target is archived" in against("archived").errors[0].message
    [missing] = against("active", interacts("tarjet", "email_click")).errors
    assert missing.message == 'there is no campaign "tarjet"; did you mean "target"?'


def test_a2_what_people_do_with_messages_of_a_stopped_campaign_still_fires() -> None:
    """semantics.md 2; campaign-facts.md A2: openings and conversions; receipts just cease."""
    story = Story(
        target(conversions=[{"event": "bought"}]),
        campaign("clicked", CLICKED),
        campaign("converted", interacts("target", "conversion")),
    ).publish("clicked", "converted", "target")
    story.happens("u", "go").stop("target").happens("u", "email_click", campaign="target")
    story.happens("u", "bought").happens("v", "go")
    assert story.of("u", "clicked") == story.of("u", "converted") == ["enter", "send"]
    assert story.of("v", "target") == []


def test_a3_what_people_do_with_an_archived_campaign_is_recorded_and_fires_nothing() -> None:
    """semantics.md 2; campaign-facts.md A3: neither triggers nor exceptions nor conversions."""
    begin = {"event": "begin"}
    story = Story(
        target(tags=["season"]),
        campaign("follower", CLICKED),
        campaign("waits", begin, delay="1d", exceptions=[CLICKED]),
        campaign("wants", begin, conversions=[CLICKED]),
        campaign("asks", {"event": "ask"}, audience=CLICKED),
        campaign(
            "asks-tag", {"event": "ask"}, audience=interacts({"tag": "season"}, "email_click")
        ),
    ).publish("follower", "waits", "wants", "asks", "asks-tag", "target")
    story.happens("u", "go").happens("u", "begin").archive("target")
    story.happens("u", "email_click", campaign="target").happens("u", "ask").waits("1d")
    assert story.of("u", "follower") == []
    assert story.of("u", "waits") == ["enter", "send"]
    assert story.of("u", "wants") == ["enter", "send"]
    assert story.of("u", "asks") == story.of("u", "asks-tag") == ["enter", "send"]


def test_a3_who_waits_for_a_follower_goes_on_waiting_when_its_target_is_archived() -> None:
    """campaign-facts.md A3."""
    follower = campaign("follower", interacts("target", "email_receive"), delay="1h")
    story = Story(target(), follower).publish("follower", "target")
    story.happens("u", "go").archive("target").waits("1h")
    assert story.of("u", "follower") == ["enter", "send"]


def test_a4_stopping_cancels_and_a_resumed_campaign_does_not_take_up_old_waits() -> None:
    """semantics.md 1, which has it otherwise than campaign-facts.md A4: nobody is kept."""
    story = Story(campaign("c", GO, delay="1h")).publish("c").happens("u", "go").waits("10m")
    story.stop("c").waits("10m").publish("c").waits("2h")
    assert story.of("u", "c") == ["enter", "cancel: campaign_stopped"]


def test_a5_a_new_delay_is_for_new_triggers_and_the_recheck_for_all_who_wait() -> None:
    """campaign-facts.md A5: waits keep their due time; audience flags are looked at when due."""
    fans = {"attribute": "fan", "eq": True}
    story = Story(campaign("c", GO, delay="1h", audience=fans)).publish("c").knows("u", fan=True)
    story.knows("v", fan=True).happens("u", "go").happens("v", "go").knows("u", fan=False)
    story.edit(campaign("c", GO, delay="2h", audience=fans, recheck_audience=True)).waits("1h")
    assert story.of("u", "c") == ["enter", "skip: not_in_audience"]
    assert story.sent("v", "c") == ["2026-11-01T01:00:00Z"]


def test_a5_what_is_sent_is_the_newest_content_even_on_another_channel() -> None:
    """semantics.md 1; campaign-facts.md A5: the receipt is one of the new channel."""
    story = Story(
        campaign("c", GO, delay="1h"),
        campaign("by-email", interacts("c", "email_receive")),
        campaign("by-push", interacts("c", "push_receive")),
    )
    story.publish("c").happens("u", "go").edit(campaign("c", GO, delay="1h", messages=EMAIL))
    story.publish("by-email").waits("1h")
    assert story.of("u", "by-email") == ["enter", "send"]
    assert story.of("u", "by-push") == []


def test_a6_a_change_of_trigger_leaves_who_waits_and_enters_nobody_by_itself() -> None:
    """campaign-facts.md A6."""
    story = Story(campaign("c", GO, delay="1h")).publish("c")
    story.happens("u", "go").happens("v", "begin")
    story.edit(campaign("c", {"event": "begin"}, delay="1h")).waits("1h")
    assert story.of("u", "c") == ["enter", "send"]
    assert story.of("v", "c") == []


def test_a7_an_in_app_message_of_a_stopped_campaign_is_not_made_available() -> None:
    """campaign-facts.md A7, as far as the engine goes: a device asks again at every fetch."""
    in_app = [{"in_app_message": {"body": "Hello"}}]
    story = Story(campaign("c", GO, delay="1h", messages=in_app)).publish("c")
    story.happens("u", "go").stop("c").waits("2h")
    assert story.of("u", "c") == ["enter", "cancel: campaign_stopped"]


def test_a8_a_campaign_whose_time_is_over_is_not_stopped_by_itself() -> None:
    """campaign-facts.md A8: it sends nothing more, and says why; its follower still fires."""
    over = {"end": "2026-11-02T00:00:00Z"}
    story = Story(target(window=over), campaign("follower", CLICKED)).publish("follower", "target")
    story.happens("u", "go").waits("3d").happens("v", "go")
    story.happens("u", "email_click", campaign="target")
    assert story.of("v", "target") == ["refuse: outside_window"]
    assert story.of("u", "follower") == ["enter", "send"]


def test_a10_a_duplicate_leaves_the_followers_with_the_original() -> None:
    """campaign-facts.md A10: it is another campaign, with nobody's past."""
    copy = {**target(), "slug": "target-copy"}
    story = Story(target(), copy, campaign("follower", CLICKED, re_eligibility="always"))
    story.publish("follower", "target").happens("u", "go").publish("target-copy")
    story.happens("u", "go").happens("u", "email_click", campaign="target-copy")
    assert story.of("u", "target-copy") == ["enter", "send"]
    assert story.of("u", "follower") == []
    assert story.happens("u", "email_click", campaign="target").of("u", "follower") != []
