"""Lists in pages: `?limit&cursor` (interface.md)."""

from collections.abc import Callable
from typing import Annotated, Generic, TypeVar

from litestar.params import QueryParameter
from msgspec import Struct

T = TypeVar("T")
PageLimit = Annotated[int, QueryParameter(ge=1, le=1000)]


class Page(Struct, Generic[T], frozen=True, omit_defaults=True):
    """A part of a list; `next_cursor` asks for the part after it, where there is one."""

    data: list[T]
    next_cursor: str | None = None


def page_of(items: list[T], limit: int, cursor_of: Callable[[T], str]) -> Page[T]:
    """Return a page of `limit` items; `items` holds one more than that if there are more."""
    if len(items) <= limit:
        return Page(items)
    return Page(items[:limit], cursor_of(items[limit - 1]))
