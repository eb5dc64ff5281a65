"""Conditions on values, and the audience's tree of them (semantics.md 4).

An audience knows attributes; filters on what happened to a user join `Filter` here and
`segue.engine.audience`.
"""

from typing import Any

from msgspec import UNSET, Struct, UnsetType, field

Scalar = str | int | float | bool | None


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


class Filter(Comparison, frozen=True, kw_only=True):
    """A node of an audience: `all`, `any` or `not` of others, or a comparison on an attribute."""

    all: "list[Filter] | UnsetType" = UNSET
    any: "list[Filter] | UnsetType" = UNSET
    not_: "Filter | UnsetType" = field(default=UNSET, name="not")
    attribute: str | UnsetType = UNSET
