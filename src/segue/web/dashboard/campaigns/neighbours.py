"""A campaign's page, Connections: what it follows, and what follows it."""

from typing import Any

from litestar import Response, get

from segue.services.application import Application
from segue.services.campaign_list import CampaignFilter
from segue.services.connection_map import drawn
from segue.web.dashboard.campaigns.filters import address
from segue.web.dashboard.campaigns.frame import tab_page
from segue.web.dashboard.connections.picture import edge_marks, node_reads
from segue.web.dashboard.connections.reading import read_connections
from segue.web.dashboard.pages import PageRequest


@get("/campaigns/{campaign:str}/connections")
async def show_neighbours(
    campaign: str, request: PageRequest, application: Application
) -> Response[Any]:
    """Show a campaign's neighbours, and the graph of all that are connected to it."""
    found = application.campaigns.find(campaign)
    reading = await read_connections(application, CampaignFilter(), found.slug)
    edges = reading.map.edges
    picture = drawn(reading.map)
    return tab_page(
        request,
        application,
        found,
        "connections",
        names={one.slug: one.document.name for one in reading.campaigns},
        notices=[one for one in reading.notices() if found.slug in one.slugs],
        followed=[one for one in edges if one.follower == found.slug],
        followers=[one for one in edges if one.target == found.slug],
        others=[one for one in edges if found.slug not in (one.follower, one.target)],
        picture=picture,
        node_reads=node_reads,
        edge_marks=edge_marks,
        data_path=address("/connections/data", {"near": found.slug}),
    )
