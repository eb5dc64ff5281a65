"""Home: how the installation is doing, at a glance."""

from typing import Any

from litestar import Response, get, post

from segue.errors import ConflictError
from segue.services.application import Application
from segue.services.demo_data import USERS, put_in_demo_data
from segue.services.overview import overview_of
from segue.web.dashboard.pages import Page, PageRequest
from segue.web.dashboard.shell import PAGE_HEADERS, done, page, render


async def _context(application: Application) -> dict[str, Any]:
    overview = await overview_of(application.runtime, application.channels_set_up)
    problem = application.runtime.problem()
    return {"overview": overview, "problem": problem}


@get("/", include_in_schema=False)
async def show_home(request: PageRequest, application: Application) -> Response[bytes]:
    """Show campaigns by status, today's sends, the newest decisions and the first steps."""
    return page(request, "home.html", title="Home", **await _context(application))


@get("/now", include_in_schema=False)
async def show_now(request: PageRequest, application: Application) -> Response[str]:
    """Give the part of Home that changes by itself; a script asks for it from time to time."""
    part = render(request, "home_now.html", **await _context(application))
    headers = {**PAGE_HEADERS, "Cache-Control": "no-store"}
    return Response(part, media_type="text/html", headers=headers)


@post("/demo-data", opt={"permission": "publish", "audit": "put demo data in"})
async def put_in(application: Application) -> Response[Any]:
    """Put demo data into an empty installation."""
    try:
        count = await put_in_demo_data(application)
    except ConflictError as error:
        return done("/", f"No demo data was put in: {error}.", "info")
    text = (
        f"{count} connected campaigns are active, and {len(USERS)} test users have phones: "
        f"{', '.join(USERS)}. Archive the campaigns when you have seen enough."
    )
    return done("/", text)


PAGE = Page("/", "Home", (show_home, show_now, put_in), icon="house", key="h")
