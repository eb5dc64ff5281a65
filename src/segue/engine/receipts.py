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
from segue.model.interactions import VIEW_ACTS
from segue.model.limits import DONE_MAX
from segue.model.state import Done, Membership, Receipt

# The counter each act adds to, and the channel it is counted under. What the engine derives is
# counted where it is decided.
_COUNTED: Final[dict[str, tuple[str, Channel]]] = {
    "email_open": ("opens", "email"),
    "push_direct_open": ("opens", "push"),
    "email_click": ("clicks", "email"),
    "sms_short_link_click": ("clicks", "sms"),
    "push_button_click": ("button_clicks", "push"),
    "push_story_page_click": ("page_clicks", "push"),
    "in_app_message_click": ("clicks", "in_app_message"),
    "content_card_click": ("clicks", "content_card"),
    "content_card_dismiss": ("dismissals", "content_card"),
    "in_app_message_view": ("impressions", "in_app_message"),
    "content_card_view": ("impressions", "content_card"),
    "email_delivered": ("delivered", "email"),
    "sms_delivered": ("delivered", "sms"),
    "push_delivered": ("delivered", "push"),
    "email_bounce": ("bounced", "email"),
    "email_unsubscribe": ("unsubscribes", "email"),
    "email_spam_report": ("spam_reports", "email"),
}


def record_act(draft: Draft, act: Act, campaign: PublishedCampaign | None) -> None:
    """Take in what an interaction changes at once: subscriptions, addresses, receipts by view."""
    event = act.event
    if event.name in ("email_unsubscribe", "email_spam_report"):
        subscribe(draft, "email", "unsubscribed")
    elif event.name == "email_bounce":
        kill_address(draft, "email")
    elif event.name in VIEW_ACTS and campaign is not None:
        membership = draft.membership(campaign.slug)
        viewed = _received_by_view(membership, event, campaign, act.happened_at)
        draft.set_membership(campaign.slug, viewed)


def note_act(draft: Draft, act: Act, campaign: PublishedCampaign) -> None:
    """Count an interaction, and keep it for retargeting filters (semantics.md 3, step 1)."""
    event = act.event
    membership = draft.membership(campaign.slug)
    receipt = membership.receipt
    done = Done(
        act=event.name,
        detail=event.alias or event.button or event.page or event.conversion_event or "",
        variant=event.variant or (receipt.variant if receipt is not None else ""),
        is_machine=event.machine is True,
        last_at=act.happened_at,
        receipt_count=membership.receipt_count,
    )
    _count(draft, campaign.slug, membership, done)
    kept = _with_done(membership.done, done)
    draft.set_membership(campaign.slug, replace(membership, done=kept))


def with_receipt(membership: Membership, receipt: Receipt) -> Membership:
    """Return the membership with a new latest receipt; unique counts begin anew with it."""
    return replace(membership, receipt=receipt, receipt_count=membership.receipt_count + 1)


def _received_by_view(
    membership: Membership, event: Event, campaign: PublishedCampaign, at: int
) -> Membership:
    """Return the membership with a receipt: the first view after a send is one (semantics.md 6)."""
    receipt, handed = membership.receipt, membership.handed
    if membership.sent_at is None or at < membership.sent_at:
        return membership
    if receipt is not None and not receipt.is_control and receipt.at >= membership.sent_at:
        return membership
    # Messages of the send that are still under way must not give a receipt of their own.
    send_id = event.send_id or ""
    if handed is not None and handed.is_received:
        send_id = handed.send_id
    variant = membership.sent_variant
    if event.variant is not None and campaign.has_variant(event.variant):
        variant = event.variant
    return with_receipt(membership, Receipt(send_id, at, variant))


def _count(draft: Draft, slug: str, membership: Membership, done: Done) -> None:
    """Count an act in all, once per receipt, and once per receipt and what it was done to."""
    if done.act not in _COUNTED:
        return
    metric, channel = _COUNTED[done.act]
    if done.act == "email_open" and done.is_machine:
        metric = "machine_opens"
    variant, detail = done.variant, done.detail
    is_first = is_first_of_detail = True
    for one in membership.done:
        if (
            one.act == done.act
            and one.is_machine == done.is_machine
            and one.receipt_count == done.receipt_count
        ):
            is_first = False
            is_first_of_detail = is_first_of_detail and one.detail != detail
    draft.count(slug, variant, metric, detail, channel=channel)
    if is_first:
        draft.count(slug, variant, f"unique_{metric}", channel=channel)
    if detail and is_first_of_detail:
        draft.count(slug, variant, f"unique_{metric}_by_detail", detail, channel=channel)


def _with_done(kept: list[Done], done: Done) -> list[Done]:
    """Return what was done, with one more act: an act of the same kind takes the older's place."""
    if not kept:
        return [done]
    rest = []
    for one in kept:
        if _kind(one) == _kind(done):
            done = replace(done, last_at=max(done.last_at, one.last_at))
        else:
            rest.append(one)
    if len(rest) >= DONE_MAX:
        rest.remove(min(rest, key=lambda one: one.last_at))
    return [*rest, done]


def _kind(done: Done) -> tuple[str, str, str, bool]:
    return done.act, done.detail, done.variant, done.is_machine
