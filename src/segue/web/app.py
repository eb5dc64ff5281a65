"""The web application: routes, guard, error shape, limits."""

from litestar import Litestar, Router
from litestar.datastructures import State
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.openapi import OpenAPIConfig

from segue import __version__
from segue.model.limits import REQUEST_BYTES_MAX
from segue.services.application import Application
from segue.web.api import (
    backtests,
    campaigns,
    connections,
    dead_letters,
    events,
    mail_reports,
    phones,
    projects,
    publishing,
    push_devices,
    segments,
    sends,
    stats,
    suppressions,
    users,
    workspace,
)
from segue.web.audit import AuditedWrites
from segue.web.auth import needs_scope
from segue.web.dashboard.errors import answer_by_reader
from segue.web.dashboard.router import dashboard_router
from segue.web.errors import EXCEPTION_HANDLERS, SECURITY_HEADERS
from segue.web.hooks.email import email_hooks_router
from segue.web.hooks.phone import take_phones_text
from segue.web.hooks.sms import HANDLERS as SMS_HOOKS
from segue.web.idempotency import IdempotentWrites
from segue.web.operations import HANDLERS as OPERATIONS
from segue.web.preferences import HANDLERS as PREFERENCES
from segue.web.rehearsing import rehearsal_router
from segue.web.sdk import sdk_router
from segue.web.short_links import short_link_router
from segue.web.stream import stream
from segue.web.tracking import HANDLERS as TRACKING


def create_app(application: Application) -> Litestar:
    """Return the ASGI application around a started `application`."""

    def provide_application() -> Application:
        return application

    api = Router(
        "/api/v1",
        route_handlers=[
            events.take_events,
            mail_reports.take_mail_report,
            *users.HANDLERS,
            *push_devices.HANDLERS,
            *phones.HANDLERS,
            *campaigns.HANDLERS,
            *publishing.HANDLERS,
            *connections.HANDLERS,
            *stats.HANDLERS,
            *sends.HANDLERS,
            *dead_letters.HANDLERS,
            *segments.HANDLERS,
            *workspace.HANDLERS,
            *projects.HANDLERS,
            *suppressions.HANDLERS,
            *backtests.HANDLERS,
            stream,
        ],
        guards=[needs_scope],
        middleware=[AuditedWrites],
    )
    return Litestar(
        [
            api,
            dashboard_router(application),
            sdk_router(application.clock),
            short_link_router(application.clock),
            email_hooks_router(application.clock),
            rehearsal_router(application.clock),
            *TRACKING,
            *SMS_HOOKS,
            *PREFERENCES,
            take_phones_text,
            *OPERATIONS,
        ],
        dependencies={"application": Provide(provide_application, sync_to_thread=False)},
        exception_handlers={**EXCEPTION_HANDLERS, HTTPException: answer_by_reader},
        middleware=[IdempotentWrites],
        request_max_body_size=REQUEST_BYTES_MAX,
        response_headers=SECURITY_HEADERS,
        openapi_config=OpenAPIConfig(
            title="Segue",
            version=__version__,
            use_handler_docstrings=True,
            path="/schema/files",
            enabled_endpoints=set(),
        ),
        state=State({"application": application}),
        logging_config=None,
    )
