"""Values of documents in forms: durations, times, and what properties are compared with.

What a form sends back unchanged comes out as it was: a value is read anew only where its text
is another one.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from segue.model.filters import OPERATORS
from segue.web.dashboard.form_fields import Fields, number_of

TAG: Final = "tag:"  # leads a tag where a campaign is chosen; no slug has a colon
OPERATOR_WORDS: Final = {
    "eq": "is",
    "ne": "is not",
    "in": "is one of",
    "not_in": "is none of",
    "gt": "is above",
    "gte": "is at least",
    "lt": "is below",
    "lte": "is at most",
    "contains": "contains",
    "not_contains": "does not contain",
    "matches": "matches the pattern",
    "before": "is before",
    "after": "is after",
    "in_last": "is in the last",
    "not_in_last": "is not in the last",
    "is_blank": "is blank",
    "is_not_blank": "is not blank",
}
UNIT_WORDS: Final = (
    ("s", "seconds"),
    ("m", "minutes"),
    ("h", "hours"),
    ("d", "days"),
    ("w", "weeks"),
)
_KINDS: Final = {
    **dict.fromkeys(("eq", "ne", "contains", "not_contains"), "value"),
    **dict.fromkeys(("in", "not_in"), "values"),
    **dict.fromkeys(("gt", "gte", "lt", "lte"), "number"),
    **dict.fromkeys(("matches", "before", "after"), "text"),
    **dict.fromkeys(("in_last", "not_in_last"), "duration"),
    **dict.fromkeys(("is_blank", "is_not_blank"), "truth"),
}
_NAMES: Final = tuple(name.rstrip("_") for name in OPERATORS)
_ONE_UNIT: Final = re.compile(r"(\d+)([smhdw])")
_UNSAID: Final[dict[str, Any]] = {}  # no operand yet: a fault, where an empty text is none
_NUMBER: Final = r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?"
_JSON_LIKE: Final = re.compile(_NUMBER + r"|true|false|null|\".*\"", re.DOTALL)


class Loose(dict[str, Any]):
    """A part of a document for templates: what is not there is empty, and no error."""

    def __missing__(self, name: str) -> str:
        return ""


def loose(value: Any) -> Any:
    """Return a part of a document with all in it loose."""
    if isinstance(value, dict):
        return Loose((name, loose(one)) for name, one in value.items())
    return [loose(one) for one in value] if isinstance(value, list) else value


def kind_of(operator: str) -> str:
    """Return what is compared with: value, values, number, text, duration or truth."""
    return _KINDS[operator]


def operators_of(comparison: Any) -> list[tuple[str, Any]]:
    """Return the operators that are written, with their operands."""
    if not isinstance(comparison, dict):
        return []
    return [(name, comparison[name]) for name in _NAMES if name in comparison]


def scalar_text(value: Any) -> str:
    """Return a value as one types it: texts plain, unless they would be read as something else."""
    if value == _UNSAID and isinstance(value, dict):
        return ""
    if isinstance(value, str) and value and value == value.strip() and "\n" not in value:
        return value if _JSON_LIKE.fullmatch(value) is None else json.dumps(value)
    return json.dumps(value, ensure_ascii=False)


def scalar_of(text: str) -> Any:
    """Return the value that a text means: numbers, true, false, null, and anything in quotes."""
    text = text.strip()
    if not text:
        return dict(_UNSAID)
    if _JSON_LIKE.fullmatch(text):
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text


def operand_text(operator: str, operand: Any) -> str:
    """Return what an operator compares with as the field shows it."""
    match kind_of(operator):
        case "value":
            return scalar_text(operand)
        case "values":
            many = operand if isinstance(operand, list) else [operand]
            return "\n".join(scalar_text(one) for one in many)
        case "number":
            return "" if operand in (None, "") else scalar_text(operand)
        case "truth":
            return "false" if operand is False else "true"
        case _:
            return operand if isinstance(operand, str) else ""


def read_operators(fields: Fields, old: Any) -> dict[str, Any]:
    """Return the operators of a comparison, and the one that was chosen to be added.

    Each is a field named as the operator, with a choice of the operator itself beside it.
    """
    written = dict(operators_of(old))
    read: dict[str, Any] = {}
    for name in _NAMES:
        if not fields.has(name) and not fields.has(f"{name}.unit"):
            continue
        chosen = fields.text(f"{name}.operator") or name
        if chosen not in _KINDS:
            continue  # to be removed
        if chosen == name and name in written and _is_unchanged(fields, name, written[name]):
            read[chosen] = written[name]
        else:
            read[chosen] = _operand_of(fields, name, chosen)
    more = fields.text(f"more{len(operators_of(old))}")
    if more in _KINDS and more not in read:
        read[more] = _blank_operand(more)
    return read


def _is_unchanged(fields: Fields, name: str, operand: Any) -> bool:
    if kind_of(name) == "duration":
        return bool(read_duration(fields, name) == operand)
    return fields.raw(name).strip() == operand_text(name, operand).strip()


def _operand_of(fields: Fields, name: str, operator: str) -> Any:
    text = read_duration(fields, name) if kind_of(name) == "duration" else fields.raw(name)
    match kind_of(operator):
        case "value":
            return scalar_of(text)
        case "values":
            return [scalar_of(line) for line in text.split("\n") if line.strip()]
        case "number":
            found = scalar_of(text)
            return text.strip() if isinstance(found, dict | bool) or found is None else found
        case "truth":
            return text.strip() != "false"
        case _:
            return text.strip()


def _blank_operand(operator: str) -> Any:
    match kind_of(operator):
        case "value":
            return dict(_UNSAID)
        case "values":
            return []
        case "truth":
            return True
        case _:
            return ""


def duration_parts(text: Any) -> tuple[str, str]:
    """Return amount and unit of a duration; one of several units has them in its amount."""
    found = _ONE_UNIT.fullmatch(text) if isinstance(text, str) else None
    if found is not None:
        return found[1], found[2]
    return (text if isinstance(text, str) else ""), ("" if text else "d")


def read_duration(fields: Fields, name: str) -> str:
    """Return a duration from its amount and its unit."""
    amount, unit = fields.text(name), fields.text(f"{name}.unit")
    return f"{amount}{unit}" if amount.isdecimal() else amount


def read_number(fields: Fields, name: str) -> int | float | str | None:
    """Return a number; commas that people write into large ones are left out."""
    return number_of(fields.text(name).replace(",", ""))


def same_or_new(old: Any, new: str) -> Any:
    """Return the old text, if the new one is the same but for what a form cannot keep."""
    if isinstance(old, str) and old.replace("\r\n", "\n").strip() == new.strip():
        return old
    return new.strip()


def campaign_value(campaign: Any) -> str:
    """Return how a choice names a campaign, or a tag."""
    if isinstance(campaign, dict):
        return f"{TAG}{campaign.get('tag', '')}"
    return campaign if isinstance(campaign, str) else "any"


# What templates/document_fields.html says things with.
HELPERS: Final[Mapping[str, Any]] = {
    "campaign_value": campaign_value,
    "duration_parts": duration_parts,
    "kind_of": kind_of,
    "loose": loose,
    "operand_text": operand_text,
    "operator_words": OPERATOR_WORDS,
    "operators_of": operators_of,
    "units": UNIT_WORDS,
}
