"""What applying a folder would do: compared, checked, and turned into records, without effect."""

from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from segue.engine.graph import publish_order
from segue.engine.plan import audiences_in
from segue.engine.target_checks import KnownCampaign
from segue.model.filters import Filter
from segue.model.log_records import (
    CampaignPublished,
    CampaignStopped,
    Record,
    SegmentDeleted,
    SegmentSet,
    TimeAdvanced,
    WorkspaceSet,
)
from segue.model.problems import InvalidError, Problem
from segue.services.campaigns import known_campaign
from segue.services.configuration import Configuration
from segue.services.project_changes import CampaignStep, Change, Comparison, Present, compare
from segue.services.project_checks import Documents, check_project
from segue.storage.ports import StoredCampaign


class ProjectPlan(Struct, frozen=True):
    """All that would change, at one instant; what it was made for has the fingerprint."""

    changes: list[Change]
    publish_order: list[str]  # slugs of the campaigns to publish, followers before targets
    unchanged: list[str]
    left: list[str]  # on the server and not in the folder: left as it is
    warnings: list[Problem]
    fingerprint: str


class Outcome:
    """What there is after the changes, and the records and campaigns that bring it about."""

    def __init__(self, present: Present, compared: Comparison) -> None:
        self._present = present
        self._steps = compared.campaigns
        self._segments = compared.segments
        self._workspace = compared.workspace
        live = {slug: one.after.document for slug, one in self._steps.items() if one.goes_live}
        slug_by_id = {one.id: slug for slug, one in present.campaigns.items()}
        self.live = publish_order(live, slug_by_id)  # published or edited, followers first

    def documents(self) -> Documents:
        """Return everything that documents may refer to afterwards."""
        campaigns = {**_documents_of(self._present).campaigns}
        for slug, step in self._steps.items():
            campaign_id = step.before.id if step.before is not None else ""
            campaigns[slug] = KnownCampaign(
                slug, campaign_id, step.after.status, step.after.document
            )
        segments = {**self._present.segments, **self._segments}
        kept = {slug: segment for slug, segment in segments.items() if segment is not None}
        return Documents(campaigns, kept, self._workspace or self._present.workspace)

    def filters(self) -> list[Filter]:
        """Return the filters that come into the plan."""
        segments = [one.filter for one in self._segments.values() if one is not None]
        return [*segments, *audiences_in(self._steps[slug].after.document for slug in self.live)]

    def new_slugs(self) -> list[str]:
        """Return the campaigns that need an id."""
        return [slug for slug, step in self._steps.items() if step.before is None]

    def stored(self, at: int, new_ids: Mapping[str, str]) -> list[StoredCampaign]:
        """Return the campaigns as they are saved at an instant."""
        return [_stored(step, at, new_ids) for _, step in sorted(self._steps.items())]

    def records(self, at: int, new_ids: Mapping[str, str]) -> list[Record]:
        """Return the records; what concerns drafts alone leaves nothing but that time went on.

        What campaigns refer to comes before them, and goes after them.
        """
        records: list[Record] = []
        if self._workspace is not None:
            records.append(WorkspaceSet(at, self._workspace))
        records += [SegmentSet(at, one) for one in self._segments.values() if one is not None]
        for slug in self.live:
            step = self._steps[slug]
            one = _stored(step, at, new_ids)
            is_edit = "publish" not in step.actions
            records.append(CampaignPublished(at, one.id, one.version, one.document, is_edit))
        for slug, step in sorted(self._steps.items()):
            if step.ends:
                records.append(CampaignStopped(at, slug, step.after.status == "archived"))
        gone = (slug for slug, segment in self._segments.items() if segment is None)
        records += [SegmentDeleted(at, slug) for slug in gone]
        return records or [TimeAdvanced(at)]


def plan_project(
    present: Present, wanted: Configuration, now: int, *, prune: bool = False
) -> tuple[ProjectPlan, Outcome]:
    """Return what would have to change for `present` to be as wanted, and what comes of it.

    Raises:
        InvalidError: with every fault of all documents among each other.
    """
    compared = compare(present, wanted, prune=prune)
    outcome = Outcome(present, compared)
    found = check_project(_documents_of(present), outcome.documents(), compared, now)
    problems = [*compared.problems, *found.errors]
    if problems:
        raise InvalidError(problems, "The project")
    order = [slug for slug in outcome.live if "publish" in compared.campaigns[slug].actions]
    plan = ProjectPlan(
        compared.changes,
        order,
        compared.unchanged,
        compared.left,
        found.warnings,
        present.fingerprint(),
    )
    return plan, outcome


def _documents_of(present: Present) -> Documents:
    campaigns = {slug: known_campaign(one) for slug, one in present.campaigns.items()}
    return Documents(campaigns, present.segments, present.workspace)


def _stored(step: CampaignStep, at: int, new_ids: Mapping[str, str]) -> StoredCampaign:
    """Return a campaign as it is after a step."""
    document, status = step.after.document, step.after.status
    before = step.before
    if before is None:
        before = StoredCampaign(new_ids[document.slug], document, "draft", 0, at, at)
    return replace(
        before,
        document=document,
        status=status,
        version=before.version + step.goes_live,
        updated_at=at,
        published_at=at if "publish" in step.actions else before.published_at,
    )
