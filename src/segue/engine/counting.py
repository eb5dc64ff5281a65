"""Counting what people do with a campaign: in all, and once per user and receipt (semantics.md 7).

An act belongs to the campaign's latest receipt. Which of its counters have had their one is kept
with the user, so unique counts are exact.
"""

from typing import Final

from segue.engine.draft import Draft
from segue.engine.plan import PublishedCampaign
from segue.model.channels import Channel
from segue.model.metrics import METRICS, MetricName
from segue.model.state import Done, Membership

# The counter each act adds to, and the channel it is counted under. What the engine derives is
# counted where it is decided.
_COUNTED: Final[dict[str, tuple[MetricName, Channel]]] = {
    "email_open": ("opens", "email"),
    "push_direct_open": ("opens", "push"),
    "email_click": ("clicks", "email"),
    "sms_short_link_click": ("clicks", "sms"),
    "push_button_click": ("clicks", "push"),
    "push_story_page_click": ("clicks", "push"),
    "in_app_message_click": ("clicks", "in_app_message"),
    "content_card_click": ("clicks", "content_card"),
    "content_card_dismiss": ("dismissals", "content_card"),
    "in_app_message_view": ("impressions", "in_app_message"),
    "content_card_view": ("impressions", "content_card"),
    "email_delivered": ("delivered", "email"),
    "sms_delivered": ("delivered", "sms"),
    "push_delivered": ("delivered", "push"),
    "email_bounce": ("bounced", "email"),
    "sms_bounce": ("bounced", "sms"),
    "sms_undelivered": ("bounced", "sms"),
    "email_unsubscribe": ("unsubscribes", "email"),
    "sms_unsubscribe": ("unsubscribes", "sms"),
    "email_spam_report": ("spam_reports", "email"),
}
_MACHINE_OPENS: Final[tuple[MetricName, Channel]] = ("machine_opens", "email")

# The counter that also says what was clicked.
_COUNTED_BY_DETAIL: Final[dict[str, MetricName]] = {
    "email_click": "alias_clicks",
    "sms_short_link_click": "alias_clicks",
    "push_button_click": "button_clicks",
    "in_app_message_click": "button_clicks",
    "push_story_page_click": "page_clicks",
}

# States hold these by their places: a new one may only be added at the end.
COUNTED_ONCE: Final[tuple[tuple[MetricName, Channel], ...]] = (
    ("opens", "email"),
    ("machine_opens", "email"),
    ("opens", "push"),
    ("clicks", "email"),
    ("clicks", "sms"),
    ("clicks", "push"),
    ("clicks", "in_app_message"),
    ("clicks", "content_card"),
    ("dismissals", "content_card"),
    ("impressions", "in_app_message"),
    ("impressions", "content_card"),
    ("delivered", "email"),
    ("delivered", "sms"),
    ("delivered", "push"),
    ("bounced", "email"),
    ("unsubscribes", "email"),
    ("spam_reports", "email"),
    ("bounced", "sms"),
    ("unsubscribes", "sms"),
)
_BITS: Final = {pair: 1 << place for place, pair in enumerate(COUNTED_ONCE)}


def count_act(draft: Draft, campaign: PublishedCampaign, membership: Membership, done: Done) -> int:
    """Count an act in all, once per receipt, and by what it was done to.

    `membership` does not have the act itself yet; returned is its `counted` with the act.
    """
    pair = _COUNTED.get(done.act)
    if pair is None:
        return membership.counted
    if done.act == "email_open" and done.is_machine:
        pair = _MACHINE_OPENS
    slug, variant = campaign.slug, _counted_variant(campaign, membership, done)
    metric, channel = pair
    draft.count(slug, variant, metric, channel=channel)
    if not membership.counted & _BITS[pair]:
        _count_unique(draft, slug, variant, metric, channel)
    by_detail = _COUNTED_BY_DETAIL.get(done.act)
    if by_detail is not None and done.detail:
        draft.count(slug, variant, by_detail, done.detail, channel=channel)
        if not _was_done(membership, done):
            _count_unique(draft, slug, variant, by_detail, channel, done.detail)
    return membership.counted | _BITS[pair]


def _count_unique(
    draft: Draft,
    slug: str,
    variant: str,
    metric: MetricName,
    channel: Channel,
    detail: str = "",
) -> None:
    unique = METRICS[metric].unique
    if unique is not None:
        draft.count(slug, variant, unique, detail, channel=channel)


def _counted_variant(campaign: PublishedCampaign, membership: Membership, done: Done) -> str:
    """Return the variant that the act says it was with if there is such a one, else the receipt's.

    A word that no version of the campaign knows would make a counter of its own.
    """
    if campaign.has_variant(done.variant):
        return done.variant
    return membership.receipt.variant if membership.receipt is not None else ""


def _was_done(membership: Membership, done: Done) -> bool:
    """Return whether the same was done to the same thing since the latest receipt."""
    return any(
        one.act == done.act
        and one.detail == done.detail
        and one.receipt_count == membership.receipt_count
        for one in membership.done
    )
