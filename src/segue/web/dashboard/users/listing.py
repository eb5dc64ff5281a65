"""Users: all of them by id, or those that a text finds."""

from typing import Any, Final

from litestar import Response, get

from segue.model.limits import USERS_FOUND_MAX
from segue.services.application import Application
from segue.web.dashboard.pages import Hit, PageRequest
from segue.web.dashboard.places import USERS_PATH, user_path
from segue.web.dashboard.shell import page

_PAGE_MAX: Final = 50
_TEXT_MAX: Final = 4_096  # a push token is as long


@get(USERS_PATH)
async def show_users(request: PageRequest, application: Application) -> Response[Any]:
    """Show users, a page at a time, or those that were searched for."""
    text = request.query_params.get("q", "").strip()[:_TEXT_MAX]
    after = request.query_params.get("cursor", "")
    if text:
        users, has_more = await application.profiles.find(text), False
    else:
        found = application.users.page(after, _PAGE_MAX + 1)
        users, has_more = found[:_PAGE_MAX], len(found) > _PAGE_MAX
    return page(
        request,
        "users/list.html",
        title="Users",
        users=users,
        text=text,
        found_max=USERS_FOUND_MAX,
        next_cursor=users[-1].user_id if has_more else None,
        is_first=not after,
    )


async def find(request: PageRequest, text: str) -> list[Hit]:
    """Return the users that a text finds; ids have capitals, which the text has lost."""
    application: Application = request.app.state.application
    written = request.query_params.get("q", text)[:_TEXT_MAX]
    return [
        Hit("user", one.user_id, user_path(one.user_id))
        for one in await application.profiles.find(written)
    ]
