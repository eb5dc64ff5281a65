"""`/_patterns`: every piece that pages are made of, to look at and to test."""

from typing import Any

from litestar import Response, get

from segue.web.dashboard.pages import Page, PageRequest, crumbs
from segue.web.dashboard.shell import page

_PATH = "/_patterns"


@get(_PATH, opt={"permission": "admin"}, sync_to_thread=False)
def show_patterns(request: PageRequest) -> Response[Any]:
    """Show every piece."""
    return page(request, "patterns.html", title="Patterns", crumbs=crumbs(("Home", "/")))


PAGE = Page(
    _PATH,
    "Patterns",
    (show_patterns,),
    permission="admin",
    is_in_navigation=False,
)
