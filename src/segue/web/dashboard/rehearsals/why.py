"""Why somebody got a campaign in a rehearsal, or did not."""

from typing import Any, Final

from litestar import Response, get

from segue.errors import NotFoundError
from segue.services.application import Application
from segue.services.explanations.service import explain_live
from segue.services.rehearsals import PATH
from segue.web.dashboard.pages import PageRequest, crumbs
from segue.web.dashboard.rehearsals.words import name_of
from segue.web.dashboard.shell import page
from segue.web.dashboard.users.why import answer_context
from segue.web.dashboard.words import with_capital
from segue.web.rehearsed import REHEARSAL_PATH, rehearsal_of


@get(f"{REHEARSAL_PATH}/why", opt={"permission": "draft"})
async def show_why(request: PageRequest, application: Application) -> Response[Any]:
    """Ask for somebody who takes part and a campaign; with both, answer."""
    rehearsal = rehearsal_of(request)
    application.rehearsals.use(rehearsal)
    runtime = rehearsal.application.runtime
    user_id = request.query_params.get("user", "").strip()
    reference = request.query_params.get("campaign", "").strip()
    explanation, fault = None, ""
    if user_id and reference:
        try:
            explanation = await explain_live(runtime, user_id, reference)
        except NotFoundError as error:
            fault = f"{with_capital(str(error))}."
    published = {one.slug for one in rehearsal.cast.drafts}
    campaigns = sorted(
        (slug not in published, one.newest.document.name, slug)
        for slug, one in runtime.plan.campaigns.items()
    )
    return page(
        request,
        "rehearsals/why.html",
        title="Why?",
        crumbs=crumbs(("Rehearsals", PATH), (name_of(rehearsal), rehearsal.path)),
        rehearsal=rehearsal,
        users=[(one, one) for one in rehearsal.cast.user_ids],
        campaigns=[(slug, name) for _, name, slug in campaigns],
        user_id=user_id,
        reference=reference,
        explanation=explanation,
        fault=fault,
        **(answer_context(explanation, is_live=False) if explanation is not None else {}),
    )


WHY: Final = (show_why,)
