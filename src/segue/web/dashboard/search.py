"""Search: pages by their names, and whatever pages can find among their things."""

from typing import Any, Final

from litestar import Response, get

from segue.web.dashboard.navigation import all_pages
from segue.web.dashboard.pages import Hit, Page, PageRequest
from segue.web.dashboard.shell import page

_HITS_MAX: Final = 50
_TEXT_MAX: Final = 200


@get("/search")
async def show_hits(request: PageRequest) -> Response[Any]:
    """Show what a text is found in."""
    text = request.query_params.get("q", "").strip()[:_TEXT_MAX]
    hits = await _hits(request, text.lower()) if text else []
    return page(
        request,
        "search.html",
        title="Search",
        text=text,
        hits=hits[:_HITS_MAX],
        is_cut=len(hits) > _HITS_MAX,
    )


async def _hits(request: PageRequest, text: str) -> list[Hit]:
    pages = [one for one in all_pages() if request.auth.may(one.permission)]
    hits = [
        Hit("page", one.title, one.path)
        for one in pages
        if one.is_in_navigation and text in one.title.lower()
    ]
    for one in pages:
        if one.find is not None and len(hits) <= _HITS_MAX:
            hits += await one.find(request, text)
    return hits


PAGE = Page(
    "/search",
    "Search",
    (show_hits,),
    is_in_navigation=False,
    samples=("/search?q=team", "/search?q=nothing-has-this-name"),
)
