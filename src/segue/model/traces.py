"""What a decision compared: values found and values wanted, and filters taken apart.

Instants in them are datetimes, so that whoever shows them can tell them from numbers.
"""

from typing import Any

from msgspec import Struct, field

Facts = dict[str, Any]


class Condition(Struct, frozen=True, gc=False):
    """One comparison: what was looked at, how, what was wanted, and what was found."""

    subject: str
    operator: str
    wanted: Any
    found: Any
    is_passed: bool


class FilterTrace(Struct, frozen=True, omit_defaults=True):
    """A filter of an audience as it was written, whether it held, and what it found.

    A filter with others in it has them as `parts`; `sentence` says it in words.
    """

    kind: str
    is_passed: bool
    filter: Any = None
    found: Any = None
    conditions: list[Condition] = field(default_factory=list)
    parts: "list[FilterTrace]" = field(default_factory=list)
    sentence: str = ""
