"""A message that failed, tried once more because a person asks for it.

It passes the checks of a send that is due, but for hours, which are the person's to choose; and
those that keep a user from getting a campaign too often, as they are now.
"""

from msgspec.structs import replace

from segue.engine.draft import Act, Draft
from segue.engine.gates import obstruction, retry_refusal
from segue.engine.plan import Plan, PublishedCampaign
from segue.engine.sending import open_channels
from segue.engine.watching import CheckReason
from segue.model.channels import RECEIVED_AT_HAND_OVER
from segue.model.effects import Deliver
from segue.model.events import Event
from segue.model.state import Handed, UserState, Wait


def retry(draft: Draft, deliver: Deliver, now: int) -> None:
    """Ask for the message to be handed over again, under the id it has, or say why not.

    One that is under way is left alone, and so is one of a user who was erased meanwhile.
    """
    slug, channel = deliver.campaign, deliver.channels[0]
    campaign = draft.plan.campaigns.get(slug)
    if campaign is None or slug not in draft.memberships:
        return
    membership = draft.membership(slug)
    handed = membership.handed
    is_open = handed is not None and handed.send_id == deliver.send_id
    if is_open and handed is not None and channel in handed.open_channels:
        return
    cause, variant = deliver.trigger.event_id, deliver.variant
    reason = _obstacle(draft, campaign, deliver, now)
    if reason is not None:
        draft.decided(cause, now, slug, "skip", reason=reason, variant=variant)
        draft.count(slug, variant, "skipped", reason)
        return
    if is_open and handed is not None:
        handed = replace(handed, open_channels=[*handed.open_channels, channel])
    else:
        receipt = membership.receipt
        has_receipt = any(one in RECEIVED_AT_HAND_OVER for one in deliver.accepted)
        has_receipt = has_receipt or (receipt is not None and receipt.send_id == deliver.send_id)
        is_received = has_receipt or bool(deliver.accepted)
        handed = Handed(
            deliver.send_id, variant, deliver.hops, cause, [channel], is_received, has_receipt
        )
    draft.set_membership(slug, replace(membership, handed=handed))
    draft.decided(cause, now, slug, "send", variant=variant, send_id=deliver.send_id)
    draft.effects.append(replace(deliver, decided_at=now))


def obstacle_to_retry(
    state: UserState, deliver: Deliver, plan: Plan, now: int
) -> CheckReason | None:
    """Return why a message that failed may not be tried again now, if so; nothing is decided."""
    campaign = plan.campaigns.get(deliver.campaign)
    if campaign is None:
        return "campaign_stopped"
    return _obstacle(Draft(state, plan, deliver.user_id), campaign, deliver, now)


def _obstacle(
    draft: Draft, campaign: PublishedCampaign, deliver: Deliver, now: int
) -> CheckReason | None:
    """Return the reason of the first check that fails.

    The rest of a send that the user has had in part needs no leave to enter anew.
    """
    trigger, send_id = deliver.trigger, deliver.send_id
    wait = Wait(send_id, trigger.time, now, 0, deliver.variant, deliver.hops, trigger)
    reason = obstruction(draft, wait, campaign, now)
    if reason is not None:
        return reason
    act = Act(Event(draft.user_id, trigger.name, send_id=send_id), now, now, deliver.hops)
    reason = retry_refusal(draft, act, campaign, is_rest=bool(deliver.accepted))
    if reason is not None:
        return reason
    _open, closed = open_channels(draft, campaign, deliver.channels, send_id, now)
    return next(iter(closed.values()), None)
