"""Public links of messages: open pixel and click redirect."""

import base64
from typing import Any, Final

from litestar import Request, Response, get
from litestar.exceptions import NotFoundException
from litestar.response import Redirect

from segue.content.tokens import TokenKind, Tracked
from segue.services.application import Application

_PIXEL: Final = base64.b64decode(b"R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
NO_CACHE: Final = {"Cache-Control": "no-store, max-age=0", "Referrer-Policy": "no-referrer"}


def _read(application: Application, token: str, kind: TokenKind) -> Tracked:
    tracked = application.tracking.read(token, kind)
    if tracked is None:
        raise NotFoundException("this link does not exist")
    return tracked


def agent_of(request: Request[Any, Any, Any]) -> str:
    """Return what the program that asks says it is."""
    return request.headers.get("user-agent", "")


@get("/t/o/{token:str}", include_in_schema=False)
async def open_pixel(
    token: str, request: Request[Any, Any, Any], application: Application
) -> Response[bytes]:
    """Record an open and answer with a transparent pixel."""
    tracked = _read(application, token.removesuffix(".gif"), "open")
    await application.tracking.opened(tracked, agent_of(request))
    return Response(_PIXEL, media_type="image/gif", headers=NO_CACHE)


@get("/t/c/{token:str}", include_in_schema=False)
async def follow_link(
    token: str, request: Request[Any, Any, Any], application: Application
) -> Redirect:
    """Record a click and redirect to the URL that was in the message, and to no other."""
    tracked = _read(application, token, "click")
    await application.tracking.clicked(tracked, agent_of(request))
    return Redirect(tracked.link or "/", status_code=302, headers=NO_CACHE)


HANDLERS = [open_pixel, follow_link]
