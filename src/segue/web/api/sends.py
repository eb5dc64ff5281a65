"""`POST /api/v1/campaigns/…/send`: API-triggered campaigns."""

from typing import Any

from litestar import Request, post

from segue.services.application import Application
from segue.services.triggered_sends import Requested, request_sends
from segue.web.bodies import read_json


@post("/campaigns/{campaign:str}/send", status_code=202, opt={"scope": "send"}, tags=["campaigns"])
async def send_campaign(
    campaign: str, request: Request[Any, Any, Any], application: Application
) -> Requested:
    """Send an API-triggered campaign to users, with `trigger_properties`; durable when answered.

    `{"recipients": [{"user_id", "trigger_properties"?, "attributes"?}], "trigger_properties"?}`.
    """
    found = application.campaigns.find(campaign)
    return await request_sends(application.runtime, found, await read_json(request))


HANDLERS = [send_campaign]
