"""Step 6, Review: everything at a glance, and what is still to be mended."""

from typing import Any

from segue.services.application import Application
from segue.services.compositions import Composition
from segue.web.dashboard.composer.step import Step
from segue.web.dashboard.pages import PageRequest


def _context(
    _request: PageRequest, _application: Application, _composition: Composition
) -> dict[str, Any]:
    return {}


STEP = Step("review", "Review", (), "composer/review.html", _context)
