"""The navigation: entries that exist and that the reader may see, in their groups."""

from typing import Final

from msgspec import Struct

from segue.web.dashboard.pages import GROUPS, Group, Page, PageRequest

_PAGES: Final[list[Page]] = []  # put in by `registry`, which knows all page modules


class Entry(Struct, frozen=True):
    """A line of the navigation."""

    title: str
    path: str
    icon: str
    key: str
    is_here: bool


def set_pages(pages: tuple[Page, ...]) -> None:
    """Say which pages there are."""
    _PAGES[:] = pages


def all_pages() -> tuple[Page, ...]:
    """Return every page."""
    return tuple(_PAGES)


def navigation_for(request: PageRequest) -> list[tuple[Group, list[Entry]]]:
    """Return the groups and their entries, as far as the reader may see them."""
    user = request.scope.get("user")
    if user is None:
        return []
    here = request.url.path
    groups = []
    for group in GROUPS:
        entries = [
            Entry(one.title, one.path, one.icon, one.key, _is_below(here, one.path))
            for one in _PAGES
            if one.group == group and one.is_in_navigation and user.actor.may(one.permission)
        ]
        if entries:
            groups.append((group, entries))
    return groups


def _is_below(here: str, path: str) -> bool:
    return here == path or (path != "/" and here.startswith(f"{path}/"))
