"""Step Limits."""

from typing import Any

from segue.services.application import Application
from segue.services.compositions import Composition
from segue.web.dashboard.composer.step import Step
from segue.web.dashboard.pages import PageRequest


def _context(
    _request: PageRequest, application: Application, composition: Composition
) -> dict[str, Any]:
    parts = application.compositions.sentence(composition)
    return {"words": "".join(one.text for one in parts if one.step == "limits")}


STEP = Step(
    "limits",
    "Limits",
    (
        "re_eligibility",
        "frequency_caps",
        "delivery.sends_per_minute_max",
        "delivery.recipients_max",
    ),
    "composer/limits.html",
    _context,
)
