"""A message that failed is tried once more: what is looked at again, and what comes of it."""

from typing import Any

import pytest
from tests.support.story import EMAIL, Story, campaign, interacts

GO = {"event": "go"}
PUSH = [{"push": {"title": "Hello"}}]
SMS = [{"sms": {"body": "Hello"}}]
BOTH = [*EMAIL, *SMS]


def told(*documents: dict[str, Any], **more: Any) -> Story:
    """Return a story whose sends are settled by what it tells, with all campaigns published."""
    story = Story(*documents, sends="recorded", **more)
    return story.publish(*(one["slug"] for one in documents))


def failed(*others: dict[str, Any], user_id: str = "ann", **more: Any) -> Story:
    """Return a story in which the push of `c` was refused an hour ago."""
    workspace = more.pop("workspace", None)
    documents = [campaign("c", GO, **more), *others]
    return (
        told(*documents, workspace=workspace)
        .happens(user_id, "go")
        .settles(user_id, "c", "refused", reason="refused")
        .waits("1h")
    )


def test_a_retry_is_a_send_again_under_the_id_it_had() -> None:
    story = failed().retries("ann", "c")
    assert story.of("ann", "c") == ["enter", "send", "skip: refused", "send"]
    assert len({one.send_id for one in story.verdicts if one.decision == "send"}) == 1
    assert len({one.cause for one in story.verdicts}) == 1


def test_followers_follow_a_retry_that_is_accepted_and_the_user_has_had_the_campaign_then() -> None:
    follower = campaign("next", interacts("c", "push_receive"))
    story = failed(follower).retries("ann", "c")
    assert story.of("ann", "next") == []
    story.settles("ann", "c", "accepted")
    assert story.of("ann", "next") == ["enter", "send"]
    membership = story.state("ann").memberships["c"]
    assert membership.sent_at == story.now
    assert membership.handed is None
    assert membership.receipt_count == 1
    story.happens("ann", "go")
    assert story.of("ann", "c")[-1] == "refuse: not_re_eligible"


def test_a_retry_that_fails_again_is_a_skip_again_and_may_be_retried_again() -> None:
    story = failed().retries("ann", "c").settles("ann", "c", "refused", reason="gave_up")
    assert story.of("ann", "c")[-2:] == ["send", "skip: gave_up"]
    story.retries("ann", "c").settles("ann", "c", "accepted")
    assert story.of("ann", "c")[-1] == "send"
    assert story.state("ann").memberships["c"].sent_at == story.now


def test_a_message_that_is_under_way_is_not_retried_twice() -> None:
    story = failed().retries("ann", "c").retries("ann", "c")
    assert story.of("ann", "c").count("send") == 2
    handed = story.state("ann").memberships["c"].handed
    assert handed is not None
    assert handed.open_channels == ["push"]


def test_a_retry_of_a_user_who_was_erased_meanwhile_does_nothing() -> None:
    story = failed()
    sent = story.last("ann", "c", "send")
    story.erase("ann")
    before = list(story.verdicts)
    story.retries("ann", "c")
    assert story.verdicts == before
    assert sent.send_id is not None
    assert "c" not in story.state("ann").memberships


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("stop", "campaign_stopped"),
        ("archive", "campaign_stopped"),
        ("unsubscribe", "unsubscribed"),
        ("window", "outside_window"),
        ("audience", "not_in_audience"),
    ],
)
def test_a_retry_passes_the_checks_of_a_send_that_is_due(how: str, reason: str) -> None:
    more: dict[str, Any] = {}
    if how == "window":
        more["window"] = {"start": "2026-11-01T00:00:00Z", "end": "2026-11-01T00:30:00Z"}
    if how == "audience":
        more = {"audience": {"not": {"attribute": "vip", "eq": False}}, "recheck_audience": True}
    story = failed(**more)
    if how in ("stop", "archive"):
        getattr(story, how)("c")
    if how == "unsubscribe":
        story.knows("ann", push_subscribe="unsubscribed")
    if how == "audience":
        story.knows("ann", vip=False)
    story.retries("ann", "c")
    assert story.of("ann", "c")[-1] == f"skip: {reason}"
    assert story.state("ann").memberships["c"].handed is None


def test_an_address_that_has_died_since_is_not_tried_again() -> None:
    story = told(campaign("c", GO, messages=EMAIL)).happens("ann", "go")
    story.settles("ann", "c", "refused", channel="email", reason="refused")
    story.happens("ann", "email_bounce", campaign="c").retries("ann", "c", channel="email")
    assert story.of("ann", "c")[-1] == "skip: unreachable"


def test_hours_are_those_of_whoever_retries() -> None:
    hours = {"from": "00:00", "to": "00:30", "otherwise": "skip"}
    story = failed(time_of_day=hours).retries("ann", "c")
    assert story.of("ann", "c")[-1] == "send"


def test_a_user_who_has_had_the_campaign_since_does_not_get_it_again() -> None:
    pause = {"after": "1d"}
    story = failed(re_eligibility=pause)
    lost = story.last("ann", "c", "send")
    story.happens("ann", "go").settles("ann", "c", "accepted").waits("1h")
    story.verdicts.append(lost)  # the story retries the last send that it knows
    story.retries("ann", "c")
    assert story.of("ann", "c")[-1] == "skip: not_re_eligible"
    story.waits("1d")
    story.verdicts.append(lost)
    story.retries("ann", "c")
    assert story.last("ann", "c", "send").at == story.now


def test_a_user_who_waits_for_the_campaign_anew_does_not_get_it_twice() -> None:
    edited = campaign("c", GO, delay="1d")
    story = failed().edit(edited).happens("ann", "go").retries("ann", "c")
    assert story.of("ann", "c")[-2:] == ["enter", "skip: already_waiting"]
    always = campaign("c", GO, delay="1d", re_eligibility="always")
    story = failed(re_eligibility="always").edit(always).happens("ann", "go").retries("ann", "c")
    assert story.of("ann", "c")[-2:] == ["enter", "send"]


def test_while_another_send_is_handed_over_none_is_retried() -> None:
    story = failed(re_eligibility="always")
    lost = story.last("ann", "c", "send")
    story.happens("ann", "go")
    story.verdicts.append(lost)
    story.retries("ann", "c")
    assert story.of("ann", "c")[-1] == "skip: already_waiting"
    handed = story.state("ann").memberships["c"].handed
    assert handed is not None
    assert handed.send_id != lost.send_id


def test_a_user_of_the_control_group_gets_nothing_by_a_retry_either() -> None:
    user_id = "ann"
    story = failed(user_id=user_id)
    story.edit(campaign("c", GO, control_percent=99)).happens(user_id, "go")
    assert story.of(user_id, "c")[-1] == "control: control_group"
    story.retries(user_id, "c")
    assert story.of(user_id, "c")[-1] == "skip: control_group"


def test_a_retry_counts_for_caps_and_is_held_by_them() -> None:
    caps = [{"slug": "one", "messages_max": 1, "within": "1d"}]
    other = campaign("other", {"event": "other"})
    story = failed(other, workspace={"caps": caps})
    story.happens("ann", "other").settles("ann", "other", "accepted").retries("ann", "c")
    assert story.of("ann", "c")[-1] == "skip: frequency_cap"
    story.waits("2d").retries("ann", "c").settles("ann", "c", "accepted").happens("ann", "other")
    assert story.of("ann", "c")[-1] == "send"
    assert [one.channel for one in story.state("ann").messages] == ["push", "push"]


# Sends of two messages, of which one has failed


def half_failed(**more: Any) -> Story:
    """Return a story in which the mail of `c` was accepted, and its text message refused."""
    follower = campaign("next", interacts("c", "sms_receive"), re_eligibility="always")
    documents = campaign("c", GO, messages=BOTH, **more), follower
    workspace = {"caps": [{"slug": "one", "messages_max": 1, "within": "1d"}]}
    story = told(*documents, workspace=workspace).happens("ann", "go")
    story.settles("ann", "c", "accepted", channel="email")
    return story.settles("ann", "c", "refused", channel="sms", reason="refused").waits("1h")


def test_the_rest_of_a_send_is_neither_a_new_receipt_nor_capped_by_its_own_first_message() -> None:
    story = half_failed()
    before = story.state("ann").memberships["c"]
    story.retries("ann", "c", channel="sms", accepted=["email"])
    story.settles("ann", "c", "accepted", channel="sms")
    after = story.state("ann").memberships["c"]
    assert story.of("ann", "c") == ["enter", "send", "send"]
    assert (after.receipt, after.receipt_count) == (before.receipt, 1)
    assert after.sent_at == before.sent_at
    assert story.of("ann", "next")[0] == "enter"


def test_the_rest_of_a_send_that_fails_again_is_no_skip() -> None:
    story = half_failed().retries("ann", "c", channel="sms", accepted=["email"])
    story.settles("ann", "c", "refused", channel="sms", reason="refused")
    assert story.of("ann", "c") == ["enter", "send", "send"]


def test_a_message_is_retried_while_the_others_of_its_send_are_under_way() -> None:
    story = told(campaign("c", GO, messages=BOTH)).happens("ann", "go")
    story.settles("ann", "c", "refused", channel="sms", reason="refused")
    story.retries("ann", "c", channel="sms")
    handed = story.state("ann").memberships["c"].handed
    assert handed is not None
    assert handed.open_channels == ["email", "sms"]
    story.settles("ann", "c", "accepted", channel="sms")
    story.settles("ann", "c", "accepted", channel="email")
    assert story.state("ann").memberships["c"].receipt_count == 1


def test_a_card_that_failed_is_received_when_it_is_seen() -> None:
    card = [{"content_card": {"title": "Hello"}}]
    story = told(campaign("c", GO, messages=card)).happens("ann", "go")
    story.settles("ann", "c", "skipped", channel="content_card", reason="template_error")
    story.retries("ann", "c", channel="content_card").waits("1m")
    story.settles("ann", "c", "accepted", channel="content_card").waits("1m")
    assert story.state("ann").memberships["c"].receipt is None
    story.happens("ann", "content_card_view", campaign="c")
    assert story.state("ann").memberships["c"].receipt_count == 1


def test_hops_go_on_where_they_were() -> None:
    """A chain is no shorter because a person retried one of its messages."""
    first = campaign("first", GO)
    second = campaign("c", interacts("first", "push_receive"))
    third = campaign("third", interacts("c", "push_receive"))
    story = told(first, second, third).happens("ann", "go")
    story.settles("ann", "first", "accepted").settles("ann", "c", "refused", reason="refused")
    story._tell(
        {
            "control": "retry",
            "campaign": "c",
            "user_id": "ann",
            "channel": "push",
            "variant": "A",
            "hops": 1,
            "send_id": story.last("ann", "c", "send").send_id,
            "cause": story.last("ann", "c", "send").cause,
        }
    )
    story.settles("ann", "c", "accepted")
    handed = story.state("ann").memberships["third"].handed
    assert handed is not None
    assert handed.hops == 2


def test_in_a_run_that_accepts_its_own_sends_a_recorded_retry_does_nothing() -> None:
    story = Story(campaign("c", GO)).publish("c").happens("ann", "go")
    before = list(story.verdicts)
    assert story.retries("ann", "c").verdicts == before
