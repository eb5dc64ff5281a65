"""Checks of conditions on values and moments."""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from msgspec import UNSET

from segue.model.filters import Comparison, MomentCondition, PropertyCondition
from segue.model.instants import parse_duration, parse_instant
from segue.model.problems import Problem

_PATTERN_LENGTH_MAX: Final = 1_000
# A repeated group that itself repeats can take for ever on a short text.
_NESTED_REPEAT: Final = re.compile(r"[*+}]\)?[^()]*\)[*+{]|\([^()]*\|[^()]*\)[*+{]")


def check_where(where: Sequence[PropertyCondition], path: str) -> Iterator[Problem]:
    """Yield what is wrong with conditions on an event's properties."""
    for index, condition in enumerate(where):
        yield from check_operators(condition, f"{path}[{index}]")


def check_operators(comparison: Comparison, path: str) -> Iterator[Problem]:
    """Yield what is wrong with a comparison's operators, of which there must be one."""
    operators = comparison.operators()
    if not operators:
        yield Problem(path, "compares with nothing; add an operator such as eq, in or is_blank")
    for name, operand in operators:
        message = _fault_of_operand(name, operand)
        if message is not None:
            yield Problem(f"{path}.{name.rstrip('_')}", message)


def check_moment(condition: MomentCondition, path: str) -> Iterator[Problem]:
    """Yield what is wrong with a condition on when something happened."""
    written = [
        (name, operand)
        for name in MomentCondition.__struct_fields__
        if (operand := getattr(condition, name)) is not UNSET
    ]
    if not written:
        names = ", ".join(MomentCondition.__struct_fields__)
        yield Problem(path, f"compares with nothing; add one of {names}")
    for name, operand in written:
        message = _fault_of_operand(name, operand)
        if message is not None:
            yield Problem(f"{path}.{name}", message)


def _fault_of_operand(name: str, operand: Any) -> str | None:
    try:
        match name:
            case "matches":
                return _fault_of_pattern(operand)
            case "before" | "after":
                parse_instant(operand)
            case "in_last" | "not_in_last":
                parse_duration(operand)
    except ValueError as error:
        return str(error)
    return None


def _fault_of_pattern(pattern: str) -> str | None:
    if len(pattern) > _PATTERN_LENGTH_MAX:
        return f"is longer than {_PATTERN_LENGTH_MAX} characters"
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        return f"{pattern!r} is no regular expression: {error}"
    if _NESTED_REPEAT.search(pattern):
        return f"{pattern!r} repeats a group that repeats, which can take for ever; simplify it"
    return None
