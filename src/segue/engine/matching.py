"""Does this event satisfy this trigger, exception or conversion?

A happening is bound to the keys it listens to: an event's name, or an act and the campaign it
was done with. What the key does not settle is left to a test on the event.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from msgspec import Struct

from segue.engine.values import Predicate, compile_comparison, lookup
from segue.model.campaigns import (
    Campaign,
    CustomEvent,
    Happening,
    InteractWithCampaign,
)
from segue.model.events import PURCHASE, SESSION_START, Event
from segue.model.filters import PropertyCondition, Tagged
from segue.model.interactions import ACTS, DELIVERED_ACTS, INTERACTIONS, Interaction

# (event, T) -> holds; None stands for always.
EventTest = Callable[[Event, int], bool] | None
# An event's name alone, or an act's name and the slug of the campaign.
Key = str | tuple[str, str]


class Binding(Struct, frozen=True):
    """One key that a happening listens to, and what else must hold."""

    key: Key
    test: EventTest = None
    variant: str | None = None
    include_control: bool = False
    is_receipt: bool = False  # only the act by which the user received the campaign


def key_of(event: Event) -> Key:
    """Return the one key that an event has."""
    return event.name if event.name not in ACTS else (event.name, event.campaign or "")


def bindings_of(happening: Happening, targets: Mapping[str, "Target"]) -> list[Binding]:
    """Return what to listen to; `targets` are the campaigns an interaction may be with, by slug."""
    if isinstance(happening.event, str):
        return [Binding(happening.event)]
    if isinstance(happening.event, CustomEvent):
        return [Binding(happening.event.name, event_test(happening.event.where))]
    if happening.purchase is not None:
        return [
            Binding(
                PURCHASE, purchase_test(happening.purchase.product_id, happening.purchase.where)
            )
        ]
    if happening.session_start is not None:
        return [Binding(SESSION_START)]
    if happening.interact_with_campaign is not None:
        return _interaction_bindings(happening.interact_with_campaign, targets)
    return []


class Target(Struct, frozen=True):
    """As much of a published campaign as a reference to it needs."""

    slug: str
    id: str
    document: Campaign


def _interaction_bindings(
    spec: InteractWithCampaign, targets: Mapping[str, Target]
) -> list[Binding]:
    interaction = INTERACTIONS[spec.interaction]
    act = interaction.act
    if spec.outcome == "delivered":
        act = DELIVERED_ACTS[act]
    test = _reading_test(interaction, spec)
    return [
        Binding((act, slug), test, spec.variant, spec.include_control)
        for slug in resolve(spec.campaign, targets)
    ]


def resolve(reference: str | Tagged, targets: Mapping[str, Target]) -> Iterable[str]:
    """Return the slugs that a reference to campaigns means."""
    if isinstance(reference, Tagged):
        tag = reference.tag
        return [slug for slug, target in targets.items() if tag in target.document.tags]
    if reference in targets:
        return [reference]
    if reference == "any":
        return list(targets)
    return [slug for slug, target in targets.items() if target.id == reference]


def _reading_test(interaction: Interaction, spec: InteractWithCampaign) -> EventTest:
    """Return what makes an act count as this interaction (the table in semantics.md 2)."""
    match interaction.reading:
        case "machine":
            return lambda event, _at: event.machine is True
        case "person":
            return lambda event, _at: event.machine is not True
        case "button" if spec.button is None:
            return lambda event, _at: event.button is not None
        case _ if spec.body_only:
            return lambda event, _at: event.button is None
    return _option_test(spec)


def _option_test(spec: InteractWithCampaign) -> EventTest:
    for option in ("alias", "button", "page", "conversion_event"):
        wanted = getattr(spec, option)
        if wanted is not None:
            return _field_test(option, wanted)
    return None


def _field_test(field: str, wanted: str) -> EventTest:
    return lambda event, _at: getattr(event, field) == wanted


def purchase_test(product_id: str | None, where: list[PropertyCondition]) -> EventTest:
    """Return what makes a purchase one of a product, with conditions on its properties."""
    conditions = event_test(where)
    if product_id is None:
        return conditions
    if conditions is None:
        return lambda event, _at: event.product_id == product_id
    return lambda event, at: event.product_id == product_id and conditions(event, at)


def event_test(where: list[PropertyCondition]) -> EventTest:
    """Return what an event's properties must satisfy."""
    if not where:
        return None
    tests: list[tuple[str, Predicate]] = [
        (condition.property, compile_comparison(condition)) for condition in where
    ]

    def holds(event: Event, at: int) -> bool:
        properties = properties_of(event)
        return all(test(lookup(properties, path), at) for path, test in tests)

    return holds


def properties_of(event: Event) -> dict[str, Any] | None:
    """Return an event's properties; those of a purchase include its product, price and so on."""
    if event.name != PURCHASE:
        return event.properties
    purchase = {
        name: value
        for name in ("product_id", "price", "currency", "quantity")
        if (value := getattr(event, name)) is not None
    }
    return {**(event.properties or {}), **purchase}
