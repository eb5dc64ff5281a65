"""`GET /api/v1/connections`: which campaigns follow which."""

from litestar import get

from segue.services.application import Application
from segue.services.connections import Connections, connections_among


@get("/connections", opt={"scope": "read"}, tags=["campaigns"])
async def get_connections(application: Application) -> Connections:
    """Show the graph of campaigns: who follows whom on what, with counts, loops and order."""
    return await connections_among(application.campaigns.all(), application.totals)


HANDLERS = [get_connections]
