"""Step 5, Conversions: what counts as success, and how many users it takes to see one."""

from typing import Any, Final

from msgspec import Struct

from segue.engine.uplift import users_needed
from segue.model.campaigns import Campaign
from segue.model.limits import CONVERSIONS_MAX
from segue.services.application import Application
from segue.services.compositions import Composition
from segue.web.dashboard.composer.happenings import (
    HAPPENING_KINDS,
    KIND_WORDS,
    new_interaction,
    read_happening,
)
from segue.web.dashboard.composer.step import Step
from segue.web.dashboard.document_values import read_duration
from segue.web.dashboard.form_fields import Fields, Tree, put
from segue.web.dashboard.pages import PageRequest

_RATES: Final = (0.01, 0.02, 0.05, 0.10)  # of users who convert anyway
_GAINS: Final = (0.1, 0.25, 0.5)  # of that rate: what a message may add
_ALL: Final = 100  # per cent


class Row(Struct, frozen=True):
    """How many users each arm needs, to see a gain over a rate; one number for each gain."""

    rate: float
    needed: list[int]


def _read(fields: Fields, tree: Tree) -> None:
    earlier = tree.get("conversions")
    old = earlier if isinstance(earlier, list) else []
    read: list[Tree] = []
    for index, one in enumerate(fields.each("conversions")):
        before = old[index] if index < len(old) else {}
        conversion = read_happening(one, before)
        within = read_duration(one, "within") if one.has("within") else before.get("within", "3d")
        if within != "3d" or "within" in before:
            conversion["within"] = within
        read.append(conversion)
    put(tree, "conversions", read or None)


def _context(
    _request: PageRequest, application: Application, composition: Composition
) -> dict[str, Any]:
    document = application.compositions.sketch(composition)
    return {
        "choices": application.compositions.choices(composition),
        "kinds": [(one, KIND_WORDS[one]) for one in HAPPENING_KINDS],
        "letters": "ABCD",
        "can_add": len(composition.tree.get("conversions") or []) < CONVERSIONS_MAX,
        "control_percent": document.control_percent,
        "arms": _arms(document),
        "gains": [f"+{gain:.0%}" for gain in _GAINS],
        "rows": [
            Row(rate, [users_needed(rate, rate * (1 + gain)) for gain in _GAINS]) for rate in _RATES
        ],
        "smallest": _smallest(document),
    }


def _arms(document: Campaign) -> list[str]:
    return [one.name for one in document.all_variants()]


def _smallest(document: Campaign) -> int:
    """Return the smallest share of the users that any arm has, in per cent."""
    shares = [one.percent for one in document.all_variants()]
    if document.control_percent:
        shares.append(document.control_percent)
    return min((one for one in shares if one > 0), default=_ALL)


def _new_member(_place: str) -> Tree:
    return new_interaction()


STEP = Step(
    "conversions",
    "Conversions",
    ("conversions",),
    "composer/conversions.html",
    _context,
    _read,
    _new_member,
)
