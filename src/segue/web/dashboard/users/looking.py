"""The tabs of a user's page that show: profile, timeline, inbox, and everything as a file."""

import re
from typing import Any, Final

import msgspec
from litestar import Response, get
from litestar.response import Redirect

from segue.errors import NotFoundError
from segue.services.application import Application
from segue.services.timelines import timeline_page
from segue.web.dashboard.pages import PageRequest
from segue.web.dashboard.places import USERS_PATH, user_in, user_path
from segue.web.dashboard.shell import PAGE_HEADERS
from segue.web.dashboard.users.frame import known, tab_page

PATH: Final = f"{USERS_PATH}/{{segment:str}}"
_NUMBER: Final = re.compile(r"[0-9]{1,15}")  # more digits are no line


@get(PATH)
async def show_profile(
    segment: str, request: PageRequest, application: Application
) -> Response[Any]:
    """Show what is known of a user; with `segment`, why they are in one."""
    user_id, asked = user_in(segment), request.query_params.get("segment", "")
    if known(application, user_id) is None:
        timeline = await timeline_page(application.runtime, user_id)
        if timeline.count > timeline.is_erased:
            return Redirect(
                user_path(user_id, "timeline"), status_code=303, headers=dict(PAGE_HEADERS)
            )
    return tab_page(
        request,
        application,
        user_id,
        "",
        profile=application.profiles.of(user_id),
        asked=asked,
        trace=application.profiles.why_in_segment(user_id, asked) if asked else None,
    )


@get(f"{PATH}/timeline")
async def show_timeline(
    segment: str, request: PageRequest, application: Application
) -> Response[Any]:
    """Show what happened to a user, newest first; behind a cursor, or from an event on."""
    user_id = user_in(segment)
    written = request.query_params.get("before", "")
    before = int(written) if _NUMBER.fullmatch(written) else None
    event_id = request.query_params.get("event", "")
    timeline = await timeline_page(application.runtime, user_id, before, event_id)
    if not timeline.count and known(application, user_id) is None:
        raise NotFoundError(f"there is no user {user_id!r}: nothing was told of one")
    return tab_page(
        request,
        application,
        user_id,
        "timeline",
        timeline=timeline,
        is_first=before is None and not event_id,
        timeline_path=user_path(user_id, "timeline"),
    )


@get(f"{PATH}/inbox")
async def show_inbox(segment: str, request: PageRequest, application: Application) -> Response[Any]:
    """Show the in-app messages and content cards that are due to a user."""
    user_id = user_in(segment)
    application.users.find(user_id)
    due = await application.devices.due(user_id)
    return tab_page(
        request,
        application,
        user_id,
        "inbox",
        kinds=[("In-app messages", due.in_app_messages), ("Content cards", due.content_cards)],
    )


@get(f"{PATH}/export")
async def give_export(segment: str, application: Application) -> Response[bytes]:
    """Give what is known of a user as a file: profile and timeline, as the API has them."""
    user_id = user_in(segment)
    user = application.users.find(user_id)
    told = {"user": user, "timeline": await application.users.timeline(user_id)}
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", user_id)[:60] or "user"
    headers = {
        **PAGE_HEADERS,
        "Cache-Control": "no-store",
        "Content-Disposition": f'attachment; filename="{name}.json"',
    }
    body = msgspec.json.format(msgspec.json.encode(told), indent=2)
    return Response(body, media_type="application/json", headers=headers)
