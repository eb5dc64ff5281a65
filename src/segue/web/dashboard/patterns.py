"""`/_patterns`: every piece that pages are made of, to look at and to test."""

from typing import Any

from litestar import Response, get

from segue.web.dashboard import charts
from segue.web.dashboard.pages import Page, PageRequest, crumbs
from segue.web.dashboard.shell import page

_PATH = "/_patterns"


@get(_PATH, opt={"permission": "admin"}, sync_to_thread=False)
def show_patterns(request: PageRequest) -> Response[Any]:
    """Show every piece."""
    lines = [
        charts.Line(name, [number, 2 * number, number + 3, number * number])
        for number, name in enumerate(("Sent", "Opened", "Clicked", "Converted"), 1)
    ]
    return page(
        request,
        "patterns.html",
        title="Patterns",
        crumbs=crumbs(("Home", "/")),
        charts=charts,
        chart_lines=lines,
    )


PAGE = Page(
    _PATH,
    "Patterns",
    (show_patterns,),
    permission="admin",
    is_in_navigation=False,
)
