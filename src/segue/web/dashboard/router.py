"""The dashboard's routes, put together from its pages."""

from typing import Any

from litestar import Router
from litestar.di import Provide

from segue.model.limits import FORM_BYTES_MAX
from segue.services.application import Application
from segue.services.rehearsals import RehearsalEndedError
from segue.web.audit import AuditedWrites
from segue.web.dashboard.assets import static_file
from segue.web.dashboard.errors import PAGE_EXCEPTION_HANDLERS
from segue.web.dashboard.navigation import set_pages
from segue.web.dashboard.registry import PAGES
from segue.web.dashboard.rehearsals.beginning import tell_ended
from segue.web.dashboard.shell import PAGE_HEADERS, needs_account
from segue.web.dashboard.sign_in import SignInLimits


def dashboard_router(application: Application) -> Router:
    """Return the routes of all pages."""
    set_pages(PAGES)
    limits = SignInLimits(application.clock)
    handlers: list[Any] = [handler for page in PAGES for handler in page.handlers]
    return Router(
        "/",
        route_handlers=[static_file, *handlers],
        guards=[needs_account],
        middleware=[AuditedWrites],
        dependencies={"limits": Provide(lambda: limits, sync_to_thread=False)},
        exception_handlers={**PAGE_EXCEPTION_HANDLERS, RehearsalEndedError: tell_ended},
        response_headers=PAGE_HEADERS,
        request_max_body_size=FORM_BYTES_MAX,
        include_in_schema=False,
    )
