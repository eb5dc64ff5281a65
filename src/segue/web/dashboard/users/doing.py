"""What is done for a user by hand: a test event, an attribute, subscriptions, erasure."""

from collections.abc import Mapping
from typing import Any, Final

from litestar import Response, get, post

from segue.model.problems import InvalidError
from segue.services.application import Application
from segue.services.user_acts import SUBSCRIBED_CHANNELS, SUBSCRIPTIONS, value_of
from segue.web.audit import note_change
from segue.web.dashboard.form_fields import Fields, named_values
from segue.web.dashboard.forms import Form, faults_of, read_form
from segue.web.dashboard.pages import PageRequest
from segue.web.dashboard.places import USERS_PATH, user_in, user_path
from segue.web.dashboard.shell import done
from segue.web.dashboard.users.frame import tab_page
from segue.web.dashboard.users.looking import PATH

_ROWS_MIN: Final = 3
_INGEST: Final = {"permission": "ingest"}
_SUBSCRIPTION_WORDS: Final = {
    "opted_in": "opted in",
    "subscribed": "subscribed",
    "unsubscribed": "unsubscribed",
}


def _doing(
    request: PageRequest,
    application: Application,
    user_id: str,
    form: Form,
    faults: Mapping[str, str] | None = None,
    more_rows: int = 0,
) -> Response[Any]:
    application.users.find(user_id)
    rows = [(one.text("name"), one.text("value")) for one in Fields(form).each("properties")]
    response = tab_page(
        request,
        application,
        user_id,
        "do",
        faults=faults or {},
        form=form,
        rows=rows + [("", "")] * max(_ROWS_MIN - len(rows), more_rows),
        profile=application.profiles.of(user_id),
        channels=SUBSCRIBED_CHANNELS,
        subscriptions=[(one, _SUBSCRIPTION_WORDS[one]) for one in SUBSCRIPTIONS],
    )
    if faults:
        response.status_code = 422
    return response


@get(f"{PATH}/do", sync_to_thread=False)
def show_doing(segment: str, request: PageRequest, application: Application) -> Response[Any]:
    """Show what can be done for a user."""
    return _doing(request, application, user_in(segment), Form(()))


@post(f"{PATH}/event", opt={**_INGEST, "audit": "sent an event by hand"})
async def send_event(segment: str, request: PageRequest, application: Application) -> Response[Any]:
    """Send an event of the user, or give the form another row for a property."""
    user_id, form = user_in(segment), await read_form(request)
    if form.has("add"):
        return _doing(request, application, user_id, form, more_rows=1)
    name = form.text("name")
    properties = named_values(form, "properties")
    try:
        await application.user_acts.send_event(user_id, name, properties)
    except InvalidError as error:
        return _doing(request, application, user_id, form, faults_of(error))
    note_change(request, user_id, name)
    path = user_path(user_id, "timeline")
    return done(path, f"The event {name} was taken, and what was decided about it stands here.")


@post(f"{PATH}/attribute", opt={**_INGEST, "audit": "set an attribute"})
async def set_attribute(
    segment: str, request: PageRequest, application: Application
) -> Response[Any]:
    """Set an attribute of the profile, or take one away."""
    user_id, form = user_in(segment), await read_form(request)
    name, written = form.text("attribute"), form.text("attribute_value")
    try:
        value = value_of(written) if written else None
        await application.user_acts.set_attribute(user_id, name, value)
    except InvalidError as error:
        faults = {"attribute": " ".join(faults_of(error).values())}
        return _doing(request, application, user_id, form, faults)
    note_change(request, user_id, name)
    said = f"{name} is now {written}." if written else f"{name} was taken away."
    return done(user_path(user_id), said)


@post(f"{PATH}/subscriptions", opt={**_INGEST, "audit": "changed subscriptions"})
async def subscribe(segment: str, request: PageRequest, application: Application) -> Response[Any]:
    """Set what the user is subscribed to, as far as it is another than now."""
    user_id, form = user_in(segment), await read_form(request)
    profile = application.profiles.of(user_id)
    now = {f"channel.{one.channel}": one.subscription for one in profile.contacts}
    now |= {f"group.{one.slug}": one.subscription for one in profile.groups}
    wanted = {
        name: form.text(name)
        for name in form.names()
        if name.startswith(("channel.", "group.")) and form.text(name) != now.get(name)
    }
    channels = _named(wanted, "channel.")
    groups = _named(wanted, "group.")
    try:
        await application.user_acts.subscribe(user_id, channels, groups)
    except InvalidError as error:
        faults = {"": " ".join(f"{one.path}: {one.message}." for one in error.problems)}
        return _doing(request, application, user_id, form, faults)
    changed = ", ".join(f"{name} {value}" for name, value in (channels | groups).items())
    note_change(request, user_id, changed)
    return done(user_path(user_id), f"Changed: {changed}." if changed else "Nothing was changed.")


def _named(wanted: Mapping[str, str], start: str) -> dict[str, str]:
    return {
        name.removeprefix(start): value for name, value in wanted.items() if name.startswith(start)
    }


@post(f"{PATH}/erase", opt={"permission": "admin", "audit": "erased a user"})
async def erase(segment: str, request: PageRequest, application: Application) -> Response[Any]:
    """Erase the user, once their id is typed."""
    user_id, form = user_in(segment), await read_form(request)
    if form.text("user_id") != user_id:
        faults = {"user_id": f"Type {user_id} to erase this user."}
        return _doing(request, application, user_id, form, faults)
    await application.users.erase(user_id)
    note_change(request, user_id)
    return done(USERS_PATH, f"{user_id} is erased: state, waits, and everything told of them.")
