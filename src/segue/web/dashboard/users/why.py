"""Why a user got a campaign, or did not: the answer, the gates in order, every step."""

from typing import Any, Final

from litestar import Response, get
from litestar.response import Redirect

from segue.errors import NotFoundError
from segue.model.explanations import ExplainedCheck, ExplainedStep, Explanation, Standing
from segue.services.application import Application
from segue.services.explanations.service import explain_live
from segue.services.moment_words import Tone
from segue.services.timelines import fields_of
from segue.web.dashboard.pages import PageRequest
from segue.web.dashboard.places import WHY_PATH, user_in, user_path
from segue.web.dashboard.shell import PAGE_HEADERS, page
from segue.web.dashboard.users.frame import tab_page
from segue.web.dashboard.users.looking import PATH
from segue.web.dashboard.words import with_capital

_STEPS_SHOWN_MAX: Final = 50  # the newest; the API and the command have the others
_STANDINGS: Final[dict[Standing, tuple[str, Tone]]] = {
    "waiting": ("waiting", "neutral"),
    "sending": ("being sent", "neutral"),
    "sent": ("sent", "good"),
    "cancelled": ("cancelled", "warning"),
    "skipped": ("not sent", "warning"),
    "control": ("control group", "neutral"),
    "refused": ("did not enter", "quiet"),
    "not_matched": ("not what it waits for", "quiet"),
    "not_listening": ("was not listening", "quiet"),
    "nothing": ("nothing happened", "quiet"),
    "draft": ("never published", "quiet"),
    "unknown_user": ("unknown user", "warning"),
}


@get(f"{PATH}/why")
async def show_why(segment: str, request: PageRequest, application: Application) -> Response[Any]:
    """Answer why a user got a campaign, or did not; without one, ask for it."""
    user_id, reference = user_in(segment), request.query_params.get("campaign", "").strip()
    explanation, fault = None, ""
    if reference:
        try:
            explanation = await explain_live(application.runtime, user_id, reference)
        except NotFoundError as error:
            fault = f"{with_capital(str(error))}."
    return tab_page(
        request,
        application,
        user_id,
        "why",
        reference=explanation.campaign.slug if explanation is not None else reference,
        explanation=explanation,
        fault=fault,
        **(answer_context(explanation) if explanation is not None else {}),
    )


@get(WHY_PATH, sync_to_thread=False)
def ask_why(request: PageRequest) -> Response[Any]:
    """Ask for a user and a campaign, and lead to the answer once both are named."""
    user_id = request.query_params.get("user", "").strip()
    campaign = request.query_params.get("campaign", "").strip()
    if user_id and campaign:
        path = user_path(user_id, "why", campaign=campaign)
        return Redirect(path, status_code=303, headers=dict(PAGE_HEADERS))
    return page(request, "users/ask_why.html", title="Why?", user_id=user_id, campaign=campaign)


def answer_context(explanation: Explanation, *, is_live: bool = True) -> dict[str, Any]:
    """Return what users/answer.html is filled with, beside the user and the explanation."""
    steps = explanation.steps[-_STEPS_SHOWN_MAX:]
    word, tone = _STANDINGS[explanation.standing]
    return {
        "is_live": is_live,
        "word": word,
        "tone": tone,
        "gates": _gates(explanation.steps),
        "facts_of": _facts_of,
        "steps": steps,
        "left_out": explanation.left_out + len(explanation.steps) - len(steps),
    }


def _gates(steps: list[ExplainedStep]) -> list[tuple[ExplainedStep, list[ExplainedCheck]]]:
    """Return the checks of the last way into the campaign, by the steps that made them."""
    checked = [(step, step.checks()) for step in steps if step.checks()]
    begins = [index for index, (step, _) in enumerate(checked) if step.kind == "happened"]
    return checked[begins[-1] if begins else 0 :]


def _facts_of(check: ExplainedCheck) -> list[tuple[str, str]]:
    """Return the values that a check compared; an audience is shown as its tree."""
    return fields_of({name: one for name, one in check.facts.items() if name != "audience"})
