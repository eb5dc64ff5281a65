"""`POST /api/v1/events`: the door for everything that happens to users."""

from contextlib import ExitStack
from typing import Any

from litestar import Request, post

from segue.errors import BusyError
from segue.model.events import Event
from segue.runtime.ingest import Taken
from segue.services.application import Application
from segue.web.bodies import EntryReader, body_bytes_of, discard_body, read_body

_events = EntryReader(Event, "events")


@post("/events", status_code=202, opt={"scope": "ingest"}, tags=["events"])
async def take_events(request: Request[Any, Any, Any], application: Application) -> Taken:
    """Take events, as `{"events": [...]}` or NDJSON, gzip allowed; durable when answered.

    A bad event is rejected by its index, and the others are taken.
    """
    ingest = application.runtime.ingest
    with ExitStack() as stack:
        try:
            stack.enter_context(ingest.room_for(body_bytes_of(request)))
        except BusyError:
            await discard_body(request)
            raise
        body = await read_body(request)
        entries = _events.read(body, request.headers.get("content-type", ""))
        return await ingest.take_events(entries)
