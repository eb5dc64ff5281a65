"""Step 6, Review: every choice with where it is made, what is still to be mended, and what next."""

from typing import Any

from segue.model.accounts import roles_with
from segue.services.application import Application
from segue.services.campaign_summary import Choice
from segue.services.compositions import Composition
from segue.web.dashboard.composer.frame import jumps, step_path
from segue.web.dashboard.composer.steps import STEPS
from segue.web.dashboard.pages import PageRequest


def _groups(
    application: Application, composition: Composition
) -> list[tuple[str, list[tuple[Choice, str]]]]:
    """Return the choices of each step, with the addresses of their fields."""
    found = application.compositions.summary(composition)
    return [
        (
            step.title,
            [
                (one, step_path(composition.id, one.step, one.place))
                for one in found
                if one.step == step.key
            ],
        )
        for step in STEPS[:-1]
    ]


def publishers(application: Application) -> list[str]:
    """Return the addresses of those who may publish."""
    roles = roles_with("publish")
    return [one.email for one in application.accounts.all() if one.role in roles]


def review_context(
    _request: PageRequest, application: Application, composition: Composition
) -> dict[str, Any]:
    """Return what the review is filled with."""
    problems = application.compositions.problems(composition)
    return {
        "groups": _groups(application, composition),
        "all_to_mend": jumps(composition, problems.must_mend),
        "all_doubts": jumps(composition, problems.warnings),
        "has_faults": bool(problems.faults),
        "publishers": publishers(application),
    }
