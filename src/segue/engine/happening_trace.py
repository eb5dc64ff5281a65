"""Why an act is, or is not, what a trigger, exception or conversion names.

The act has the happening's key already (an event's name, or an act and its campaign); here is
what `Binding.test` leaves unsaid: each condition with the value it wanted and the one it found.
"""

from segue.engine.matching import properties_of
from segue.engine.value_trace import compared
from segue.engine.values import lookup
from segue.model.campaigns import CustomEvent, Happening, InteractWithCampaign, Purchase
from segue.model.events import Event
from segue.model.filters import PropertyCondition
from segue.model.interactions import INTERACTIONS
from segue.model.traces import Condition


def conditions_of(
    happening: Happening, event: Event, at: int, variant: str | None, is_control: bool
) -> list[Condition]:
    """Return what the happening asks of an event that has its key.

    `variant` is the one the act was done with; `is_control` says that it stems from the control
    group. All conditions hold exactly where the act is bound (`segue.engine.hearing`).
    """
    spec = happening.interact_with_campaign
    conditions: list[Condition] = []
    if is_control:
        includes_control = spec is not None and spec.include_control
        conditions.append(
            Condition("include_control", "eq", True, includes_control, includes_control)
        )
    match happening.event, happening.purchase:
        case CustomEvent() as written, _:
            conditions += _where(written.where, event, at)
        case _, Purchase() as bought:
            conditions += _purchase(bought, event, at)
    if spec is not None:
        if spec.variant is not None:
            conditions.append(_same("variant", spec.variant, variant))
        conditions += _reading(spec, event)
    return conditions


def _purchase(bought: Purchase, event: Event, at: int) -> list[Condition]:
    product = [_same("product_id", bought.product_id, event.product_id)]
    return [*(product if bought.product_id is not None else []), *_where(bought.where, event, at)]


def _where(where: list[PropertyCondition], event: Event, at: int) -> list[Condition]:
    properties = properties_of(event)
    return [
        condition
        for one in where
        for condition in compared(one.property, one, lookup(properties, one.property), at)
    ]


def _reading(spec: InteractWithCampaign, event: Event) -> list[Condition]:
    """Return what makes an act count as this interaction (the table in semantics.md 2)."""
    reading = INTERACTIONS[spec.interaction].reading
    match reading:
        case "machine" | "person":
            opener = "machine" if event.machine is True else "person"
            return [_same("opened_by", reading, opener)]
        case "button" if spec.button is None:
            is_button = event.button is not None
            return [Condition("button", "is_not_blank", True, event.button, is_button)]
        case _ if spec.body_only:
            return [Condition("button", "is_blank", True, event.button, event.button is None)]
    for option in ("alias", "button", "page", "conversion_event"):
        wanted = getattr(spec, option)
        if wanted is not None:
            return [_same(option, wanted, getattr(event, option))]
    return []


def _same(subject: str, wanted: object, found: object) -> Condition:
    return Condition(subject, "eq", wanted, found, wanted == found)
