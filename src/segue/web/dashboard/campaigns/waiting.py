"""A campaign's page, Waiting: who waits, since when, and until when."""

from typing import Any

from litestar import Response, get

from segue.model.instants import parse_instant
from segue.model.limits import WAITERS_PAGE_MAX
from segue.services.application import Application
from segue.services.waiting import waiting_for
from segue.web.dashboard.campaigns.filters import address
from segue.web.dashboard.campaigns.frame import tab_page
from segue.web.dashboard.pages import PageRequest
from segue.web.dashboard.places import campaign_path


@get("/campaigns/{campaign:str}/waiting")
async def show_waiting(
    campaign: str, request: PageRequest, application: Application
) -> Response[Any]:
    """Show who waits for a campaign, those due first first."""
    found = application.campaigns.find(campaign)
    cursor = request.query_params.get("cursor", "")
    runtime, totals = application.runtime, application.totals
    shown = await waiting_for(runtime, totals, found.slug, WAITERS_PAGE_MAX, cursor)
    path = campaign_path(found.slug, "waiting")
    next_path = address(path, {"cursor": shown.next_cursor}) if shown.next_cursor else None
    return tab_page(
        request,
        application,
        found,
        "waiting",
        waiters=shown.data,
        count=shown.count,
        instant=parse_instant,
        has_delay=bool(found.document.delivery.delay != "immediately"),
        next_path=next_path,
        first_path=path if cursor else None,
    )
