"""Can a campaign produce what another one waits for? Every interaction, with and without."""

from typing import Any

import pytest
from tests.support.documents import campaign, did_not, email, follower, interaction, push

from segue.engine.checks import decode_campaign
from segue.engine.reference_checks import References, check_references
from segue.engine.target_checks import KnownCampaign
from segue.model.interactions import INTERACTIONS

SPEC = "delivery.triggers[0].interact_with_campaign"
LINK = '<a href="https://shop.test" data-alias="cta">Go</a>'
BUTTONS = [{"id": "claim", "text": "Claim"}]
PAGES = [{"id": "one", "image_url": "https://shop.test/1.png"}]
EMAIL, PUSH = email(html=LINK), push()
IN_APP = {"in_app_message": {"body": "Hi"}}
CARD, SMS = {"content_card": {"title": "Hi"}}, {"sms": {"body": "Hi https://shop.test"}}
WEBHOOK = {"webhook": {"url": "https://shop.test"}}
DELAYED = {"triggers": [{"event": "x"}], "delay": {"after": "1d"}, "exceptions": [{"event": "y"}]}

# What a target needs, a target that lacks just that, and why it then never happens.
WITH_BUTTONS = {"in_app_message": {"body": "Hi", "buttons": BUTTONS}}
CASES: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "in_app_message_view": ({"messages": [IN_APP]}, {"messages": [PUSH]}, "no in_app_message"),
    "in_app_message_click": ({"messages": [IN_APP]}, {"messages": [PUSH]}, "no in_app_message"),
    "in_app_message_button_click": (
        {"messages": [WITH_BUTTONS]},
        {"messages": [IN_APP, push(buttons=BUTTONS)]},
        "the in_app_message message of sale has no buttons",
    ),
    "email_click": ({"messages": [EMAIL]}, {"messages": [SMS]}, "no email message"),
    "email_alias_click": ({"messages": [EMAIL]}, {"messages": [SMS]}, "no email message"),
    "email_open": ({"messages": [EMAIL]}, {"messages": [SMS]}, "no email message"),
    "email_machine_open": ({"messages": [EMAIL]}, {"messages": [SMS]}, "no email message"),
    "email_other_open": ({"messages": [EMAIL]}, {"messages": [SMS]}, "no email message"),
    "push_direct_open": ({"messages": [PUSH]}, {"messages": [EMAIL]}, "no push message"),
    "push_button_click": (
        {"messages": [push(buttons=BUTTONS)]},
        {"messages": [PUSH, WITH_BUTTONS]},
        "the push message of sale has no buttons",
    ),
    "push_story_page_click": (
        {"messages": [push(pages=PAGES)]},
        {"messages": [PUSH]},
        "the push message of sale has no pages",
    ),
    "conversion": (
        {"conversions": [{"purchase": {}}]},
        {},
        "sale has no conversion events",
    ),
    "email_receive": ({"messages": [EMAIL]}, {"messages": [PUSH]}, "no email message"),
    "sms_receive": ({"messages": [SMS]}, {"messages": [EMAIL]}, "no sms message"),
    "push_receive": ({"messages": [PUSH]}, {"messages": [EMAIL]}, "no push message"),
    "webhook_receive": ({"messages": [WEBHOOK]}, {"messages": [EMAIL]}, "no webhook message"),
    "sms_short_link_click": ({"messages": [SMS]}, {"messages": [EMAIL]}, "no sms message"),
    "control_group_enroll": ({"control_percent": 10}, {}, "sale has no control group"),
    "content_card_view": ({"messages": [CARD]}, {"messages": [IN_APP]}, "no content_card message"),
    "content_card_click": ({"messages": [CARD]}, {"messages": [IN_APP]}, "no content_card message"),
    "content_card_dismiss": (
        {"messages": [CARD]},
        {"messages": [IN_APP]},
        "no content_card message",
    ),
    "alias_click": (
        {"messages": [EMAIL]},
        {"messages": [SMS]},
        "sale has no email message, so alias_click can never happen",
    ),
    "exception_event": ({"delivery": DELAYED}, {}, "sale has no exceptions"),
}


def published(*triggers: dict[str, Any], **target: Any) -> References:
    """Return what publishing a follower of `sale` meets."""
    sale = decode_campaign(follower("sale", **{"messages": [EMAIL], **target}))
    known = {"sale": KnownCampaign("sale", "id-of-sale", "active", sale)}
    return check_references(decode_campaign(follower("resend", *triggers)), known)


def asked(name: str, **options: Any) -> dict[str, Any]:
    required = dict.fromkeys(INTERACTIONS[name].required, "cta")
    return interaction(name, "sale", **required, **options)


def test_the_table_has_every_interaction() -> None:
    assert CASES.keys() == INTERACTIONS.keys()


@pytest.mark.parametrize("name", CASES)
def test_an_interaction_that_the_target_can_produce_is_no_problem(name: str) -> None:
    found = published(asked(name), **CASES[name][0])
    assert (found.errors, found.warnings) == ([], [])


@pytest.mark.parametrize("name", CASES)
def test_an_interaction_that_the_target_cannot_produce_is_refused_with_why(name: str) -> None:
    _, without, why = CASES[name]
    [problem] = published(asked(name), **without).errors
    assert problem.path == f"{SPEC}.interaction"
    assert why in problem.message


@pytest.mark.parametrize(
    ("name", "target", "sentence"),
    [
        ("push_button_click", [push(buttons=BUTTONS)], 'no button "clam"; did you mean "claim"?'),
        ("in_app_message_button_click", [WITH_BUTTONS], 'no button "clam"; did you mean "claim"?'),
        ("push_story_page_click", [push(pages=PAGES)], 'no page "clam"; there are: one'),
    ],
)
def test_a_button_or_page_that_is_not_there_is_refused(
    name: str, target: list[Any], sentence: str
) -> None:
    option = INTERACTIONS[name].options[0]
    [problem] = published(asked(name, **{option: "clam"}), messages=target).errors
    assert problem.path == f"{SPEC}.{option}"
    assert sentence in problem.message


VARIANTS = [
    {"name": "Mail", "percent": 50, "messages": [EMAIL]},
    {"name": "App", "percent": 50, "messages": [push(buttons=BUTTONS)]},
]


def test_what_only_another_variant_can_produce_is_refused() -> None:
    target = {"variants": VARIANTS, "messages": []}
    assert published(asked("push_button_click", variant="App"), **target).errors == []
    [problem] = published(asked("push_button_click", variant="Mail"), **target).errors
    assert problem.message.startswith("variant Mail of sale has no push message")
    [problem] = published(asked("email_open", variant="Male"), **target).errors
    assert 'sale has no variant "Male"; did you mean "Mail"?' in problem.message


def test_a_control_group_has_no_variant() -> None:
    enrolled = asked("control_group_enroll", variant="A")
    [problem] = published(enrolled, control_percent=10).errors
    assert problem.path == f"{SPEC}.variant"


def test_a_did_not_is_an_exception_of_its_campaign() -> None:
    waits = {"triggers": [did_not("email_open", "other")]}
    assert published(asked("exception_event"), delivery=waits).errors == []


@pytest.mark.parametrize(
    ("name", "message", "sentence"),
    [
        ("email_other_open", email(), "no email of sale tracks opens"),
        ("email_open", email(html=LINK, track_opens=False), "no email of sale tracks opens"),
        ("email_click", email(), "no email of sale tracks clicks"),
        ("alias_click", email(html=LINK, track_clicks=False), "no email of sale tracks clicks"),
        (
            "sms_short_link_click",
            {"sms": {"body": "Hi", "shorten_links": False}},
            "no SMS of sale shortens its links",
        ),
    ],
)
def test_what_nothing_tracks_is_a_warning(name: str, message: Any, sentence: str) -> None:
    """Not an error: another system may report it by the API."""
    found = published(asked(name), messages=[message])
    assert found.errors == []
    [problem] = found.warnings
    assert problem.path == f"{SPEC}.interaction"
    assert sentence in problem.message


def test_a_filter_is_held_against_its_target_too() -> None:
    sale = decode_campaign(follower("sale", messages=[SMS]))
    known = {"sale": KnownCampaign("sale", "id-of-sale", "archived", sale)}
    asks = {"interact_with_campaign": {"campaign": "sale", "interaction": "email_open"}}
    document = decode_campaign(campaign(delivery={"triggers": [{"event": "x"}]}, audience=asks))
    [problem] = check_references(document, known).errors  # and not that it is archived
    assert problem.path == "audience.interact_with_campaign.interaction"
