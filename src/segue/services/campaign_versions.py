"""What became of a campaign: each publication and end, by whom, and what was different."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Final, Literal

from msgspec import Struct

from segue.model.campaigns import Campaign
from segue.model.instants import SECOND
from segue.model.log_records import CampaignPublished, CampaignStopped, PlanChange
from segue.runtime.runtime import Runtime
from segue.services.audit import AuditTrail
from segue.services.differences import Difference, differences
from segue.storage.account_ports import StoredChange
from segue.storage.ports import StoredCampaign

_AUDIT_SEARCHED: Final = 500  # newest changes; who made older ones is in the audit trail
_WRITTEN_DOWN_WITHIN: Final = 10 * SECOND  # an entry of the audit trail comes after what it is of

ChangeKind = Literal["published", "edited", "stopped", "archived"]


class CampaignChange(Struct, frozen=True):
    """A change of a campaign that is in the log; `by` is empty where it is not known any more."""

    at: int
    kind: ChangeKind
    by: str
    version: int | None = None
    document: Campaign | None = None
    differences: Sequence[Difference] = ()  # from the version before


async def changes_of(
    runtime: Runtime, audit: AuditTrail, campaign: StoredCampaign
) -> list[CampaignChange]:
    """Return the changes of a campaign, the newest first."""
    pending = [*runtime.checkpoints.plan_changes]
    written = await asyncio.to_thread(runtime.snapshot.plan_changes)
    found = [one for one in written if _is_of(one, campaign)]
    found += [one for one in pending if _is_of(one, campaign) and one not in found]
    noted = audit.newest(_AUDIT_SEARCHED)
    return [*_changes(found, noted, campaign)][::-1]


def _is_of(change: PlanChange, campaign: StoredCampaign) -> bool:
    match change:
        case CampaignPublished():
            return change.id == campaign.id
        case CampaignStopped():
            return change.campaign == campaign.slug
        case _:
            return False


def _changes(
    found: Sequence[PlanChange], noted: Sequence[StoredChange], campaign: StoredCampaign
) -> Iterator[CampaignChange]:
    before: Campaign | None = None
    for one in found:
        by = _who(one.received_at, noted, campaign)
        if isinstance(one, CampaignPublished):
            kind: ChangeKind = "edited" if one.is_edit else "published"
            told = differences(before, one.document) if before is not None else ()
            yield CampaignChange(one.received_at, kind, by, one.version, one.document, told)
            before = one.document
        elif isinstance(one, CampaignStopped):
            yield CampaignChange(one.received_at, "archived" if one.is_archived else "stopped", by)


def _who(at: int, noted: Sequence[StoredChange], campaign: StoredCampaign) -> str:
    """Return who is noted to have changed the campaign, or several at once, at that time."""
    near = [one for one in noted if at <= one.at <= at + _WRITTEN_DOWN_WITHIN]
    names = {campaign.slug, campaign.id}
    of_it = [one for one in near if names & set(one.target.replace(",", " ").split())]
    first = min(of_it, key=lambda one: one.at, default=None)
    return first.actor_name or first.actor_id if first is not None else ""
