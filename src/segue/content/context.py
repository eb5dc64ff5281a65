"""What a template may see of the user, the campaign and what started the send."""

from collections.abc import Mapping
from typing import Any, Final

from segue.model.campaigns import Campaign
from segue.model.instants import format_instant
from segue.model.state import TriggerContext

# Names that mean the same in every template; an attribute of that name stays reachable
# through `custom_attribute`.
RESERVED_NAMES: Final = frozenset(
    (
        "api_trigger_properties",
        "campaign",
        "custom_attribute",
        "event_properties",
        "preferences_url",
        "set_user_to_unsubscribed_url",
        "trigger",
        "trigger_properties",
        "unsubscribe_url",
        "user_id",
    )
)
CAMPAIGN_MEMBERS: Final = frozenset(("api_id", "dispatch_id", "message_name", "name", "slug"))
TRIGGER_MEMBERS: Final = frozenset(
    (
        "alias",
        "button",
        "campaign",
        "conversion_event",
        "interaction",
        "link",
        "name",
        "page",
        "time",
        "variant",
    )
)


def template_context(
    user_id: str,
    attributes: Mapping[str, Any],
    campaign: Campaign,
    campaign_id: str,
    variant: str,
    trigger: TriggerContext,
    send_id: str,
) -> dict[str, Any]:
    """Return the variables of a message's templates (interface.md, channel-facts.md 4.2)."""
    properties = trigger.properties or {}
    return {
        # The commercial original's names for two attributes of ours.
        "email_address": attributes.get("email"),
        "phone_number": attributes.get("phone"),
        **attributes,
        "custom_attribute": attributes,
        "user_id": user_id,
        "campaign": {
            "name": campaign.name,
            "slug": campaign.slug,
            "api_id": campaign_id,
            "dispatch_id": send_id,
            "message_name": variant,
        },
        # What started the send brought these: an event, or a program's call.
        "event_properties": properties,
        "trigger_properties": properties,
        "api_trigger_properties": properties,
        "trigger": _describe(trigger),
    }


def _describe(trigger: TriggerContext) -> dict[str, Any]:
    return {
        "name": trigger.name,
        "time": format_instant(trigger.time),
        "campaign": trigger.campaign,
        "interaction": trigger.interaction,
        "variant": trigger.variant,
        "link": trigger.link,
        "alias": trigger.alias,
        "button": trigger.button,
        "page": trigger.page,
        "conversion_event": trigger.conversion_event,
    }
