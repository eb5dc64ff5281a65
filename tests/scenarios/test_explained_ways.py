"""The ways to a message and beyond: schedules, requests, backfills, holds, hand-over, success."""

from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from tests.support.reason_stories import document, sent_to_ann
from tests.support.recorded import ACCEPTED, Recorded, heard, sentences
from tests.support.story import EMAIL, campaign

from segue.model.explanations import ExplainedResult, Explanation
from segue.model.instants import parse_instant, to_datetime
from segue.model.limits import EXPLAINED_STEPS_MAX
from segue.model.log_records import Block
from segue.storage.memory import MemoryJournal


def decided(explanation: Explanation) -> list[str]:
    return [one["decision"] for step in explanation.steps for one in step.decisions]


def results(explanation: Explanation) -> list[str]:
    lines = [line for step in explanation.steps for line in step.lines]
    return [line.sentence for line in lines if isinstance(line, ExplainedResult)]


def scheduled(**schedule: Any) -> dict[str, Any]:
    written = document()
    written["delivery"] = {"type": "scheduled", "schedule": schedule}
    return written


def requested(**more: Any) -> dict[str, Any]:
    written = document(**more)
    written["delivery"] = {"type": "api"}
    return written


# How a user comes to a campaign


def test_a_schedule_that_came_is_the_cause() -> None:
    story = Recorded(scheduled(at="2026-11-02T09:00:00")).publish("c").knows("ann", city="Paris")
    before = story.explain("ann", "c")
    assert before.summary == (
        "ann did not get “The offer”: its schedule has not come yet; it comes on 2 Nov 09:00."
    )
    found = story.waits("2d").explain("ann", "c")
    assert found.summary == (
        "ann got “The offer” on 2 Nov 09:00, because its schedule came to ann on 2 Nov 09:00."
    )
    assert decided(found) == ["enter", "send"]


def test_a_schedule_that_came_before_anything_was_known_of_the_user_says_so() -> None:
    story = Recorded(scheduled(at="2026-11-02T09:00:00")).publish("c").waits("2d")
    found = story.knows("ann", city="Paris").explain("ann", "c")
    assert sentences(found)[1] == "Its schedule came; nothing was known of ann then."
    assert found.summary == (
        "ann did not get “The offer”: when its schedule came, nothing was known of ann."
    )


def test_a_request_by_a_program_is_the_cause() -> None:
    story = Recorded(requested()).publish("c").knows("ann", city="Paris")
    assert story.explain("ann", "c").summary.endswith(
        "no program has asked for it to be sent to ann since it was published on 1 Nov 09:00."
    )
    found = story.asks("c", "ann").explain("ann", "c")
    assert found.summary.endswith(
        "because a program asked for it to be sent to ann on 1 Nov 09:00."
    )


def test_a_request_for_a_campaign_that_is_no_longer_active_is_told() -> None:
    found = Recorded(requested()).publish("c").stop("c").asks("c", "ann").explain("ann", "c")
    assert found.reason == "campaign_stopped"
    assert found.summary.endswith("on 1 Nov 09:00, but the campaign was stopped.")
    draft = Recorded(requested()).asks("c", "ann").explain("ann", "c")
    assert heard(draft) == [("delivery", "not_published")]


def test_a_backfilled_event_passes_the_publish_rule_and_says_why() -> None:
    story = Recorded(document(delay="7d")).happens("ann", "go").waits("2d").publish("c")
    found = story.backfills("c", "ann", "go", ago="2d").explain("ann", "c")
    assert found.standing == "waiting"
    check = next(one for one in found.steps[-1].checks() if one.reason == "published_after_event")
    assert check.is_passed
    assert check.sentence == (
        "A backfill lets it in, although it happened 2 days before publication on 3 Nov 09:00."
    )


# While the user waits


def test_a_wait_says_until_when_because_of_what_and_what_cancels_it() -> None:
    found = sent_to_ann(delay="7d", exceptions=[{"purchase": {}}]).waits("1d").explain("ann", "c")
    assert found.summary == (
        'ann waits for “The offer” until 8 Nov 09:00, because ann did "go" on 1 Nov 09:00. '
        "It is cancelled by a purchase before then."
    )
    assert found.waiting is not None
    assert found.waiting.due_at == to_datetime(parse_instant("2026-11-08T09:00:00Z"))


@pytest.mark.parametrize(
    ("delay", "zone", "told"),
    [
        ({"after": "1h30m"}, "UTC", "due on 1 Nov 10:30, 1 hour 30 minutes after it happened"),
        (
            {"on_next": "tuesday", "at": "09:00"},
            "America/New_York",
            "due on 3 Nov 14:00, the next Tuesday at 09:00 in America/New_York",
        ),
        (
            {"in_days": 3, "at": "10:00"},
            "Asia/Tokyo",
            "due on 4 Nov 01:00, 3 calendar days later at 10:00 in Asia/Tokyo",
        ),
        ("immediately", "UTC", "there is no delay"),
    ],
)
def test_each_form_of_delay_says_when_it_is_over_and_why(delay: Any, zone: str, told: str) -> None:
    written = document()
    written["delivery"]["delay"] = delay
    story = Recorded(written).publish("c").knows("ann", time_zone=zone).happens("ann", "go")
    assert f"ann entered, under version 1; {told}." in results(story.explain("ann", "c"))


def test_did_not_is_told_as_the_receipt_it_waits_after_and_the_act_that_ends_it() -> None:
    sale = campaign("sale", {"event": "sale"}, messages=EMAIL, name="Spring sale")
    did_not = {"campaign": "sale", "interaction": "email_other_open", "within": "7d"}
    story = Recorded(sale, document({"did_not": did_not})).publish("c", "sale")
    story.happens("ann", "sale").waits("2d").happens("ann", "email_open", campaign="sale")
    found = story.explain("ann", "c")
    assert heard(found) == [
        ("delivery.triggers[0].did_not", "considered"),
        ("delivery.triggers[0].did_not", "cancelled"),
    ]
    assert found.summary == (
        "ann did not get “The offer”: ann opened “Spring sale” on 3 Nov 09:00, "
        "while waiting for 8 Nov 09:00."
    )


def test_a_send_that_is_held_says_until_when_and_what_holds_it() -> None:
    hours = {"from": "12:00", "to": "21:00", "otherwise": "next_available"}
    story = sent_to_ann(time_of_day=hours, exceptions=[{"event": "stop"}], delay="1h").waits("2h")
    found = story.explain("ann", "c")
    assert found.waiting is not None
    assert found.waiting.is_held
    assert "until 1 Nov 12:00, held until the hours in which it may be sent" in found.summary
    due = next(step for step in found.steps if step.kind == "due")
    assert [one.reason for one in due.checks() if not one.is_passed] == ["outside_time_of_day"]
    assert results(found)[-1] == "Held until 1 Nov 12:00; an exception still ends it."
    assert story.waits("2h").explain("ann", "c").standing == "sent"


def test_an_exception_still_ends_a_send_that_is_held() -> None:
    hours = {"from": "12:00", "to": "21:00", "otherwise": "next_available"}
    story = sent_to_ann(time_of_day=hours, exceptions=[{"event": "stop"}], delay="1h").waits("2h")
    found = story.happens("ann", "stop").explain("ann", "c")
    assert found.summary.endswith('ann did "stop" on 1 Nov 11:00, while waiting for 1 Nov 12:00.')


def test_a_second_look_at_the_audience_shows_its_tree_again() -> None:
    audience = {"attribute": "vip", "eq": True}
    written = document(audience=audience, recheck_audience=True, delay="1d")
    story = Recorded(written).publish("c").knows("ann", vip=True).happens("ann", "go")
    found = story.waits("1h").knows("ann", vip=False).waits("1d").explain("ann", "c")
    assert found.reason == "not_in_audience"
    assert found.summary.endswith(
        "it was due on 2 Nov 09:00, but ann was no longer in the audience: "
        "it asks that vip is true (it is false)."
    )


# Hand-over


def test_a_message_without_an_answer_is_being_handed_over() -> None:
    story = Recorded(document()).publish("c")
    story.answers["c"] = None
    found = story.happens("ann", "go").waits("1m").explain("ann", "c")
    assert found.standing == "sending"
    assert found.summary == (
        "“The offer” is being handed over to ann since 1 Nov 09:00; there is no answer yet."
    )


@pytest.mark.parametrize("is_indexed", [False, True])
def test_a_message_that_was_put_off_says_until_when_and_why(is_indexed: bool) -> None:
    story = Recorded(document()).publish("c")
    story.answers["c"] = None
    story.happens("ann", "go").waits("1m").defers("c", "5m", "451 4.7.1 greylisted")
    if is_indexed:
        story.index()
    found = story.explain("ann", "c")
    assert found.steps[-1].kind == "deferred"
    assert found.summary == (
        "“The offer” is being handed over to ann: the email was not taken "
        "(451 4.7.1 greylisted); it is tried again on 1 Nov 09:06."
    )
    found = story.waits("6m").answer("c", ACCEPTED).waits("1m").explain("ann", "c")
    assert [step.kind for step in found.steps][-2:] == ["deferred", "settled"]
    assert found.standing == "sent"


def test_each_channel_of_a_message_is_checked_and_told() -> None:
    both = [*EMAIL, {"push": {"title": "x"}}]
    story = (
        Recorded(document(messages=both)).publish("c").knows("ann", email_subscribe="unsubscribed")
    )
    found = story.happens("ann", "go").explain("ann", "c")
    checks = [
        (one.reason, one.facts["channel"], one.is_passed) for one in found.steps[-2].checks()[-4:]
    ]
    assert checks == [
        ("unsubscribed", "email", False),
        ("unsubscribed", "push", True),
        ("unreachable", "push", True),
        ("frequency_cap", "push", True),
    ]
    assert found.standing == "sent"


def test_a_campaign_for_all_says_that_it_looks_at_no_subscription() -> None:
    story = Recorded(document(subscription="all")).publish("c")
    found = story.knows("ann", email_subscribe="unsubscribed").happens("ann", "go")
    explanation = found.explain("ann", "c")
    told = [one for step in explanation.steps for one in step.checks()]
    [check] = [one for one in told if one.reason == "unsubscribed"]
    assert check.is_passed
    assert check.sentence == "It goes to all, whatever they have subscribed to."
    assert explanation.standing == "sent"


def test_who_left_a_group_by_a_campaigns_link_is_told_so() -> None:
    group = {"slug": "news", "name": "News"}
    written = document(subscription_group="news", re_eligibility="always")
    story = Recorded(written).workspace(subscription_groups=[group]).publish("c")
    story.knows("ann", subscription_groups={"news": "subscribed"}).happens("ann", "go")
    story.happens("ann", "email_unsubscribe", campaign="c", subscription_group="news")
    found = story.happens("ann", "go").explain("ann", "c")
    assert 'ann left the group "news" by “The offer”.' in sentences(found)
    assert "is not subscribed to the group" in found.summary


def test_several_sends_are_counted_and_the_refusal_since_is_told() -> None:
    story = sent_to_ann(re_eligibility={"after": "1d"}).waits("2d").happens("ann", "go")
    found = story.waits("1h").happens("ann", "go").explain("ann", "c")
    assert found.summary == (
        "ann got “The offer” twice, last on 3 Nov 09:00, because "
        'ann did "go" on 3 Nov 09:00. Since then: ann did "go" on 3 Nov 10:00, but ann had it on '
        "3 Nov 09:00, and may enter again only after 1 day, from 4 Nov 09:00."
    )


def test_an_address_that_the_provider_calls_dead_is_a_change_of_the_profile() -> None:
    story = Recorded(document()).publish("c").knows("ann", email="ann@people.test")
    story.answers["c"] = ("refused", "unreachable", "550 5.1.1 no such user")
    found = story.happens("ann", "go").explain("ann", "c")
    assert found.summary.endswith(
        "but the provider says that the address takes no messages (550 5.1.1 no such user)."
    )
    assert [line.sentence for line in found.steps[-1].lines] == [
        "The email address is known to be dead.",
        "It is not sent.",
    ]


# Success


def converting(**more: Any) -> Recorded:
    conversions = [{"purchase": {}, "within": "3d"}]
    return sent_to_ann(conversions=conversions, **more)


def conversion_words(story: Recorded) -> str:
    lines = [one for step in story.explain("ann", "c").steps for one in step.hearings()]
    return [line.sentence for line in lines if line.role == "conversion"][-1]


def test_a_conversion_says_what_it_is_credited_to() -> None:
    story = converting().waits("1d").happens("ann", "purchase", product_id="x")
    assert conversion_words(story) == (
        "It counts as conversion event A: 1 day after receipt on 1 Nov 09:00, "
        "and 3 days are allowed."
    )
    story.waits("1h").happens("ann", "purchase", product_id="x")
    assert conversion_words(story) == (
        "Conversion event A was counted already for the receipt of 1 Nov 09:00; "
        "each receipt has one."
    )


def test_a_conversion_that_is_not_credited_says_why() -> None:
    story = converting().waits("4d").happens("ann", "purchase", product_id="x")
    assert conversion_words(story) == (
        "Conversion event A counts nothing: its 3 days from receipt on 1 Nov 09:00 "
        "ended on 4 Nov 09:00."
    )
    story.happens("ann", "purchase", product_id="x", ago="5d")
    assert "it happened 1 day before receipt on 1 Nov 09:00" in conversion_words(story)
    waiting = converting(delay="1d").happens("ann", "purchase", product_id="x")
    assert conversion_words(waiting) == (
        "Conversion event A counts nothing: ann has not received the campaign."
    )


def test_what_the_user_did_with_the_message_is_part_of_the_story() -> None:
    story = sent_to_ann().waits("1h").happens("ann", "email_open", campaign="c", machine=True)
    story.happens("ann", "email_click", campaign="c", alias="cta")
    assert sentences(story.explain("ann", "c"))[-2:] == [
        "A machine opened “The offer” for ann.",
        'ann clicked the link "cta" in “The offer”.',
    ]


# The log


def test_of_too_many_steps_the_oldest_are_left_out_and_counted() -> None:
    story = Recorded(document()).publish("c").happens_often("ann", "go", EXPLAINED_STEPS_MAX + 9)
    found = story.explain("ann", "c")
    # Besides the events there are the publication and the answer to the one send.
    assert (len(found.steps), found.left_out) == (EXPLAINED_STEPS_MAX, 11)
    assert found.standing == "sent"


def test_a_log_that_lost_its_beginning_says_from_when_it_is() -> None:
    story = Recorded(document()).publish("c").waits("1d").happens("bob", "go").waits("1d")
    story.happens("ann", "look").checkpoint()
    journal = story.journal
    journal.forget_log(1, journal.log_end().seq)
    found = story.happens("ann", "go").explain("ann", "c")
    assert found.log_begins_at == to_datetime(parse_instant("2026-11-03T09:00:00Z"))
    assert sentences(found)[0] == "“The offer” was published, version 1."
    assert found.standing == "sent"
    assert found.summary.endswith(
        "The log begins on 3 Nov 09:00; what happened before is not considered."
    )


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Tokyo"])
@pytest.mark.parametrize("time", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_times_at_the_ends_of_the_calendar_are_told_in_any_zone(time: str, zone: str) -> None:
    window = {"start": "0001-01-01T00:00:00", "local": True}
    story = Recorded(document(window=window)).workspace(time_zone=zone).publish("c")
    story.knows("ann", time_zone=zone).happens("ann", "go", time=time)
    found = story.explain("ann", "c")
    assert found.standing == ("refused" if time.startswith("0001") else "sent")


class CountingJournal(MemoryJournal):
    """Notes which blocks are read."""

    def __init__(self) -> None:
        super().__init__()
        self.read: set[int] = set()

    def read_blocks(self, seqs: Iterable[int]) -> Iterator[Block]:
        for block in super().read_blocks(seqs):
            self.read.add(block.seq)
            yield block


def test_only_blocks_of_the_user_are_read_once_they_are_indexed() -> None:
    journal = CountingJournal()
    story = Recorded(document(), journal=journal).publish("c").happens("ann", "go")
    for _ in range(50):
        story.happens("bob", "look")
    story.happens("ann", "look").index()
    journal.read.clear()
    assert story.explain("ann", "c").standing == "sent"
    assert journal.read == {1, 2, 3, journal.log_end().seq}


# Retries


def refused() -> Recorded:
    """Return a story in which the mail to ann was refused an hour ago."""
    story = Recorded(document(re_eligibility="always")).publish("c")
    story.answers["c"] = ("refused", "refused", "550 not wanted")
    return story.happens("ann", "go").waits("1h")


def test_a_retry_that_is_accepted_is_a_step_and_the_answer() -> None:
    story = refused()
    story.answers["c"] = ACCEPTED
    found = story.retries("ann", "c").waits("1m").explain("ann", "c")
    assert [step.kind for step in found.steps][-3:] == ["settled", "retried", "settled"]
    retried = found.steps[-2]
    assert retried.sentence == "Somebody had the email tried once more."
    assert results(found)[-1] == "It is handed over."
    assert {one.reason for one in retried.checks()} >= {"campaign_stopped", "unsubscribed"}
    assert found.standing == "sent"
    assert found.summary == (
        'ann got “The offer” on 1 Nov 10:00, because ann did "go" on 1 Nov 09:00.'
    )


def test_a_retry_without_an_answer_is_being_handed_over() -> None:
    story = refused()
    story.answers["c"] = None
    found = story.retries("ann", "c").waits("1m").explain("ann", "c")
    assert found.standing == "sending"
    assert "is being handed over to ann since 1 Nov 10:00" in found.summary


def test_a_retry_that_fails_again_says_how_it_failed_last() -> None:
    story = refused()
    story.answers["c"] = ("refused", "gave_up", "no route")
    found = story.retries("ann", "c").waits("1m").explain("ann", "c")
    assert (found.standing, found.reason) == ("skipped", "gave_up")
    assert found.summary.endswith("could not be reached in the time allowed (no route).")


def test_a_retry_that_may_not_go_says_what_is_in_its_way() -> None:
    story = refused().knows("ann", email_subscribe="unsubscribed")
    found = story.retries("ann", "c").explain("ann", "c")
    retried = found.steps[-1]
    assert retried.kind == "retried"
    assert [one.reason for one in retried.checks() if not one.is_passed] == ["unsubscribed"]
    assert results(found)[-1] == "It is not sent."
    assert found.reason == "refused"


def test_a_retry_of_another_campaign_is_not_told() -> None:
    other = {**document(), "slug": "other", "name": "Other"}
    story = Recorded(document(), other).publish("c", "other")
    story.answers["other"] = ("refused", "refused", "550 not wanted")
    story.happens("ann", "go").waits("1h").retries("ann", "other")
    found = story.explain("ann", "c")
    assert "retried" not in [step.kind for step in found.steps]
    assert found.standing == "sent"
