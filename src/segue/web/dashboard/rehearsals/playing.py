"""A rehearsal: its phones side by side, and its time."""

from contextlib import suppress
from typing import Any, Final

from litestar import Response, get, post
from msgspec import Struct

from segue.errors import BusyError, SegueError
from segue.model.instants import DAY, HOUR, MINUTE
from segue.services.application import Application
from segue.services.rehearsal_time import Due, span_words
from segue.services.rehearsals import PATH, Rehearsal, RehearsalEndedError
from segue.web.dashboard.forms import Form, read_form
from segue.web.dashboard.pages import PageRequest, crumbs
from segue.web.dashboard.phone.showing import Looked, looked_at, phones_page
from segue.web.dashboard.phone.words import view_of
from segue.web.dashboard.places import user_in
from segue.web.dashboard.rehearsals.beginning import listed
from segue.web.dashboard.rehearsals.words import (
    DRAFT,
    LIMITS,
    due_words,
    name_of,
    next_words,
    skipped_words,
)
from segue.web.dashboard.shell import PAGE_HEADERS, done, own_path, part
from segue.web.rehearsed import REHEARSAL_PATH, rehearsal_of

_SPANS: Final = {"hour": HOUR, "day": DAY}


class Time(Struct, frozen=True):
    """The time of a rehearsal, as its page shows it."""

    now: int
    ahead: str  # of the real clock; "" where nothing was skipped
    due: Due | None
    due_words: str
    due_in: str


@get(f"{PATH}/mine", opt={"permission": "draft"})
async def show_mine(request: PageRequest, application: Application) -> Response[Any]:
    """Show one's own rehearsal."""
    rehearsal = application.rehearsals.of(request.auth.id)
    if rehearsal is None:
        return listed(request, application, 404, "You have no rehearsal that goes on.")
    application.rehearsals.use(rehearsal)
    return await _shown(request, application, rehearsal, _all_in(request, rehearsal))


@get([REHEARSAL_PATH, f"{REHEARSAL_PATH}/phone"], opt={"permission": "draft"})
async def show_rehearsal(request: PageRequest, application: Application) -> Response[Any]:
    """Show the phones of a rehearsal side by side."""
    rehearsal = _used(request, application)
    return await _shown(request, application, rehearsal, _all_in(request, rehearsal))


@get(f"{REHEARSAL_PATH}/phone/{{segment:str}}", opt={"permission": "draft"})
async def show_one(segment: str, request: PageRequest, application: Application) -> Response[Any]:
    """Show one phone of a rehearsal."""
    rehearsal = _used(request, application)
    looked = _in_view(request, rehearsal, looked_at(request, user_in(segment)))
    return await _shown(request, application, rehearsal, looked)


@get(f"{REHEARSAL_PATH}/time", opt={"permission": "draft"}, sync_to_thread=False)
def show_time(request: PageRequest) -> Response[Any]:
    """Give the part of a page that tells the time; a script asks for it when something happened."""
    try:
        rehearsal = rehearsal_of(request)
    except RehearsalEndedError:
        # The whole page says so, instead of a part of it.
        return Response(b"", media_type="text/html", headers={**PAGE_HEADERS, "HX-Refresh": "true"})
    back = _back_in(rehearsal, request.query_params.get("back", ""))
    context = {"rehearsal": rehearsal, "clock": _time_of(rehearsal), "back": back}
    return part(request, "rehearsals/time.html", **context)


@post(f"{REHEARSAL_PATH}/skip", opt=DRAFT)
async def skip(request: PageRequest, application: Application) -> Response[Any]:
    """Let time pass: to what is due next, or by an hour or a day."""
    rehearsal, form = _used(request, application), await read_form(request)
    time = rehearsal.time
    span = _SPANS.get(form.text("to"))
    try:
        if span is not None:
            said = skipped_words(await time.skip(span))
        else:
            before = time.now()
            said = next_words(rehearsal, await time.skip_to_next(), before)
    except BusyError as error:
        return done(_back(rehearsal, form), f"Time was not moved to the end: {error}.", "warning")
    return done(_back(rehearsal, form), said)


@post(f"{REHEARSAL_PATH}/anew", opt=DRAFT)
async def begin_anew(request: PageRequest, application: Application) -> Response[Any]:
    """Begin the rehearsal from the beginning, with what is live now."""
    rehearsal = _used(request, application)
    try:
        rehearsal = await application.rehearsals.begin_anew(rehearsal.id)
    except SegueError as error:
        return done(rehearsal.path, f"It goes on as it was. To begin anew: {error}", "warning")
    return done(rehearsal.path, "It begins anew: nobody has done anything, and nothing was sent.")


@post(f"{REHEARSAL_PATH}/end", opt=DRAFT)
async def end(request: PageRequest, application: Application) -> Response[Any]:
    """End a rehearsal, and lead back to where it was begun."""
    rehearsal = _used(request, application)
    await application.rehearsals.end(rehearsal.id)
    said = "The rehearsal has ended. Nothing that happened in it was real."
    return done(rehearsal.wish.back or PATH, said)


async def _shown(
    request: PageRequest, application: Application, rehearsal: Rehearsal, looked: Looked
) -> Response[Any]:
    with suppress(BusyError):  # then it appears by itself
        await rehearsal.time.settle()  # so that what came of a tap is there already
    campaigns = rehearsal.application.runtime.plan.campaigns
    published = [one for one in rehearsal.cast.drafts if one.slug in campaigns]
    return await phones_page(
        request,
        rehearsal.application,
        looked,
        "rehearsals/page.html",
        title=name_of(rehearsal),
        crumbs=crumbs(("Rehearsals", PATH)),
        rehearsal=rehearsal,
        clock=_time_of(rehearsal),
        back=looked.address(),
        published=published,
        beside_count=len(campaigns) - len(published),
        is_mine=rehearsal.owner_id == request.auth.id,
        **LIMITS,
    )


def _time_of(rehearsal: Rehearsal) -> Time:
    now, due = rehearsal.time.now(), rehearsal.time.next_due()
    ahead = rehearsal.time.ahead
    if ahead > MINUTE:  # a skip by an hour takes some milliseconds off it
        ahead = (ahead + MINUTE // 2) // MINUTE * MINUTE
    return Time(
        now,
        span_words(ahead) if ahead else "",
        due,
        due_words(rehearsal, due) if due is not None else "",
        span_words(due.at - now) if due is not None else "",
    )


def _all_in(request: PageRequest, rehearsal: Rehearsal) -> Looked:
    """Return the phones that an address names, else those of everybody who takes part."""
    looked = looked_at(request)
    looked.base = rehearsal.path
    looked.user_ids = looked.user_ids or rehearsal.cast.user_ids
    looked.is_alone = False
    return _in_view(request, rehearsal, looked)


def _in_view(request: PageRequest, rehearsal: Rehearsal, looked: Looked) -> Looked:
    """Return phones in the view that what is rehearsed comes to, where none is asked for."""
    if "view" not in request.query_params:
        active = rehearsal.application.runtime.plan.campaigns.values()
        documents = [rehearsal.cast.rehearsed, *(one.newest.document for one in active)]
        looked.view = view_of([one for found in documents if found for one in found.channels()])
    return looked


def _used(request: PageRequest, application: Application) -> Rehearsal:
    rehearsal = rehearsal_of(request)
    application.rehearsals.use(rehearsal)
    return rehearsal


def _back(rehearsal: Rehearsal, form: Form) -> str:
    return _back_in(rehearsal, form.raw("back"))


def _back_in(rehearsal: Rehearsal, wanted: str) -> str:
    """Return the page of a rehearsal that somebody was at."""
    path = own_path(wanted)
    return path if path.startswith(f"{rehearsal.path}/") else rehearsal.path


PLAYING: Final = (
    show_mine,
    show_rehearsal,
    show_one,
    show_time,
    skip,
    begin_anew,
    end,
)
