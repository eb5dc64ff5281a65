"""Beginning a rehearsal: from the list of them, a campaign's page, the composer, or phones."""

from typing import Any, Final

from litestar import Response, get, post
from litestar.response import Redirect

from segue.errors import BusyError, ConflictError, NotFoundError
from segue.model.limits import (
    NAME_LENGTH_MAX,
    PHONES_SIDE_BY_SIDE_MAX,
    REHEARSALS_MAX,
    SUGGESTED_MAX,
)
from segue.model.problems import InvalidError
from segue.services.application import Application
from segue.services.rehearsal_cast import RehearsalWish
from segue.services.rehearsals import PATH, Rehearsal, RehearsalEndedError
from segue.web.dashboard.forms import Form, read_form
from segue.web.dashboard.pages import PageRequest
from segue.web.dashboard.rehearsals.words import DRAFT, LIMITS, name_of
from segue.web.dashboard.shell import PAGE_HEADERS, done, own_path, page


@get(PATH, opt={"permission": "draft"}, sync_to_thread=False)
def show_rehearsals(request: PageRequest, application: Application) -> Response[Any]:
    """List the rehearsals that go on, and offer to begin one."""
    return listed(request, application)


def listed(
    request: PageRequest,
    application: Application,
    status: int = 200,
    said: str = "",
    form: Form | None = None,
) -> Response[Any]:
    """Return the list, and before it why there is nothing else to see."""
    form = form or Form(request.query_params.multi_items())
    choices = [
        (one.slug, f"{one.document.name} ({one.status})")
        for one in application.campaigns.all()
        if one.status != "archived"
    ][:SUGGESTED_MAX]
    mine = application.rehearsals.of(request.auth.id)
    return page(
        request,
        "rehearsals/list.html",
        title="Rehearsals",
        status=status,
        said=said,
        choices=[("", "Everything that is active"), *choices],
        campaign=form.text("campaign"),
        users=form.text("users"),
        mine=mine,
        others=[one for one in application.rehearsals.all() if one is not mine],
        name_of=name_of,
        side_by_side_max=PHONES_SIDE_BY_SIDE_MAX,
        rehearsals_max=REHEARSALS_MAX,
        **LIMITS,
    )


@post(PATH, opt=DRAFT)
async def begin(request: PageRequest, application: Application) -> Response[Any]:
    """Begin a rehearsal, and lead to its phones; the one that one had ends."""
    form = await read_form(request)
    back = own_path(form.raw("back")) if form.has("back") else ""
    wish = RehearsalWish(
        _user_ids(form), form.text("campaign"), form.text("composition"), back or PATH
    )
    try:
        rehearsal = await application.rehearsals.begin(wish, request.auth)
    except (InvalidError, ConflictError, BusyError, NotFoundError) as error:
        said = f"It cannot be rehearsed yet: {error}"
        if back:
            return done(back, said, "info")
        return listed(request, application, 422, said, form)
    return to(rehearsal)


def to(rehearsal: Rehearsal) -> Redirect:
    """Return the way to a rehearsal's page."""
    return Redirect(rehearsal.path, status_code=303, headers=dict(PAGE_HEADERS))


def tell_ended(request: PageRequest, error: RehearsalEndedError) -> Response[Any]:
    """Say that a rehearsal has ended, and offer to begin another one."""
    application: Application = request.app.state.application
    return listed(request, application, 404, str(error))


def _user_ids(form: Form) -> tuple[str, ...]:
    written = [part.strip() for part in form.text("users").split(",")]
    found = dict.fromkeys(one[:NAME_LENGTH_MAX] for one in written if one)
    return tuple(found)[:PHONES_SIDE_BY_SIDE_MAX]


BEGINNING: Final = (show_rehearsals, begin)
