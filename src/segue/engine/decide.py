"""What a cause changes for one user: the heart of the engine (semantics.md 3).

`decide` is pure: the same three arguments always give the same answer, and none is changed.
"""

from typing import assert_never

from msgspec.structs import replace

from segue.engine.conversions import convert
from segue.engine.devices import change_devices
from segue.engine.draft import Act, Decision, Draft
from segue.engine.past import follow
from segue.engine.plan import Plan, PublishedCampaign
from segue.engine.profile import set_attributes
from segue.engine.receipts import note_act, record_act
from segue.engine.retrying import retry
from segue.engine.sending import fire_timer, settle
from segue.engine.waiting import cancel_waiting, consider, end_wait, start_waiting
from segue.engine.watching import Onlooker, Watch
from segue.model.events import (
    SCHEDULE,
    AttributesSet,
    BackfillFound,
    CampaignEnded,
    Cause,
    DeviceUpdate,
    Event,
    Occurrence,
    ScheduleCame,
    SendRequested,
    SendRetried,
    Settlement,
    TimerFired,
)
from segue.model.ids import derive_id
from segue.model.interactions import ACTS
from segue.model.state import UserState


def decide(
    state: UserState,
    cause: Cause,
    plan: Plan,
    watch: Watch | None = None,
    onlooker: Onlooker | None = None,
) -> Decision:
    """Return what `cause` changes for the user whose `state` this is, and what must be done.

    Exceptions are looked at before triggers, so that an event that is both cancels the waiting
    send and starts a new wait. Acts that follow from a decision are handled after the one they
    follow from, in the order they arose. `watch` notes what was looked at, and `onlooker` is told
    of each act; neither changes anything.
    """
    draft = Draft(state, plan, user_of(cause), watch, onlooker)
    if watch is not None:
        watch.seen.append(cause)
    match cause:
        case Occurrence(event=event):
            draft.acts.append(Act(event, cause.happened_at, cause.now, ordinal=cause.ordinal))
        case AttributesSet():
            set_attributes(draft, cause.attributes)
        case DeviceUpdate(changed=changed):
            change_devices(draft, changed, cause.now)
        case TimerFired():
            fire_timer(draft, cause.campaign, cause.now)
        case Settlement(settled=settled):
            settle(draft, settled, cause.now)
        case SendRetried(deliver=deliver):
            retry(draft, deliver, cause.now)
        case CampaignEnded():
            reason = "campaign_archived" if cause.is_archived else "campaign_stopped"
            end_wait(draft, cause.campaign, reason, cause.now)
        case SendRequested() | ScheduleCame() | BackfillFound():
            _consider_directly(draft, cause)
        case _:
            assert_never(cause)
    return _handle(draft)


def overhear(state: UserState, act: Act, plan: Plan) -> Decision:
    """Return what an act of another decision, and all that follows, changes by one's own plan."""
    draft = Draft(state, plan, act.event.user_id)
    draft.acts.append(act)
    return _handle(draft)


def user_of(cause: Cause) -> str:
    """Return the user that a cause is about."""
    match cause:
        case Occurrence():
            return cause.event.user_id
        case Settlement():
            return cause.settled.user_id
        case _:
            return cause.user_id


def _handle(draft: Draft) -> Decision:
    while draft.acts:
        _happen(draft, draft.acts.popleft())
    return draft.finish()


def _happen(draft: Draft, act: Act) -> None:
    """Take one act through the steps of semantics.md 3, in their order.

    What is counted of the act is counted last, so that "has never done this" can be true of the
    act that triggers.
    """
    if draft.watch is not None:
        draft.watch.seen.append(act)
    if draft.onlooker is not None:
        draft.onlooker.happens(draft, act)
    event, plan = act.event, draft.plan
    is_interaction = event.name in ACTS
    campaign = None
    if is_interaction:
        campaign = plan.find(event.campaign) if event.campaign is not None else None
        record_act(draft, act, campaign)
        if campaign is not None:
            act = _named(draft, act, campaign)
            event = act.event
    rules = plan.rules_for(event)
    if rules is not None:
        if rules.exceptions:
            cancel_waiting(draft, act, rules.exceptions)
        if rules.conversions:
            convert(draft, act, rules.conversions)
        if rules.triggers:
            start_waiting(draft, act, rules.triggers)
    if campaign is not None:
        note_act(draft, act, campaign)
    elif not is_interaction and (trackers := plan.trackers_by_name.get(event.name)) is not None:
        histories = follow(draft.state.histories, trackers, event, act.happened_at)
        if histories is not draft.state.histories:
            draft.state = replace(draft.state, histories=histories)


def _named(draft: Draft, act: Act, campaign: PublishedCampaign) -> Act:
    """Return the act with its campaign's slug, and with the variant that the user had received."""
    event = act.event
    receipt = draft.membership(campaign.slug).receipt
    variant = event.variant or (receipt.variant if receipt is not None else None)
    if event.campaign == campaign.slug and event.variant == variant:
        return act
    return replace(act, event=replace(event, campaign=campaign.slug, variant=variant))


def _consider_directly(draft: Draft, cause: SendRequested | ScheduleCame | BackfillFound) -> None:
    """Look at one campaign that is to enter the user, though no rule of its own listens."""
    campaign = draft.plan.find(cause.campaign)
    if campaign is None:
        return
    match cause:
        case SendRequested():
            act = Act(cause.as_event(), cause.now, cause.now, ordinal=cause.ordinal)
        case ScheduleCame():
            event = Event(cause.user_id, SCHEDULE)
            act_id = derive_id(cause.at, SCHEDULE, campaign.slug, cause.user_id)
            act = Act(event, cause.at, cause.now, derived_id=act_id)
        case BackfillFound():
            found = Occurrence(cause.event, cause.now, -1)
            act = Act(cause.event, found.happened_at, cause.now, is_backfill=True)
            done_with = draft.plan.find(cause.event.campaign or "")
            act = _named(draft, act, done_with) if done_with is not None else act
        case _:
            assert_never(cause)
    if draft.watch is not None:
        draft.watch.seen.append(act)
    consider(draft, act, campaign)
