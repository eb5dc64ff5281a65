"""What a cause changes for one user: the heart of the engine (semantics.md 3).

`decide` is pure: the same three arguments always give the same answer, and none is changed.
"""

from typing import assert_never

from segue.engine.conversions import convert
from segue.engine.draft import Act, Decision, Draft
from segue.engine.plan import Plan
from segue.engine.profile import set_attributes
from segue.engine.receipts import record_act
from segue.engine.sending import fire_timer, settle
from segue.engine.waiting import cancel_waiting, end_wait, start_waiting
from segue.model.events import (
    AttributesSet,
    CampaignEnded,
    Cause,
    Occurrence,
    Settlement,
    TimerFired,
)
from segue.model.state import UserState


def decide(state: UserState, cause: Cause, plan: Plan) -> Decision:
    """Return what `cause` changes for the user whose `state` this is, and what must be done.

    Exceptions are looked at before triggers, so that an event that is both cancels the waiting
    send and starts a new wait. Acts that follow from a decision are handled after the one they
    follow from, in the order they arose.
    """
    match cause:
        case Occurrence(event=event):
            draft = Draft(state, plan, event.user_id)
            draft.acts.append(Act(event, cause.happened_at, cause.now, ordinal=cause.ordinal))
        case AttributesSet():
            draft = Draft(state, plan, cause.user_id)
            set_attributes(draft, cause.attributes)
        case TimerFired():
            draft = Draft(state, plan, cause.user_id)
            fire_timer(draft, cause.campaign, cause.now)
        case Settlement(settled=settled):
            draft = Draft(state, plan, settled.user_id)
            settle(draft, settled, cause.now)
        case CampaignEnded():
            draft = Draft(state, plan, cause.user_id)
            reason = "campaign_archived" if cause.is_archived else "campaign_stopped"
            end_wait(draft, cause.campaign, reason, cause.now)
        case _:
            assert_never(cause)
    while draft.acts:
        _happen(draft, draft.acts.popleft())
    return draft.finish()


def _happen(draft: Draft, act: Act) -> None:
    """Take one act through the steps of semantics.md 3, in their order."""
    record_act(draft, act)
    rules = draft.plan.rules_for(act.event)
    if rules is None:
        return
    cancel_waiting(draft, act, rules.exceptions)
    convert(draft, act, rules.conversions)
    start_waiting(draft, act, rules.triggers)
