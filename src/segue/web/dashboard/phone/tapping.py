"""What is done on a phone by plain forms; with a script, pages call the public routes."""

from typing import Any, Final

from litestar import Response, post

from segue.errors import ConflictError
from segue.model.decoding import decode_document
from segue.model.events import AttributeChange
from segue.model.problems import InvalidError
from segue.services.application import Application
from segue.services.phone_taps import Tap, Tapped
from segue.web.audit import note_change
from segue.web.dashboard.form_fields import named_values
from segue.web.dashboard.forms import Form, faults_of, read_form
from segue.web.dashboard.pages import PageRequest
from segue.web.dashboard.phone.showing import PATH
from segue.web.dashboard.phone.words import label_of
from segue.web.dashboard.places import PHONE_PATH, phone_path, user_in
from segue.web.dashboard.shell import done, own_path
from segue.web.rehearsed import base_of
from segue.web.tracking import agent_of

# Who writes drafts may try them; what is done stands in the log.
_DRAFT: Final[dict[str, Any]] = {"permission": "draft", "audit": False}


@post(PHONE_PATH, opt={"permission": "draft", "audit": "made somebody a test user"})
async def make_test_user(request: PageRequest, application: Application) -> Response[Any]:
    """Give somebody a virtual phone."""
    form = await read_form(request)
    user_id = form.text("user_id")
    try:
        decode_document({"user_id": user_id, "attributes": {}}, AttributeChange, "The user")
    except InvalidError as error:
        said = " ".join(faults_of(error).values())
        return done(PHONE_PATH, f"Nobody was made a test user. User id: {said}", "error")
    await application.phone_screens.make_test_user(user_id)
    note_change(request, user_id)
    return done(phone_path(user_id), f"{user_id} is a test user now, and has this phone.")


@post(f"{PATH}/tap", opt=_DRAFT)
async def tap(segment: str, request: PageRequest, application: Application) -> Response[Any]:
    """Do to a message what a button of the phone says."""
    user_id, form = user_in(segment), await read_form(request)
    wanted = Tap(
        form.text("message"),
        form.text("act"),
        button=form.raw("button") or None,
        page=form.raw("page") or None,
        url=form.raw("url") or None,
        text=form.text("text"),
    )
    taps = application.phone_taps
    try:
        message = await taps.message(user_id, wanted.message)
        tapped = await taps.tap(user_id, wanted, agent_of(request))
    except ConflictError as error:
        return done(_back(request, form, user_id), f"This was not done: {error}.", "warning")
    except InvalidError as error:
        return done(_back(request, form, user_id), " ".join(faults_of(error).values()), "error")
    label = next((label_of(message, one) for one in message.actions if wanted.means(one)), "")
    said = f"Texted: {wanted.text}" if wanted.act == "sms_reply" else f"Done: {label}"
    return _done(request, form, user_id, tapped, said)


@post(f"{PATH}/event", opt=_DRAFT)
async def send_event(segment: str, request: PageRequest, application: Application) -> Response[Any]:
    """Report an event of the phone's user, as an app would."""
    user_id, form = user_in(segment), await read_form(request)
    name = form.text("name")
    properties = named_values(form, "properties")
    try:
        tapped = await application.phone_taps.send_event(user_id, name, properties)
    except InvalidError as error:
        said = f"The event was not sent: {' '.join(faults_of(error).values())}"
        return done(_back(request, form, user_id), said, "error")
    return _done(request, form, user_id, tapped, f"The event {name} was sent")


@post(f"{PATH}/session", opt=_DRAFT)
async def start_session(
    segment: str, request: PageRequest, application: Application
) -> Response[Any]:
    """Start a session of the phone's user."""
    user_id, form = user_in(segment), await read_form(request)
    tapped = await application.phone_taps.start_session(user_id)
    return _done(request, form, user_id, tapped, "A session was started")


def _done(
    request: PageRequest, form: Form, user_id: str, tapped: Tapped, said: str
) -> Response[Any]:
    leads = f" It leads to {tapped.leads_to}" if tapped.leads_to else ""
    answer = f" The answer: {tapped.answer}" if tapped.answer else ""
    path = _back(request, form, user_id)
    if "taps=" in path:  # it stands last there, and the newest mark last in it
        path += f",{tapped.mark}"
    else:
        path += f"{'&' if '?' in path else '?'}taps={tapped.mark}"
    return done(path, f"{said}.{leads}{answer}")


def _back(request: PageRequest, form: Form, user_id: str) -> str:
    path, base = own_path(form.raw("back")), base_of(request)
    return path if path.startswith(base + PHONE_PATH) else base + phone_path(user_id)
