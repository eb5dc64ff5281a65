"""Settings, API keys: made with scopes, shown once, revoked."""

from collections.abc import Mapping
from typing import Any, Final

from litestar import Response, get, post

from segue.errors import SegueError
from segue.model.limits import KEY_NAME_LENGTH_MAX
from segue.services.application import Application
from segue.services.keys import SCOPES
from segue.web.audit import note_change
from segue.web.dashboard.forms import Form, read_form
from segue.web.dashboard.pages import Page, PageRequest, crumbs
from segue.web.dashboard.shell import done, page

_PATH = "/settings/keys"
_ADMIN = {"permission": "admin"}
_WORDS: Final[Mapping[str, str]] = {
    "ingest": "tells Segue about users and events",
    "read": "reads everything",
    "campaigns": "writes and publishes campaigns and segments",
    "send": "sends API-triggered campaigns",
    "admin": "does everything, and changes settings",
    "sdk": "stands in pages and apps for anybody to read; opens the routes of devices alone",
}


@get(_PATH, opt=_ADMIN, sync_to_thread=False)
def show_keys(request: PageRequest, application: Application) -> Response[Any]:
    """Show the keys, without their secrets."""
    keys = application.keyring.all()
    valid = [one for one in keys if one.revoked_at is None]
    revoked = [one for one in keys if one.revoked_at is not None]
    return page(
        request, "keys.html", title="API keys", valid=valid[::-1], revoked=revoked[::-1][:50]
    )


def _form(
    request: PageRequest, form: Form, faults: Mapping[str, str] | None = None
) -> Response[Any]:
    return page(
        request,
        "key_form.html",
        title="Make an API key",
        status=422 if faults else 200,
        crumbs=crumbs(("API keys", _PATH)),
        faults=faults or {},
        name=form.text("name"),
        scopes=[(scope, scope, _WORDS[scope]) for scope in SCOPES],
        chosen=form.all("scopes"),
        name_length_max=KEY_NAME_LENGTH_MAX,
    )


@get("/settings/keys/new", opt=_ADMIN, sync_to_thread=False)
def ask_for_key(request: PageRequest) -> Response[Any]:
    """Ask what a key is for."""
    return _form(request, Form(()))


@post("/settings/keys/new", opt={**_ADMIN, "audit": "made an API key"})
async def make_key(request: PageRequest, application: Application) -> Response[Any]:
    """Make a key and show it: this once."""
    form = await read_form(request)
    name, scopes = form.text("name"), form.all("scopes")
    if not name:
        return _form(request, form, {"name": "Say what the key is for, so that you know later."})
    try:
        text = application.keyring.create(scopes, name)
    except SegueError as error:
        return _form(request, form, {"scopes": str(error)})
    note_change(request, name, ", ".join(scopes))
    return page(
        request,
        "key_made.html",
        title=f"The key “{name}”",
        crumbs=crumbs(("API keys", _PATH)),
        has_secret=True,
        key=text,
        url=application.settings.base_url,
    )


@post("/settings/keys/{key_id:str}/revoke", opt={**_ADMIN, "audit": "revoked an API key"})
async def revoke(key_id: str, request: PageRequest, application: Application) -> Response[Any]:
    """Make a key worthless."""
    key = application.keyring.revoke(key_id)
    note_change(request, key.name or key.id)
    return done(_PATH, f"The key {key.name or key.id} is worthless from now on.")


PAGE = Page(
    _PATH,
    "API keys",
    (show_keys, ask_for_key, make_key, revoke),
    group="Settings",
    icon="key-round",
    key="k",
    permission="admin",
    samples=(_PATH, "/settings/keys/new"),
)
