"""Comparisons of values with operators (semantics.md 4)."""

import operator
import re
from typing import Any

from segue.model.filters import Comparison, CountCondition, MomentCondition, PropertyCondition
from segue.model.instants import parse_duration, parse_instant

COMPARES = {
    "eq": operator.eq,
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}


def is_number(value: object) -> bool:
    """Say whether a value is a number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _equal(value: Any, operand: Any) -> bool:
    if is_number(value) and is_number(operand):
        return bool(value == operand)
    return type(value) is type(operand) and bool(value == operand)


def _contains(value: Any, operand: Any) -> bool:
    if isinstance(value, str):
        return isinstance(operand, str) and operand in value
    return isinstance(value, list) and any(_equal(member, operand) for member in value)


def _instant_holds(instant: int, name: str, operand: str, at: int, latest: int) -> bool:
    """Say whether a moment is before or after another, or in the last while up to the latest."""
    if name in ("before", "after"):
        bound = parse_instant(operand)
        return instant < bound if name == "before" else instant > bound
    is_in_last = at - parse_duration(operand) <= instant <= latest
    return is_in_last == (name == "in_last")


def _text_instant_holds(value: Any, name: str, operand: str, at: int) -> bool:
    try:
        instant = parse_instant(value)
    except (TypeError, ValueError):
        return False
    return _instant_holds(instant, name, operand, at, latest=at)


def _operator_holds(value: Any, name: str, operand: Any, at: int) -> bool:
    holds: bool
    # semantics.md 4: an unknown attribute is false; `is_blank` and `not` see it
    if name in ("is_blank", "is_not_blank"):
        is_blank = value is None or value == ""
        holds = (is_blank == operand) == (name == "is_blank")
    elif value is None:
        holds = False
    elif name in ("eq", "ne"):
        holds = _equal(value, operand) == (name == "eq")
    elif name in ("in_", "not_in"):
        holds = any(_equal(value, member) for member in operand) == (name == "in_")
    elif name in COMPARES:
        holds = is_number(value) and bool(COMPARES[name](value, operand))
    elif name in ("contains", "not_contains"):
        holds = _contains(value, operand) == (name == "contains")
    elif name == "matches":
        holds = isinstance(value, str) and re.search(operand, value) is not None
    else:
        holds = _text_instant_holds(value, name, operand, at)
    return holds


def comparison_holds(comparison: Comparison, value: Any, at: int) -> bool:
    """Say whether all the operators that are written hold for the value."""
    return all(
        _operator_holds(value, name, operand, at) for name, operand in comparison.operators()
    )


def look_up(values: dict[str, Any], name: str) -> Any:
    """Return the value of that full name; else `a.b` reaches into nested ones."""
    if name in values:
        return values[name]
    value: Any = values
    for part in name.split("."):
        if not isinstance(value, dict) or part not in value:
            return None
        value = value[part]
    return value


def where_holds(where: list[PropertyCondition], values: dict[str, Any], at: int) -> bool:
    """Say whether conditions on an event's properties hold."""
    return all(comparison_holds(each, look_up(values, each.property), at) for each in where)


def count_holds(condition: CountCondition | None, count: int) -> bool:
    """Say whether a count is what is asked for: at least one, unless it is written."""
    if condition is None:
        return count >= 1
    pairs = [(name, getattr(condition, name)) for name in COMPARES]
    return all(COMPARES[name](count, bound) for name, bound in pairs if isinstance(bound, int))


def moment_holds(condition: MomentCondition | None, moments: list[int], at: int) -> bool:
    """Say whether the first of the moments is when it should be; no moment never is.

    As `within` does, a while reaches back from `at`: what is known and happened later counts too.
    """
    if condition is None:
        return True
    pairs = [(name, getattr(condition, name)) for name in MomentCondition.__struct_fields__]
    return bool(moments) and all(
        _instant_holds(moments[0], name, operand, at, latest=moments[0])
        for name, operand in pairs
        if isinstance(operand, str)
    )
