"""`/t/u` and `/t/p`: unsubscribing and preferences, behind links of messages.

Scanners follow links, so that a GET changes nothing (RFC 8058).
"""

from hashlib import sha256
from typing import Any, Final
from urllib.parse import parse_qs

from litestar import Request, Response, get, post
from litestar.exceptions import ClientException
from msgspec.structs import replace

from segue.content.tokens import Tracked
from segue.errors import NotFoundError
from segue.model.limits import PREFERENCE_FORM_BYTES_MAX, SUBSCRIPTION_GROUPS_MAX
from segue.services.application import Application
from segue.web.user_pages import (
    STYLES,
    missing_page,
    preferences_page,
    subscribed_again_page,
    unsubscribe_page,
    unsubscribed_page,
)

_FORM: Final = "application/x-www-form-urlencoded"
_CHOICES_MAX: Final = SUBSCRIPTION_GROUPS_MAX + 3  # the groups, and three channels
_FIELDS_MAX: Final = 3 * _CHOICES_MAX + 1  # each shown, as it was, and ticked; and a button

AnyRequest = Request[Any, Any, Any]


@get("/t/pages.css", include_in_schema=False, sync_to_thread=False)
def styles(request: AnyRequest) -> Response[bytes]:
    """Give the pages their looks."""
    tag = f'"{sha256(STYLES).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "public, max-age=3600"}
    if request.headers.get("if-none-match") == tag:
        return Response(b"", status_code=304, headers=headers)
    return Response(STYLES, media_type="text/css", headers=headers)


@get("/t/u/{token:str}", include_in_schema=False, sync_to_thread=False)
def ask_to_unsubscribe(token: str, application: Application) -> Response[str]:
    """Ask first."""
    tracked = application.tracking.read(token, "unsubscribe")
    if tracked is None:
        return missing_page()
    return unsubscribe_page(*_told(application, tracked))


@post(
    "/t/u/{token:str}",
    status_code=200,
    include_in_schema=False,
    request_max_body_size=PREFERENCE_FORM_BYTES_MAX,
)
async def unsubscribe(token: str, request: AnyRequest, application: Application) -> Response[str]:
    """Unsubscribe at once, or undo it; harmless when repeated (RFC 8058)."""
    tracked = application.tracking.read(token, "unsubscribe")
    if tracked is None:
        return missing_page()
    # Mailbox providers send their one field in any form of encoding: it need not be read.
    is_form = request.headers.get("content-type", "").startswith(_FORM)
    if is_form and "again" in await _read_form(request):
        await application.preferences.subscribe_again(tracked)
        return subscribed_again_page(*_told(application, tracked))
    await application.preferences.unsubscribe(tracked)
    return unsubscribed_page(*_told(application, tracked))


@get("/t/p/{token:str}", include_in_schema=False, sync_to_thread=False)
def show_preferences(token: str, application: Application) -> Response[str]:
    """Show what the user can choose, and has chosen."""
    tracked = application.tracking.read(token, "preferences")
    if tracked is None:
        return missing_page()
    try:
        return preferences_page(application.preferences.of(tracked))
    except NotFoundError:
        return missing_page()


@post(
    "/t/p/{token:str}",
    status_code=200,
    include_in_schema=False,
    request_max_body_size=PREFERENCE_FORM_BYTES_MAX,
)
async def save_preferences(
    token: str, request: AnyRequest, application: Application
) -> Response[str]:
    """Save what the user changed of what was shown; the rest stays as others may have set it."""
    tracked = application.tracking.read(token, "preferences")
    if tracked is None:
        return missing_page()
    form = await _read_form(request)
    preferences = application.preferences
    try:
        if "nothing" in form:
            changed = await preferences.choose_nothing(tracked)
        else:
            on, was = set(form.get("on", ())), set(form.get("was", ()))
            wanted = {
                one: one in on for one in form.get("shown", ()) if (one in on) != (one in was)
            }
            changed = await preferences.choose(tracked, wanted)
        return preferences_page(preferences.of(tracked), changed)
    except NotFoundError:
        return missing_page()


def _told(application: Application, tracked: Tracked) -> tuple[str, str | None, str]:
    """Return what the pages about unsubscribing tell: sender, group, and the way to choices."""
    pages, group = application.preferences, tracked.group
    token = application.tracking.sign(replace(tracked, kind="preferences", group=None))
    name = pages.group_name(group) if group is not None else None
    return pages.sender(), name, f"../p/{token}"


async def _read_form(request: AnyRequest) -> dict[str, list[str]]:
    """Return the fields of a form.

    Raises:
        ClientException: it has more fields than a page of ours could give it.
    """
    text = (await request.body()).decode("utf-8", "replace")
    try:
        return parse_qs(text, keep_blank_values=True, max_num_fields=_FIELDS_MAX)
    except ValueError:
        message = f"the form has more than {_FIELDS_MAX} fields"
        raise ClientException(message) from None


HANDLERS = [styles, ask_to_unsubscribe, unsubscribe, show_preferences, save_preferences]
