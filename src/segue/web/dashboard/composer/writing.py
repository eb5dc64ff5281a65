"""The composer's routes: what is being written, beginning anew, and the steps with their forms."""

import copy
from typing import Any

from litestar import Response, get, post
from litestar.response import Redirect

from segue.errors import NotFoundError
from segue.services.application import Application
from segue.services.composition_trees import RECIPES, recipe_of
from segue.services.compositions import Composition
from segue.web.audit import note_change
from segue.web.dashboard.composer.about import read_about
from segue.web.dashboard.composer.frame import frame_context, step_path
from segue.web.dashboard.composer.preview import PREVIEW
from segue.web.dashboard.composer.publishing import PUBLISHING
from segue.web.dashboard.composer.rehearsal import REHEARSAL
from segue.web.dashboard.composer.review import review_context
from segue.web.dashboard.composer.step import Step
from segue.web.dashboard.composer.steps import STEPS, neighbours, step_of
from segue.web.dashboard.form_fields import Fields, ListEdit, Tree, edited, list_edit, lookup
from segue.web.dashboard.forms import Form, read_form
from segue.web.dashboard.pages import Hit, Page, PageRequest
from segue.web.dashboard.shell import PAGE_HEADERS, done, page, render

_PATH = "/compose"
_DRAFT = {"permission": "draft"}
_SAVING = {**_DRAFT, "audit": False}  # every key press would be an entry; what comes of it is one


@get(_PATH, sync_to_thread=False)
def show_compositions(request: PageRequest, application: Application) -> Response[Any]:
    """Show what is being written, and what one can begin with."""
    campaigns = application.campaigns.all()
    names = {one.id: one.document.name for one in campaigns}
    mailed = [
        (one.slug, one.document.name)
        for one in campaigns
        if one.status != "archived"
        and any(body.email for v in one.document.all_variants() for body in v.messages)
    ]
    return page(
        request,
        "composer/compositions.html",
        title="Compose",
        compositions=application.compositions.all(),
        names=names,
        mailed=mailed,
        recipes=RECIPES,
    )


@post(_PATH, opt={**_DRAFT, "audit": "began to write a campaign"})
async def begin(request: PageRequest, application: Application) -> Response[Any]:
    """Begin to write: blank, by a recipe, as an edit, or as a follower of a campaign."""
    form, by = await read_form(request), request.auth.name
    here = step_of(form.text("step")) if form.has("step") else STEPS[0]
    composition = _begun(application, form, by)
    note_change(request, composition.name)
    path = step_path(composition.id, here.key)
    return Redirect(path, status_code=303, headers=dict(PAGE_HEADERS))


def _begun(application: Application, form: Form, by: str) -> Composition:
    compositions, campaign = application.compositions, form.text("campaign")
    recipe = recipe_of(form.text("recipe"))
    if recipe is not None:
        return compositions.begin_recipe(recipe, by, campaign)
    match form.text("begin"):
        case "edit":
            return compositions.begin_edit(campaign, by)
        case "follower":
            return compositions.begin_follower(campaign, form.text("interaction"), by)
        case _:
            return compositions.begin(by)


def _first(composition: Composition) -> str:
    return step_path(composition.id, STEPS[0].key)


@get("/compose/{composition_id:str}", sync_to_thread=False)
def show_first_step(composition_id: str, application: Application) -> Redirect:
    """Lead to the first step."""
    return Redirect(_first(application.compositions.find(composition_id)), status_code=303)


@get("/compose/{composition_id:str}/{step:str}", sync_to_thread=False)
def show_step(
    composition_id: str, step: str, request: PageRequest, application: Application
) -> Response[Any]:
    """Show a step."""
    composition, here = application.compositions.find(composition_id), step_of(step)
    context = frame_context(request, application, composition, here)
    if here is STEPS[-1]:
        context |= review_context(request, application, composition)
    return page(request, "composer/step.html", **context)


@post("/compose/{composition_id:str}/{step:str}", opt=_SAVING, status_code=200)
async def write_step(
    composition_id: str, step: str, request: PageRequest, application: Application
) -> Response[Any]:
    """Keep what a step's form says, carry out its button, and go on."""
    here, form = step_of(step), await read_form(request)
    composition = application.compositions.find(composition_id)
    tree = copy.deepcopy(composition.tree)
    fields = Fields(form)
    if here is STEPS[0]:
        read_about(fields, tree)
    here.read(fields, tree)
    edit = list_edit(form.text("edit"))
    if edit is not None:
        edited(tree, edit, here.new_member(edit.place) if edit.verb == "add" else None)
    visited = here.key if form.has("go") else ""
    composition = application.compositions.save(composition, tree, request.auth.name, visited)
    if request.headers.get("hx-request"):
        context = frame_context(request, application, composition, here)
        part = render(request, "composer/body.html", **context)
        headers = {**PAGE_HEADERS, "Cache-Control": "no-store"}
        return Response(part, media_type="text/html", headers=headers)
    place = _place_of(edit, tree) if edit is not None else ""
    target = _target(here, form.text("go"))
    path = step_path(composition.id, target.key, place)
    if form.text("go") == "save":
        return done(path, "It is kept.")
    return Redirect(path, status_code=303, headers=dict(PAGE_HEADERS))


def _place_of(edit: ListEdit, tree: Tree) -> str:
    """Return where to go on after a list was changed: the member that is new, or was moved."""
    if edit.verb == "add":
        return f"{edit.place}[{len(lookup(tree, edit.place)) - 1}]"
    members, _, number = edit.place.removesuffix("]").rpartition("[")
    match edit.verb:
        case "up":
            return f"{members}[{max(int(number) - 1, 0)}]"
        case "down":
            return f"{members}[{int(number) + 1}]"
        case _:
            return members


def _target(here: Step, button: str) -> Step:
    before, after = neighbours(here)
    match button:
        case "back" if before is not None:
            return before
        case "continue" if after is not None:
            return after
        case _:
            return here


@post("/compose/{composition_id:str}/discard", opt={**_DRAFT, "audit": "discarded a composition"})
async def discard(
    composition_id: str, request: PageRequest, application: Application
) -> Response[Any]:
    """Forget what was being written."""
    try:
        name = application.compositions.find(composition_id).name
    except NotFoundError:
        name = composition_id
    application.compositions.discard(composition_id)
    note_change(request, name)
    return done(_PATH, f"“{name}” is discarded. Campaigns are as they were.")


async def _find(request: PageRequest, text: str) -> list[Hit]:
    application: Application = request.app.state.application
    return [
        Hit("being written", one.name, f"{_PATH}/{one.id}")
        for one in application.compositions.all()
        if text in one.name.lower()
    ]


PAGE = Page(
    _PATH,
    "Compose",
    (
        show_compositions,
        begin,
        show_first_step,
        show_step,
        write_step,
        discard,
        *PREVIEW,
        *PUBLISHING,
        *REHEARSAL,
    ),
    group="Messaging",
    icon="pencil",
    key="n",
    find=_find,
)
