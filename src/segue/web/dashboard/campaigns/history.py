"""A campaign's page, Changes: what was published and ended, by whom, and what was different."""

import json
from collections.abc import Sequence
from difflib import unified_diff
from typing import Any, Final

from litestar import Response, get
from msgspec import UNSET, Struct

from segue.services.application import Application
from segue.services.campaign_versions import CampaignChange, changes_of
from segue.services.differences import Difference
from segue.web.dashboard.campaigns.frame import tab_page
from segue.web.dashboard.pages import PageRequest
from segue.web.dashboard.words import with_capital

_CHANGES_SHOWN_MAX: Final = 50  # more versions than anybody compares on one page
_DIFFERENCES_MAX: Final = 30  # of one version; a rewrite is read in the composer
_VALUE_LENGTH_MAX: Final = 400
_DIFF_LINES_MAX: Final = 60
_NAMES: Final = {
    "name": "Name",
    "tags": "Tags",
    "delivery": "Delivery",
    "triggers": "trigger",
    "exceptions": "exception",
    "re_eligibility": "Re-eligibility",
    "recheck_audience": "Audience checked again",
    "frequency_caps": "Frequency caps",
    "control_percent": "Control group, per cent",
    "conversions": "Conversion",
    "variants": "Variant",
    "messages": "message",
    "html": "HTML",
    "sms": "SMS",
}


class ShownDifference(Struct, frozen=True):
    """A place that differs, in words; a long text by its lines, marked + and −."""

    place: str
    before: str
    after: str
    lines: Sequence[str] = ()


@get("/campaigns/{campaign:str}/changes")
async def show_changes(
    campaign: str, request: PageRequest, application: Application
) -> Response[Any]:
    """Show the versions of a campaign, and how each differs from the one before."""
    found = application.campaigns.find(campaign)
    changes = await changes_of(application.runtime, application.audit, found)
    shown = changes[:_CHANGES_SHOWN_MAX]
    return tab_page(
        request,
        application,
        found,
        "changes",
        changes=[(one, _shown(one)) for one in shown],
        left_off=len(changes) - len(shown),
        sentence_of=application.campaigns.sentence,
        has_draft_changes=_is_changed_since(changes, found.document),
    )


def _is_changed_since(changes: Sequence[CampaignChange], document: Any) -> bool:
    """Return whether the document is not the one that was published last."""
    newest = next((one.document for one in changes if one.document is not None), None)
    return newest is not None and newest != document


def _shown(change: CampaignChange) -> tuple[list[ShownDifference], int]:
    """Return the differences in words, and how many are left off."""
    those = change.differences
    return [_difference(one) for one in those[:_DIFFERENCES_MAX]], len(those[_DIFFERENCES_MAX:])


def _difference(one: Difference) -> ShownDifference:
    place = place_words(one.path)
    if isinstance(one.old, str) and isinstance(one.new, str) and "\n" in one.old + one.new:
        lines = unified_diff(one.old.splitlines(), one.new.splitlines(), lineterm="", n=1)
        body = [line for line in lines if not line.startswith(("---", "+++"))]
        cut = ["…"] * (len(body) > _DIFF_LINES_MAX)
        return ShownDifference(place, "", "", [*body[:_DIFF_LINES_MAX], *cut])
    return ShownDifference(place, value_words(one.old), value_words(one.new))


def place_words(path: str) -> str:
    """Return a path of a document in words: "delivery.triggers[1]" is "Delivery, trigger 2"."""
    words = []
    for step in path.split("."):
        name, *numbers = step.replace("]", "").split("[")
        said = _NAMES.get(name, name.replace("_", " "))
        words.append(" ".join([said, *(str(int(number) + 1) for number in numbers)]))
    return with_capital(", ".join(words))


def value_words(value: Any) -> str:
    """Return a value of a document in words: what is inside others stands behind its name."""
    text = _said(value)
    return text if len(text) <= _VALUE_LENGTH_MAX else f"{text[: _VALUE_LENGTH_MAX - 1]}…"


def _said(value: Any) -> str:
    if value is UNSET or value is None:
        return "nothing"
    match value:
        case bool():
            return "yes" if value else "no"
        case dict():
            parts = [f"{key.replace('_', ' ')}: {_said(inner)}" for key, inner in value.items()]
            return "; ".join(parts) or "any"
        case list():
            return ", ".join(_said(inner) for inner in value) or "none"
        case str():
            return value
    return json.dumps(value)
