"""Checks of conditions on values, and of an audience's tree of them."""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from msgspec import UNSET

from segue.model.filters import Comparison, Filter, PropertyCondition
from segue.model.instants import parse_duration, parse_instant
from segue.model.limits import FILTER_DEPTH_MAX
from segue.model.problems import Problem

_PATTERN_LENGTH_MAX: Final = 1_000
# A repeated group that itself repeats can take for ever on a short text.
_NESTED_REPEAT: Final = re.compile(r"[*+}]\)?[^()]*\)[*+{]|\([^()]*\|[^()]*\)[*+{]")
_BRANCHES: Final = ("all", "any", "not_", "attribute")


def check_audience(node: Filter | None, path: str, depth: int = 1) -> Iterator[Problem]:
    """Yield what is wrong with a filter tree."""
    if node is None:
        return
    if depth > FILTER_DEPTH_MAX:
        yield Problem(path, f"is nested deeper than {FILTER_DEPTH_MAX} levels")
        return
    written = [name for name in _BRANCHES if getattr(node, name) is not UNSET]
    if len(written) != 1:
        found = ", ".join(name.rstrip("_") for name in written) or "none"
        yield Problem(path, f"must be exactly one of all, any, not, attribute; it has {found}")
        return
    operators = node.operators()
    if written == ["attribute"]:
        yield from _check_operators(node, path)
    elif operators:
        yield Problem(path, f"{operators[0][0].rstrip('_')} needs an `attribute` beside it")
    for name in ("all", "any"):
        parts = getattr(node, name)
        if parts is UNSET:
            continue
        if not parts:
            yield Problem(f"{path}.{name}", "is empty; name at least one filter")
        for index, part in enumerate(parts):
            yield from check_audience(part, f"{path}.{name}[{index}]", depth + 1)
    if node.not_ is not UNSET:
        yield from check_audience(node.not_, f"{path}.not", depth + 1)


def check_where(where: Sequence[PropertyCondition], path: str) -> Iterator[Problem]:
    """Yield what is wrong with conditions on an event's properties."""
    for index, condition in enumerate(where):
        yield from _check_operators(condition, f"{path}[{index}]")


def _check_operators(comparison: Comparison, path: str) -> Iterator[Problem]:
    operators = comparison.operators()
    if not operators:
        yield Problem(path, "compares with nothing; add an operator such as eq, in or is_blank")
    for name, operand in operators:
        message = _fault_of_operand(name, operand)
        if message is not None:
            yield Problem(f"{path}.{name.rstrip('_')}", message)


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
