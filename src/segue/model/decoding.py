"""From JSON or YAML values to structs, with every fault and its path.

msgspec stops at the first fault it meets; an author wants to mend all of them at once. So a
document is first walked along the types of its struct, and converted when nothing was found.
"""

import difflib
import math
import re
from collections.abc import Callable, Iterator
from datetime import date, datetime
from functools import cache
from itertools import chain, islice
from typing import Any, Final, TypeVar

import msgspec
from msgspec import Struct, inspect

from segue.model.campaigns import Happening
from segue.model.limits import ATTRIBUTES_PER_USER_MAX, FILTER_DEPTH_MAX, USERS_PER_CALL_MAX
from segue.model.problems import InvalidError, Problem
from segue.model.scalars import CLOCK, DURATION, SLUG

T = TypeVar("T", bound=Struct)

_SHOWN_MAX: Final = 80  # characters of a bad value; enough to find it again
_NAMES_SHOWN_MAX: Final = 24  # more than any struct has fields; a list of campaigns is cut
_PROBLEMS_MAX: Final = 200  # nobody mends more in one go, and a hostile body gets no more work
_DEPTH_MAX: Final = 3 * FILTER_DEPTH_MAX  # a filter is an object in a list in an object
# The largest call that is taken, twice over. YAML's references can make more out of a few lines.
_VALUES_MAX: Final = 2 * USERS_PER_CALL_MAX * ATTRIBUTES_PER_USER_MAX
_INT_MIN, _INT_MAX = -(2**63), 2**64 - 1  # what msgpack, and so the log, can hold


def decode_document(raw: object, type_: type[T], what: str = "The document") -> T:
    """Convert plain values, as JSON and YAML readers give them, to a struct of any type.

    Raises:
        InvalidError: with every fault, each with its path; `what` leads the sentence.
    """
    copy = _PlainCopy(what)
    plain = copy.of(raw, "", 1)
    unkept = {problem.path for problem in copy.problems}
    shape = (one for one in _faults(plain, _inspected(type_), "") if one.path not in unkept)
    problems = list(islice(chain(copy.problems, shape), _PROBLEMS_MAX + 1))
    if len(problems) > _PROBLEMS_MAX:
        problems[-1] = Problem("", f"has more faults; these are the first {_PROBLEMS_MAX}")
    if problems:
        raise InvalidError(problems, what)
    try:
        return msgspec.convert(plain, type_)
    except msgspec.ValidationError as error:
        raise InvalidError([_read_msgspec(str(error))], what) from None


def nearest_field_hint(message: str, type_: type[Struct]) -> str:
    """Return "; did you mean …?" for msgspec's word on an unknown field of `type_`, else ""."""
    found = re.search(r"unknown field `(.+?)`", message)
    if found is None:
        return ""
    names = [field.encode_name for field in msgspec.structs.fields(type_)]
    return _did_you_mean(found[1], names)


def did_you_mean(name: str, known: list[str]) -> str:
    """Return "; did you mean …?" with the nearest of the known names, or what there is."""
    return _did_you_mean(name, known) or f"; there are: {_some_of(known)}"


def _did_you_mean(name: str, known: list[str]) -> str:
    if len(name) > _SHOWN_MAX:
        return ""  # no slip of the pen, and slow to compare
    written = {_unspelt(one): one for one in known}
    nearest = difflib.get_close_matches(_unspelt(name), written, n=1, cutoff=0.5)
    return f'; did you mean "{written[nearest[0]]}"?' if nearest else ""


def _unspelt(name: str) -> str:
    return name.lower().replace("-", "_")


def _some_of(known: list[str]) -> str:
    names = sorted(known)
    more = ["…"] if len(names) > _NAMES_SHOWN_MAX else []
    return ", ".join(names[:_NAMES_SHOWN_MAX] + more) or "none"


class _PlainCopy:
    """Makes a copy of values that holds what JSON can, and notes what it cannot."""

    def __init__(self, what: str) -> None:
        self.problems: list[Problem] = []
        self._what = what
        self._count = 0

    def of(self, value: Any, path: str, depth: int) -> Any:
        """Return the copy; a value that cannot be kept stays as it is, and is a problem.

        Raises:
            InvalidError: the values are nested too deep, or are too many, to go on.
        """
        self._count += 1
        if depth > _DEPTH_MAX:
            self._give_up(re.split(r"[.\[]", path)[0], f"is nested deeper than {_DEPTH_MAX} levels")
        if self._count > _VALUES_MAX:
            self._give_up("", f"has more than {_VALUES_MAX} values")
        if isinstance(value, dict):
            copy = {}
            for key, inner in value.items():
                name = key if isinstance(key, str) else shown(key).strip('"')
                copy[name] = self.of(inner, _join(path, name), depth + 1)
                self._note(_unkept(name), _join(path, name))
            return copy
        if isinstance(value, list | tuple):
            return [self.of(one, f"{path}[{i}]", depth + 1) for i, one in enumerate(value)]
        if isinstance(value, datetime | date):
            return value.isoformat()  # YAML reads a bare instant as one; documents hold text
        self._note(_unkept(value), path)
        return value

    def _note(self, message: str | None, path: str) -> None:
        if message is not None:
            self.problems.append(Problem(path, message))

    def _give_up(self, path: str, message: str) -> None:
        raise InvalidError([Problem(path, message)], self._what)


def _unkept(value: Any) -> str | None:
    """Return why neither JSON nor the log could hold a value; None if they can."""
    match value:
        case None | bool():
            return None
        case str():
            return None if _is_whole(value) else f"holds half a character: {shown(value)}"
        case int():
            if not _INT_MIN <= value <= _INT_MAX:
                return "is too large a number; write it as text"
        case float():
            if not math.isfinite(value):
                return f"must be a finite number, not {value}"
        case _:
            return f"must be a plain value, not a {type(value).__name__}"
    return None


def _is_whole(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # a lone surrogate, which escapes can spell
        return False
    return True


def _join(path: str, name: str) -> str:
    return f"{path}.{_cut(name)}" if path else _cut(name)


@cache
def _inspected(type_: Any) -> inspect.Type:
    return inspect.type_info(type_)


def _faults(value: Any, type_: inspect.Type, path: str) -> Iterator[Problem]:
    match type_:
        case inspect.StructType() if not type_.array_like:
            yield from _struct_faults(value, type_, path)
        case inspect.UnionType():
            yield from _union_faults(value, type_, path)
        case inspect.ListType():
            yield from _list_faults(value, type_, path)
        case inspect.DictType():
            yield from _dict_faults(value, type_, path)
        case _:
            message = _leaf_fault(value, type_)
            if message is not None:
                yield Problem(path, message)


def _struct_faults(value: Any, type_: inspect.StructType, path: str) -> Iterator[Problem]:
    if not isinstance(value, dict):
        yield Problem(path, _must_be(_described(type_), value))
        return
    if issubclass(type_.cls, Happening):
        _fill_in_empty_happening(value)
    fields = {field.encode_name: field for field in type_.fields}
    for name, inner in value.items():
        if name in fields:
            yield from _faults(inner, fields[name].type, _join(path, name))
        elif type_.forbid_unknown_fields and name != type_.tag_field:
            hint = did_you_mean(name, [*fields])
            yield Problem(_join(path, name), f'"{_cut(name)}" is no field here{hint}')
    for name, field in fields.items():
        if field.required and name not in value:
            yield Problem(_join(path, name), "is missing")


def _fill_in_empty_happening(value: dict[str, Any]) -> None:
    """Read `session_start:` with nothing behind it, YAML for null, as `session_start: {}`.

    Beside a kind that is written, a null is a null: some programs write every field.
    """
    if all(value.get(kind) is None for kind in _KINDS):
        for kind in ("session_start", "purchase"):
            if kind in value:
                value[kind] = {}


_KINDS: Final = (*Happening.__struct_fields__, "did_not")


def _list_faults(value: Any, type_: inspect.ListType, path: str) -> Iterator[Problem]:
    if not isinstance(value, list):
        yield Problem(path, _must_be("a list", value))
        return
    if type_.min_length is not None and len(value) < type_.min_length:
        entries = "entry" if type_.min_length == 1 else "entries"
        yield Problem(path, f"needs at least {type_.min_length} {entries}; it has {len(value)}")
    if type_.max_length is not None and len(value) > type_.max_length:
        yield Problem(path, f"has {len(value)} entries; at most {type_.max_length} are allowed")
    for index, item in enumerate(value):
        yield from _faults(item, type_.item_type, f"{path}[{index}]")


def _dict_faults(value: Any, type_: inspect.DictType, path: str) -> Iterator[Problem]:
    if not isinstance(value, dict):
        yield Problem(path, _must_be("an object", value))
        return
    for name, item in value.items():
        message = _leaf_fault(name, type_.key_type)
        if message is not None:
            yield Problem(_join(path, name), f"as a name: {message}")
        yield from _faults(item, type_.value_type, _join(path, name))


def _union_faults(value: Any, type_: inspect.UnionType, path: str) -> Iterator[Problem]:
    options = [one for one in type_.types if not isinstance(one, inspect.NoneType)]
    if value is None and len(options) < len(type_.types):
        return
    fitting = [option for option in options if _is_of_kind(value, option)]
    found = [list(islice(_faults(value, one, path), _PROBLEMS_MAX + 1)) for one in fitting]
    if any(not faults for faults in found):
        return
    # An object that is nearly right is told what is wrong inside, not that it is no text.
    if len(found) == 1 and not isinstance(fitting[0], inspect.LiteralType):
        yield from found[0]
        return
    words = dict.fromkeys(_described(option) for option in options)
    if "a number" in words:
        words.pop("a whole number", None)
    yield Problem(path, _must_be(" or ".join(words), value))


def _is_of_kind(value: Any, type_: inspect.Type) -> bool:
    match type_:
        case inspect.StructType() if not type_.array_like:
            return isinstance(value, dict)
        case inspect.LiteralType():
            return any(type(value) is type(one) for one in type_.values)
    return type(type_) not in _KIND or _KIND[type(type_)](value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_KIND: Final[dict[type[inspect.Type], Callable[[Any], bool]]] = {
    inspect.NoneType: lambda value: value is None,
    inspect.BoolType: lambda value: isinstance(value, bool),
    inspect.StrType: lambda value: isinstance(value, str),
    inspect.IntType: lambda value: isinstance(value, int) and not isinstance(value, bool),
    inspect.FloatType: _is_number,
    inspect.DateTimeType: lambda value: isinstance(value, str),
    inspect.ListType: lambda value: isinstance(value, list),
    inspect.DictType: lambda value: isinstance(value, dict),
}


def _leaf_fault(value: Any, type_: inspect.Type) -> str | None:
    """Return what is wrong with a single value; a type that is not known here is msgspec's."""
    if not _is_of_kind(value, type_):
        return _must_be(_described(type_), value)
    match type_:
        case inspect.StrType():
            return _text_fault(value, type_)
        case inspect.LiteralType():
            is_fine = any(value == one and type(value) is type(one) for one in type_.values)
        case inspect.IntType() | inspect.FloatType():
            is_fine = _is_in_range(value, type_)
        case inspect.DateTimeType():
            is_fine = _is_instant(value)
        case _:
            return None
    return None if is_fine else _must_be(_described(type_), value)


def _text_fault(value: str, type_: inspect.StrType) -> str | None:
    length = len(value)
    if type_.min_length is not None and length < type_.min_length:
        few = f"has {length} characters; at least {type_.min_length} are needed"
        return few if value else "must not be empty"
    if type_.max_length is not None and length > type_.max_length:
        return f"has {length} characters; at most {type_.max_length} are allowed"
    if type_.pattern is not None and re.search(type_.pattern, value) is None:
        form = _FORMS.get(type_.pattern, (f"text that matches {type_.pattern}", ""))
        return f"{shown(value)} is no {form[0]}{form[1]}"
    return None


def _is_in_range(value: float, type_: inspect.IntType | inspect.FloatType) -> bool:
    return (
        (type_.ge is None or value >= type_.ge)
        and (type_.gt is None or value > type_.gt)
        and (type_.le is None or value <= type_.le)
        and (type_.lt is None or value < type_.lt)
    )


def _is_instant(value: str) -> bool:
    try:
        msgspec.convert(value, datetime)
    except msgspec.ValidationError:
        return False
    return True


def _must_be(wanted: str, value: Any) -> str:
    return f"must be {wanted}, not {shown(value)}"


def _described(type_: inspect.Type) -> str:
    match type_:
        case inspect.LiteralType():
            return ("one of " if len(type_.values) > 1 else "") + ", ".join(
                shown(value) for value in type_.values
            )
        case inspect.StrType():
            return f"a {_FORMS[type_.pattern][0]}" if type_.pattern in _FORMS else "text"
        case inspect.IntType() | inspect.FloatType():
            noun = "a whole number" if isinstance(type_, inspect.IntType) else "a number"
            return noun + _described_range(type_)
        case inspect.StructType():
            needed = [f'"{field.encode_name}"' for field in type_.fields if field.required]
            return "an object" + (f" with {', '.join(needed)}" if needed else "")
    return _WORDS.get(type(type_), "something else")


def _described_range(type_: inspect.IntType | inspect.FloatType) -> str:
    if type_.ge is not None and type_.le is not None:
        return f" from {type_.ge} to {type_.le}"
    words = (("of at least", type_.ge), ("above", type_.gt), ("up to", type_.le))
    limits = [
        f"{word} {bound}" for word, bound in (*words, ("below", type_.lt)) if bound is not None
    ]
    return f" {' and '.join(limits)}" if limits else ""


_WORDS: Final[dict[type[inspect.Type], str]] = {
    inspect.NoneType: "null",
    inspect.BoolType: "true or false",
    inspect.ListType: "a list",
    inspect.DictType: "an object",
    inspect.DateTimeType: "an instant such as 2026-11-01T10:00:00Z",
}


# What texts of a pattern are called, and how one is written.
_FORMS: Final = {
    DURATION: ("duration", "; write a number and a unit, such as 90s, 45m, 3h, 7d or 2w"),
    SLUG: ("slug", "; write a-z, 0-9, - and _, beginning with a letter or digit"),
    CLOCK: ("time of day", "; write hours and minutes, such as 09:00"),
}


def _read_msgspec(message: str) -> Problem:
    """Return msgspec's own word, which ends in " - at `$.path`", as a problem."""
    sentence, _, place = message.partition(" - at `$")
    return Problem(place.rstrip("`").lstrip("."), sentence)


def shown(value: Any) -> str:
    """Return a bad value as a sentence shows it: in JSON, and cut where it is long."""
    try:
        return _cut(msgspec.json.encode(value).decode())
    except (TypeError, ValueError, RecursionError):
        return _cut(ascii(value)) if isinstance(value, str) else f"a {type(value).__name__}"


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN_MAX else text[:_SHOWN_MAX] + "…"
