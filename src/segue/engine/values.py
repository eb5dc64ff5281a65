"""Operators on attributes and event properties (semantics.md 4), compiled to predicates.

An unknown value (missing or null) makes every operator false but `is_blank`; types are strict:
a number is never a text, and true is never 1.
"""

import operator
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from msgspec import UNSET

from segue.model.filters import Comparison, MomentCondition
from segue.model.instants import from_datetime, parse_duration, parse_instant

# (value, instant) -> holds. The instant is T: what "in the last 3 days" counts back from.
Predicate = Callable[[Any, int], bool]


def compile_comparison(comparison: Comparison) -> Predicate:
    """Return one predicate for all operators of `comparison`."""
    tests = [compile_operator(name, operand) for name, operand in comparison.operators()]
    if len(tests) == 1:
        return tests[0]
    return lambda value, at: all(test(value, at) for test in tests)


def compile_moment(condition: MomentCondition) -> Callable[[int, int], bool]:
    """Return whether an instant satisfies a condition at T."""
    tests: list[Callable[[int, int], bool]] = []
    if condition.before is not UNSET:
        tests.append(_is_before(parse_instant(condition.before)))
    if condition.after is not UNSET:
        tests.append(_is_after(parse_instant(condition.after)))
    if condition.in_last is not UNSET:
        tests.append(_is_in_last(parse_duration(condition.in_last), wants_inside=True))
    if condition.not_in_last is not UNSET:
        tests.append(_is_in_last(parse_duration(condition.not_in_last), wants_inside=False))
    return lambda instant, at: all(test(instant, at) for test in tests)


def _is_before(bound: int) -> Callable[[int, int], bool]:
    return lambda instant, _at: instant < bound


def _is_after(bound: int) -> Callable[[int, int], bool]:
    return lambda instant, _at: instant > bound


def _is_in_last(span: int, wants_inside: bool) -> Callable[[int, int], bool]:
    return lambda instant, at: (at - span <= instant) == wants_inside


def lookup(values: Mapping[str, Any] | None, path: str) -> Any:
    """Return the value at `path`; "a.b" reaches into a nested object unless "a.b" is a name."""
    if values is None:
        return None
    if path in values or "." not in path:
        return values.get(path)
    found: Any = values
    for part in path.split("."):
        if not isinstance(found, Mapping):
            return None
        found = found.get(part)
    return found


def compile_operator(name: str, operand: Any) -> Predicate:
    """Return the predicate of one operator, by the name of its field."""
    if name in _BLANKNESS:
        wants_blank = _BLANKNESS[name] == operand
        return lambda value, _at: (value is None or value == "") == wants_blank
    test = _OPERATORS[name](operand)
    return lambda value, at: value is not None and test(value, at)


_BLANKNESS = {"is_blank": True, "is_not_blank": False}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _same(value: Any, operand: Any) -> bool:
    if _is_number(value) and _is_number(operand):
        return bool(value == operand)
    return type(value) is type(operand) and bool(value == operand)


def _ordering(compare: Callable[[Any, Any], bool]) -> Callable[[Any], Predicate]:
    return lambda operand: lambda value, _at: _is_number(value) and compare(value, operand)


def _contains(value: Any, operand: Any) -> bool:
    if isinstance(value, str):
        return isinstance(operand, str) and operand in value
    return isinstance(value, list) and any(_same(item, operand) for item in value)


def _matches(operand: str) -> Predicate:
    pattern = re.compile(operand)
    return lambda value, _at: isinstance(value, str) and pattern.search(value) is not None


def _instant(value: Any) -> int | None:
    if isinstance(value, datetime):
        return from_datetime(value)
    if isinstance(value, str):
        try:
            return parse_instant(value)
        except ValueError:
            return None
    return None


def _moment(compare: Callable[[Any, Any], bool]) -> Callable[[str], Predicate]:
    def compile_one(operand: str) -> Predicate:
        bound = parse_instant(operand)

        def test(value: Any, _at: int) -> bool:
            instant = _instant(value)
            return instant is not None and compare(instant, bound)

        return test

    return compile_one


def _recency(wants_inside: bool) -> Callable[[str], Predicate]:
    def compile_one(operand: str) -> Predicate:
        span = parse_duration(operand)

        def test(value: Any, at: int) -> bool:
            instant = _instant(value)
            return instant is not None and (at - span <= instant <= at) == wants_inside

        return test

    return compile_one


_OPERATORS: dict[str, Callable[[Any], Predicate]] = {
    "eq": lambda operand: lambda value, _at: _same(value, operand),
    "ne": lambda operand: lambda value, _at: not _same(value, operand),
    "in_": lambda operand: lambda value, _at: any(_same(value, one) for one in operand),
    "not_in": lambda operand: lambda value, _at: not any(_same(value, one) for one in operand),
    "gt": _ordering(operator.gt),
    "gte": _ordering(operator.ge),
    "lt": _ordering(operator.lt),
    "lte": _ordering(operator.le),
    "contains": lambda operand: lambda value, _at: _contains(value, operand),
    "not_contains": lambda operand: lambda value, _at: not _contains(value, operand),
    "matches": _matches,
    "before": _moment(operator.lt),
    "after": _moment(operator.gt),
    "in_last": _recency(wants_inside=True),
    "not_in_last": _recency(wants_inside=False),
}
