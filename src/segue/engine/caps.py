"""Frequency caps: how many messages a user has had, and whether one more is allowed.

Messages that are being handed over count as well, so that two sends of one instant cannot both
slip under a cap (semantics.md 3).
"""

from collections.abc import Iterable, Iterator

from msgspec import to_builtins

from segue.engine.draft import Draft
from segue.engine.local_time import start_of_days
from segue.engine.plan import Plan, PublishedCampaign
from segue.model.campaigns import Campaign
from segue.model.channels import PUSHED_CHANNELS, Channel
from segue.model.instants import DAY, parse_duration, to_datetime
from segue.model.limits import CAP_WINDOW_MAX, MESSAGES_KEPT_MAX
from segue.model.state import SentMessage
from segue.model.traces import Facts
from segue.model.workspace import Cap


def reached_caps(
    draft: Draft,
    campaign: PublishedCampaign,
    channels: Iterable[Channel],
    send_id: str,
    now: int,
) -> dict[Channel, Cap]:
    """Return those of the channels on which the user may get no more, each with its cap.

    In-app messages and content cards neither count nor are capped. What the user has had of the
    send itself does not count: it is one with what is to go.
    """
    document, caps = campaign.newest.document, draft.plan.workspace.caps
    capped = [channel for channel in channels if channel in PUSHED_CHANNELS]
    if not caps or not capped or document.frequency_caps != "respect":
        return {}
    counted = _others(draft, send_id, now)
    reached: dict[Channel, Cap] = {}
    for cap in caps:
        affected = [one for one in capped if _is_about(cap, one, document) and one not in reached]
        if affected and _count(draft, cap, counted, now) >= cap.messages_max:
            reached.update(dict.fromkeys(affected, cap))
    return reached


def _is_about(cap: Cap, channel: Channel, document: Campaign) -> bool:
    return cap.channel in ("any", channel) and (cap.tag is None or cap.tag in document.tags)


def cap_facts(
    draft: Draft, campaign: PublishedCampaign, channel: Channel, send_id: str, now: int
) -> Facts:
    """Return what the caps make of one more message on a channel, with the counts."""
    document, caps = campaign.newest.document, draft.plan.workspace.caps
    is_counted = channel in PUSHED_CHANNELS and document.frequency_caps == "respect"
    counted = _others(draft, send_id, now) if is_counted else []
    return {
        "channel": channel,
        "frequency_caps": document.frequency_caps,
        "is_capped_channel": channel in PUSHED_CHANNELS,
        "caps": [
            {
                **to_builtins(cap),
                "count": _count(draft, cap, counted, now),
                "since": to_datetime(_since(draft, cap, now)),
            }
            for cap in caps
            if is_counted and _is_about(cap, channel, document)
        ],
    }


def with_message(
    draft: Draft, campaign: PublishedCampaign | None, message: SentMessage
) -> list[SentMessage]:
    """Return the user's messages with one more, if it counts; those too old to count are gone."""
    messages = draft.state.messages
    if message.channel not in PUSHED_CHANNELS or not _counts(campaign):
        return messages
    oldest = message.at - CAP_WINDOW_MAX - DAY  # calendar days reach back a little further
    kept = [one for one in messages if one.at >= oldest]
    return [*kept, message][-MESSAGES_KEPT_MAX:]


def _counts(campaign: PublishedCampaign | None) -> bool:
    return campaign is None or campaign.newest.document.frequency_caps != "ignore"


def _others(draft: Draft, send_id: str, now: int) -> list[SentMessage]:
    messages = [*draft.state.messages, *_under_way(draft, now)]
    return [one for one in messages if one.send_id != send_id]


def _under_way(draft: Draft, now: int) -> Iterator[SentMessage]:
    for slug, membership in draft.memberships.items():
        handed = membership.handed
        if handed is not None and _counts(draft.plan.campaigns.get(slug)):
            for channel in handed.open_channels:
                yield SentMessage(now, channel, slug, handed.send_id)


def _count(draft: Draft, cap: Cap, messages: Iterable[SentMessage], now: int) -> int:
    """Return how many messages count; those of one send are one where the channel is any."""
    since = _since(draft, cap, now)
    counted = {
        one.send_id if cap.channel == "any" else (one.send_id, one.channel)
        for one in messages
        if one.at >= since
        and cap.channel in ("any", one.channel)
        and one.channel in PUSHED_CHANNELS
        and (cap.tag is None or cap.tag in _tags(draft.plan, one.campaign))
    }
    return len(counted)


def _since(draft: Draft, cap: Cap, now: int) -> int:
    """Return the first instant that counts: minutes roll, days are the user's calendar's."""
    within = parse_duration(cap.within)
    if within % DAY == 0:
        return start_of_days(now, within // DAY, draft.zone)
    return now - within + 1


def _tags(plan: Plan, slug: str) -> list[str]:
    """Return the tags that the campaign bears now."""
    campaign = plan.campaigns.get(slug)
    return campaign.newest.document.tags if campaign is not None else []
