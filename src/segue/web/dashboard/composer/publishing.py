"""Finishing what was written: kept as a draft, or published once it is clear what that does."""

import re
from collections.abc import Mapping
from typing import Any, Final

from litestar import Response, get, post
from litestar.response import Redirect

from segue.engine.publication_checks import Finding
from segue.errors import ConflictError, SegueError
from segue.model.campaigns import Campaign
from segue.model.decoding import shown
from segue.model.problems import InvalidError
from segue.services.application import Application
from segue.services.compositions import Composition, OvertakenError
from segue.services.differences import Difference, differences
from segue.services.launches import Outlook
from segue.web.audit import note_change
from segue.web.dashboard.composer.frame import step_path
from segue.web.dashboard.composer.place_words import place_words
from segue.web.dashboard.composer.review import publishers
from segue.web.dashboard.form_fields import number_of
from segue.web.dashboard.forms import Form, read_form
from segue.web.dashboard.pages import PageRequest, crumbs
from segue.web.dashboard.places import campaign_path
from segue.web.dashboard.shell import PAGE_HEADERS, done, page, render

_DRAFT: Final = {"permission": "draft"}


@post("/compose/{composition_id:str}/keep", opt={**_DRAFT, "audit": "wrote a draft"})
async def keep(
    composition_id: str, request: PageRequest, application: Application
) -> Response[Any]:
    """Make a draft of it, or change the draft that it edits. Nothing is published."""
    composition = application.compositions.find(composition_id)
    base = application.compositions.base_of(composition)
    if base is not None and base.status == "active":
        message = f"{base.slug} is active: what is written for it is published, or parted from it"
        raise ConflictError(message)
    try:
        campaign = await application.compositions.finish(composition, may_publish=False)
    except (InvalidError, OvertakenError):
        note_change(request, composition.name, "not yet: something is to be mended")
        return _review(composition)  # it tells both
    note_change(request, campaign.slug)
    text = f"“{campaign.document.name}” is a draft now: {campaign.slug}. Nothing of it is sent yet."
    return done(campaign_path(campaign.slug), text)


def _review(composition: Composition) -> Redirect:
    path = step_path(composition.id, "review")
    return Redirect(path, status_code=303, headers=dict(PAGE_HEADERS))


@post("/compose/{composition_id:str}/part", opt={**_DRAFT, "audit": "kept theirs as a draft"})
async def part(
    composition_id: str, request: PageRequest, application: Application
) -> Response[Any]:
    """Make a campaign of its own of what edited one that somebody else has changed."""
    composition = application.compositions.find(composition_id)
    parted = application.compositions.part(composition, request.auth.name)
    note_change(request, str(parted.tree["slug"]))
    text = f"What you wrote is a campaign of its own now, {parted.tree['slug']}; it edits no other."
    return done(step_path(parted.id, "review"), text)


@get("/compose/{composition_id:str}/compare", sync_to_thread=False)
def compare(composition_id: str, request: PageRequest, application: Application) -> Response[Any]:
    """Show where what was written differs from the campaign as it is now."""
    composition = application.compositions.find(composition_id)
    base = application.compositions.base_of(composition)
    mine = application.compositions.sketch(composition)
    found = differences(base.document, mine) if base is not None else []
    return page(
        request,
        "composer/compare.html",
        title=f"Compare “{composition.name}”",
        crumbs=crumbs(
            ("Compose", "/compose"), (composition.name, step_path(composition.id, "review"))
        ),
        composition=composition,
        base=base,
        overtaken=application.compositions.overtaken(composition),
        rows=[_row(one) for one in found],
    )


def _row(one: Difference) -> tuple[str, str, str]:
    return one.path, _said(one.old), _said(one.new)


def _said(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or "nothing"
    return "nothing" if repr(value) == "UNSET" else shown(value)


@get("/compose/{composition_id:str}/publish", opt={"permission": "publish"}, sync_to_thread=False)
def ask_to_publish(
    composition_id: str, request: PageRequest, application: Application
) -> Response[Any]:
    """Ask whether to publish: the page is there at once, and what it would do comes after."""
    composition = application.compositions.find(composition_id)
    return _page(request, application, composition, outlook=None)


@get("/compose/{composition_id:str}/outlook", opt={"permission": "publish"})
async def show_outlook(
    composition_id: str, request: PageRequest, application: Application
) -> Response[Any]:
    """Show what publishing would do: a part of the page for scripts, else the whole of it."""
    composition = application.compositions.find(composition_id)
    outlook, problems = await _outlook(application, composition)
    if not request.headers.get("hx-request"):
        return _page(request, application, composition, outlook, problems=problems)
    context = _filled(application, composition, outlook, problems, {}, Form(()))
    html = render(request, "composer/outlook.html", **context)
    headers = {**PAGE_HEADERS, "Cache-Control": "no-store"}
    return Response(html, media_type="text/html", headers=headers)


async def _outlook(
    application: Application, composition: Composition
) -> tuple[Outlook | None, SegueError | None]:
    try:
        return await application.launches.foresee(composition), None
    except SegueError as error:
        return None, error


def _page(
    request: PageRequest,
    application: Application,
    composition: Composition,
    outlook: Outlook | None,
    *,
    problems: SegueError | None = None,
    faults: Mapping[str, str] | None = None,
    form: Form | None = None,
) -> Response[bytes]:
    base = application.compositions.base_of(composition)
    context = _filled(application, composition, outlook, problems, faults or {}, form or Form(()))
    return page(
        request,
        "composer/publish.html",
        title=f"Publish “{composition.name}”",
        status=422 if faults else 200,
        crumbs=crumbs(
            ("Compose", "/compose"), (composition.name, step_path(composition.id, "review"))
        ),
        base=base,
        sentence=application.compositions.sentence(composition),
        **context,
    )


def _filled(
    application: Application,
    composition: Composition,
    outlook: Outlook | None,
    problems: SegueError | None,
    faults: Mapping[str, str],
    form: Form,
) -> dict[str, Any]:
    slug = outlook.document.slug if outlook is not None else ""
    names = {one.slug: one.document.name for one in application.campaigns.all()}
    if outlook is not None:
        names[slug] = outlook.document.name
    return {
        "composition": composition,
        "outlook": outlook,
        "problem": str(problems) if problems is not None else "",
        "faults": faults,
        "warnings": [(_token(one), one) for one in outlook.warnings] if outlook else [],
        "accepted": form.all("accept"),
        "has_backfill": form.has("backfill"),
        "typed_users": form.text("users"),
        "place_words": place_words,
        "is_together": form.text("together") == "yes",
        "names": names,
        "publishers": publishers(application),
    }


def _token(found: Finding) -> str:
    """Return what a tick says that it accepts; numbers in it may change while one reads."""
    return re.sub(r"[0-9]+", "#", f"{found.problem.path}: {found.problem.message}")[:300]


@post(
    "/compose/{composition_id:str}/publish",
    opt={"permission": "publish", "audit": "published from the composer"},
)
async def publish(
    composition_id: str, request: PageRequest, application: Application
) -> Response[Any]:
    """Publish it, if everything that was asked is answered."""
    form = await read_form(request)
    composition = application.compositions.find(composition_id)
    outlook, problems = await _outlook(application, composition)
    faults = _faults(outlook, form)
    if outlook is None or faults:
        faults = faults or {"": "It cannot be published yet."}
        return _page(
            request,
            application,
            composition,
            outlook,
            problems=problems,
            faults=faults,
            form=form,
        )
    companions = _companions(outlook, form)
    try:
        campaign = await application.launches.publish(
            composition, companions, has_backfill=form.has("backfill")
        )
    except (InvalidError, ConflictError) as error:
        refused = {"": f"It was not published: {error}"}
        composition = application.compositions.find(composition_id)
        return _page(request, application, composition, outlook, faults=refused, form=form)
    note_change(request, ", ".join([campaign.slug, *companions]), f"version {campaign.version}")
    return done(campaign_path(campaign.slug), _told(campaign.document, companions, outlook, form))


def _companions(outlook: Outlook, form: Form) -> list[str]:
    wanted = form.text("together") == "yes" and not outlook.companion_problems
    return [one.slug for one in outlook.companions] if wanted else []


def _faults(outlook: Outlook | None, form: Form) -> dict[str, str]:
    """Return what is still to be answered, by field."""
    if outlook is None:
        return {}
    faults: dict[str, str] = {}
    accepted = set(form.all("accept"))
    for index, one in enumerate(outlook.warnings):
        if _token(one) not in accepted and not (_is_late(one) and form.has("backfill")):
            faults[f"accept-{index}"] = f"Mend or accept: {one.problem.message}"
    count = outlook.confirmed_count
    if count is not None:
        asked = number_of(form.text("counted").replace(",", ""))
        typed = number_of(form.text("users").replace(",", ""))
        if typed is None or typed not in (asked, count):
            faults["users"] = f"Type {count:,}, the number of users in the audience, to publish."
    return faults


def _is_late(found: Finding) -> bool:
    return found.problem.message.endswith("backfill lets them")


def _told(document: Campaign, companions: list[str], outlook: Outlook, form: Form) -> str:
    if outlook.is_edit:
        return f"“{document.name}” is published as a new version: it holds for what comes now."
    beside = f", with {', '.join(companions)} at the same instant" if companions else ""
    late = " Who did this before is let in." if form.has("backfill") else ""
    return f"“{document.name}” is published{beside}.{late}"


PUBLISHING: Final = (keep, part, compare, ask_to_publish, show_outlook, publish)
