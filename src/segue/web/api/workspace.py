"""`/api/v1/workspace`, `/caps` and `/channels`: what holds for all campaigns."""

from typing import Annotated, Any

from litestar import Request, Response, delete, get, post, put
from litestar.params import QueryParameter
from msgspec import Struct
from msgspec.structs import asdict

from segue.model.channels import Channel
from segue.model.workspace import (
    Cap,
    ChannelPolicy,
    QuietHours,
    SubscriptionGroup,
    Workspace,
)
from segue.services.application import Application
from segue.services.workspace import ChannelRules
from segue.web.bodies import read_json
from segue.web.pages import Page, page_of

PageLimit = Annotated[int, QueryParameter(ge=1, le=1000)]
_TAGS = ["workspace"]


class ShownWorkspace(Struct):
    """The workspace with every field; it may be sent back as it is."""

    name: str
    time_zone: str
    quiet_hours: QuietHours | None
    caps: list[Cap]
    channels: dict[Channel, ChannelPolicy]
    subscription_groups: list[SubscriptionGroup]


def shown(workspace: Workspace) -> ShownWorkspace:
    """Return the workspace as the API shows it."""
    return ShownWorkspace(**asdict(workspace))


@get("/workspace", opt={"scope": "read"}, tags=_TAGS, sync_to_thread=False)
def get_workspace(application: Application) -> ShownWorkspace:
    """Show the time zone, quiet hours, caps, channel policies and subscription groups."""
    return shown(application.workspace.get())


@put("/workspace", opt={"scope": "admin"}, tags=_TAGS)
async def put_workspace(
    request: Request[Any, Any, Any], application: Application
) -> ShownWorkspace:
    """Replace the workspace; what the document leaves out gets its default."""
    return shown(await application.workspace.put(await read_json(request)))


@get("/caps", opt={"scope": "read"}, tags=_TAGS, sync_to_thread=False)
def list_caps(application: Application, limit: PageLimit = 100, cursor: str = "") -> Page[Cap]:
    """List frequency caps by slug; all of them hold."""
    caps = sorted(application.workspace.get().caps, key=lambda cap: cap.slug)
    found = [cap for cap in caps if cap.slug > cursor]
    return page_of(found[: limit + 1], limit, lambda cap: cap.slug)


@post("/caps", opt={"scope": "admin"}, tags=_TAGS)
async def create_cap(request: Request[Any, Any, Any], application: Application) -> Cap:
    """Add a frequency cap, which holds from now on."""
    return await application.workspace.create_cap(await read_json(request))


@get("/caps/{slug:str}", opt={"scope": "read"}, tags=_TAGS, sync_to_thread=False)
def get_cap(slug: str, application: Application) -> Cap:
    """Show a frequency cap."""
    return application.workspace.find_cap(slug)


@put("/caps/{slug:str}", opt={"scope": "admin"}, tags=_TAGS)
async def put_cap(
    slug: str, request: Request[Any, Any, Any], application: Application
) -> Response[Cap]:
    """Save a cap under a slug: a new one (201), or in place of the one there."""
    cap, is_new = await application.workspace.put_cap(slug, await read_json(request))
    return Response(cap, status_code=201 if is_new else 200)


@delete("/caps/{slug:str}", opt={"scope": "admin"}, tags=_TAGS)
async def delete_cap(slug: str, application: Application) -> None:
    """Delete a frequency cap."""
    await application.workspace.delete_cap(slug)


@get("/channels", opt={"scope": "read"}, tags=_TAGS, sync_to_thread=False)
def list_channels(application: Application) -> Page[ChannelRules]:
    """List the channels, and what is done when a provider's answer is not known."""
    return Page(application.workspace.channels())


@put("/channels/{channel:str}", opt={"scope": "admin"}, tags=_TAGS)
async def put_channel(
    channel: str, request: Request[Any, Any, Any], application: Application
) -> ChannelRules:
    """Set a channel's policy, `{"on_unknown": "resend"}` or "drop"; null is the default."""
    return await application.workspace.put_channel(channel, await read_json(request))


HANDLERS = [
    get_workspace,
    put_workspace,
    list_caps,
    create_cap,
    get_cap,
    put_cap,
    delete_cap,
    list_channels,
    put_channel,
]
