"""What happened, as a clause: "ann opened “Spring sale”"."""

from typing import Final

from segue.engine.draft import Act
from segue.model.campaigns import CustomEvent, Happening, InteractWithCampaign
from segue.model.events import API_TRIGGER, PURCHASE, SCHEDULE, SESSION_START, Event
from segue.model.filters import PropertyCondition, Tagged
from segue.model.interactions import ACTS, INTERACTIONS
from segue.services.explanations.filter_words import operator_words
from segue.services.explanations.words import Words

# {campaign} is its name in quotes; {detail} what was clicked, where the event says it.
ACT_WORDS: Final[dict[str, str]] = {
    "in_app_message_view": "{user} saw the in-app message of {campaign}",
    "in_app_message_click": "{user} clicked {detail}in the in-app message of {campaign}",
    "email_open": "{user} opened {campaign}",
    "email_click": "{user} clicked {detail}in {campaign}",
    "push_direct_open": "{user} opened the push notification of {campaign}",
    "push_button_click": "{user} clicked {detail}in the push notification of {campaign}",
    "push_story_page_click": "{user} clicked {detail}in the push story of {campaign}",
    "conversion": "{user} converted from {campaign}{detail}",
    "email_receive": "{user} received {campaign} by email",
    "sms_receive": "{user} received {campaign} by SMS",
    "push_receive": "{user} received {campaign} by push notification",
    "webhook_receive": "the webhook of {campaign} was called for {user}",
    "sms_short_link_click": "{user} followed a link in the SMS of {campaign}",
    "control_group_enroll": "{user} fell in the control group of {campaign}",
    "content_card_view": "{user} saw the content card of {campaign}",
    "content_card_click": "{user} clicked {detail}in the content card of {campaign}",
    "content_card_dismiss": "{user} dismissed the content card of {campaign}",
    "exception_event": "an exception ended {user}'s wait for {campaign}",
    "email_bounce": "the email of {campaign} to {user} bounced",
    "email_spam_report": "{user} reported {campaign} as spam",
    "email_unsubscribe": "{user} unsubscribed from email by {campaign}",
    "sms_bounce": "the SMS of {campaign} could not reach {user}'s number, now or ever",
    "sms_undelivered": "the SMS of {campaign} was not delivered to {user}",
    "sms_unsubscribe": "{user} unsubscribed from SMS by answering {campaign}",
    "email_delivered": "the email of {campaign} was delivered to {user}",
    "sms_delivered": "the SMS of {campaign} was delivered to {user}",
    "push_delivered": "the push notification of {campaign} was delivered to {user}",
}


def act_clause(act: Act, words: Words) -> str:
    """Return what happened, without when."""
    event, user = act.event, words.user
    if event.name in ACTS:
        clause = _interaction(event, words)
        return f"{clause}, as one of the control group" if act.is_of_control else clause
    clauses = {
        PURCHASE: f"{user} bought {words.value(event.product_id)}{_price(event)}",
        SESSION_START: f"{user} started a session",
        API_TRIGGER: f"a program asked for it to be sent to {user}",
        SCHEDULE: f"its schedule came to {user}",
    }
    return clauses.get(event.name) or f"{user} did {words.value(event.name)}"


def _interaction(event: Event, words: Words) -> str:
    campaign = words.campaign(event.campaign)
    if event.name == "email_open" and event.machine:
        return f"a machine opened {campaign} for {words.user}"
    if event.name == "conversion":
        detail = f" ({event.conversion_event})" if event.conversion_event else ""
    elif event.name == "email_unsubscribe" and event.subscription_group is not None:
        group = words.value(event.subscription_group)
        return f"{words.user} left the group {group} by {campaign}"
    else:
        detail = _clicked(event, words)
    return ACT_WORDS[event.name].format(user=words.user, campaign=campaign, detail=detail)


def _clicked(event: Event, words: Words) -> str:
    for kind, name in (("link", event.alias), ("button", event.button), ("page", event.page)):
        if name is not None:
            return f"the {kind} {words.value(name)} "
    return ""


def _price(event: Event) -> str:
    if event.price is None:
        return ""
    return f" for {event.price:g} {event.currency or ''}".rstrip()


def happening_words(happening: Happening, words: Words) -> str:
    """Return what a campaign listens to, such as "the event "added_to_cart"", with conditions."""
    spec, event, purchase = happening.interact_with_campaign, happening.event, happening.purchase
    where: list[PropertyCondition] = []
    if spec is not None:
        return _interaction_words(spec, words)
    if isinstance(event, CustomEvent):
        said, where = f"the event {words.value(event.name)}", event.where
    elif event is not None:
        said = f"the event {words.value(event)}"
    elif purchase is not None:
        product = purchase.product_id
        said = f"a purchase of {words.value(product)}" if product is not None else "a purchase"
        where = purchase.where
    else:
        said = "the start of a session"
    asked = " and ".join(
        f"{one.property} {operator_words(name.rstrip('_'), wanted, words)}"
        for one in where
        for name, wanted in one.operators()
    )
    return f"{said} ({asked})" if asked else said


def _interaction_words(spec: InteractWithCampaign, words: Words) -> str:
    label = INTERACTIONS[spec.interaction].label
    if isinstance(spec.campaign, Tagged):
        campaign = f"a campaign tagged {words.value(spec.campaign.tag)}"
    else:
        campaign = "any campaign" if spec.campaign == "any" else words.campaign(spec.campaign)
    options = [
        f"{name.replace('_', ' ')} {words.value(wanted)}"
        for name in ("alias", "button", "page", "conversion_event", "variant")
        if (wanted := getattr(spec, name)) is not None
    ]
    return f"“{label}” of {campaign}" + (f" ({', '.join(options)})" if options else "")
