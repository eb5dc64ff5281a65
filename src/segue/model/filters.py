"""Conditions on values, and the audience's tree of filters (semantics.md 4)."""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from segue.model.channels import Channel
from segue.model.limits import COUNTED_MAX
from segue.model.scalars import Duration, Slug, Text

Scalar = str | int | float | bool | None
Count = Annotated[int, Meta(ge=0, le=COUNTED_MAX)]
SubscriptionState = Literal["opted_in", "subscribed", "unsubscribed"]


class Tagged(Struct, frozen=True, forbid_unknown_fields=True):
    """Every campaign that bears a tag."""

    tag: Text


class Comparison(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A value against one or more operators; all of those written must hold.

    `before` and `after` take instants, `in_last` and `not_in_last` durations up to now,
    `matches` a regular expression, `contains` a part of a text or a member of a list.
    """

    eq: Scalar | UnsetType = UNSET
    ne: Scalar | UnsetType = UNSET
    in_: list[Scalar] | UnsetType = field(default=UNSET, name="in")
    not_in: list[Scalar] | UnsetType = UNSET
    gt: float | UnsetType = UNSET
    gte: float | UnsetType = UNSET
    lt: float | UnsetType = UNSET
    lte: float | UnsetType = UNSET
    contains: Scalar | UnsetType = UNSET
    not_contains: Scalar | UnsetType = UNSET
    matches: str | UnsetType = UNSET
    before: str | UnsetType = UNSET
    after: str | UnsetType = UNSET
    in_last: str | UnsetType = UNSET
    not_in_last: str | UnsetType = UNSET
    is_blank: bool | UnsetType = UNSET
    is_not_blank: bool | UnsetType = UNSET

    def operators(self) -> list[tuple[str, Any]]:
        """Return the operators that are written, with their operands."""
        pairs = ((name, getattr(self, name)) for name in OPERATORS)
        return [(name, operand) for name, operand in pairs if operand is not UNSET]


OPERATORS = tuple(Comparison.__struct_fields__)


class PropertyCondition(Comparison, frozen=True, kw_only=True):
    """A comparison on one property of an event; `a.b` reaches into a nested one."""

    property: str


class CountCondition(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How often something happened; all that is written must hold."""

    eq: Count | UnsetType = UNSET
    gt: Count | UnsetType = UNSET
    gte: Count | UnsetType = UNSET
    lt: Count | UnsetType = UNSET
    lte: Count | UnsetType = UNSET


class MomentCondition(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """When something happened, as `before`, `after`, `in_last`, `not_in_last` of `Comparison`."""

    before: str | UnsetType = UNSET
    after: str | UnsetType = UNSET
    in_last: str | UnsetType = UNSET
    not_in_last: str | UnsetType = UNSET


class _Past(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """How often (at least once, unless `count` says otherwise), in what time, first and last."""

    count: CountCondition | None = None
    within: Duration | None = None
    first: MomentCondition | None = None
    last: MomentCondition | None = None


class PastEvent(_Past, frozen=True, kw_only=True):
    """Custom events of a name that happened to the user."""

    name: Text
    where: list[PropertyCondition] = field(default_factory=list)


class PastPurchase(_Past, frozen=True, kw_only=True):
    """Purchases, of any or of one product."""

    product_id: Text | None = None
    where: list[PropertyCondition] = field(default_factory=list)


class PastSession(_Past, frozen=True, kw_only=True):
    """Sessions of the user."""


class Retargeting(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a user had to do with campaigns: by channel, variant, alias, in the last `within`."""

    campaign: str | Tagged = "any"
    channel: Channel | None = None
    alias: str | None = None
    variant: str | None = None
    within: Duration | None = None


class InteractionSpec(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Which interaction, with which campaigns (a slug, an id, a tag or "any"), and its options."""

    interaction: str
    campaign: str | Tagged = "any"
    variant: str | None = None
    alias: str | None = None
    button: str | None = None
    page: str | None = None
    conversion_event: Literal["A", "B", "C", "D"] | None = None
    body_only: bool = False
    outcome: Literal["delivered"] | None = None
    include_control: bool = False


class PastInteraction(InteractionSpec, frozen=True):
    """An interaction that the user did, with the options that a trigger on it takes."""

    within: Duration | None = None


class Filter(Comparison, frozen=True, kw_only=True):
    """A node of an audience: exactly one of the fields below; operators stand by `attribute`."""

    all: "list[Filter] | UnsetType" = UNSET
    any: "list[Filter] | UnsetType" = UNSET
    not_: "Filter | UnsetType" = field(default=UNSET, name="not")
    attribute: str | UnsetType = UNSET
    event: str | PastEvent | UnsetType = UNSET
    purchase: PastPurchase | UnsetType = UNSET
    session: PastSession | UnsetType = UNSET
    received: Retargeting | UnsetType = UNSET
    opened: Retargeting | UnsetType = UNSET
    clicked: Retargeting | UnsetType = UNSET
    converted: Retargeting | UnsetType = UNSET
    in_control: Retargeting | UnsetType = UNSET
    interact_with_campaign: PastInteraction | UnsetType = UNSET
    segment: Slug | UnsetType = UNSET
    # by channel or subscription group
    subscription: dict[str, SubscriptionState] | UnsetType = UNSET
    reachable: Channel | UnsetType = UNSET

    def kinds(self) -> list[str]:
        """Return the kinds that are written; a good filter has one."""
        return [name for name in KINDS if getattr(self, name) is not UNSET]


KINDS = tuple(name for name in Filter.__struct_fields__ if name not in OPERATORS)
