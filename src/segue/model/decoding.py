"""From JSON or YAML values to structs, with every fault and its path.

msgspec stops at the first fault it meets; an author wants to mend all of them at once. So a
document that does not convert is walked again, slowly, along the types of the struct.
"""

import difflib
import re
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, Final, TypeVar

import msgspec
from msgspec import Struct, inspect

from segue.model.limits import FILTER_DEPTH_MAX
from segue.model.problems import InvalidError, Problem

T = TypeVar("T", bound=Struct)
_SHOWN_MAX: Final = 80
_DEPTH_MAX: Final = 3 * FILTER_DEPTH_MAX
# `session_start:` with nothing behind it is how YAML writers say "any".
_EMPTY_IS_ANY: Final = frozenset(("session_start", "purchase"))


def decode_document(raw: object, type_: type[T], what: str = "The document") -> T:
    """Convert plain values to a struct.

    Raises:
        InvalidError: with every fault, each with its path.
    """
    if _depth(raw) > _DEPTH_MAX:
        raise InvalidError([Problem("", f"is nested deeper than {_DEPTH_MAX} levels")], what)
    plain = _normalise(raw)
    try:
        return msgspec.convert(plain, type_)
    except msgspec.ValidationError as error:
        problems = list(_faults(plain, inspect.type_info(type_), ""))
        raise InvalidError(problems or [Problem("", str(error))], what) from None


def nearest_field_hint(message: str, type_: type[Struct]) -> str:
    """Return "; did you mean …?" for msgspec's word on an unknown field of `type_`, else ""."""
    found = re.search(r"unknown field `(.+?)`", message)
    if found is None:
        return ""
    names = [field.encode_name for field in msgspec.structs.fields(type_)]
    return _did_you_mean(found[1], names)


def did_you_mean(name: str, known: list[str]) -> str:
    """Return "; did you mean …?" with the nearest of the known names, or what there is."""
    return _did_you_mean(name, known) or f"; there are: {', '.join(sorted(known)) or 'none'}"


def _did_you_mean(name: str, known: list[str]) -> str:
    nearest = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f'; did you mean "{nearest[0]}"?' if nearest else ""


def _depth(raw: object) -> int:
    """Return how deep the value is nested, without recursion."""
    deepest, level = 0, [raw]
    while level and deepest <= _DEPTH_MAX:
        deepest += 1
        level = [
            child
            for value in level
            if isinstance(value, dict | list)
            for child in (value.values() if isinstance(value, dict) else value)
        ]
    return deepest


def _normalise(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            str(key): {} if inner is None and key in _EMPTY_IS_ANY else _normalise(inner)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [_normalise(inner) for inner in value]
    if isinstance(value, datetime | date):
        return value.isoformat()  # YAML reads a bare instant as one; documents hold text
    return value


def _faults(value: Any, type_: inspect.Type, path: str) -> Iterator[Problem]:
    match type_:
        case inspect.StructType():
            yield from _struct_faults(value, type_, path)
        case inspect.UnionType():
            yield from _union_faults(value, type_, path)
        case inspect.ListType():
            if not isinstance(value, list):
                yield Problem(path, f"must be a list, not {_shown(value)}")
                return
            yield from _length_faults(value, type_, path)
            for index, item in enumerate(value):
                yield from _faults(item, type_.item_type, f"{path}[{index}]")
        case inspect.DictType():
            if not isinstance(value, dict):
                yield Problem(path, f"must be an object, not {_shown(value)}")
                return
            for key, item in value.items():
                yield from _faults(item, type_.value_type, f"{path}.{key}".lstrip("."))
        case _:
            if not _converts(value, type_):
                yield Problem(path, f"must be {_described(type_)}, not {_shown(value)}")


def _struct_faults(value: Any, type_: inspect.StructType, path: str) -> Iterator[Problem]:
    if not isinstance(value, dict):
        yield Problem(path, f"must be an object, not {_shown(value)}")
        return
    fields = {field.encode_name: field for field in type_.fields}
    for name, inner in value.items():
        inner_path = f"{path}.{name}" if path else name
        if name in fields:
            yield from _faults(inner, fields[name].type, inner_path)
        elif type_.forbid_unknown_fields:
            yield Problem(inner_path, f'"{name}" is no field here{did_you_mean(name, [*fields])}')
    for name, field in fields.items():
        if field.required and name not in value:
            yield Problem(f"{path}.{name}" if path else name, "is missing")


def _union_faults(value: Any, type_: inspect.UnionType, path: str) -> Iterator[Problem]:
    options = type_.types
    found = [list(_faults(value, option, path)) for option in options]
    if any(not faults for faults in found):
        return
    # An object that is nearly right is told what is wrong inside, not that it is no text.
    for option, faults in zip(options, found, strict=True):
        fits = isinstance(value, dict) and isinstance(option, inspect.StructType)
        if fits or (isinstance(value, list) and isinstance(option, inspect.ListType)):
            yield from faults
            return
    alternatives = " or ".join(dict.fromkeys(_described(option) for option in options))
    yield Problem(path, f"must be {alternatives}, not {_shown(value)}")


def _length_faults(value: list[Any], type_: inspect.ListType, path: str) -> Iterator[Problem]:
    if type_.min_length is not None and len(value) < type_.min_length:
        yield Problem(path, f"needs at least {type_.min_length} entry")
    if type_.max_length is not None and len(value) > type_.max_length:
        yield Problem(path, f"has {len(value)} entries; at most {type_.max_length} are allowed")


def _converts(value: Any, type_: inspect.Type) -> bool:  # noqa: PLR0911 - one line a type
    match type_:
        case inspect.AnyType():
            return True
        case inspect.NoneType():
            return value is None
        case inspect.BoolType():
            return isinstance(value, bool)
        case inspect.LiteralType():
            return any(value == one and type(value) is type(one) for one in type_.values)
        case inspect.StrType():
            return isinstance(value, str) and _fits_text(value, type_)
        case inspect.IntType():
            return _is_int(value) and _in_range(value, type_)
        case inspect.FloatType():
            return (_is_int(value) or isinstance(value, float)) and _in_range(value, type_)
        case inspect.DateTimeType():
            return isinstance(value, str) and _is_datetime(value)
        case _:
            return False


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_datetime(value: str) -> bool:
    try:
        msgspec.convert(value, datetime)
    except msgspec.ValidationError:
        return False
    return True


def _fits_text(value: str, type_: inspect.StrType) -> bool:
    if type_.pattern is not None and re.search(type_.pattern, value) is None:
        return False
    return (type_.min_length or 0) <= len(value) <= (type_.max_length or len(value))


def _in_range(value: float, type_: inspect.IntType | inspect.FloatType) -> bool:
    return (type_.ge is None or value >= type_.ge) and (type_.le is None or value <= type_.le)


def _described(type_: inspect.Type) -> str:
    match type_:
        case inspect.LiteralType():
            return "one of " + ", ".join(f'"{value}"' for value in type_.values)
        case inspect.StrType():
            return _described_text(type_)
        case inspect.IntType() if type_.ge is not None and type_.le is not None:
            return f"a whole number from {type_.ge} to {type_.le}"
        case inspect.IntType():
            return "a whole number" if type_.ge is None else f"a whole number from {type_.ge}"
        case inspect.StructType() | inspect.DictType():
            return "an object"
        case _:
            return _PLAIN_WORDS.get(type(type_), "something else")


_PLAIN_WORDS: Final[dict[type, str]] = {
    inspect.NoneType: "null",
    inspect.BoolType: "true or false",
    inspect.FloatType: "a number",
    inspect.ListType: "a list",
    inspect.DateTimeType: "an instant such as 2026-11-01T10:00:00Z",
    inspect.AnyType: "anything",
}


def _described_text(type_: inspect.StrType) -> str:
    if type_.pattern is not None and "smhdw" in type_.pattern:
        return "a duration such as 90s, 45m, 3h, 7d or 2w"
    if type_.pattern is not None:
        return f"text of the form {type_.pattern}"
    if type_.max_length is not None:
        return f"text of {type_.min_length or 0} to {type_.max_length} characters"
    return "text that is not empty" if type_.min_length else "text"


def _shown(value: Any) -> str:
    try:
        text = msgspec.json.encode(value).decode()
    except (TypeError, ValueError, RecursionError):
        text = repr(value)
    return text if len(text) <= _SHOWN_MAX else text[:_SHOWN_MAX] + "…"
