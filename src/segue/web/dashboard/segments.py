"""Segments: saved audiences, with where they are used, how many users they have, and who."""

from collections.abc import Mapping
from typing import Any, Final

from litestar import Response, get, post
from litestar.response import Redirect
from msgspec import Struct, to_builtins

from segue.errors import ConflictError
from segue.model.decoding import shown
from segue.model.problems import InvalidError
from segue.model.workspace import Segment
from segue.services.application import Application
from segue.services.audiences import filter_clause
from segue.services.composition_trees import free_slug
from segue.services.explanations.words import Words
from segue.web.audit import note_change, note_no_change
from segue.web.dashboard.filters import counting
from segue.web.dashboard.filters.counting import Asked
from segue.web.dashboard.filters.kinds import UNSAID, new_leaf
from segue.web.dashboard.filters.reading import EDIT_FIELD, read_filter
from segue.web.dashboard.filters.views import HELPERS, filter_view
from segue.web.dashboard.form_fields import Fields, Tree, lookup
from segue.web.dashboard.forms import Form, faults_of, read_form
from segue.web.dashboard.pages import Hit, Page, PageRequest, crumbs
from segue.web.dashboard.shell import PAGE_HEADERS, done, page, render

_PATH: Final = "/segments"
_NEW_PATH: Final = "/segments/~new"  # no slug begins with a tilde
_DRAFT = {"permission": "draft"}
_PUBLISH = {"permission": "publish"}
_SENTENCE_LENGTH_MAX: Final = 300  # in the list; the segment's page has it whole


class Draft(Struct, frozen=True):
    """A segment in its form: `slug` is the one it is saved under already; None for a new one."""

    tree: Tree
    slug: str | None
    is_tried: bool = False  # somebody has tried to save it, so that its faults are told

    @property
    def path(self) -> str:
        """Where its form is, and goes to."""
        return _NEW_PATH if self.slug is None else f"{_PATH}/{self.slug}/edit"


@get(_PATH, sync_to_thread=False)
def show_segments(request: PageRequest, application: Application) -> Response[Any]:
    """Show all segments."""
    segments, words = application.segments.all(), application.audiences.words()
    return page(
        request,
        "segments/list.html",
        title="Segments",
        segments=segments,
        sentences={one.slug: _sentence(one, words, _SENTENCE_LENGTH_MAX) for one in segments},
        referrers=application.segments.referrers(),
        sizes={one.slug: application.audiences.sizes.of(one.slug) for one in segments},
    )


@get("/segments/{slug:str}", sync_to_thread=False)
def show_segment(slug: str, request: PageRequest, application: Application) -> Response[Any]:
    """Show one: what it asks, who uses it, how many belong, and whether somebody does."""
    segment = application.segments.find(slug)
    return page(
        request,
        "segments/segment.html",
        title=segment.name,
        crumbs=crumbs(("Segments", _PATH)),
        segment=segment,
        sentence=_sentence(segment, application.audiences.words()),
        referrers=application.segments.referrers_of(slug),
        size=application.audiences.sizes.of(slug),
        asked=Asked(slug, [], f"{_PATH}/{slug}"),
        place="",
    )


def _sentence(segment: Segment, words: Words, length_max: int | None = None) -> str:
    clause = filter_clause(to_builtins(segment.filter), words)
    if length_max is not None and len(clause) > length_max:
        clause = clause[: length_max - 1] + "…"
    return f"Users of whom it holds that {clause}"


@get(_NEW_PATH, opt=_DRAFT, sync_to_thread=False)
def ask_for_segment(request: PageRequest, application: Application) -> Response[Any]:
    """Show the form of a new segment."""
    tree = {"name": "", "slug": "", "filter": {"all": [new_leaf()]}}
    return _form(request, application, Draft(tree, None))


@post(_NEW_PATH, opt={**_DRAFT, "audit": "made a segment"}, status_code=200)
async def make_segment(request: PageRequest, application: Application) -> Response[Any]:
    """Save a new segment, or show its form as it has become."""
    form = await read_form(request)
    return await _write(request, application, form, None)


@get("/segments/{slug:str}/edit", opt=_PUBLISH, sync_to_thread=False)
def edit_segment(slug: str, request: PageRequest, application: Application) -> Response[Any]:
    """Show the form of a segment."""
    tree = to_builtins(application.segments.find(slug))
    return _form(request, application, Draft(tree, slug))


@post("/segments/{slug:str}/edit", opt={**_PUBLISH, "audit": "changed a segment"}, status_code=200)
async def change_segment(
    slug: str, request: PageRequest, application: Application
) -> Response[Any]:
    """Save a segment in place of what it was, or show its form as it has become."""
    application.segments.find(slug)
    form = await read_form(request)
    return await _write(request, application, form, slug)


async def _write(
    request: PageRequest, application: Application, form: Form, slug: str | None
) -> Response[Any]:
    fields, segments = Fields(form), application.segments
    old = to_builtins(segments.find(slug).filter) if slug is not None else None
    tree: Tree = {
        "slug": slug if slug is not None else fields.text("slug"),
        "name": fields.text("name"),
        "filter": read_filter(fields.at("filter"), form.text(EDIT_FIELD), old),
    }
    if description := fields.raw("description").strip():
        tree["description"] = description
    if not form.has("go"):
        note_no_change(request)
        return _form(request, application, Draft(tree, slug, form.has("tried")))
    document = {**tree, "slug": tree["slug"] or _free_slug(application, tree["name"])}
    try:
        if slug is None:
            segment = await segments.create(document)
        else:
            segment, _ = await segments.put(slug, document)
    except (InvalidError, ConflictError) as error:
        draft = Draft(tree, slug, is_tried=True)
        taken = {"slug": f"{error}."} if isinstance(error, ConflictError) else None
        return _form(request, application, draft, taken, status=422)
    note_change(request, segment.slug)
    used = " Campaigns that name it go by it from now on." if slug is not None else ""
    return done(f"{_PATH}/{segment.slug}", f"“{segment.name}” is saved.{used}")


def _free_slug(application: Application, name: str) -> str:
    return free_slug(name, {one.slug for one in application.segments.all()})


def _form(
    request: PageRequest,
    application: Application,
    draft: Draft,
    faults: Mapping[str, str] | None = None,
    status: int = 200,
) -> Response[Any]:
    if faults is None and draft.is_tried:
        faults = _faults(application, draft)
    context = {
        **HELPERS,
        "draft": draft,
        "at": lambda name: draft.tree.get(name, ""),
        "view": filter_view(draft.tree["filter"], "filter", application.audiences.words()),
        "offer": application.audiences.names.all(),
        "faults": faults or {},
        "live": {"path": draft.path, "target": "#segment", "may_post": True},
        "asked": Asked("", [], draft.path, is_written=True),
        "place": "filter",
    }
    if request.headers.get("hx-request"):
        part = render(request, "segments/form_body.html", **context)
        headers = {**PAGE_HEADERS, "Cache-Control": "no-store"}
        return Response(part, media_type="text/html", headers=headers)
    above = [("Segments", _PATH)]
    if draft.slug is not None:
        above.append((draft.tree["name"] or draft.slug, f"{_PATH}/{draft.slug}"))
    title = "New segment" if draft.slug is None else "Edit the segment"
    return page(
        request, "segments/form.html", title=title, status=status, crumbs=crumbs(*above), **context
    )


def _faults(application: Application, draft: Draft) -> Mapping[str, str]:
    """Return what is wrong with a draft, at the fields of its form."""
    tree = draft.tree
    document = {**tree, "slug": tree["slug"] or _free_slug(application, tree["name"]) or "x"}
    faults = faults_of(InvalidError(application.segments.problems(document), "The segment"))
    return {
        place: UNSAID if lookup(tree, place) == {} else message for place, message in faults.items()
    }


@post("/segments/{slug:str}/count", opt={"permission": "read", "audit": False})
async def count_segment(slug: str, request: PageRequest, application: Application) -> Response[Any]:
    """Count a segment, and say so where it was asked for."""
    size = await application.audiences.sizes.begin(slug)
    if size.is_exact:
        return done(_PATH, f"{shown(slug)} has {size.count:,} of {size.users:,} users.")
    path = f"/segments/~counts/{size.id}?{Asked(slug, [], _PATH).query}"
    return Redirect(path, status_code=303, headers=dict(PAGE_HEADERS))


@post("/segments/{slug:str}/delete", opt={**_PUBLISH, "audit": "deleted a segment"})
async def delete_segment(
    slug: str, request: PageRequest, application: Application
) -> Response[Any]:
    """Delete a segment that nothing refers to."""
    name = application.segments.find(slug).name
    await application.segments.delete(slug)
    note_change(request, slug)
    return done(_PATH, f"“{name}” is deleted.")


async def _find(request: PageRequest, text: str) -> list[Hit]:
    application: Application = request.app.state.application
    return [
        Hit("segment", one.name, f"{_PATH}/{one.slug}")
        for one in application.segments.all()
        if text in one.name.lower() or text in one.slug or text in one.description.lower()
    ]


PAGE = Page(
    _PATH,
    "Segments",
    (
        show_segments,
        ask_for_segment,
        make_segment,
        show_segment,
        edit_segment,
        change_segment,
        count_segment,
        delete_segment,
        *counting.HANDLERS,
    ),
    group="Audience",
    icon="list-checks",
    key="s",
    samples=(_PATH,),
    find=_find,
)
