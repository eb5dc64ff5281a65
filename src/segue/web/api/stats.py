"""`/api/v1/campaigns/{campaign}/stats`: a campaign's numbers."""

from typing import Annotated

from litestar import get
from litestar.params import QueryParameter

from segue.services.application import Application
from segue.services.spans import By, read_period
from segue.services.stats import Stats, stats_of


@get("/campaigns/{campaign:str}/stats", opt={"scope": "read"}, tags=["campaigns"])
async def get_stats(
    campaign: str,
    application: Application,
    from_: Annotated[str | None, QueryParameter(name="from")] = None,
    to: str | None = None,
    by: By = "day",
    time_zone: str | None = None,
    variant: str | None = None,
) -> Stats:
    """Show a campaign's numbers in a period, and by the hour or the day of a time zone.

    The time zone is the workspace's unless one is named; `from` and `to` without an offset are
    times of it.
    """
    document = application.campaigns.find(campaign).document
    runtime = application.runtime
    period = read_period(from_, to, by, time_zone or runtime.plan.workspace.time_zone)
    return await stats_of(runtime, document, period, variant)


HANDLERS = [get_stats]
