"""`/api/v1/suppressions`: addresses that get nothing, whoever has them."""

from pathlib import PurePath
from typing import Annotated, Any
from urllib.parse import unquote

from litestar import Request, delete, get, post
from litestar.params import QueryParameter

from segue.model.limits import SUPPRESSION_QUERY_LENGTH_MAX
from segue.services.application import Application
from segue.services.suppressions import ShownSuppression, SuppressionsAdded, cursor_of
from segue.web.audit import note_change
from segue.web.bodies import read_json
from segue.web.pages import Page, PageLimit, page_of

_TAGS = ["suppressions"]


@get("/suppressions", opt={"scope": "read"}, tags=_TAGS, sync_to_thread=True)
def list_suppressions(
    application: Application,
    channel: str | None = None,
    limit: PageLimit = 100,
    cursor: str = "",
    q: Annotated[str, QueryParameter(max_length=SUPPRESSION_QUERY_LENGTH_MAX)] = "",
) -> Page[ShownSuppression]:
    """List suppressed addresses, of a channel, or those that hold a text; each with its reasons."""
    found = application.suppressions.page(channel, cursor, limit + 1, q)
    return page_of(found, limit, cursor_of)


@post("/suppressions", opt={"scope": "admin"}, tags=_TAGS)
async def add_suppressions(
    request: Request[Any, Any, Any], application: Application
) -> SuppressionsAdded:
    """Suppress addresses: `{"channel": "email", "addresses": [...], "reason": "import"}`."""
    added = await application.suppressions.add(await read_json(request))
    note_change(request, "the suppression list", f"{added.added} new")
    return added


# A path, since an email address may hold a slash.
@delete("/suppressions/{channel:str}/{address:path}", opt={"scope": "admin"}, tags=_TAGS)
async def remove_suppression(
    channel: str, address: PurePath, request: Request[Any, Any, Any], application: Application
) -> None:
    """Take an address off the list; users for whom it was dead may get messages at it again."""
    given = _as_written(request) or str(address)[1:]
    await application.suppressions.remove(channel, given)
    note_change(request, f"{channel} {given}")


def _as_written(request: Request[Any, Any, Any]) -> str:
    """Return the address as the caller wrote it; a path has lost dots and slashes in a row."""
    raw = (request.scope.get("raw_path") or b"").decode("ascii", "replace")
    _, _, rest = raw.partition("/suppressions/")
    return unquote(rest.partition("/")[2])


HANDLERS = [list_suppressions, add_suppressions, remove_suppression]
