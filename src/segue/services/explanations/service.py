"""Explaining over stores: those of a running server, or a folder that is only read."""

import asyncio

from segue.errors import NotFoundError
from segue.model.decoding import did_you_mean
from segue.model.explanations import Explanation
from segue.runtime.account import account_of
from segue.runtime.runtime import Runtime
from segue.services.explanations.explaining import explained
from segue.storage.ports import Journal, Snapshot, StoredCampaign


def explain(
    journal: Journal, snapshot: Snapshot, user_id: str, reference: str, now: int
) -> Explanation:
    """Return why a user got a campaign, or did not, up to `now`; `reference` is a slug or id.

    Raises:
        NotFoundError: there is no such campaign.
    """
    campaign = _find(journal, reference)
    return explained(account_of(journal, snapshot, user_id, campaign.document, now), campaign)


def now_of(journal: Journal, snapshot: Snapshot) -> int:
    """Return the instant that deciding has come to, as far as stores tell it."""
    return max(journal.log_end().received_at, snapshot.position().now)


def _find(journal: Journal, reference: str) -> StoredCampaign:
    campaign = journal.find_campaign(reference)
    if campaign is None:
        slugs = [one.slug for one in journal.list_campaigns()]
        message = f"there is no campaign {reference!r}{did_you_mean(reference, slugs)}"
        raise NotFoundError(message)
    return campaign


async def explain_live(runtime: Runtime, user_id: str, reference: str) -> Explanation:
    """Return the explanation as of what a running server has decided, without holding it up.

    Raises:
        NotFoundError: there is no such campaign.
    """
    now = runtime.processor.fold.now
    return await asyncio.to_thread(
        explain, runtime.journal, runtime.snapshot, user_id, reference, now
    )
