"""Entering a campaign, and leaving the wait before it is over (semantics.md 3, steps 2 and 4)."""

from msgspec import to_builtins
from msgspec.structs import replace

from segue.engine.bucketing import bucket_of, is_in_control, variant_of
from segue.engine.draft import Act, Draft, wait_counts
from segue.engine.gates import note_control, refusal
from segue.engine.hearing import is_bound, note_exceptions, note_triggers
from segue.engine.matching import properties_of
from segue.engine.plan import ExceptionRule, PublishedCampaign, TriggerRule
from segue.engine.receipts import receive
from segue.engine.sending import send
from segue.engine.versions import delay_of
from segue.engine.watching import Remark
from segue.model.effects import CancelTimer, Effect, SetTimer
from segue.model.events import Event
from segue.model.ids import derive_id
from segue.model.instants import to_datetime
from segue.model.interactions import ACTS
from segue.model.state import CONTROL_VARIANT, Receipt, TriggerContext, UserState, Wait


def cancel_waiting(draft: Draft, act: Act, rules: list[ExceptionRule]) -> None:
    """Cancel the user's waits that name this act as an exception, where T' ≤ T < due."""
    if draft.watch is not None:
        note_exceptions(draft, act, rules)
    for rule in rules:
        wait = draft.membership(rule.campaign).wait
        if wait is None or wait.version != rule.version:
            continue
        if wait.entered_at <= act.happened_at < wait.due_at and is_bound(draft, act, rule.binding):
            _cancel(draft, rule.campaign, wait, "exception_event", act.id, act.now)
            _emit(draft, act, "exception_event", rule.campaign, act.hops, variant=wait.variant)


def end_wait(draft: Draft, campaign: str, reason: str, now: int) -> None:
    """Cancel the user's wait because the campaign itself has ended."""
    wait = draft.membership(campaign).wait
    if wait is not None:
        _cancel(draft, campaign, wait, reason, wait.trigger.event_id, now)


def end_by_erasure(state: UserState) -> list[Effect]:
    """Return what must be done because this user is erased: they wait no more.

    Nothing was decided about them, so none of their waits counts as cancelled.
    """
    effects: list[Effect] = []
    for campaign, membership in state.memberships.items():
        if (wait := membership.wait) is not None:
            effects.append(CancelTimer(wait.due_at, campaign))
            effects += wait_counts(campaign, wait, "waiting", amount=-1)
    return effects


def _cancel(draft: Draft, campaign: str, wait: Wait, reason: str, cause: str, now: int) -> None:
    draft.set_membership(campaign, replace(draft.membership(campaign), wait=None))
    draft.effects.append(CancelTimer(wait.due_at, campaign))
    draft.decided(cause, now, campaign, "cancel", reason=reason, variant=wait.variant)
    draft.count_wait(campaign, wait, "cancelled", reason)
    draft.count_wait(campaign, wait, "waiting", amount=-1)


def consider(draft: Draft, act: Act, campaign: PublishedCampaign) -> None:
    """Enter the user into a campaign that the act triggers, or say why not."""
    reason = refusal(draft, act, campaign)
    if reason is not None:
        draft.decided(act.id, act.now, campaign.slug, "refuse", reason=reason)
        draft.count(campaign.slug, "", "refused", reason)
        return
    draft.entry_counts[campaign.slug] = draft.entry_counts.get(campaign.slug, 0) + 1
    is_control = _belongs_to_control(draft, campaign)
    if draft.watch is not None:
        note_control(draft, campaign, is_control)
    if is_control:
        _enroll_in_control(draft, act, campaign)
    else:
        _enter(draft, act, campaign)


def start_waiting(draft: Draft, act: Act, rules: list[TriggerRule]) -> None:
    """Enter the user into every campaign that the act triggers, or say why not."""
    if draft.watch is not None:
        note_triggers(draft, act, rules)
    entered: str | None = None
    for rule in rules:
        campaign = rule.campaign
        # Rules stand in the order of slugs: two triggers of one campaign are neighbours.
        if campaign.slug == entered or not is_bound(draft, act, rule.binding):
            continue
        entered = campaign.slug
        consider(draft, act, campaign)


def _belongs_to_control(draft: Draft, campaign: PublishedCampaign) -> bool:
    """Treated users never become control, nor the reverse (semantics.md 5)."""
    membership = draft.membership(campaign.slug)
    if membership.control_at is not None:
        return True
    if membership.sent_at is not None:
        return False
    percent = campaign.newest.document.control_percent
    return is_in_control(campaign.slug, draft.user_id, percent)


def _enroll_in_control(draft: Draft, act: Act, campaign: PublishedCampaign) -> None:
    slug, at = campaign.slug, act.happened_at
    receipt = Receipt(
        derive_id(at, "control", slug, draft.user_id, act.id), at, CONTROL_VARIANT, is_control=True
    )
    draft.set_membership(slug, replace(draft.membership(slug), control_at=at))
    receive(draft, slug, receipt)
    draft.decided(act.id, act.now, slug, "control", reason="control_group")
    # A hop, like the send that others get in its place (semantics.md 3).
    _emit(draft, act, "control_group_enroll", slug, act.hops + 1)


def _enter(draft: Draft, act: Act, campaign: PublishedCampaign) -> None:
    """Start the wait; one that is over already is sent at once."""
    version, slug = campaign.newest, campaign.slug
    document = version.document
    variant = variant_of(slug, draft.user_id, document.all_variants(), document.control_percent)
    due_at = max(version.due(act.happened_at, draft.zone), act.now)
    wait = Wait(
        send_id=derive_id(act.now, "send", slug, draft.user_id, act.id),
        entered_at=act.happened_at,
        due_at=due_at,
        version=version.number,
        variant=variant,
        hops=act.hops,
        trigger=_context_of(draft, act),
    )
    draft.decided(act.id, act.now, slug, "enter", variant=variant, due=due_at)
    draft.count_wait(slug, wait, "entered")
    if draft.watch is not None:
        _note_entry(draft, campaign, wait)
    if due_at <= act.now:
        send(draft, campaign, wait, act.now)
        return
    draft.set_membership(slug, replace(draft.membership(slug), wait=wait))
    draft.effects.append(SetTimer(due_at, slug))
    draft.count_wait(slug, wait, "waiting")


def _note_entry(draft: Draft, campaign: PublishedCampaign, wait: Wait) -> None:
    """Tell the watch how long the wait is, by what rule, and in whose zone."""
    if draft.watch is None or not draft.watch.is_about(campaign.slug):
        return
    document = campaign.newest.document
    facts = {
        "version": wait.version,
        "variant": wait.variant,
        "since": to_datetime(wait.entered_at),
        "due_at": to_datetime(wait.due_at),
        "delay": to_builtins(delay_of(document)),
        "time_zone": draft.zone.key,
        "bucket": bucket_of(campaign.slug, draft.user_id),
        "variants": {one.name: one.percent for one in document.all_variants()},
    }
    draft.watch.seen.append(Remark(campaign.slug, "entered", facts))


def _context_of(draft: Draft, act: Act) -> TriggerContext:
    event = act.event
    is_interaction = event.name in ACTS
    return TriggerContext(
        name=event.name,
        time=act.happened_at,
        event_id=act.id,
        properties=properties_of(event),
        campaign=event.campaign if is_interaction else None,
        interaction=event.name if is_interaction else None,
        variant=event.variant if is_interaction else None,
        link=event.link,
        alias=event.alias,
        button=event.button,
        page=event.page,
        conversion_event=event.conversion_event,
    )


def _emit(
    draft: Draft,
    act: Act,
    name: str,
    campaign: str,
    hops: int,
    *,
    variant: str | None = None,
) -> None:
    """Queue an act of the engine that follows from this one, at the same instant."""
    event = Event(draft.user_id, name, campaign=campaign, variant=variant)
    act_id = derive_id(act.now, name, campaign, draft.user_id, act.id)
    draft.acts.append(Act(event, act.happened_at, act.now, hops, derived_id=act_id))
