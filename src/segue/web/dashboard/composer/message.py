"""Step 1, Message: what is sent."""

from typing import Any

from segue.services.application import Application
from segue.services.composition_trees import channels_of
from segue.services.compositions import Composition
from segue.services.explanations.words import channel_word
from segue.web.dashboard.composer.step import Step
from segue.web.dashboard.pages import PageRequest


def _context(
    _request: PageRequest, application: Application, composition: Composition
) -> dict[str, Any]:
    document = application.compositions.sketch(composition)
    return {
        "variants": document.all_variants(),
        "channels": [channel_word(one) for one in channels_of(document)],
        "control_percent": document.control_percent,
    }


STEP = Step(
    "message",
    "Message",
    ("messages", "variants", "control_percent", "name", "slug", "description", "tags"),
    "composer/message.html",
    _context,
)
