"""`/api/v1/segments`: saved audiences, and counts of audiences that nobody saved."""

from typing import Annotated, Any

from litestar import Request, Response, delete, get, post, put
from litestar.params import QueryParameter

from segue.model.workspace import Segment
from segue.services.application import Application
from segue.services.counts import AudienceSize
from segue.web.audit import note_change
from segue.web.bodies import read_json
from segue.web.pages import Page, page_of

PageLimit = Annotated[int, QueryParameter(ge=1, le=1000)]
_TAGS = ["segments"]


@get("/segments", opt={"scope": "read"}, tags=_TAGS, sync_to_thread=False)
def list_segments(
    application: Application, limit: PageLimit = 100, cursor: str = ""
) -> Page[Segment]:
    """List segments by slug."""
    found = [one for one in application.segments.all() if one.slug > cursor]
    return page_of(found[: limit + 1], limit, lambda one: one.slug)


@post("/segments", opt={"scope": "campaigns"}, tags=_TAGS)
async def create_segment(request: Request[Any, Any, Any], application: Application) -> Segment:
    """Save a new segment; audiences may name it at once."""
    segment = await application.segments.create(await read_json(request))
    note_change(request, segment.slug)
    return segment


@get("/segments/{slug:str}", opt={"scope": "read"}, tags=_TAGS, sync_to_thread=False)
def get_segment(slug: str, application: Application) -> Segment:
    """Show a segment."""
    return application.segments.find(slug)


@put("/segments/{slug:str}", opt={"scope": "campaigns", "permission": "publish"}, tags=_TAGS)
async def put_segment(
    slug: str, request: Request[Any, Any, Any], application: Application
) -> Response[Segment]:
    """Save a segment under a slug: a new one (201), or in place of the one there."""
    segment, is_new = await application.segments.put(slug, await read_json(request))
    return Response(segment, status_code=201 if is_new else 200)


@delete("/segments/{slug:str}", opt={"scope": "campaigns", "permission": "publish"}, tags=_TAGS)
async def delete_segment(slug: str, application: Application) -> None:
    """Delete a segment that no campaign and no other segment names."""
    await application.segments.delete(slug)


@post("/segments/count", status_code=200, opt={"scope": "read"}, tags=_TAGS)
async def count_audience(
    request: Request[Any, Any, Any], application: Application
) -> Response[AudienceSize]:
    """Count the users of a filter, `{"filter": {...}}`, and whom each channel reaches of them.

    An answer of 202 is an estimate: the count goes on, and its `Location` tells how far it is.
    """
    size = await application.counts.begin(await read_json(request))
    if size.status in ("done", "failed"):
        return Response(size)
    location = f"/api/v1/segments/counts/{size.id}"
    return Response(size, status_code=202, headers={"Location": location, "Retry-After": "1"})


@get("/segments/counts/{count_id:str}", opt={"scope": "read"}, tags=_TAGS, sync_to_thread=False)
def get_count(count_id: str, application: Application) -> AudienceSize:
    """Show how far a count has come, and what it has found so far."""
    return application.counts.find(count_id)


@delete("/segments/counts/{count_id:str}", opt={"scope": "read"}, tags=_TAGS)
async def cancel_count(count_id: str, application: Application) -> None:
    """End a count that nobody waits for any more."""
    await application.counts.cancel(count_id)


HANDLERS = [
    list_segments,
    create_segment,
    get_segment,
    put_segment,
    delete_segment,
    count_audience,
    get_count,
    cancel_count,
]
