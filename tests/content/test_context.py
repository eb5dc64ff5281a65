from typing import Any

from segue.clock import FixedClock
from segue.content.context import (
    CAMPAIGN_MEMBERS,
    RESERVED_NAMES,
    TRIGGER_MEMBERS,
    template_context,
)
from segue.content.liquid import Liquid
from segue.model.campaigns import Campaign, Delivery, Trigger
from segue.model.state import TriggerContext

CAMPAIGN = Campaign(slug="resend", name="Resend", delivery=Delivery(triggers=[Trigger(event="x")]))
TRIGGER = TriggerContext(
    name="email_click",
    time=1_793_527_200_000_000,
    event_id="e1",
    properties={"value": 5},
    campaign="spring-sale",
    interaction="email_click",
    alias="cta",
)


def context(**attributes: Any) -> dict[str, Any]:
    return template_context("u1", attributes, CAMPAIGN, "c-id", "A", TRIGGER, "s-id")


def fill(template: str, **attributes: Any) -> str:
    return Liquid(FixedClock()).render(template, context(**attributes), "sms.body")


def test_attributes_stand_at_the_top_and_under_custom_attribute() -> None:
    assert fill("{{ tier }} {{ custom_attribute.tier }}", tier="gold") == "gold gold"


def test_an_attribute_never_shadows_a_reserved_name() -> None:
    spoiled = context(**dict.fromkeys(RESERVED_NAMES, "spoiled"))
    assert spoiled["user_id"] == "u1"
    assert spoiled["campaign"]["slug"] == "resend"
    assert spoiled["trigger"]["alias"] == "cta"


def test_the_campaign_and_the_send_are_known() -> None:
    template = (
        "{{ campaign.${name} }}/{{ campaign.${api_id} }}/{{ campaign.${dispatch_id} }}/"
        "{{ campaign.${message_name} }}/{{ campaign.slug }}"
    )
    assert fill(template) == "Resend/c-id/s-id/A/resend"


def test_the_interaction_that_triggered_is_known() -> None:
    template = "{{ trigger.campaign }} {{ trigger.alias }} {{ trigger.time }}{{ trigger.button }}"
    assert fill(template) == "spring-sale cta 2026-11-01T10:00:00Z"


def test_event_properties_are_known() -> None:
    assert fill("{{event_properties.${value}}}{{api_trigger_properties.${value}}}") == "55"


def test_the_address_goes_by_the_commercial_originals_name_too() -> None:
    assert fill("{{${email_address}}}", email="a@b.test") == "a@b.test"


def test_the_listed_members_are_the_ones_there_are() -> None:
    assert set(context()["campaign"]) == CAMPAIGN_MEMBERS
    assert set(context()["trigger"]) == TRIGGER_MEMBERS
