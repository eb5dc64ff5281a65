"""What a page is to the dashboard: where it stands in the navigation, and who may see it."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Literal

from litestar import Request
from litestar.datastructures import State
from litestar.handlers import HTTPRouteHandler
from msgspec import Struct

from segue.model.accounts import Permission
from segue.services.actors import Actor
from segue.services.sign_ins import SignedIn

Group = Literal["", "Messaging", "Audience", "Insight", "Settings"]
GROUPS: Final[tuple[Group, ...]] = ("", "Messaging", "Audience", "Insight", "Settings")

PageRequest = Request[SignedIn, Actor, State]


class Hit(Struct, frozen=True):
    """Something that was searched for: what it is, its name, and its page."""

    kind: str
    name: str
    path: str


class Page(Struct, frozen=True):
    """A page, and others below it. Its module says `PAGE = Page(...)`; `registry` names it.

    `samples` are addresses that are there with the demo's data: each is looked at by the browser
    tests and by `make screens`. `find` returns what a search finds among the page's things.
    """

    path: str
    title: str
    handlers: Sequence[HTTPRouteHandler]
    group: Group = ""
    icon: str = ""  # of icons.txt
    key: str = ""  # after g
    permission: Permission = "read"
    is_in_navigation: bool = True
    is_public: bool = False
    samples: Sequence[str] = ()
    find: Callable[[PageRequest, str], Awaitable[list[Hit]]] | None = None

    @property
    def addresses(self) -> Sequence[str]:
        """The addresses to look at."""
        return self.samples or (self.path,)


class Crumb(Struct, frozen=True):
    """A page above the present one."""

    title: str
    path: str


def crumbs(*pairs: tuple[str, str]) -> list[Crumb]:
    """Return the pages above the present one, from title and path."""
    return [Crumb(*pair) for pair in pairs]
