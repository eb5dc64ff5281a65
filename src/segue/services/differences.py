"""Two versions of a document, told apart path by path."""

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from functools import cache
from typing import Any, Final

import msgspec
from msgspec import NODEFAULT, UNSET, Struct, UnsetType
from msgspec.structs import FieldInfo

_EXACT_MAX: Final = 2.0**53  # above it, a float no longer tells whole numbers apart


class Difference(Struct, frozen=True, omit_defaults=True):
    """What stands at a path, before and after; where it is new or gone, one of them is not set."""

    path: str
    old: Any | UnsetType = UNSET
    new: Any | UnsetType = UNSET


def plain(document: Struct) -> dict[str, Any]:
    """Return a document as plain values in one form: defaults left out, 100.0 written 100."""
    return dict(_fields_of(document))


def fingerprint_of(document: Struct) -> bytes:
    """Return what is the same for two documents that say the same."""
    return msgspec.json.encode(plain(document), order="sorted")


def differences(old: Struct, new: Struct) -> list[Difference]:
    """Return where two versions of a document differ, in its order."""
    return list(_differences("", plain(old), plain(new)))


def _fields_of(struct: Struct) -> Iterator[tuple[str, Any]]:
    """Yield what a struct says, by the names in documents.

    msgspec leaves out what is the very object of the default, and so not every text that is
    equal to it.
    """
    leaves_out = struct.__struct_config__.omit_defaults
    for field in _fields(type(struct)):
        value = getattr(struct, field.name)
        if value is UNSET or (leaves_out and _is_default(value, field)):
            continue
        yield field.encode_name, _plain(value)


@cache
def _fields(type_: type[Struct]) -> tuple[FieldInfo, ...]:
    return msgspec.structs.fields(type_)


def _is_default(value: Any, field: FieldInfo) -> bool:
    default = field.default
    if field.default_factory is not NODEFAULT:
        default = field.default_factory()
    return type(value) is type(default) and bool(value == default)


def _plain(value: Any) -> Any:
    match value:
        case Struct():
            return plain(value)
        case dict():
            return {key: _plain(inner) for key, inner in value.items()}
        case list():
            return [_plain(inner) for inner in value]
        case float() if value.is_integer() and abs(value) < _EXACT_MAX:
            return int(value)
    return value


def _differences(path: str, old: Any, new: Any) -> Iterator[Difference]:
    if _same(old, new):
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*old, *(key for key in new if key not in old)]:
            inner = f"{path}.{key}" if path else key
            yield from _differences(inner, old.get(key, UNSET), new.get(key, UNSET))
    elif _is_of_objects(old) and _is_of_objects(new):
        yield from _list_differences(path, old, new)
    else:
        yield Difference(path, old, new)


def _list_differences(path: str, old: Sequence[Any], new: Sequence[Any]) -> Iterator[Difference]:
    """Yield what differs between lists of objects, of which the equal ones are paired first."""
    written = [[msgspec.json.encode(one, order="sorted") for one in those] for those in (old, new)]
    matcher = SequenceMatcher(None, written[0], written[1], autojunk=False)
    for _tag, old_start, old_end, new_start, new_end in matcher.get_opcodes():
        paired = min(old_end - old_start, new_end - new_start)
        for index in range(paired):
            place = f"{path}[{new_start + index}]"
            yield from _differences(place, old[old_start + index], new[new_start + index])
        for index in range(old_start + paired, old_end):
            yield Difference(f"{path}[{index}]", old=old[index])
        for index in range(new_start + paired, new_end):
            yield Difference(f"{path}[{index}]", new=new[index])


def _is_of_objects(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(one, dict) for one in value)


def _same(old: Any, new: Any) -> bool:
    """Return whether two values are written the same: true is not 1."""
    if old is UNSET or new is UNSET:
        return old is new
    encode = msgspec.json.encode
    return encode(old, order="sorted") == encode(new, order="sorted")
