"""Settings as they may be shown: by their names in segue.toml, secrets hidden."""

from collections.abc import Iterator
from typing import Any

from msgspec import Struct, structs

from segue.channels.settings import without_credentials
from segue.services.settings import Settings


def shown_settings(settings: Settings) -> dict[str, Any]:
    """Return every setting that is set, with what it is set to."""
    return dict(_shown(settings, ""))


def _shown(part: Struct, prefix: str) -> Iterator[tuple[str, Any]]:
    for name, value in _fields(part):
        match value:
            case None | [] | {}:
                continue
            case Struct():
                yield from _shown(value, f"{prefix}{name}.")
            case str():
                yield f"{prefix}{name}", without_credentials(value)
            case _:
                yield f"{prefix}{name}", value


def _fields(part: Struct) -> list[tuple[str, Any]]:
    """Return names and values; a struct that has secrets masks them itself."""
    masked = getattr(part, "__rich_repr__", None)
    if masked is not None and type(part).__rich_repr__ is not Struct.__rich_repr__:
        return list(masked())
    return [(one.encode_name, getattr(part, one.name)) for one in structs.fields(type(part))]
