"""`/connections`: the graph of campaigns and the same as tables, notices, and how to follow one."""

from typing import Any, Final

import msgspec
from litestar import Response, get

from segue.errors import ConflictError
from segue.model.limits import CONNECTIONS_PAGE_MAX
from segue.services.application import Application
from segue.services.campaign_list import tags_of
from segue.services.composition_trees import RECIPES
from segue.services.connection_map import as_mermaid, drawn
from segue.services.followable import interactions_with
from segue.web.dashboard.campaigns.filters import address, chips_of, choices, filter_of, query_of
from segue.web.dashboard.campaigns.words import show_words
from segue.web.dashboard.connections.picture import edge_marks, node_reads, picture_of
from segue.web.dashboard.connections.reading import read_connections
from segue.web.dashboard.pages import Page, PageRequest, crumbs
from segue.web.dashboard.places import campaign_path
from segue.web.dashboard.shell import PAGE_HEADERS, page

_PATH: Final = "/connections"
_FILTERS: Final = {
    "state": "state",
    "channel": "channel",
    "tag": "tag",
    "q": "text",
    "near": "connected to",
}
_PAGES_MAX: Final = 1_000
_SLUG_LENGTH_MAX: Final = 100


def _near_of(request: PageRequest) -> str:
    return request.query_params.get("near", "")[:_SLUG_LENGTH_MAX]


@get(_PATH)
async def show_connections(request: PageRequest, application: Application) -> Response[Any]:
    """Show the graph and its tables: what leads to what."""
    wanted, near = filter_of(request), _near_of(request)
    reading = await read_connections(application, wanted, near)
    shown, picture = reading.map, drawn(reading.map)
    query = query_of(wanted, near=near)
    is_table = request.query_params.get("view") == "table"
    number = _page_number(request)
    first, last = (number - 1) * CONNECTIONS_PAGE_MAX, number * CONNECTIONS_PAGE_MAX
    has_more = last < max(len(shown.nodes), len(shown.edges))
    paged = {**query, "view": "table"}
    campaigns = [one for one in reading.campaigns if one.status != "archived"]
    return page(
        request,
        "connections/page.html",
        title="Connections",
        **show_words(),
        is_empty=not campaigns,
        has_connections=bool(reading.found.edges),
        wanted=wanted,
        near=near,
        choices=choices(tags_of(reading.campaigns), wanted),
        campaign_choices=[("", "any"), *((one.slug, one.document.name) for one in campaigns)],
        chips=chips_of(_PATH, query, _FILTERS),
        notices=reading.notices(),
        names={one.slug: one.document.name for one in reading.campaigns},
        publish_order=reading.found.publish_order,
        is_table=is_table,
        graph_path=address(_PATH, query),
        table_path=address(_PATH, paged),
        data_path=address("/connections/data", query),
        nodes=shown.nodes[first:last],
        edges=shown.edges[first:last],
        node_count=len(shown.nodes),
        edge_count=len(shown.edges),
        picture=picture,
        node_reads=node_reads,
        edge_marks=edge_marks,
        mermaid=as_mermaid(picture),
        recipes=RECIPES,
        next_path=address(_PATH, {**paged, "page": number + 1}) if has_more else None,
        first_path=address(_PATH, paged) if number > 1 else None,
    )


def _page_number(request: PageRequest) -> int:
    text = request.query_params.get("page", "1")
    return min(max(int(text), 1), _PAGES_MAX) if text.isascii() and text.isdigit() else 1


@get("/connections/data")
async def give_picture(request: PageRequest, application: Application) -> Response[bytes]:
    """Give what is drawn, as JSON; the drawing asks again from time to time."""
    reading = await read_connections(application, filter_of(request), _near_of(request))
    picture = picture_of(
        drawn(reading.map), application.clock.now(), may_draft=request.auth.may("draft")
    )
    headers = {**PAGE_HEADERS, "Cache-Control": "no-store"}
    body = msgspec.json.encode(picture)
    return Response(body, media_type="application/json", headers=headers)


@get("/connections/follow", opt={"permission": "draft"}, sync_to_thread=False)
def ask_how_to_follow(request: PageRequest, application: Application) -> Response[Any]:
    """Ask by which interaction a new campaign is to follow one."""
    campaign = application.campaigns.find(request.query_params.get("campaign", ""))
    if campaign.status == "archived":
        message = f"{campaign.slug} is archived: what people do with it starts nothing any more"
        raise ConflictError(message)
    options = [(one.name, one.label, "") for one in interactions_with(campaign)]
    return page(
        request,
        "connections/follow.html",
        title=f"New campaign triggered by “{campaign.document.name}”",
        crumbs=crumbs(
            ("Connections", _PATH), (campaign.document.name, campaign_path(campaign.slug))
        ),
        campaign=campaign,
        options=options,
    )


PAGE = Page(
    _PATH,
    "Connections",
    (show_connections, give_picture),
    group="Messaging",
    icon="network",
    key="o",
    samples=(
        _PATH,
        "/connections?view=table",
        "/connections?near=spring-sale",
    ),
)
FOLLOWING = Page(
    "/connections/follow",
    "Follow a campaign",
    (ask_how_to_follow,),
    permission="draft",
    is_in_navigation=False,
    samples=("/connections/follow?campaign=spring-sale",),
)
