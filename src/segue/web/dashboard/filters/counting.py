"""Whom an audience is about, while it is written: how many, who for example, and why one is.

Each route takes the form in which the filter stands, and says the place of the filter in it. With
htmx a part of the page comes back; without a script, a page.
"""

import re
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlencode

from litestar import Response, get, post
from msgspec import UNSET, Struct

from segue.errors import BusyError, NotFoundError
from segue.model.channels import CHANNELS, Channel
from segue.model.problems import InvalidError, Problem
from segue.model.traces import FilterTrace
from segue.services.application import Application
from segue.services.counts import AudienceSize
from segue.services.explanations.words import channel_word
from segue.web.dashboard.filters.kinds import UNSAID
from segue.web.dashboard.filters.reading import read_audience
from segue.web.dashboard.form_fields import Fields
from segue.web.dashboard.forms import Form, read_form
from segue.web.dashboard.pages import PageRequest, crumbs
from segue.web.dashboard.shell import PAGE_HEADERS, own_path, page, render

COUNT_PATH: Final = "/segments/~count"  # no slug begins with a tilde
_READ: Final = {"permission": "read", "audit": False}
_PROBLEMS_SHOWN_MAX: Final = 3
_MEMBER: Final = re.compile(r"(?:all|any)\[(\d+)\]")
_TITLE: Final = "How many users"


class Asked(Struct, frozen=True):
    """What is asked: of which segment, if it is a saved one; which channels; and where it was.

    With `is_written`, that place takes the form as it is, and gives it back: so it is brought
    back there, and nothing that was not saved is lost.
    """

    segment: str
    channels: Sequence[Channel]
    back: str
    is_written: bool = False

    @property
    def query(self) -> str:
        """The same as a query."""
        pairs = {"segment": self.segment, "channels": ",".join(self.channels), "back": self.back}
        return urlencode(pairs)


def asked_by(values: Any) -> Asked:
    """Return what fields or a query ask; `values` gives texts by name."""
    named = values("channels").split(",")
    return Asked(
        values("segment"),
        [one for one in CHANNELS if one in named],
        own_path(values("back")),
        is_written=bool(values("written")),
    )


@post(COUNT_PATH, opt=_READ, status_code=200)
async def count(request: PageRequest, application: Application) -> Response[Any]:
    """Begin to count the filter of a form; what this page counted before is given up."""
    form = await read_form(request)
    asked = asked_by(lambda name: form.text(f"count_{name}"))
    is_part = bool(request.headers.get("hx-request"))
    size, problems = None, []
    try:
        if seen := form.text("count_seen"):
            size = application.counts.find(seen)
        else:
            await _give_up(application, form.text("count_id"))
            size = await _begin(application, form, asked)
    except (InvalidError, BusyError, NotFoundError) as error:
        problems = _told(error)
    sample = application.counts.sample(size.id) if size is not None else []
    if is_part:
        return _part(request, asked, size, sample, problems)
    return page(
        request,
        "filters/count_page.html",
        title=_TITLE,
        status=422 if problems else 200,
        crumbs=crumbs(("Segments", "/segments")),
        fields=_fields(form, asked),
        **count_context(asked, size, sample, problems),
    )


def _fields(form: Form, asked: Asked) -> list[tuple[str, str]]:
    """Return what is brought back to where a form is written; no buttons of this page."""
    if not asked.is_written:
        return []
    passing = ("count_seen", "count_id", "test_example", "edit_filter", "edit", "go")
    names = (name for name in form.names() if name not in passing)
    return [(name, value) for name in names for value in form.all(name)]


async def _begin(application: Application, form: Form, asked: Asked) -> AudienceSize:
    if asked.segment:
        return await application.audiences.sizes.begin(asked.segment)
    node = read_audience(Fields(form).at(form.text("count_place")))
    return await application.counts.begin({"filter": node})


async def _give_up(application: Application, count_id: str) -> None:
    """End a count that goes on; one that is done is kept, as others may look at it."""
    try:
        if count_id and application.counts.find(count_id).status not in ("done", "failed"):
            await application.counts.cancel(count_id)
    except NotFoundError:
        return


@get("/segments/~counts/{count_id:str}", sync_to_thread=False)
def show_count(count_id: str, request: PageRequest, application: Application) -> Response[Any]:
    """Show how far a count has come."""
    asked = asked_by(lambda name: request.query_params.get(name, ""))
    is_part = bool(request.headers.get("hx-request"))
    try:
        size = application.counts.find(count_id)
    except NotFoundError as error:
        if not is_part:
            raise
        return _part(request, asked, None, [], _told(error))
    sample = application.counts.sample(count_id)
    if is_part:
        return _part(request, asked, size, sample)
    return page(
        request,
        "filters/count_page.html",
        title=_TITLE,
        crumbs=crumbs(("Segments", "/segments")),
        fields=[],
        **count_context(asked, size, sample),
    )


def count_context(
    asked: Asked, size: AudienceSize | None, sample: Sequence[str], problems: Sequence[str] = ()
) -> dict[str, Any]:
    """Return what the count's template is filled with."""
    reachable: list[tuple[str, int]] = []
    if size is not None and size.reachable is not None:
        channels = asked.channels or CHANNELS
        reachable = [(channel_word(one), size.reachable[one]) for one in channels]
    return {
        "asked": asked,
        "size": size,
        "share": _share(size),
        "reachable": reachable,
        "sample": sample,
        "is_part": False,
        "count_problems": problems[:_PROBLEMS_SHOWN_MAX],
        "error": size.error if size is not None and size.error is not UNSET else "",
    }


def _share(size: AudienceSize | None) -> str:
    if size is None or not size.users or size.count is None:
        return ""
    share = 100 * size.count / size.users
    if 0 < share < 1:
        return "less than 1 %"
    return "nearly 100 %" if 99 < share < 100 else f"{share:.0f} %"  # noqa: PLR2004 - of a hundred


def _part(
    request: PageRequest,
    asked: Asked,
    size: AudienceSize | None,
    sample: Sequence[str],
    problems: Sequence[str] = (),
) -> Response[Any]:
    context = count_context(asked, size, sample, problems)
    context["is_part"] = True
    return _html(render(request, "filters/count.html", **context))


def _html(part: str) -> Response[Any]:
    headers = {**PAGE_HEADERS, "Cache-Control": "no-store"}
    return Response(part, media_type="text/html", status_code=200, headers=headers)


def _told(error: InvalidError | BusyError | NotFoundError) -> list[str]:
    if isinstance(error, InvalidError):
        return [_problem_words(one) for one in error.problems]
    return [str(error)]


def _problem_words(problem: Problem) -> str:
    """Return a fault with the number of its filter, as the form numbers them."""
    number = ".".join(str(int(one) + 1) for one in _MEMBER.findall(problem.path))
    message = problem.message
    if message.endswith("not {}"):
        message = UNSAID  # a new comparison, of which nothing was typed
    return f"Filter {number} {message}" if number else f"The filter {message}"


@post("/segments/~test", opt=_READ, status_code=200)
async def test_user(request: PageRequest, application: Application) -> Response[Any]:
    """Tell whether a user belongs to the filter of a form, and why."""
    form = await read_form(request)
    asked = asked_by(lambda name: form.text(f"count_{name}"))
    user_id = form.raw("test_example") or form.text("test_user")
    is_part = bool(request.headers.get("hx-request"))
    tested, problems = None, []
    if not user_id:
        problems = ["Type the id of a user, as your app sends it."]
    else:
        try:
            tested = await application.audiences.test(_filter_asked(form, asked), user_id)
        except (InvalidError, NotFoundError) as error:
            problems = _told(error)
    context: dict[str, Any] = {
        "tested": tested,
        "test_problems": problems[:_PROBLEMS_SHOWN_MAX],
        "lines": _lines(tested.trace) if tested is not None and tested.trace is not None else [],
    }
    if is_part:
        return _html(render(request, "filters/tested.html", **context))
    return page(
        request,
        "filters/tested_page.html",
        title="Does this user match?",
        status=422 if problems else 200,
        crumbs=crumbs(("Segments", "/segments")),
        asked=asked,
        fields=_fields(form, asked),
        **context,
    )


def _filter_asked(form: Form, asked: Asked) -> Any:
    if asked.segment:
        return {"segment": asked.segment}
    return read_audience(Fields(form).at(form.text("count_place")))


def _lines(trace: FilterTrace, depth: int = 0) -> list[tuple[int, FilterTrace]]:
    """Return every filter of a trace with how deep it is in others."""
    inner = [line for part in trace.parts for line in _lines(part, depth + 1)]
    return [(depth, trace), *inner]


HANDLERS: Final = (count, show_count, test_user)
