"""What is wrong, or doubtful, about the set of documents that an apply would leave behind.

What goes live is checked whole. Of the rest only what the apply itself would break is told of: an
old fault is no reason to refuse a change elsewhere.
"""

from collections.abc import Collection, Iterable, Mapping

from msgspec import Struct

from segue.content.lint import errors_in, warnings_in
from segue.engine.graph import Edge, edges
from segue.engine.publication_checks import Finding, Surroundings, check_publication
from segue.engine.reference_checks import (
    check_names,
    check_references,
    check_segment_references,
)
from segue.engine.target_checks import KnownCampaign
from segue.model.limits import APPLIED_AT_ONCE_MAX, SEGMENTS_MAX
from segue.model.problems import Problem
from segue.model.workspace import Segment, Workspace
from segue.services.project_changes import Comparison, place_of


class Documents(Struct, frozen=True):
    """Everything that documents may refer to, at one time."""

    campaigns: Mapping[str, KnownCampaign]
    segments: Mapping[str, Segment]
    workspace: Workspace

    def around(self, slugs: Iterable[str], now: int) -> Surroundings:
        """Return what campaigns that go live are among."""
        without = {*slugs}
        others = {slug: one for slug, one in self.campaigns.items() if slug not in without}
        return Surroundings(others, self.segments, self.workspace, now)

    def faults_of(self, slug: str) -> list[Problem]:
        """Return what is wrong with a campaign's references, as far as its status asks for it."""
        campaign = self.campaigns[slug]
        if campaign.status != "active":
            # It need not be whole until it is published; but what it names should be there.
            return list(check_names(campaign.document, self.segments, self.workspace))
        others = self.around([slug], 0).others
        return check_references(campaign.document, others, self.segments, self.workspace).errors

    def faults_of_segment(self, slug: str) -> list[Problem]:
        """Return what is wrong with a segment's references."""
        found = check_segment_references(
            self.segments[slug], self.campaigns, self.segments, self.workspace
        )
        return found.errors


class ProjectFindings(Struct, frozen=True):
    """Problems, each led by the place of the document it is about."""

    errors: list[Problem]
    warnings: list[Problem]


def check_project(
    before: Documents, after: Documents, compared: Comparison, now: int
) -> ProjectFindings:
    """Return what would be wrong and doubtful after the changes."""
    found = _check_live(before, after, compared, now)
    for slug in sorted(after.segments):
        known = before.faults_of_segment(slug) if slug not in compared.segments else []
        problems = (one for one in after.faults_of_segment(slug) if one not in known)
        found.errors.extend(_led(place_of("segment", slug), problems))
    if len(compared.campaigns) > APPLIED_AT_ONCE_MAX:
        message = f"change {len(compared.campaigns)}; at most {APPLIED_AT_ONCE_MAX} at once"
        found.errors.append(Problem("campaigns", message))
    if len(after.segments) > SEGMENTS_MAX:
        message = f"would be {len(after.segments)}; there can be {SEGMENTS_MAX}"
        found.errors.append(Problem("segments", message))
    for slug in sorted(after.campaigns):
        step = compared.campaigns.get(slug)
        place, campaign = place_of("campaign", slug), after.campaigns[slug]
        if step is not None and campaign.status != "archived":
            found.errors.extend(_led(place, errors_in(campaign.document)))
        is_as_it_was = slug in before.campaigns and (step is None or "change" not in step.actions)
        is_live_anew = step is not None and step.goes_live
        if is_as_it_was and not is_live_anew and campaign.status != "archived":
            known = before.faults_of(slug)
            problems = (one for one in after.faults_of(slug) if one not in known)
            found.errors.extend(_led(place, problems))
    return found


def _check_live(
    before: Documents, after: Documents, compared: Comparison, now: int
) -> ProjectFindings:
    """Return what campaigns meet that are published, or get a new version while active."""
    steps = compared.campaigns
    live = {slug: after.campaigns[slug] for slug, step in steps.items() if step.goes_live}
    # Of one that is stopped at once the schedule may be past, as that of an edited one.
    begin = {slug for slug in live if "publish" in steps[slug].actions} - {
        slug for slug, one in live.items() if one.status == "stopped"
    }
    found = check_publication(
        [one for slug, one in live.items() if slug in begin],
        after.around(live, now),
        [one for slug, one in live.items() if slug not in begin],
    )
    late = [Finding(edge.follower, _too_late(edge)) for edge in _late_edges(before, after, begin)]
    lint = [Finding(slug, one) for slug, each in live.items() for one in warnings_in(each.document)]
    return ProjectFindings(_placed(found.errors), _placed([*found.warnings, *late, *lint]))


def _late_edges(before: Documents, after: Documents, begin: Collection[str]) -> list[Edge]:
    """Return the connections that begin when their target has been active for a while."""
    documents = {
        slug: one.document for slug, one in after.campaigns.items() if one.status == "active"
    }
    active = {slug for slug, one in before.campaigns.items() if one.status == "active"}
    slug_by_id = {one.id: slug for slug, one in after.campaigns.items()}
    found = edges(documents, slug_by_id)
    return [one for one in found if one.follower in begin and one.target in active]


def _too_late(edge: Edge) -> Problem:
    message = f"{edge.target} is active already: who did this before now will not enter"
    return Problem(edge.path, message)


def _placed(findings: Iterable[Finding]) -> list[Problem]:
    return [
        problem
        for one in findings
        for problem in _led(place_of("campaign", one.slug), [one.problem])
    ]


def _led(place: str, problems: Iterable[Problem]) -> list[Problem]:
    return [Problem(f"{place}: {one.path}" if one.path else place, one.message) for one in problems]
