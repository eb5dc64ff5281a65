"""`POST /api/v1/events`: the door for everything that happens to users."""

from typing import Any

from litestar import Request, post

from segue.model.events import Event
from segue.runtime.ingest import Taken
from segue.services.application import Application
from segue.web.bodies import EntryReader, read_body

_events = EntryReader(Event, "events")


@post("/events", status_code=202, opt={"scope": "ingest"}, tags=["events"])
async def take_events(request: Request[Any, Any, Any], application: Application) -> Taken:
    """Take events, as `{"events": [...]}` or NDJSON, gzip allowed; durable when answered.

    A bad event is rejected by its index, and the others are taken.
    """
    body = await read_body(request)
    entries = _events.read(body, request.headers.get("content-type", ""))
    return await application.runtime.ingest.take_events(entries)
