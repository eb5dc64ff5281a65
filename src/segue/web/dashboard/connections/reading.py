"""What a page about connections shows: the map of the wanted campaigns, and the notices."""

from msgspec import Struct

from segue.services.application import Application
from segue.services.campaign_list import CampaignFilter
from segue.services.connection_map import ConnectionMap, MapFilter, map_of
from segue.services.connection_notices import Notice, notices_of
from segue.services.connections import Connections, connections_among
from segue.services.explanations.words import Words
from segue.storage.ports import StoredCampaign


class Reading(Struct, frozen=True):
    """All campaigns, how they are connected, and the part of it that is wanted."""

    campaigns: list[StoredCampaign]
    found: Connections
    map: ConnectionMap

    def notices(self) -> list[Notice]:
        """Return the notices about the campaigns that are shown."""
        shown = {node.key for node in self.map.nodes}
        return [one for one in notices_of(self.campaigns, self.found) if shown & set(one.slugs)]


async def read_connections(
    application: Application, wanted: CampaignFilter, near: str = ""
) -> Reading:
    """Return what is connected among the campaigns that are wanted."""
    campaigns = application.campaigns.all()
    found = await connections_among(campaigns, application.totals)
    runtime = application.runtime
    names = {one.slug: one.document.name for one in campaigns}
    words = Words("a user", runtime.plan, runtime.clock.now(), names)
    return Reading(campaigns, found, map_of(campaigns, found, words, MapFilter(wanted, near)))
