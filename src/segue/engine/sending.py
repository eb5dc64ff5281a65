"""A wait that is over: the checks at due time, the hand-over, and what came of it."""

from typing import Literal

from msgspec.structs import replace

from segue.engine.draft import Act, Draft
from segue.engine.plan import PublishedCampaign
from segue.engine.profile import kill_address
from segue.model.channels import RECEIVED_AT_HAND_OVER, Channel
from segue.model.effects import Deliver
from segue.model.events import Event, SendSettled
from segue.model.ids import derive_id
from segue.model.state import Handed, Membership, Receipt, UserState, Wait

Obstacle = Literal["unsubscribed", "unreachable"]


def fire_timer(draft: Draft, slug: str, now: int) -> None:
    """Send the user's wait for the campaign if it is due; a wait that is gone is no fault."""
    wait = draft.membership(slug).wait
    campaign = draft.plan.campaigns.get(slug)
    if wait is None or campaign is None or wait.due_at > now:
        return
    draft.count(slug, wait.variant, "waiting", amount=-1)
    draft.set_membership(slug, replace(draft.membership(slug), wait=None))
    send(draft, campaign, wait, now)


def send(draft: Draft, campaign: PublishedCampaign, wait: Wait, now: int) -> None:
    """Look at a due wait once more, and ask for its messages to be handed over."""
    cause, variant = wait.trigger.event_id, wait.variant
    written = _channels(campaign, variant)
    obstacles = {channel: obstacle_to(draft.state, channel) for channel in written}
    channels = [channel for channel in written if obstacles[channel] is None]
    if not channels:
        reason = next(filter(None, obstacles.values()), "unreachable")
        _skip(draft, campaign.slug, variant, reason, None, cause, now)
        return
    handed = Handed(wait.send_id, variant, wait.hops, cause, list(channels))
    draft.set_membership(campaign.slug, replace(draft.membership(campaign.slug), handed=handed))
    draft.decided(cause, now, campaign.slug, "send", variant=variant, send_id=wait.send_id)
    draft.effects.append(
        Deliver(
            wait.send_id, draft.user_id, campaign.slug, variant, list(channels), now, wait.trigger
        )
    )


def _channels(campaign: PublishedCampaign, variant: str) -> list[Channel]:
    """Return the channels of the variant's newest content; of a variant since removed, the last."""
    newest = campaign.newest.channels
    if variant in newest:
        return newest[variant]
    for number in sorted(campaign.versions, reverse=True):
        if variant in campaign.versions[number].channels:
            return campaign.versions[number].channels[variant]
    return next(iter(newest.values()))


def obstacle_to(state: UserState, channel: Channel) -> Obstacle | None:
    """Return why the channel may not or cannot reach this user, if so (semantics.md 3)."""
    if state.subscriptions.get(channel) == "unsubscribed":
        return "unsubscribed"
    if channel in state.dead_addresses:
        return "unreachable"
    return None


def settle(draft: Draft, settled: SendSettled, now: int) -> None:
    """Take in what became of one message of a send.

    The first accepted one makes the user a receiver of the campaign; a send none of whose
    messages was accepted is a skip, and the user may enter again.
    """
    slug, channel = settled.campaign, settled.channel
    membership = draft.membership(slug)
    handed = membership.handed
    if handed is None or handed.send_id != settled.send_id or channel not in handed.open_channels:
        return
    if settled.reason == "unreachable":
        kill_address(draft, channel)
    is_accepted = settled.settled_as == "accepted"
    still_open = [name for name in handed.open_channels if name != channel]
    is_received = handed.is_received or is_accepted
    if is_accepted:
        membership = _received(membership, handed, channel, now)
        draft.count(slug, handed.variant, "sent", channel)
    elif settled.settled_as == "refused":
        draft.count(slug, handed.variant, "failed", channel)
    rest = replace(handed, open_channels=still_open, is_received=is_received)
    draft.set_membership(slug, replace(membership, handed=rest if still_open else None))
    if is_accepted and channel in RECEIVED_AT_HAND_OVER:
        _emit_receive(draft, settled, handed, now)
    if not still_open and not is_received:
        reason = settled.reason or "refused"
        _skip(draft, slug, handed.variant, reason, settled.detail, handed.cause, now)


def _received(membership: Membership, handed: Handed, channel: Channel, now: int) -> Membership:
    """Return the membership with this hand-over; in-app receipts wait for the view."""
    if not handed.is_received:
        membership = replace(membership, sent_at=now, sent_count=membership.sent_count + 1)
    has_receipt = membership.receipt is not None and membership.receipt.send_id == handed.send_id
    if channel in RECEIVED_AT_HAND_OVER and not has_receipt:
        membership = replace(membership, receipt=Receipt(handed.send_id, now, handed.variant))
    return membership


def _emit_receive(draft: Draft, settled: SendSettled, handed: Handed, now: int) -> None:
    event = Event(
        draft.user_id,
        f"{settled.channel}_receive",
        campaign=settled.campaign,
        channel=settled.channel,
        variant=handed.variant,
        send_id=settled.send_id,
    )
    act_id = derive_id(now, "receive", settled.send_id, settled.channel)
    draft.acts.append(Act(event, now, now, handed.hops + 1, derived_id=act_id))


def _skip(
    draft: Draft, slug: str, variant: str, reason: str, detail: str | None, cause: str, now: int
) -> None:
    draft.decided(cause, now, slug, "skip", reason=reason, variant=variant, detail=detail)
    draft.count(slug, variant, "skipped", reason)
