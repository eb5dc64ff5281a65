"""What all pages have in common: who may see them, the frame around them, their headers."""

import base64
import binascii
import gzip
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import quote

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined
from litestar import Response
from litestar.datastructures import Cookie
from litestar.exceptions import PermissionDeniedException
from litestar.handlers import BaseRouteHandler
from litestar.response import Redirect
from msgspec import Struct

from segue.model.accounts import Permission, roles_with
from segue.services.application import Application
from segue.web.cross_site import refuse_cross_site
from segue.web.dashboard import words
from segue.web.dashboard.assets import accepts_gzip, asset_url
from segue.web.dashboard.looks import LOOKS
from segue.web.dashboard.navigation import navigation_for
from segue.web.dashboard.pages import Crumb, PageRequest
from segue.web.dashboard.places import campaign_path, user_path
from segue.web.sessions import Connection, signed_in

# Scripts and styles come from us alone, as files; pages stand in no frame. What an author wrote
# is shown in a frame of our own, by a route with FRAMED_HEADERS: a document that a page makes
# itself (srcdoc, blob:) would take over the page's policy, and mails need styles of their own.
PAGE_HEADERS: Final[dict[str, Any]] = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "font-src 'self'; connect-src 'self'; frame-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
}
FRAMED_HEADERS: Final[dict[str, Any]] = {
    **PAGE_HEADERS,
    "X-Frame-Options": "SAMEORIGIN",
    "Content-Security-Policy": (
        "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src https: data:; "
        "font-src https: data:; frame-ancestors 'self'"
    ),
}

_FLASH: Final = "segue_flash"
_FLASH_LENGTH_MAX: Final = 1_000
_PACKED_FROM: Final = 1_000  # bytes; less goes into one packet anyway

_environment = Environment(
    loader=PackageLoader("segue.web.dashboard"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.globals.update(
    asset=asset_url,
    time=words.time_tag,
    ago=words.ago,
    moment=words.moment_tag,
    iso=words.iso,
    day=words.day_tag,
    counted=words.counted,
    user_path=user_path,
    campaign_path=campaign_path,
    **LOOKS,
)


class Flash(Struct):
    """What is said once, on the next page."""

    kind: str
    text: str


class SignInNeededError(Exception):
    """Nobody is signed in."""


def needs_account(connection: Connection, handler: BaseRouteHandler) -> None:
    """Let those pass who are signed in and may do what a route does (a Litestar guard).

    A route says `opt={"permission": ...}`, where it is not "read", or `opt={"public": True}`.

    Raises:
        SignInNeededError: nobody is signed in.
        PermissionDeniedException: their role may not, or another site's page asks.
    """
    refuse_cross_site(connection)
    found = signed_in(connection)
    if found is not None:
        connection.scope["user"], connection.scope["auth"] = found, found.actor
    if handler.opt.get("public"):
        return
    if found is None:
        raise SignInNeededError
    permission: Permission = handler.opt.get("permission", "read")
    if not found.actor.may(permission):
        application: Application = connection.app.state.application
        admins = [one.email for one in application.accounts.all() if one.role == "admin"]
        raise PermissionDeniedException(
            f"Your role is {found.account.role}; this takes {' or '.join(roles_with(permission))}. "
            f"An admin can change your role: {', '.join(admins)}."
        )


def page(
    request: PageRequest,
    template: str,
    *,
    title: str,
    status: int = 200,
    crumbs: Sequence[Crumb] = (),
    has_secret: bool = False,
    **context: Any,
) -> Response[bytes]:
    """Return a page. One that shows a secret is not packed: its size would tell of it."""
    html = render(request, template, title=title, crumbs=crumbs, **context).encode()
    response = _response(request, html, status, may_pack=not has_secret)
    if _FLASH in request.cookies:
        response.set_cookie(_flash_cookie("", 0))
    return response


def part(request: PageRequest, template: str, **context: Any) -> Response[bytes]:
    """Return a part of a page, which a script puts in."""
    return _response(request, render(request, template, **context).encode(), 200, may_pack=True)


def _response(request: PageRequest, html: bytes, status: int, *, may_pack: bool) -> Response[bytes]:
    headers = {**PAGE_HEADERS, "Cache-Control": "no-store", "Vary": "Accept-Encoding, Cookie"}
    if len(html) >= _PACKED_FROM and may_pack and accepts_gzip(request):
        html = gzip.compress(html, 6, mtime=0)
        headers["Content-Encoding"] = "gzip"
    return Response(html, status_code=status, media_type="text/html", headers=headers)


def render(request: PageRequest, template: str, **context: Any) -> str:
    """Return a template's text; `page` is for whole pages, this for parts of them."""
    user = request.scope.get("user")
    application: Application = request.app.state.application
    return _environment.get_template(template).render(
        account=user.account if user is not None else None,
        actor=user.actor if user is not None else None,
        navigation=navigation_for(request),
        here=request.url.path,
        here_with_query=request.url.path + (f"?{request.url.query}" if request.url.query else ""),
        now=application.clock.now(),
        flash=_read_flash(request),
        held=application.runtime.hold.state,
        held_count=len(application.runtime.outcomes.outbox),
        **context,
    )


def done(path: str, text: str, kind: str = "success") -> Redirect:
    """Return to a page after a form was carried out, and say there what was done."""
    response = Redirect(path, status_code=303, headers=dict(PAGE_HEADERS))
    told = msgspec.json.encode(Flash(kind, text[:_FLASH_LENGTH_MAX]))
    response.set_cookie(_flash_cookie(base64.urlsafe_b64encode(told).decode(), 60))
    return response


def own_path(path: str) -> str:
    """Return a path of ours to go on to; anything else becomes Home."""
    is_ours = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if is_ours else "/"


def sign_in_path(request: PageRequest) -> str:
    """Return where to sign in, and to come back from."""
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    is_reading = request.method in ("GET", "HEAD") and wanted != "/"
    return f"/sign-in?next={quote(wanted, safe='/')}" if is_reading else "/sign-in"


def _flash_cookie(value: str, max_age_s: int) -> Cookie:
    return Cookie(
        key=_FLASH, value=value, max_age=max_age_s, path="/", httponly=True, samesite="lax"
    )


def _read_flash(request: PageRequest) -> Flash | None:
    """Return what is to be said once. The cookie is the browser's, so it is only shown as text."""
    try:
        raw = base64.urlsafe_b64decode(request.cookies.get(_FLASH, "").encode())
        return msgspec.json.decode(raw, type=Flash) if raw else None
    except (binascii.Error, msgspec.DecodeError, UnicodeError, ValueError):
        return None
