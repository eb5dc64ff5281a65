"""Previews beside the first step: as whom, of which message, on what ground; and their frames."""

import copy
import re
from typing import Any, Final, Literal
from urllib.parse import urlencode

import msgspec
from litestar import Response, get, post
from litestar.response import Redirect
from msgspec import Struct

from segue.errors import ConflictError
from segue.model.limits import PREVIEW_VALUES_LENGTH_MAX
from segue.model.problems import InvalidError
from segue.services.application import Application
from segue.services.compositions import Composition
from segue.services.message_looks import Look
from segue.services.message_places import message_places
from segue.services.previews import PreviewRequest
from segue.web.audit import note_change
from segue.web.dashboard.composer.about import read_about
from segue.web.dashboard.composer.message_fields import CHANNEL_WORDS
from segue.web.dashboard.composer.message_reading import read_messages
from segue.web.dashboard.composer.place_words import place_words
from segue.web.dashboard.document_values import loose
from segue.web.dashboard.form_fields import Fields
from segue.web.dashboard.forms import Form, read_form
from segue.web.dashboard.pages import PageRequest
from segue.web.dashboard.places import user_path
from segue.web.dashboard.shell import FRAMED_HEADERS, PAGE_HEADERS, done, render

_SEED_DIGITS_MAX: Final = 6
_TEST_USERS_SHOWN_MAX: Final = 5
_NOBODY: Final = "preview"  # the id of a made-up user
_IN_FRAMES: Final = frozenset(("email", "push", "sms", "in_app_message", "content_card"))
_ASKED: Final = re.compile(r"\(\s*prefers-color-scheme\s*:\s*(dark|light)\s*\)", re.IGNORECASE)
_TRUE, _FALSE = "(min-width: 0)", "(max-width: 0)"
Whose = Literal["random", "chosen", "made_up"]


class Settings(Struct, frozen=True):
    """How a preview is asked for; what is wrong with it stands in `faults`, by field."""

    place: str
    whose: Whose
    user: str  # as it was typed
    user_id: str  # for whom it is
    seed: int
    attributes: str
    properties: str
    ground: Literal["light", "dark"]
    width: Literal["320", "640"]
    wish: PreviewRequest
    faults: dict[str, str]

    def query(self, **more: str) -> str:
        """Return the settings for an address; those that are as at first are left out."""
        said = {
            "place": self.place,
            "whose": self.whose,
            "user": self.user,
            "seed": str(self.seed or ""),
            "attributes": self.attributes,
            "properties": self.properties,
            "ground": self.ground,
            "width": self.width,
            **more,
        }
        return urlencode({f"preview.{name}": one for name, one in said.items() if one})


def settings_of(form: Form, application: Application) -> Settings:
    """Return what a form, or an address, asks for."""
    fields, faults = Fields(form, "preview"), dict[str, str]()
    users = application.looks.sample().user_ids
    whose: Whose = "random" if users else "made_up"
    match fields.text("whose"):
        case "chosen" | "made_up" as chosen:
            whose = chosen
        case _:
            pass
    seed = fields.text("seed")
    number = int(seed) if seed.isdecimal() and len(seed) <= _SEED_DIGITS_MAX else 0
    user, user_id = fields.text("user"), _NOBODY
    if whose == "random":
        user_id = users[number % len(users)]
    elif whose == "chosen":
        user_id = user or _NOBODY
        if application.runtime.state_of(user_id) is None:
            faults["preview.user"] = (
                f"There is no user {user!r}; a made-up one is shown. Users finds ids by email "
                "address and phone number."
            )
    attributes = _object(fields, "attributes", faults)
    properties = _object(fields, "properties", faults)
    return Settings(
        place=fields.text("place"),
        whose=whose,
        user=user,
        user_id=user_id,
        seed=number,
        attributes=fields.raw("attributes")[:PREVIEW_VALUES_LENGTH_MAX],
        properties=fields.raw("properties")[:PREVIEW_VALUES_LENGTH_MAX],
        ground="dark" if fields.text("ground") == "dark" else "light",
        width="640" if fields.text("width") == "640" else "320",
        wish=PreviewRequest(user_id, attributes, properties),
        faults=faults,
    )


def _object(fields: Fields, name: str, faults: dict[str, str]) -> dict[str, Any]:
    """Return what a field of JSON says; none, with a fault, where it is no object."""
    text = fields.raw(name)
    if not text.strip():
        return {}
    if len(text) > PREVIEW_VALUES_LENGTH_MAX:
        faults[fields.name(name)] = (
            f"Has {len(text):,} characters; at most {PREVIEW_VALUES_LENGTH_MAX:,} are taken."
        )
        return {}
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.DecodeError as error:
        faults[fields.name(name)] = (
            f'Is not used: {error}. Write an object, such as {{"first_name": "Ann"}}.'
        )
        return {}


def query_settings(request: PageRequest, application: Application) -> Settings:
    """Return what the address of a page asks for."""
    return settings_of(Form(request.query_params.multi_items()), application)


def preview_context(
    application: Application, composition: Composition, settings: Settings
) -> dict[str, Any]:
    """Return what the pane beside the form is filled with."""
    places = message_places(composition.tree)
    look = application.looks.look(composition, settings.place, settings.wish)
    at = look.at.place if look is not None else ""
    has_variants = bool(composition.tree.get("variants"))
    return {
        "composition": composition,
        "look": look,
        "shown": loose(look.seen.content) if look is not None and look.seen is not None else None,
        "settings": settings,
        "preview_place": at,
        "places": [
            (
                one.place,
                CHANNEL_WORDS[one.channel] + (f" of variant {one.variant}" if has_variants else ""),
            )
            for one in places
        ],
        "notes": [(note, _label(look, note.path)) for note in (look.notes if look else ())],
        "user_path": user_path(settings.user_id),
        "has_phone": application.test_sends.has_phone(settings.user_id),
        "test_users": application.looks.sample().test_users[:_TEST_USERS_SHOWN_MAX],
        "frame_path": _frame_path(composition, settings, look),
    }


def _label(look: Look | None, path: str) -> str:
    """Return a field as the form calls it, without the message that it is of."""
    place = look.at.place if look is not None else ""
    inner = path.removeprefix(place).lstrip(".")
    return place_words(inner.partition(".")[2] or inner)


def _frame_path(composition: Composition, settings: Settings, look: Look | None) -> str:
    """Return the frame's address; another one after each change, so that it is loaded anew."""
    seen = look.seen if look is not None else None
    if look is None or seen is None or seen.content is None or seen.channel not in _IN_FRAMES:
        return ""
    query = settings.query(place=look.at.place, version=str(composition.changed_at))
    return f"/compose/{composition.id}/frame?{query}"


@post("/compose/{composition_id:str}/preview", opt={"permission": "draft", "audit": False})
async def write_preview(
    composition_id: str, request: PageRequest, application: Application
) -> Response[Any]:
    """Keep what the form says, and show it: a part of the page for scripts, else all of it."""
    form = await read_form(request)
    settings = settings_of(form, application)
    composition, problem = _kept(composition_id, form, request, application)
    if not request.headers.get("hx-request"):
        return _page(composition, settings)
    context = preview_context(application, composition, settings)
    return _part(request, {**context, "not_kept": problem})


def _kept(
    composition_id: str, form: Form, request: PageRequest, application: Application
) -> tuple[Composition, str]:
    """Return what is written with what a form says, and why it could not be kept if so."""
    composition = application.compositions.find(composition_id)
    tree = copy.deepcopy(composition.tree)
    fields = Fields(form)
    read_about(fields, tree)
    read_messages(fields, tree)
    try:
        return application.compositions.save(composition, tree, request.auth.name), ""
    except InvalidError as error:
        return composition, str(error)


@post(
    "/compose/{composition_id:str}/test-send",
    opt={"permission": "draft", "audit": "sent a test to a virtual phone"},
)
async def send_test(
    composition_id: str, request: PageRequest, application: Application
) -> Response[Any]:
    """Keep what the form says, and send the message to the phone of the preview's user."""
    form = await read_form(request)
    settings = settings_of(form, application)
    composition, problem = _kept(composition_id, form, request, application)
    path = _page_path(composition, settings)
    place = form.text("send") or settings.place
    note_change(request, composition.name, f"to {settings.user_id}")
    try:
        await application.test_sends.send(composition, place, settings.wish)
    except ConflictError as error:
        return done(path, f"No test was sent: {problem or error}", "warning")
    return done(path, f"It is on the virtual phone of {settings.user_id}.")


@get("/compose/{composition_id:str}/preview", sync_to_thread=False)
def show_preview(
    composition_id: str, request: PageRequest, application: Application
) -> Response[Any]:
    """Show what is kept, for those who may not write it."""
    composition = application.compositions.find(composition_id)
    settings = query_settings(request, application)
    if not request.headers.get("hx-request"):
        return _page(composition, settings)
    context = preview_context(application, composition, settings)
    return _part(request, {**context, "not_kept": ""})


def _page_path(composition: Composition, settings: Settings) -> str:
    return f"/compose/{composition.id}/message?{settings.query()}#preview"


def _page(composition: Composition, settings: Settings) -> Redirect:
    path = _page_path(composition, settings)
    return Redirect(path, status_code=303, headers=dict(PAGE_HEADERS))


def _part(request: PageRequest, context: dict[str, Any]) -> Response[Any]:
    html = render(request, "composer/preview_shown.html", **context)
    headers = {**PAGE_HEADERS, "Cache-Control": "no-store"}
    return Response(html, status_code=200, media_type="text/html", headers=headers)


@get("/compose/{composition_id:str}/frame", sync_to_thread=False)
def show_frame(
    composition_id: str, request: PageRequest, application: Application
) -> Response[Any]:
    """Show one message as a user would get it, by itself: an author's HTML runs in a sandbox."""
    composition = application.compositions.find(composition_id)
    settings = query_settings(request, application)
    look = application.looks.look(composition, settings.place, settings.wish)
    seen = look.seen if look is not None else None
    if look is not None and seen is not None and seen.channel == "email" and look.html:
        html = _on_ground(look.html, settings.ground)
    else:
        html = render(
            request,
            "composer/frame.html",
            seen=seen,
            text=look.text if look is not None else "",
            content=loose(seen.content) if seen is not None else None,
            ground=settings.ground,
            sender=application.workspace.get().name or "Your app",
        )
    headers = {**FRAMED_HEADERS, "Cache-Control": "no-store"}
    return Response(html, media_type="text/html", headers=headers)


def _on_ground(html: str, ground: str) -> str:
    """Return an email as an inbox of a ground shows it, with its own colours where it has some.

    What it asks of the ground is answered here, for browsers answer by their own theme. What it
    says of itself comes later than our style, and wins.
    """
    html = _ASKED.sub(lambda found: _TRUE if found[1].lower() == ground else _FALSE, html)
    style = f"<style>:root {{ color-scheme: {ground}; }}</style>"
    head, tag, rest = html.partition("<head>")
    return f"{head}{tag}{style}{rest}" if tag else f"{style}{html}"


PREVIEW: Final = (write_preview, show_preview, show_frame, send_test)
