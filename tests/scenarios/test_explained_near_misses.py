"""What almost touched the pair: told as well, since a user who got nothing asks about it.

Near misses of triggers and exceptions, late events, campaigns that did not listen, edits, erasure.
"""

from typing import Any

import pytest
from tests.support.reason_stories import document
from tests.support.recorded import Recorded, heard, sentences
from tests.support.story import EMAIL, campaign, interacts

from segue.model.explanations import Explanation

SALE = campaign("sale", {"event": "sale"}, messages=EMAIL, name="Spring sale")


def following(*triggers: dict[str, Any], **more: Any) -> Recorded:
    """Return a story in which ann has received Spring sale, which "c" follows."""
    return Recorded(SALE, document(*triggers, **more)).publish("c", "sale").happens("ann", "sale")


def told(explanation: Explanation) -> str:
    """Return the answer without its beginning, which is the same in all of these."""
    return explanation.summary.removeprefix("ann did not get “The offer”: ")


# Triggers that the act does not satisfy


def test_a_click_on_another_alias_names_both() -> None:
    story = following(interacts("sale", "email_alias_click", alias="cta"))
    story.happens("ann", "email_click", campaign="sale", alias="footer")
    found = story.explain("ann", "c")
    assert heard(found) == [("delivery.triggers[0]", "unmatched")]
    assert found.standing == "not_matched"
    assert told(found) == (
        'ann clicked the link "footer" in “Spring sale” on 1 Nov 09:00, '
        'but trigger 1 wants the alias "cta"; it was "footer".'
    )


def test_a_property_filter_shows_the_value_it_compared() -> None:
    where = [{"property": "value", "gte": 100}, {"property": "currency", "in": ["EUR", "CHF"]}]
    story = Recorded(document({"event": {"name": "go", "where": where}})).publish("c")
    story.happens("ann", "go", properties={"value": 40, "currency": "EUR"})
    found = story.explain("ann", "c")
    [line] = found.steps[-1].hearings()
    assert [(one.subject, one.operator, one.wanted, one.found) for one in line.conditions] == [
        ("value", "gte", 100.0, 40),
        ("currency", "in", ["EUR", "CHF"], "EUR"),
    ]
    assert told(found) == (
        'ann did "go" on 1 Nov 09:00, but trigger 1 asks that value is at least 100; it was 40.'
    )


def test_a_machines_open_is_told_from_a_persons() -> None:
    story = following(interacts("sale", "email_other_open"))
    story.happens("ann", "email_open", campaign="sale", machine=True)
    assert told(story.explain("ann", "c")) == (
        "a machine opened “Spring sale” for ann on 1 Nov 09:00, "
        "but trigger 1 wants an open by a person; a machine opened it."
    )


def test_another_variant_is_told_by_both_names() -> None:
    story = following(interacts("sale", "email_open", variant="B"))
    story.happens("ann", "email_open", campaign="sale")
    assert told(story.explain("ann", "c")).endswith('trigger 1 wants the variant "B"; it was "A".')


def test_a_purchase_of_another_product_is_told_by_both() -> None:
    story = Recorded(document({"purchase": {"product_id": "sku-1"}})).publish("c")
    story.happens("ann", "purchase", product_id="sku-2", price=20, currency="EUR")
    assert told(story.explain("ann", "c")) == (
        'ann bought "sku-2" for 20 EUR on 1 Nov 09:00, '
        'but trigger 1 wants the product id "sku-1"; it was "sku-2".'
    )


def test_a_conversion_of_the_control_group_fires_only_who_includes_it() -> None:
    sale = campaign("sale", {"event": "sale"}, control_percent=99, conversions=[{"purchase": {}}])
    story = Recorded(sale, document(interacts("sale", "conversion"))).publish("c", "sale")
    story.happens("ann", "sale").happens("ann", "purchase", product_id="sku-1")
    assert told(story.explain("ann", "c")).endswith(
        "trigger 1 leaves out what stems from the control group."
    )


def test_a_click_beside_the_buttons_is_no_click_on_a_button() -> None:
    sale = campaign(
        "sale",
        {"event": "sale"},
        messages=[{"in_app_message": {"body": "x", "buttons": [{"id": "yes", "text": "Yes"}]}}],
    )
    trigger = interacts("sale", "in_app_message_button_click")
    story = Recorded(sale, document(trigger)).publish("c", "sale").happens("ann", "sale")
    story.happens("ann", "in_app_message_click", campaign="sale")
    assert told(story.explain("ann", "c")).endswith(
        "trigger 1 wants a click on a button; it was beside them."
    )


def test_the_hand_over_is_not_the_receipt_of_delivery() -> None:
    story = following(interacts("sale", "email_receive", outcome="delivered"))
    assert heard(story.explain("ann", "c")) == [("delivery.triggers[0]", "not_delivered")]


def test_a_second_view_is_not_the_receipt_that_a_missing_conversion_waits_after() -> None:
    card = [{"content_card": {"title": "x"}}]
    sale = campaign("sale", {"event": "sale"}, messages=card, conversions=[{"purchase": {}}])
    did_not = {"campaign": "sale", "interaction": "conversion", "within": "1d"}
    story = Recorded(sale, document({"did_not": did_not}, re_eligibility="always"))
    story.publish("c", "sale").happens("ann", "sale")
    story.waits("1h").happens("ann", "content_card_view", campaign="sale").waits("2d")
    found = story.happens("ann", "content_card_view", campaign="sale").explain("ann", "c")
    assert [outcome for _path, outcome in heard(found)] == ["considered", "unmatched"]
    assert found.steps[-1].hearings()[0].sentence == (
        "Trigger 1 waits after the first view of a send, its receipt; this was a later one."
    )


def test_a_second_trigger_that_fits_is_passed_over() -> None:
    story = Recorded(document({"event": "go"}, {"event": {"name": "go"}})).publish("c")
    assert heard(story.happens("ann", "go").explain("ann", "c")) == [
        ("delivery.triggers[0]", "considered"),
        ("delivery.triggers[1]", "passed_over"),
    ]


# A campaign that did not listen


def test_an_act_before_publication_says_how_long_before() -> None:
    story = Recorded(SALE, document(interacts("sale", "email_click"))).publish("sale")
    story.happens("ann", "sale").happens("ann", "email_click", campaign="sale", alias="cta")
    found = story.waits("3d").publish("c").waits("1d").explain("ann", "c")
    assert found.standing == "not_listening"
    assert told(found) == (
        'ann clicked the link "cta" in “Spring sale” on 1 Nov 09:00; trigger 1 fits, but it '
        "happened 3 days before the campaign was published on 4 Nov 09:00."
    )


def test_a_draft_says_so_and_what_would_have_triggered_it() -> None:
    found = Recorded(document()).happens("ann", "go").explain("ann", "c")
    assert (found.standing, found.campaign.status, found.campaign.version) == ("draft", "draft", 0)
    assert told(found) == (
        'it has never been published. ann did "go" on 1 Nov 09:00; '
        "trigger 1 fits, but the campaign has never been published."
    )


@pytest.mark.parametrize(("end", "word"), [("stop", "stopped"), ("archive", "archived")])
def test_a_campaign_that_was_ended_long_ago_is_explained_as_any_other(end: str, word: str) -> None:
    story = Recorded(document()).publish("c").waits("1d")
    getattr(story, end)("c")
    found = story.waits("99d").happens("ann", "go").explain("ann", "c")
    assert (found.campaign.status, found.standing) == (word, "not_listening")
    assert told(found) == (
        'ann did "go" on 9 Feb 09:00; trigger 1 fits, but the campaign had been '
        f"{word} on 2 Nov 2026 09:00."
    )


def test_what_is_done_with_an_archived_target_fires_nothing() -> None:
    story = following(interacts("sale", "email_click"), delay="1d").archive("sale")
    story.happens("ann", "email_click", campaign="sale")
    assert told(story.explain("ann", "c")).endswith(
        "trigger 1 fits, but what is done with an archived campaign fires nothing."
    )


def test_an_event_of_before_a_second_publication_is_refused_by_that_one() -> None:
    story = Recorded(document()).publish("c").waits("1d").stop("c").waits("1d").publish("c")
    found = story.waits("1d").happens("ann", "go", ago="36h").explain("ann", "c")
    assert found.reason == "published_after_event"
    assert "12 hours before the campaign was published on 3 Nov 09:00" in found.summary


def test_nothing_at_all_says_what_it_waits_for() -> None:
    where = [{"property": "value", "gte": 100}]
    triggers = [
        interacts("sale", "email_alias_click", alias="cta"),
        {"event": {"name": "go", "where": where}},
    ]
    found = following(*triggers).explain("ann", "c")
    assert found.standing == "nothing"
    assert told(found) == (
        "nothing that ann did since it was published on 1 Nov 09:00 triggers it; it waits for "
        '“Click alias in email” of “Spring sale” (alias "cta") '
        'or the event "go" (value is at least 100).'
    )


# Exceptions that do nothing


def excepted(delay: str = "2d") -> Recorded:
    return Recorded(document(delay=delay, exceptions=[{"purchase": {}}])).publish("c").waits("1h")


def exception_words(story: Recorded) -> str:
    found = story.explain("ann", "c")
    lines = [line for step in found.steps for line in step.hearings() if line.role == "exception"]
    return lines[-1].sentence


def test_an_exception_with_nobody_waiting_does_nothing() -> None:
    story = excepted().happens("ann", "purchase", product_id="x").waits("1h").happens("ann", "go")
    assert exception_words(story) == (
        "Exception 1 did nothing: ann was not waiting, and exceptions act during a wait."
    )
    assert story.waits("2d").explain("ann", "c").standing == "sent"


def test_campaigns_that_restart_each_other_are_told_how_often_one_event_did() -> None:
    def restart(other: str) -> list[dict[str, Any]]:
        return [{"event": "go"}, interacts(other, "exception_event")]

    more: dict[str, Any] = {"delay": "1h", "re_eligibility": "always"}
    pong = campaign("pong", *restart("c"), exceptions=restart("c"), **more)
    ping = document(*restart("pong"), exceptions=restart("pong"), **more)
    story = Recorded(ping, pong).publish("c", "pong").happens("ann", "go").happens("ann", "go")
    found = story.explain("ann", "c")
    ended = [check for check in found.steps[-1].checks() if check.reason == "chain_limit"][-1]
    assert not ended.is_passed
    assert ended.sentence == (
        "The same event had let ann in 10 times already, which is the most it may."
    )


def test_an_exception_from_before_the_wait_began_does_nothing() -> None:
    story = excepted().happens("ann", "go").waits("10m")
    story.happens("ann", "purchase", product_id="x", ago="20m")
    assert exception_words(story) == (
        "Exception 1 did nothing: it happened 10 minutes before the wait began on 1 Nov 10:00."
    )


def test_an_exception_during_the_wait_that_arrives_after_the_send_is_told_as_late() -> None:
    story = excepted().happens("ann", "go").waits("3d")
    story.happens("ann", "purchase", product_id="x", ago="2d")
    assert exception_words(story) == (
        "Exception 1 came too late: it happened during the wait until 3 Nov 10:00, "
        "but reached Segue when that had been sent on 3 Nov 10:00."
    )


def test_an_exception_after_the_send_came_too_late() -> None:
    story = excepted().happens("ann", "go").waits("3d").happens("ann", "purchase", product_id="x")
    assert exception_words(story) == (
        "Exception 1 came too late: the wait had been sent on 3 Nov 10:00."
    )


def test_an_exception_with_another_property_names_it() -> None:
    where = [{"property": "price", "gt": 10}]
    story = Recorded(document(delay="1d", exceptions=[{"purchase": {"where": where}}]))
    story.publish("c").happens("ann", "go").happens("ann", "purchase", product_id="x", price=5)
    assert exception_words(story) == "Exception 1 asks that price is more than 10; it was 5."


def test_an_open_of_an_archived_target_does_not_cancel() -> None:
    story = following(
        interacts("sale", "email_receive"),
        delay="2d",
        exceptions=[interacts("sale", "email_open")],
    ).archive("sale")
    story.happens("ann", "email_open", campaign="sale")
    assert exception_words(story).endswith("what is done with an archived campaign fires nothing.")


# Edits, erasure, users and campaigns that are not there


def test_an_edit_names_what_changed_and_that_the_wait_goes_on_as_it_was() -> None:
    story = excepted().happens("ann", "go").waits("1h")
    story.edit(document(delay="4d", exceptions=[{"purchase": {}}, {"event": "stop"}]))
    found = story.waits("1h").happens("ann", "stop").explain("ann", "c")
    edit = next(step for step in found.steps if step.kind == "edited")
    assert edit.sentence == (
        "“The offer” was edited and is version 2 now; changed: delivery.delay, "
        "delivery.exceptions; ann waits on under version 1."
    )
    assert exception_words(story) == (
        "Exception 2 is one of version 2; ann waits under version 1, which does not have it."
    )
    assert found.waiting is not None
    assert (found.waiting.version, found.campaign.version) == (1, 2)


def test_the_deciding_version_is_the_one_of_that_moment() -> None:
    story = Recorded(document(audience={"attribute": "vip", "eq": True})).publish("c")
    story.happens("ann", "go").waits("1h").edit(document()).happens("ann", "go")
    found = story.explain("ann", "c")
    assert [one["decision"] for step in found.steps for one in step.decisions] == [
        "refuse",
        "enter",
        "send",
    ]


def test_after_an_erasure_nothing_from_before_is_told() -> None:
    story = excepted().happens("ann", "go").waits("1h").erases("ann").waits("3d")
    found = story.explain("ann", "c")
    assert [step.kind for step in found.steps] == ["published", "erased"]
    assert found.standing == "unknown_user"
    assert found.summary == "ann was erased on 1 Nov 11:00; nothing is known from before or since."
    again = story.happens("ann", "go").explain("ann", "c")
    assert [step.kind for step in again.steps] == ["published", "erased", "happened"]
    assert again.standing == "waiting"


def test_of_a_user_never_seen_nothing_is_known() -> None:
    found = Recorded(document()).publish("c").happens("bob", "go").explain("ann", "c")
    assert found.standing == "unknown_user"
    assert found.summary == (
        "Nothing is known of a user ann: there is no event and no profile in the log."
    )


def test_what_others_did_is_no_part_of_it() -> None:
    story = Recorded(document()).publish("c").happens("bob", "go").happens("ann", "look")
    assert sentences(story.explain("ann", "c")) == ["“The offer” was published, version 1."]


def test_a_change_of_the_profile_that_the_campaign_reads_is_a_step() -> None:
    audience = {"attribute": "country", "eq": "FR"}
    story = Recorded(document(audience=audience)).publish("c").knows("ann", country="FR", age=7)
    story.waits("1h").knows("ann", country="DE").knows("ann", age=8)
    story.happens("ann", "email_unsubscribe", campaign="c")
    lines = [line for step in story.explain("ann", "c").steps for line in step.lines]
    assert [line.sentence for line in lines] == [
        'The attribute country is now "FR", and was not set.',
        'The attribute country is now "DE", and was "FR".',
        "The subscription to email is now unsubscribed, and was subscribed.",
    ]
