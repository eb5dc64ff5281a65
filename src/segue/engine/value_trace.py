"""Comparisons taken apart: each operator by itself, with what it wanted and what it found.

They use the very predicates that decide, so that no explanation can differ from its decision.
"""

from msgspec import UNSET

from segue.engine.past import compile_count
from segue.engine.values import compile_moment, compile_operator
from segue.model.filters import Comparison, CountCondition, MomentCondition
from segue.model.instants import to_datetime
from segue.model.traces import Condition


def compared(subject: str, comparison: Comparison, value: object, at: int) -> list[Condition]:
    """Return what each operator makes of a value at an instant."""
    return [
        Condition(
            subject,
            name.rstrip("_"),  # `in` is a word of Python's
            operand,
            value,
            compile_operator(name, operand)(value, at),
        )
        for name, operand in comparison.operators()
    ]


def counted(subject: str, condition: CountCondition, count: int) -> list[Condition]:
    """Return what each bound makes of a count."""
    return [
        Condition(
            subject, name, bound, count, compile_count(CountCondition(**{name: bound}))(count)
        )
        for name in CountCondition.__struct_fields__
        if (bound := getattr(condition, name)) is not UNSET
    ]


def timed(
    subject: str, condition: MomentCondition | None, instant: int | None, at: int
) -> list[Condition]:
    """Return what each part of a condition makes of an instant; None is no instant at all."""
    if condition is None:
        return []
    found = to_datetime(instant) if instant is not None else None
    return [
        Condition(
            subject,
            name,
            bound,
            found,
            instant is not None and compile_moment(MomentCondition(**{name: bound}))(instant, at),
        )
        for name in MomentCondition.__struct_fields__
        if (bound := getattr(condition, name)) is not UNSET
    ]
