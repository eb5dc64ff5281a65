"""`/campaigns`: all campaigns, what was changed last first, with filters in the address."""

import re
from typing import Any, Final

from litestar import Response, get

from segue.model.limits import CAMPAIGNS_PAGE_MAX
from segue.services.application import Application
from segue.services.campaign_list import (
    edges_among,
    is_named,
    neighbours_of,
    newest_first,
    tags_of,
    weeks_of,
)
from segue.services.composition_trees import RECIPES
from segue.storage.ports import StoredCampaign
from segue.web.dashboard import charts
from segue.web.dashboard.campaigns.filters import address, chips_of, choices, filter_of, query_of
from segue.web.dashboard.campaigns.words import show_words
from segue.web.dashboard.pages import Hit, PageRequest
from segue.web.dashboard.places import campaign_path
from segue.web.dashboard.shell import page

PATH: Final = "/campaigns"
_CURSOR: Final = re.compile(r"([0-9]{1,18})\.(.{1,100})")  # change and slug of the last one
_FILTERS: Final = {"state": "state", "channel": "channel", "tag": "tag", "q": "text"}


@get(PATH)
async def show_campaigns(request: PageRequest, application: Application) -> Response[Any]:
    """Show the campaigns that are wanted."""
    wanted = filter_of(request)
    everything = application.campaigns.all()
    found = newest_first(one for one in everything if wanted.takes(one))
    cursor = request.query_params.get("cursor", "")
    rest = _behind(found, cursor)
    shown, has_more = rest[:CAMPAIGNS_PAGE_MAX], len(rest) > CAMPAIGNS_PAGE_MAX
    parts = query_of(wanted)
    return page(
        request,
        "campaigns/list.html",
        title="Campaigns",
        **show_words(),
        campaigns=shown,
        count=len(found),
        is_empty=not everything,
        wanted=wanted,
        choices=choices(tags_of(everything), wanted),
        chips=chips_of(PATH, parts, _FILTERS),
        channels={one.slug: one.document.channels() for one in shown},
        neighbours=neighbours_of(edges_among(everything)),
        weeks=await weeks_of(application.runtime, [one.slug for one in shown if one.version]),
        sparkline=charts.sparkline,
        recipes=RECIPES,
        next_path=address(PATH, {**parts, "cursor": _cursor(shown[-1])}) if has_more else None,
        first_path=address(PATH, parts) if cursor else None,
    )


def _cursor(last: StoredCampaign) -> str:
    return f"{last.updated_at}.{last.slug}"


def _behind(found: list[StoredCampaign], cursor: str) -> list[StoredCampaign]:
    """Return the campaigns behind a cursor; one that is none of ours leads to the beginning."""
    match = _CURSOR.fullmatch(cursor)
    if match is None:
        return found
    place = (-int(match[1]), match[2])
    return [one for one in found if (-one.updated_at, one.slug) > place]


async def find(request: PageRequest, text: str) -> list[Hit]:
    """Return the campaigns that a search finds."""
    application: Application = request.app.state.application
    return [
        Hit(f"campaign, {one.status}", one.document.name, campaign_path(one.slug))
        for one in newest_first(application.campaigns.all())
        if is_named(one, text)
    ]
