"""What an interaction changes by itself: receipts by view, subscriptions, addresses, counters.

Also with a stopped or archived campaign: what people do is recorded, whatever it fires.
"""

from typing import Final

from msgspec.structs import replace

from segue.engine.draft import Act, Draft
from segue.engine.plan import PublishedCampaign
from segue.engine.profile import kill_address, subscribe
from segue.model.channels import Channel
from segue.model.events import Event
from segue.model.interactions import ACTS, DERIVED_ACTS, VIEW_ACTS
from segue.model.state import Membership, Receipt

_VIEW_CHANNELS: Final[dict[str, Channel]] = {
    "in_app_message_view": "in_app_message",
    "content_card_view": "content_card",
}

# The counter each act adds to, and the bit of `Membership.done` for "has been counted once".
_COUNTED: Final = {
    "email_open": ("opens", 0),
    "push_direct_open": ("opens", 1),
    "email_click": ("clicks", 2),
    "sms_short_link_click": ("clicks", 3),
    "push_button_click": ("button_clicks", 4),
    "push_story_page_click": ("page_clicks", 5),
    "in_app_message_click": ("clicks", 6),
    "content_card_click": ("clicks", 7),
    "content_card_dismiss": ("dismissals", 8),
    "in_app_message_view": ("impressions", 9),
    "content_card_view": ("impressions", 10),
    "email_delivered": ("delivered", 11),
    "sms_delivered": ("delivered", 12),
    "push_delivered": ("delivered", 13),
    "email_bounce": ("bounced", 14),
    "email_unsubscribe": ("unsubscribes", 15),
    "email_spam_report": ("spam_reports", 16),
}


def record_act(draft: Draft, act: Act) -> None:
    """Take in an interaction with a published campaign; other events change nothing here."""
    event = act.event
    if event.name not in ACTS:
        return
    if event.name in ("email_unsubscribe", "email_spam_report"):
        subscribe(draft, "email", "unsubscribed")
    elif event.name == "email_bounce":
        kill_address(draft, "email")
    campaign = draft.plan.find(event.campaign) if event.campaign is not None else None
    if campaign is None or event.name in DERIVED_ACTS:
        return
    membership = draft.membership(campaign.slug)
    if event.name in VIEW_ACTS:
        membership = _received_by_view(membership, event, campaign, act.happened_at)
    membership = _count(draft, membership, event, campaign)
    draft.set_membership(campaign.slug, membership)


def _received_by_view(
    membership: Membership, event: Event, campaign: PublishedCampaign, at: int
) -> Membership:
    """Return the membership with a receipt: the first view after a send is one (semantics.md 6)."""
    receipt = membership.receipt
    if membership.sent_at is None or at < membership.sent_at:
        return membership
    if receipt is not None and not receipt.is_control and receipt.at >= membership.sent_at:
        return membership
    variant = event.variant or _viewed_variant(campaign, _VIEW_CHANNELS[event.name])
    return replace(membership, receipt=Receipt(event.send_id or "", at, variant))


def _viewed_variant(campaign: PublishedCampaign, channel: Channel) -> str:
    channels = campaign.newest.channels
    return next((name for name, used in channels.items() if channel in used), next(iter(channels)))


def _count(
    draft: Draft, membership: Membership, event: Event, campaign: PublishedCampaign
) -> Membership:
    metric, bit = _COUNTED[event.name]
    receipt = membership.receipt
    variant = event.variant or (receipt.variant if receipt is not None else "")
    if event.name == "email_open" and event.machine:
        metric, bit = "machine_opens", 17
    detail = event.alias or event.button or event.page or ""
    draft.count(campaign.slug, variant, metric, detail)
    if membership.done >> bit & 1:
        return membership
    draft.count(campaign.slug, variant, f"unique_{metric}")
    return replace(membership, done=membership.done | 1 << bit)
