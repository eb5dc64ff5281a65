"""The public addresses of rehearsals: those of devices and of links, under a rehearsal's own path.

The handlers are the live ones; the address says which application they get.
"""

from litestar import Router

from segue.clock import Clock
from segue.web.api import phones
from segue.web.audit import AuditedWrites
from segue.web.auth import needs_scope
from segue.web.hooks.phone import take_phones_text
from segue.web.preferences import HANDLERS as PREFERENCES
from segue.web.rehearsed import IN_REHEARSAL, REHEARSAL_PATH
from segue.web.sdk import sdk_router
from segue.web.short_links import short_link_router
from segue.web.tracking import HANDLERS as TRACKING


def rehearsal_router(clock: Clock) -> Router:
    """Return the routes that taps, pixels, links and the device SDK call in rehearsals."""
    api = Router(
        "/api/v1",
        route_handlers=[phones.list_messages, phones.issue_token],
        guards=[needs_scope],
        middleware=[AuditedWrites],
    )
    return Router(
        REHEARSAL_PATH,
        route_handlers=[
            api,
            sdk_router(clock),
            short_link_router(clock),
            *TRACKING,
            *PREFERENCES,
            take_phones_text,
        ],
        dependencies=IN_REHEARSAL,
        opt={"permission": "draft"},
        include_in_schema=False,
    )
