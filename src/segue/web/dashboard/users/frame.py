"""What the tabs of a user's page have in common: who it is, the question why, the tabs."""

from typing import Any, Final

from litestar import Response
from msgspec import Struct

from segue.errors import NotFoundError
from segue.model.limits import WHY_CAMPAIGNS_MAX
from segue.services.application import Application
from segue.services.users import User
from segue.web.dashboard.pages import PageRequest, crumbs
from segue.web.dashboard.places import USERS_PATH, user_path
from segue.web.dashboard.shell import page

_TABS: Final = (
    ("", "Profile"),
    ("timeline", "Timeline"),
    ("why", "Why?"),
    ("inbox", "Inbox"),
    ("do", "Do something"),
)
# Of somebody whose events no campaign waits for, nothing is remembered: they have a timeline.
_TABS_OF_STRANGERS: Final = tuple(one for one in _TABS if one[0] in ("timeline", "why"))


class Tab(Struct, frozen=True):
    """A tab, which is a page of its own."""

    title: str
    path: str
    is_here: bool


def known(application: Application, user_id: str) -> User | None:
    """Return a user, if anything is remembered of one with this id."""
    try:
        return application.users.find(user_id)
    except NotFoundError:
        return None


def tab_page(
    request: PageRequest,
    application: Application,
    user_id: str,
    tab: str,
    **context: Any,
) -> Response[Any]:
    """Return a tab of a user's page."""
    user = known(application, user_id)
    tabs = _TABS if user is not None else _TABS_OF_STRANGERS
    return page(
        request,
        f"users/{tab or 'profile'}.html",
        title=user_id,
        crumbs=crumbs(("Users", USERS_PATH)),
        user_id=user_id,
        user=user,
        tabs=[Tab(title, user_path(user_id, name), name == tab) for name, title in tabs],
        choices=_campaigns(application, user_id),
        **context,
    )


def _campaigns(application: Application, user_id: str) -> list[tuple[str, str]]:
    """Return campaigns to ask about, first those the user has to do with, by slug and name."""
    state = application.runtime.state_of(user_id)
    mine = state.memberships if state is not None else {}
    campaigns = sorted(
        application.campaigns.all(),
        key=lambda one: (one.slug not in mine, one.status != "active", one.document.name),
    )
    return [(one.slug, one.document.name) for one in campaigns[:WHY_CAMPAIGNS_MAX]]
