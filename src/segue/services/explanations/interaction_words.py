"""What a user does with a campaign, as a predicate: "opens “Spring sale”", "does not open it"."""

from typing import Final

from segue.model.filters import InteractionSpec, Tagged
from segue.services.explanations.words import Words

# How one says that a user does it, and that one is to do it; the campaign comes after. {what} is
# the link, button, page or conversion event that is asked for.
_VERBS: Final[dict[str, tuple[str, str, str]]] = {
    "in_app_message_view": ("sees", "see", "the in-app message of"),
    "in_app_message_click": ("clicks", "click", "the in-app message of"),
    "in_app_message_button_click": ("clicks", "click", "{what} in the in-app message of"),
    "email_click": ("clicks", "click", "a link in"),
    "email_alias_click": ("clicks", "click", "{what} in"),
    "email_open": ("opens", "open", ""),
    "email_machine_open": ("gets", "get", "a machine’s open of"),
    "email_other_open": ("opens", "open", ""),
    "push_direct_open": ("opens", "open", "the push notification of"),
    "push_button_click": ("clicks", "click", "{what} in the push notification of"),
    "push_story_page_click": ("clicks", "click", "{what} in the push story of"),
    "conversion": ("converts", "convert", "{what}from"),
    "email_receive": ("receives", "receive", "the email of"),
    "sms_receive": ("receives", "receive", "the SMS of"),
    "push_receive": ("receives", "receive", "the push notification of"),
    "webhook_receive": ("receives", "receive", "the webhook of"),
    "sms_short_link_click": ("follows", "follow", "a link in the SMS of"),
    "control_group_enroll": ("falls", "fall", "in the control group of"),
    "content_card_view": ("sees", "see", "the content card of"),
    "content_card_click": ("clicks", "click", "the content card of"),
    "content_card_dismiss": ("dismisses", "dismiss", "the content card of"),
    "alias_click": ("clicks", "click", "{what} in"),
    "exception_event": ("does", "do", "what is an exception of"),
}
# What is said where any will do.
_ANY: Final = {
    "in_app_message_button_click": "a button",
    "push_button_click": "a button",
    "push_story_page_click": "a page",
}
INTERACTIONS_SAID: Final = frozenset(_VERBS)


def does_words(spec: InteractionSpec, words: Words) -> str:
    """Return what a user does who does the interaction: "clicks the link "cta" in “Sale”"."""
    verb, _, rest = _VERBS[spec.interaction]
    return " ".join([verb, *_object_words(spec, rest, words)])


def does_not_words(spec: InteractionSpec, words: Words) -> str:
    """Return what a user does who leaves it: "does not open “Sale”"."""
    _, verb, rest = _VERBS[spec.interaction]
    return " ".join(["does not", verb, *_object_words(spec, rest, words)])


def _object_words(spec: InteractionSpec, rest: str, words: Words) -> list[str]:
    rest = rest.format(what=_what_words(spec, words))
    said = [rest, campaign_words(spec.campaign, words), *_option_words(spec)]
    return [one for one in said if one]


def campaign_words(campaign: str | Tagged, words: Words) -> str:
    """Return which campaigns are meant."""
    if isinstance(campaign, Tagged):
        return f"a campaign tagged {words.value(campaign.tag)}"
    return "any campaign" if campaign == "any" else words.campaign(campaign)


def _what_words(spec: InteractionSpec, words: Words) -> str:
    if spec.conversion_event is not None:
        return f"({spec.conversion_event}) "
    for kind, name in (("link", spec.alias), ("button", spec.button), ("page", spec.page)):
        if name is not None:
            return f"the {kind} {words.value(name)}"
    return _ANY.get(spec.interaction, "")


def _option_words(spec: InteractionSpec) -> list[str]:
    """Return the options that say of which acts it is."""
    options = [
        f"variant {spec.variant}" if spec.variant is not None else "",
        "once delivered" if spec.outcome == "delivered" else "",
        "not a button of it" if spec.body_only else "",
        "the control group too" if spec.include_control else "",
    ]
    said = ", ".join(one for one in options if one)
    return [f"({said})"] if said else []
