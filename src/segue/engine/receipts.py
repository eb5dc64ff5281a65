"""What an interaction changes by itself: receipts by view, subscriptions, addresses, counters.

Also with a stopped or archived campaign: what people do is recorded, whatever it fires.
"""

from typing import Final, Literal

from msgspec.structs import replace

from segue.engine.counting import count_act
from segue.engine.draft import Act, Draft
from segue.engine.plan import PublishedCampaign
from segue.engine.profile import kill_address, subscribe
from segue.model.channels import Channel
from segue.model.events import Event
from segue.model.interactions import VIEW_ACTS
from segue.model.limits import DONE_MAX
from segue.model.metrics import METRICS, MetricName
from segue.model.state import Done, Receipt

# What each act is done to. The others are done to the message as a whole.
_DETAILS: Final[dict[str, Literal["alias", "button", "page", "conversion_event"]]] = {
    "email_click": "alias",
    "sms_short_link_click": "alias",
    "push_button_click": "button",
    "in_app_message_click": "button",
    "push_story_page_click": "page",
    "conversion": "conversion_event",
}


_UNSUBSCRIBES_FROM: Final[dict[str, Channel]] = {
    "email_unsubscribe": "email",
    "email_spam_report": "email",
    "sms_unsubscribe": "sms",
}
_KILLS_ADDRESS_OF: Final[dict[str, Channel]] = {"email_bounce": "email", "sms_bounce": "sms"}


def record_act(draft: Draft, act: Act, campaign: PublishedCampaign | None) -> None:
    """Take in what an interaction changes at once: subscriptions, addresses, receipts by view."""
    event = act.event
    group = event.subscription_group
    if group is not None and event.name in ("email_unsubscribe", "sms_unsubscribe"):
        subscribe(draft, group, "unsubscribed")
    elif event.name in _UNSUBSCRIBES_FROM:
        subscribe(draft, _UNSUBSCRIBES_FROM[event.name], "unsubscribed")
    elif event.name in _KILLS_ADDRESS_OF:
        kill_address(draft, _KILLS_ADDRESS_OF[event.name])
    elif event.name in VIEW_ACTS and campaign is not None:
        _receive_by_view(draft, event, campaign, act.happened_at)


def note_act(draft: Draft, act: Act, campaign: PublishedCampaign) -> None:
    """Count an interaction, and keep it for retargeting filters (semantics.md 3, step 1)."""
    event = act.event
    membership = draft.membership(campaign.slug)
    done = Done(
        act=event.name,
        detail=_detail_of(event),
        variant=event.variant or "",
        is_machine=event.machine is True,
        last_at=act.happened_at,
        receipt_count=membership.receipt_count,
    )
    counted = count_act(draft, campaign, membership, done)
    kept = _with_done(membership.done, done)
    draft.set_membership(campaign.slug, replace(membership, done=kept, counted=counted))


def receive(draft: Draft, slug: str, receipt: Receipt) -> None:
    """Make this the latest receipt, and count it; unique counts begin anew with it.

    In comparisons the user stays in the arm of the first receipt, whatever the split becomes.
    """
    membership = draft.membership(slug)
    metric: MetricName = "control" if receipt.is_control else "received"
    unique = METRICS[metric].unique
    draft.count(slug, receipt.variant, metric)
    if membership.receipt_count == 0 and unique is not None:
        draft.count(slug, receipt.variant, unique)
    received = replace(
        membership,
        receipt=receipt,
        receipt_count=membership.receipt_count + 1,
        arm=membership.arm or receipt.variant,
        counted=0,
    )
    draft.set_membership(slug, received)


def _detail_of(event: Event) -> str:
    field = _DETAILS.get(event.name)
    detail: str | None = getattr(event, field) if field is not None else None
    return detail or ""


def _receive_by_view(draft: Draft, event: Event, campaign: PublishedCampaign, at: int) -> None:
    """Take in a view; the first one after a send is a receipt of that send (semantics.md 6)."""
    membership = draft.membership(campaign.slug)
    receipt, handed = membership.receipt, membership.handed
    if membership.sent_at is None or at < membership.sent_at:
        return
    if receipt is not None and not receipt.is_control and receipt.at >= membership.sent_at:
        return
    # Messages of the send that are still under way must not give a receipt of their own.
    send_id = event.send_id or ""
    if handed is not None and handed.is_received:
        send_id = handed.send_id
    variant = membership.sent_variant
    if event.variant is not None and campaign.has_variant(event.variant):
        variant = event.variant
    receive(draft, campaign.slug, Receipt(send_id, at, variant))


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
