"""A wait that is over: the checks at due time, the hand-over, and what came of it."""

from typing import Final, Literal

from msgspec.structs import replace

from segue.engine.audience import subscription_to
from segue.engine.caps import cap_facts, reached_caps, with_message
from segue.engine.devices import forget_tokens
from segue.engine.draft import Act, Draft
from segue.engine.gates import obstruction
from segue.engine.hours import Hold, Skip, hours_verdict
from segue.engine.plan import PublishedCampaign
from segue.engine.profile import kill_address
from segue.engine.receipts import receive
from segue.engine.watching import Check, Remark
from segue.model.campaigns import Subscription
from segue.model.channels import RECEIVED_AT_HAND_OVER, Channel
from segue.model.effects import Deliver, SetTimer
from segue.model.events import Event, SendSettled
from segue.model.ids import derive_id
from segue.model.instants import to_datetime
from segue.model.metrics import MetricName
from segue.model.state import Handed, Receipt, SentMessage, UserState, Wait
from segue.model.traces import Facts

Obstacle = Literal["unsubscribed", "not_opted_in", "unreachable"]
Closing = Literal["unsubscribed", "not_opted_in", "unreachable", "frequency_cap"]
# The checks of channels, the last first: the one that closes the last channel is the reason.
_LAST_TO_FIRST: Final = ("frequency_cap", "unreachable", "not_opted_in", "unsubscribed")
# The channels that users subscribe to: only to these can somebody have opted in.
_SUBSCRIBED_TO: Final[tuple[Channel, ...]] = ("email", "push", "sms")


def fire_timer(draft: Draft, slug: str, now: int) -> None:
    """Send the user's wait for the campaign if it is due; a wait that is gone is no fault."""
    wait = draft.membership(slug).wait
    campaign = draft.plan.campaigns.get(slug)
    if wait is None or campaign is None or wait.due_at > now:
        return
    draft.count_wait(slug, wait, "waiting", amount=-1)
    draft.set_membership(slug, replace(draft.membership(slug), wait=None))
    send(draft, campaign, wait, now)


def send(draft: Draft, campaign: PublishedCampaign, wait: Wait, now: int) -> None:
    """Look at a due wait once more, and ask for its messages to be handed over.

    The checks are made in the order of semantics.md 3; the first that fails is the reason.
    """
    reason = obstruction(draft, wait, campaign, now)
    if reason is not None:
        _skip_wait(draft, campaign, wait, reason, now)
        return
    match hours_verdict(draft, wait, campaign, now):
        case Skip(reason=closed):
            _skip_wait(draft, campaign, wait, closed, now)
        case Hold(until=until):
            _hold(draft, campaign, wait, until, now)
        case None:
            _hand_over(draft, campaign, wait, now)


def _hold(draft: Draft, campaign: PublishedCampaign, wait: Wait, until: int, now: int) -> None:
    """Let the user wait on; an exception still cancels (semantics.md 3)."""
    slug = campaign.slug
    held = replace(wait, due_at=until, is_held=True)
    draft.set_membership(slug, replace(draft.membership(slug), wait=held))
    draft.effects.append(SetTimer(until, slug))
    draft.count_wait(slug, wait, "waiting")
    if draft.watch is not None and draft.watch.is_about(slug):
        facts = {
            "at": to_datetime(now),
            "until": to_datetime(until),
            "time_zone": draft.zone.key,
        }
        draft.watch.seen.append(Remark(slug, "held", facts))


def _hand_over(draft: Draft, campaign: PublishedCampaign, wait: Wait, now: int) -> None:
    slug, cause, variant = campaign.slug, wait.trigger.event_id, wait.variant
    written = campaign.channels_of(variant)
    channels, closed = open_channels(draft, campaign, written, wait.send_id, now)
    for channel, reason in closed.items():
        draft.count(slug, variant, "messages_skipped", reason, channel=channel)
    if not channels:
        last = next((one for one in _LAST_TO_FIRST if one in closed.values()), "")
        _skip_wait(draft, campaign, wait, last, now)
        return
    handed = Handed(wait.send_id, variant, wait.hops, cause, list(channels))
    draft.set_membership(slug, replace(draft.membership(slug), handed=handed))
    draft.decided(cause, now, slug, "send", variant=variant, send_id=wait.send_id)
    draft.effects.append(
        Deliver(
            wait.send_id,
            draft.user_id,
            slug,
            variant,
            list(channels),
            now,
            wait.trigger,
            wait.hops,
        )
    )


def open_channels(
    draft: Draft, campaign: PublishedCampaign, written: list[Channel], send_id: str, now: int
) -> tuple[list[Channel], dict[Channel, Closing]]:
    """Return those channels that the send may go by, and of the others why they are closed."""
    document = campaign.newest.document
    reasons: dict[Channel, Closing] = {}
    for channel in written:
        obstacle = obstacle_to(
            draft.state, channel, document.subscription_group, document.subscription
        )
        if obstacle is not None:
            reasons[channel] = obstacle
        if draft.watch is not None:
            _note_obstacle(draft, campaign, channel, obstacle)
    others = [one for one in written if one not in reasons]
    capped = reached_caps(draft, campaign, others, send_id, now)
    if draft.watch is not None and draft.watch.is_about(campaign.slug):
        for channel in written:
            if channel not in reasons:
                facts = cap_facts(draft, campaign, channel, send_id, now)
                passed = channel not in capped
                draft.watch.seen.append(Check(campaign.slug, "frequency_cap", passed, facts))
    for channel in capped:
        reasons[channel] = "frequency_cap"
    closed = {channel: reasons[channel] for channel in written if channel in reasons}
    return [channel for channel in written if channel not in closed], closed


def _note_obstacle(
    draft: Draft, campaign: PublishedCampaign, channel: Channel, obstacle: Obstacle | None
) -> None:
    """Tell the watch of the channel's subscriptions, and if they are no obstacle, its address."""
    if draft.watch is None or not draft.watch.is_about(campaign.slug):
        return
    slug, document, seen = campaign.slug, campaign.newest.document, draft.watch.seen
    facts: Facts = {"channel": channel, "subscription": subscription_to(draft.state, channel)}
    if document.subscription == "all":
        facts["is_ignored"] = True
    group = document.subscription_group
    if group is not None:
        facts["group"] = group
        facts["group_subscription"] = subscription_to(draft.state, group)
    seen.append(Check(slug, "unsubscribed", obstacle != "unsubscribed", facts))
    if obstacle == "unsubscribed":
        return
    if document.subscription == "opted_in" and channel in _SUBSCRIBED_TO:
        seen.append(Check(slug, "not_opted_in", obstacle != "not_opted_in", facts))
        if obstacle == "not_opted_in":
            return
    facts = {"channel": channel, "dead_address": draft.state.dead_addresses.get(channel)}
    seen.append(Check(slug, "unreachable", obstacle is None, facts))


def obstacle_to(
    state: UserState,
    channel: Channel,
    group: str | None = None,
    wanted: Subscription = "subscribed",
) -> Obstacle | None:
    """Return why the channel may not or cannot reach this user, if so (semantics.md 3).

    A dead address is one also to a campaign that goes to `all`, whatever they subscribed to.
    """
    if wanted != "all":
        subscription = subscription_to(state, channel)
        if subscription == "unsubscribed":
            return "unsubscribed"
        if group is not None and subscription_to(state, group) == "unsubscribed":
            return "unsubscribed"
        if wanted == "opted_in" and channel in _SUBSCRIBED_TO and subscription != "opted_in":
            return "not_opted_in"
    if channel in state.dead_addresses:
        return "unreachable"
    return None


def settle(draft: Draft, settled: SendSettled, now: int) -> None:
    """Take in what became of one message of a send.

    The first accepted one makes the user a receiver of the campaign; a send none of whose
    messages was accepted is a skip, and the user may enter again.
    """
    if settled.dead_tokens:
        forget_tokens(draft, settled.dead_tokens)
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
    rest = replace(handed, open_channels=still_open, is_received=is_received)
    draft.set_membership(slug, replace(membership, handed=rest if still_open else None))
    if is_accepted:
        _accept(draft, settled, handed, now)
        return
    reason = settled.reason or "refused"
    metric: MetricName = "failed" if settled.settled_as == "refused" else "messages_skipped"
    draft.count(slug, handed.variant, metric, reason, channel=channel)
    if not still_open and not is_received:
        _skip(draft, slug, handed.variant, reason, settled.detail, handed.cause, now)


def _accept(draft: Draft, settled: SendSettled, handed: Handed, now: int) -> None:
    """Take in a hand-over; the receipts of what is shown in an app wait for the view."""
    slug, channel = settled.campaign, settled.channel
    draft.count(slug, handed.variant, "sent", channel=channel)
    if not handed.is_received:
        draft.count(slug, handed.variant, "recipients")
        sent = replace(draft.membership(slug), sent_at=now, sent_variant=handed.variant)
        draft.set_membership(slug, sent)
    _keep_for_caps(draft, settled, now)
    if channel in RECEIVED_AT_HAND_OVER:
        receipt = draft.membership(slug).receipt
        if not handed.has_receipt and (receipt is None or receipt.send_id != handed.send_id):
            receive(draft, slug, Receipt(handed.send_id, now, handed.variant))
        _emit_receive(draft, settled, handed, now)


def _keep_for_caps(draft: Draft, settled: SendSettled, now: int) -> None:
    message = SentMessage(now, settled.channel, settled.campaign, settled.send_id)
    campaign = draft.plan.campaigns.get(settled.campaign)
    messages = with_message(draft, campaign, message)
    if messages is not draft.state.messages:
        draft.state = replace(draft.state, messages=messages)


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


def _skip_wait(
    draft: Draft, campaign: PublishedCampaign, wait: Wait, reason: str, now: int
) -> None:
    _skip(draft, campaign.slug, wait.variant, reason, None, wait.trigger.event_id, now)


def _skip(
    draft: Draft, slug: str, variant: str, reason: str, detail: str | None, cause: str, now: int
) -> None:
    draft.decided(cause, now, slug, "skip", reason=reason, variant=variant, detail=detail)
    draft.count(slug, variant, "skipped", reason)
