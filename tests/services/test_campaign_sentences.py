"""A campaign says in one sentence what it does."""

from typing import Any

import pytest

from segue.engine.checks import decode_campaign
from segue.engine.plan import EMPTY_PLAN
from segue.model.interactions import INTERACTIONS
from segue.services.campaign_sentences import campaign_sentence, sentence_text
from segue.services.explanations.interaction_words import INTERACTIONS_SAID
from segue.services.explanations.words import Words

WORDS = Words("a user", EMPTY_PLAN, 0, {"sale": "Spring sale"})
MAIL = {"email": {"subject": "Still there?", "text": "Hello"}}


def sentence(delivery: dict[str, Any], **more: Any) -> str:
    document = {"slug": "x", "name": "X", "delivery": delivery, "messages": [MAIL], **more}
    return sentence_text(campaign_sentence(decode_campaign(document), WORDS))


def did(interaction: str, **options: Any) -> dict[str, Any]:
    spec = {"campaign": "sale", "interaction": interaction, **options}
    return {"interact_with_campaign": spec}


def test_every_interaction_can_be_said() -> None:
    assert set(INTERACTIONS) == INTERACTIONS_SAID


def test_a_follower_with_everything_reads_as_one_would_tell_it() -> None:
    said = sentence(
        {
            "triggers": [did("email_receive")],
            "delay": {"after": "7d"},
            "exceptions": [did("email_open"), {"purchase": {}}],
            "window": {"start": "2026-11-01T00:00:00", "end": "2026-12-31T00:00:00"},
            "time_of_day": {"from": "09:00", "to": "20:00"},
        },
        audience={
            "all": [
                {"attribute": "country", "eq": "FR"},
                {"not": {"received": {"campaign": "sale", "channel": "sms"}}},
            ]
        },
        re_eligibility={"after": "30d"},
        control_percent=10,
        conversions=[{"purchase": {"product_id": "sku-1"}, "within": "3d"}],
    )
    assert said == (
        "When a user receives the email of “Spring sale”, wait 7 days; "
        "unless the user opens “Spring sale” or makes a purchase meanwhile, "
        "send an email “Still there?” to users of whom it holds that country is "
        '"FR" and that it does not hold that the user has received “Spring sale” by SMS, '
        "but nothing to a control group of 10 %, between 09:00 and 20:00 their time, "
        "from 2026-11-01 00:00 until 2026-12-31 00:00, again after 30 days at the earliest. "
        'It is a success if the user makes a purchase of "sku-1" within 3 days.'
    )


@pytest.mark.parametrize(
    ("delivery", "begins"),
    [
        ({"type": "api"}, "When a program asks for it, send"),
        (
            {"type": "scheduled", "schedule": {"at": "2026-12-01T09:00:00", "local": True}},
            "On 2026-12-01 09:00 (each user’s time), send",
        ),
        (
            {"type": "scheduled", "schedule": {"cron": "0 9 * * 1", "time_zone": "Europe/Paris"}},
            "At 09:00 on Monday (Europe/Paris), send",
        ),
        (
            {"triggers": [{"event": "seen"}, {"session_start": {}}, {"purchase": {}}]},
            'When a user does the event "seen", starts a session or makes a purchase, send',
        ),
        (
            {
                "triggers": [
                    {
                        "did_not": {
                            "campaign": "sale",
                            "interaction": "email_click",
                            "within": "7d",
                        }
                    }
                ]
            },
            "When a user does not click a link in “Spring sale” within 7 days, send",
        ),
        (
            {"triggers": [{"event": "seen"}], "delay": {"on_next": "tuesday", "at": "10:00"}},
            'When a user does the event "seen", wait for the next Tuesday at 10:00; send',
        ),
        (
            {"triggers": [{"event": "seen"}], "delay": {"in_days": 3, "at": "10:00"}},
            'When a user does the event "seen", wait until 10:00, 3 days later; send',
        ),
        (
            {"triggers": [did("push_button_click", button="claim", variant="B")]},
            'When a user clicks the button "claim" in the push notification of “Spring sale” '
            "(variant B), send",
        ),
        (
            {"triggers": [did("sms_receive", outcome="delivered", campaign={"tag": "shoes"})]},
            'When a user receives the SMS of a campaign tagged "shoes" (once delivered), send',
        ),
    ],
)
def test_what_starts_it_and_how_long_it_waits(delivery: dict[str, Any], begins: str) -> None:
    assert sentence(delivery).startswith(f"{begins} an email “Still there?” to everyone")


def test_variants_and_channels_are_told_with_what_they_say() -> None:
    variants = [
        {"name": "A", "percent": 60, "messages": [MAIL, {"push": {"title": "Hey"}}]},
        {"name": "B", "percent": 40, "messages": [{"sms": {"body": "x" * 100}}]},
    ]
    said = sentence({"triggers": [{"event": "seen"}]}, messages=[], variants=variants)
    assert (
        "send an email “Still there?” and a push “Hey” (A, 60 %) "
        f"or an SMS “{'x' * 59}…” (B, 40 %) to everyone, at most once."
    ) in said


def test_what_was_chosen_names_the_step_where_it_was_chosen() -> None:
    document = decode_campaign(
        {
            "slug": "x",
            "name": "X",
            "delivery": {"triggers": [{"event": "seen"}], "delay": {"after": "1d"}},
            "messages": [MAIL],
            "conversions": [{"session_start": {}}],
        }
    )
    steps = [one.step for one in campaign_sentence(document, WORDS) if one.step is not None]
    assert steps == ["delivery", "delivery", "message", "audience", "limits", "conversions"]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({}, "to everyone, at most once."),
        ({"subscription": "opted_in"}, "to everyone, if they opted in, at most once."),
        ({"subscription": "all"}, "to everyone, subscribed or not, at most once."),
        (
            {"subscription_group": "news", "subscription": "opted_in"},
            'to everyone, if they subscribed to "news" and opted in, at most once.',
        ),
    ],
)
def test_the_subscription_that_it_asks_for_is_said(asked: dict[str, Any], said: str) -> None:
    assert sentence({"triggers": [{"event": "go"}]}, **asked).endswith(said)
