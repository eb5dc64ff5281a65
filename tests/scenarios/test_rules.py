"""The rules of the connector, each as the shortest story that shows it (semantics.md 1-6)."""

import pytest
from tests.support.story import EMAIL, Story, campaign, interacts

GO = {"event": "go"}


def test_an_event_before_publication_never_enters_however_late_it_arrives() -> None:
    story = Story(campaign("c", GO, re_eligibility="always")).waits("1h").publish("c").waits("1d")
    story.happens("u", "go", ago="25h").happens("u", "go", ago="24h")
    assert story.of("u", "c") == ["refuse: published_after_event", "enter", "send"]


def test_a_late_event_has_its_delay_counted_from_when_it_happened() -> None:
    story = Story(campaign("c", GO, delay="2h")).publish("c").waits("1d")
    story.happens("u", "go", ago="1h").waits("59m")
    assert story.of("u", "c") == ["enter"]
    assert story.waits("1m").of("u", "c") == ["enter", "send"]


def test_a_delay_that_is_over_already_sends_at_once_and_not_earlier_than_now() -> None:
    story = Story(campaign("c", GO, delay="2h")).publish("c").waits("1d")
    story.happens("u", "go", ago="5h")
    assert story.of("u", "c") == ["enter", "send"]
    assert story.verdicts[0].due == story.now


def test_an_exception_before_the_trigger_does_nothing() -> None:
    waits = campaign("c", GO, delay="1h", exceptions=[{"event": "stop"}])
    story = Story(waits).publish("c").happens("u", "stop").happens("u", "go").waits("1h")
    assert story.of("u", "c") == ["enter", "send"]


def test_an_exception_that_happened_before_the_wait_began_does_nothing_even_if_late() -> None:
    waits = campaign("c", GO, delay="1h", exceptions=[{"event": "stop"}])
    story = Story(waits).publish("c").waits("1h").happens("u", "go").waits("10m")
    story.happens("u", "stop", ago="20m").waits("1h")
    assert story.of("u", "c") == ["enter", "send"]


def test_an_event_that_is_trigger_and_exception_restarts_the_wait() -> None:
    story = Story(campaign("c", GO, delay="1h", exceptions=[GO])).publish("c")
    story.happens("u", "go").waits("30m").happens("u", "go").waits("59m")
    assert story.of("u", "c") == ["enter", "cancel: exception_event", "enter"]
    assert story.waits("1m").of("u", "c")[-1] == "send"


def test_after_a_cancelled_wait_the_user_may_enter_again_whatever_re_eligibility_says() -> None:
    waits = campaign("c", GO, delay="1h", exceptions=[{"event": "stop"}])
    story = Story(waits).publish("c").happens("u", "go").happens("u", "stop").happens("u", "go")
    assert story.of("u", "c") == ["enter", "cancel: exception_event", "enter"]


def test_the_exception_of_one_campaign_can_trigger_another() -> None:
    story = Story(
        campaign("c", GO, delay="1h", exceptions=[{"event": "stop"}]),
        campaign("sorry", interacts("c", "exception_event")),
    ).publish("c", "sorry")
    story.happens("u", "stop").happens("u", "go").happens("u", "stop")
    assert story.of("u", "sorry") == ["enter", "send"]


def test_only_one_wait_per_user_and_campaign_at_a_time() -> None:
    story = Story(campaign("c", GO, delay="1h", re_eligibility="always")).publish("c")
    story.happens("u", "go").happens("u", "go")
    assert story.of("u", "c") == ["enter", "refuse: already_waiting"]


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
    story = Story(campaign("c", GO, re_eligibility=re_eligibility)).publish("c")
    story.happens("u", "go").waits("1h").happens("u", "go")
    assert story.of("u", "c")[-1] == after_an_hour
    assert story.waits("2d").happens("u", "go").of("u", "c")[-1] == after_two_days


def test_stopping_cancels_the_waiting_and_publishing_again_starts_anew() -> None:
    story = Story(campaign("c", GO, delay="1h")).publish("c").happens("u", "go").stop("c")
    story.waits("2h").happens("u", "go").publish("c").happens("u", "go", ago="1h")
    assert story.of("u", "c") == [
        "enter",
        "cancel: campaign_stopped",
        "refuse: published_after_event",
    ]


def test_archiving_cancels_with_its_own_reason() -> None:
    story = Story(campaign("c", GO, delay="1h")).publish("c").happens("u", "go").archive("c")
    assert story.of("u", "c") == ["enter", "cancel: campaign_archived"]


def test_interactions_with_a_stopped_campaign_fire_and_with_an_archived_one_do_not() -> None:
    story = Story(
        campaign("target", GO, messages=EMAIL),
        campaign("follower", interacts("target", "email_click"), re_eligibility="always"),
    ).publish("follower", "target")
    story.happens("u", "go").stop("target").happens("u", "email_click", campaign="target")
    assert story.of("u", "follower") == ["enter", "send"]
    story.archive("target").happens("u", "email_click", campaign="target")
    assert story.of("u", "follower") == ["enter", "send"]


def test_the_audience_is_checked_on_entry_with_the_profile_of_that_moment() -> None:
    audience = {
        "all": [{"attribute": "country", "in": ["FR"]}, {"not": {"attribute": "vip", "eq": True}}]
    }
    story = Story(campaign("c", GO, audience=audience, re_eligibility="always")).publish("c")
    story.happens("u", "go").knows("u", country="FR").happens("u", "go")
    story.knows("u", vip=True).happens("u", "go")
    assert story.of("u", "c") == [
        "refuse: not_in_audience",
        "enter",
        "send",
        "refuse: not_in_audience",
    ]


def test_a_conversion_is_credited_once_per_receipt_and_can_trigger_a_follower() -> None:
    story = Story(
        campaign("c", GO, re_eligibility="always", conversions=[{"purchase": {}, "within": "1d"}]),
        campaign(
            "thanks", interacts("c", "conversion", conversion_event="A"), re_eligibility="always"
        ),
    ).publish("thanks", "c")
    bought = {"product_id": "sku-1", "price": 5}
    story.happens("u", "go").waits("1h").happens("u", "purchase", **bought)
    story.happens("u", "purchase", **bought).happens("u", "go").waits("2d")
    story.happens("u", "purchase", **bought)
    assert story.of("u", "c") == ["enter", "send", "convert", "enter", "send"]
    assert story.of("u", "thanks") == ["enter", "send"]


def test_a_chain_with_no_act_of_a_person_is_cut_after_ten_hops() -> None:
    story = Story(
        campaign("a", GO, interacts("b", "push_receive"), re_eligibility="always"),
        campaign("b", interacts("a", "push_receive"), re_eligibility="always"),
    ).publish("a", "b")
    story.happens("u", "go")
    decisions = [verdict.decision for verdict in story.verdicts]
    assert decisions.count("send") == 10
    assert story.verdicts[-1].reason == "chain_limit"


def test_the_same_event_id_is_applied_once_within_a_day() -> None:
    story = Story(campaign("c", GO, re_eligibility="always")).publish("c")
    story.happens("u", "go", id="e1").happens("u", "go", id="e1").waits("1d")
    story.happens("u", "go", id="e1")
    assert story.of("u", "c") == ["enter", "send", "enter", "send"]


def test_an_unsubscribed_user_is_skipped_and_says_why() -> None:
    story = Story(campaign("c", GO, messages=EMAIL, re_eligibility="always")).publish("c")
    story.happens("u", "go").happens("u", "email_unsubscribe", campaign="c").happens("u", "go")
    assert story.of("u", "c") == ["enter", "send", "enter", "skip: unsubscribed"]
    story.knows("u", email_subscribe="opted_in").happens("u", "go")
    assert story.of("u", "c")[-1] == "send"


def test_a_bounced_address_is_unreachable_until_it_changes() -> None:
    story = Story(campaign("c", GO, messages=EMAIL, re_eligibility="always")).publish("c")
    story.knows("u", email="a@b.test").happens("u", "email_bounce", campaign="c")
    story.happens("u", "go").knows("u", email="new@b.test").happens("u", "go")
    assert story.of("u", "c") == ["enter", "skip: unreachable", "enter", "send"]
