"""What is wrong and doubtful about a campaign that is being written, with the places."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from segue.content.lint import errors_in, warnings_in
from segue.engine.checks import check_campaign
from segue.engine.publication_checks import Findings, Surroundings, check_publication
from segue.engine.target_checks import KnownCampaign
from segue.model.campaigns import Campaign
from segue.model.decoding import decode_document
from segue.model.problems import InvalidError, Problem
from segue.services.composition_sketch import sketch_of
from segue.storage.ports import StoredCampaign


class CompositionProblems(Struct, frozen=True):
    """Faults of the document, what stands in the way of publishing it, and doubts.

    With a fault it cannot even be kept as a draft; `document` is there where there is none.
    """

    faults: list[Problem]
    blocking: list[Problem]
    warnings: list[Problem]
    document: Campaign | None

    @property
    def must_mend(self) -> list[Problem]:
        """Everything that has to be mended before it can be published."""
        return [*self.faults, *self.blocking]


def problems_of(
    tree: Mapping[str, Any], base: StoredCampaign | None, around: Surroundings
) -> CompositionProblems:
    """Return all problems of a tree; `base` is the campaign that it edits.

    The meaning of a document that is not whole is checked as far as it goes: its author need not
    mend the shape of one step to hear about another.
    """
    try:
        document = decode_document(tree, Campaign, "The campaign")
    except InvalidError as error:
        told = {problem.path for problem in error.problems}
        sketch = sketch_of(dict(tree))
        meant = check_campaign(sketch)
        if tree.get("slug"):
            meant += _of_slug(sketch, base, around)
        more = [one for one in meant if _is_new(one, told)]
        return CompositionProblems([*error.problems, *more], [], [], None)
    if faults := [*check_campaign(document), *_of_slug(document, base, around)]:
        return CompositionProblems(faults, [], [], None)
    if faults := errors_in(document):
        return CompositionProblems(faults, [], [], None)
    found = _publication(document, base, around)
    blocking = [one.problem for one in found.errors]
    warnings = [*(one.problem for one in found.warnings), *warnings_in(document)]
    return CompositionProblems([], blocking, warnings, document)


def _is_new(problem: Problem, told: set[str]) -> bool:
    """Return whether a fault of what was mended is not the other side of one that is told.

    Lists are left to the next time: the sketch leaves members out, and so counts others.
    """
    path = problem.path
    return "[" not in path and not any(
        path.startswith(one) or one.startswith(path) for one in told if one
    )


def _of_slug(
    document: Campaign, base: StoredCampaign | None, around: Surroundings
) -> list[Problem]:
    if base is not None and base.version and document.slug != base.slug:
        message = f"stays {base.slug!r}: the campaign was published, and others refer to it"
        return [Problem("slug", message)]
    if document.slug in around.others:
        return [Problem("slug", f"{document.slug!r} is another campaign's; choose another slug")]
    return []


def _publication(document: Campaign, base: StoredCampaign | None, around: Surroundings) -> Findings:
    campaign_id, status = (base.id, base.status) if base is not None else ("", "draft")
    known = KnownCampaign(document.slug, campaign_id, status, document)
    if status == "active":
        return check_publication([], around, [known])
    if status == "archived":
        return Findings([], [])
    return check_publication([replace(known, status="draft")], around)
