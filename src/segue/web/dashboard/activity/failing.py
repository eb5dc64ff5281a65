"""The message log: what did not go out, by cause."""

from typing import Any

from litestar import Response, get

from segue.model.limits import FAILURES_DAYS
from segue.services.application import Application
from segue.services.failures import failures_of
from segue.web.dashboard.activity.live import PATH
from segue.web.dashboard.pages import PageRequest
from segue.web.dashboard.places import campaign_path
from segue.web.dashboard.shell import page


@get(f"{PATH}/failures")
async def show_failures(request: PageRequest, application: Application) -> Response[Any]:
    """Show messages that did not go out in the last days, by campaign, channel and reason."""
    groups = await failures_of(application.runtime, application.activity)
    plan = application.runtime.plan
    names = {slug: one.newest.document.name for slug, one in plan.campaigns.items()}
    return page(
        request,
        "activity/failures.html",
        title="Activity",
        problems=[one for one in groups if one.is_problem],
        others=[one for one in groups if not one.is_problem],
        names=names,
        days=FAILURES_DAYS,
        campaign_path=campaign_path,
    )
