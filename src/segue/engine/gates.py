"""The checks that a user passes on the way to a message, in order (semantics.md 3).

The first that fails is the reason recorded. Each says what it compared, for whoever asks why.
"""

from collections.abc import Callable
from typing import Final

from msgspec import Struct, to_builtins

from segue.engine.audience_trace import trace_audience
from segue.engine.bucketing import bucket_of
from segue.engine.draft import Act, Draft
from segue.engine.local_time import from_local
from segue.engine.plan import PublishedCampaign, all_targets_of
from segue.engine.versions import Version
from segue.engine.watching import Check, CheckReason
from segue.model.instants import to_datetime
from segue.model.limits import CHAIN_HOPS_MAX
from segue.model.state import Membership, Wait
from segue.model.traces import Facts


class EntryGate(Struct, frozen=True):
    """A check of a trigger: whether it keeps the user out, and what it looks at."""

    reason: CheckReason
    stops: Callable[[Draft, Act, PublishedCampaign], bool]
    facts: Callable[[Draft, Act, PublishedCampaign], Facts]
    is_told_when_passed: bool = True


class DueGate(Struct, frozen=True):
    """A check of a wait that is due at `now`."""

    reason: CheckReason
    stops: Callable[[Draft, Wait, PublishedCampaign, int], bool]
    facts: Callable[[Draft, Wait, PublishedCampaign, int], Facts]


def refusal(draft: Draft, act: Act, campaign: PublishedCampaign) -> CheckReason | None:
    """Return why the act does not enter the user into the campaign, if so."""
    return _first_failed(_ENTRY_GATES, draft, act, campaign)


def retry_refusal(
    draft: Draft, act: Act, campaign: PublishedCampaign, *, is_rest: bool
) -> CheckReason | None:
    """Return why a user may not get again what failed; `act` bears its send's id.

    `is_rest` says that another message of the send has reached the user.
    """
    return _first_failed(_REST_GATES if is_rest else _RETRY_GATES, draft, act, campaign)


def _first_failed(
    gates: tuple[EntryGate, ...], draft: Draft, act: Act, campaign: PublishedCampaign
) -> CheckReason | None:
    for gate in gates:
        is_stopped = gate.stops(draft, act, campaign)
        is_told = is_stopped or gate.is_told_when_passed
        if draft.watch is not None and is_told and draft.watch.is_about(campaign.slug):
            facts = gate.facts(draft, act, campaign)
            draft.watch.seen.append(Check(campaign.slug, gate.reason, not is_stopped, facts))
        if is_stopped:
            return gate.reason
    return None


def obstruction(
    draft: Draft, wait: Wait, campaign: PublishedCampaign, now: int
) -> CheckReason | None:
    """Return why a due wait is not sent at all, as far as it is not a matter of hours."""
    for gate in _DUE_GATES:
        is_stopped = gate.stops(draft, wait, campaign, now)
        if draft.watch is not None and draft.watch.is_about(campaign.slug):
            facts = gate.facts(draft, wait, campaign, now)
            draft.watch.seen.append(Check(campaign.slug, gate.reason, not is_stopped, facts))
        if is_stopped:
            return gate.reason
    return None


def _is_archived(_draft: Draft, _act: Act, campaign: PublishedCampaign) -> bool:
    return campaign.status == "archived"


def _is_stopped(_draft: Draft, _act: Act, campaign: PublishedCampaign) -> bool:
    return campaign.status == "stopped"


def _is_before_publication(_draft: Draft, act: Act, campaign: PublishedCampaign) -> bool:
    return act.happened_at < campaign.published_at and not act.is_backfill


def _is_outside_window(draft: Draft, at: int, version: Version) -> bool:
    window = version.window
    if window is None:
        return False
    return not window.holds(at, draft.zone if window.is_local else draft.workspace_zone)


def _is_outside_audience(draft: Draft, act: Act, campaign: PublishedCampaign) -> bool:
    return not campaign.newest.audience(draft.profile(), act.happened_at)


def _is_not_re_eligible(draft: Draft, act: Act, campaign: PublishedCampaign) -> bool:
    last, pause = _last_at(draft.membership(campaign.slug)), campaign.newest.pause
    if last == 0 or pause == 0:
        return False
    return pause is None or act.happened_at < last + pause


def _last_at(membership: Membership) -> int:
    return max(membership.sent_at or 0, membership.control_at or 0)


def _is_waiting(draft: Draft, _act: Act, campaign: PublishedCampaign) -> bool:
    membership = draft.membership(campaign.slug)
    return membership.wait is not None or membership.handed is not None


def _is_other_under_way(draft: Draft, act: Act, campaign: PublishedCampaign) -> bool:
    """Another send of the campaign is being handed over: one at a time."""
    handed = draft.membership(campaign.slug).handed
    return handed is not None and handed.send_id != act.event.send_id


def _is_to_come_anyway(draft: Draft, _act: Act, campaign: PublishedCampaign) -> bool:
    """The user waits for the campaign, and is not to have it twice."""
    return draft.membership(campaign.slug).wait is not None and campaign.newest.pause != 0


def _is_end_of_chain(draft: Draft, act: Act, campaign: PublishedCampaign) -> bool:
    """Cut chains of sends, and what one event sets off again and again (semantics.md 3)."""
    entry_count = draft.entry_counts.get(campaign.slug, 0)
    return act.hops >= CHAIN_HOPS_MAX or entry_count >= CHAIN_HOPS_MAX


def _chain_facts(draft: Draft, act: Act, campaign: PublishedCampaign) -> Facts:
    entry_count = draft.entry_counts.get(campaign.slug, 0)
    return {"hops": act.hops, "hops_max": CHAIN_HOPS_MAX, "entries": entry_count}


def _time_facts(_draft: Draft, act: Act, campaign: PublishedCampaign) -> Facts:
    return {
        "happened_at": to_datetime(act.happened_at),
        "received_at": to_datetime(act.now),
        "published_at": to_datetime(campaign.published_at),
        "is_backfill": act.is_backfill,
    }


def _window_facts(draft: Draft, at: int, version: Version) -> Facts:
    written, window = version.document.delivery.window, version.window
    if written is None or window is None:
        return {"at": to_datetime(at), "window": None}
    zone = draft.zone if window.is_local else draft.workspace_zone
    start, end = (
        to_datetime(from_local(bound, zone)) if bound is not None else None
        for bound in (window.start, window.end)
    )
    return {
        "at": to_datetime(at),
        "window": to_builtins(written),
        "start": start,
        "end": end,
        "time_zone": zone.key,
    }


def _audience_facts(draft: Draft, at: int, version: Version) -> Facts:
    plan = draft.plan
    audience = version.document.audience
    traced = trace_audience(audience, draft.profile(), at, all_targets_of(plan), plan.segments)
    return {"at": to_datetime(at), "audience": traced}


def _pause_facts(draft: Draft, act: Act, campaign: PublishedCampaign) -> Facts:
    membership, pause = draft.membership(campaign.slug), campaign.newest.pause
    last = _last_at(membership)
    return {
        "at": to_datetime(act.happened_at),
        "re_eligibility": to_builtins(campaign.newest.document.re_eligibility),
        "last_at": to_datetime(last) if last else None,
        "is_control": last != 0 and last == membership.control_at,
        "again_at": to_datetime(last + pause) if last and pause is not None else None,
    }


def _waiting_facts(draft: Draft, _act: Act, campaign: PublishedCampaign) -> Facts:
    membership = draft.membership(campaign.slug)
    wait, handed = membership.wait, membership.handed
    return {
        "waits_since": to_datetime(wait.entered_at) if wait is not None else None,
        "due_at": to_datetime(wait.due_at) if wait is not None else None,
        "handed_over": handed.send_id if handed is not None else None,
    }


def note_control(draft: Draft, campaign: PublishedCampaign, is_control: bool) -> None:
    """Tell the watch whether the user falls in the control group, and by what number."""
    if draft.watch is None or not draft.watch.is_about(campaign.slug):
        return
    facts = _control_facts(draft, None, campaign)
    draft.watch.seen.append(Check(campaign.slug, "control_group", not is_control, facts))


def _control_facts(draft: Draft, _act: Act | None, campaign: PublishedCampaign) -> Facts:
    membership = draft.membership(campaign.slug)
    enrolled_at, sent_at = membership.control_at, membership.sent_at
    return {
        "control_percent": campaign.newest.document.control_percent,
        "bucket": bucket_of(campaign.slug, draft.user_id),
        "enrolled_at": to_datetime(enrolled_at) if enrolled_at is not None else None,
        "sent_at": to_datetime(sent_at) if sent_at is not None else None,
    }


_ENTRY_GATES: Final = (
    EntryGate(
        "campaign_archived",
        _is_archived,
        lambda _d, _a, c: {"status": c.status},
        is_told_when_passed=False,  # "it was active" follows, and says as much
    ),
    EntryGate("campaign_stopped", _is_stopped, lambda _d, _a, c: {"status": c.status}),
    EntryGate("published_after_event", _is_before_publication, _time_facts),
    EntryGate(
        "outside_window",
        lambda draft, act, campaign: _is_outside_window(draft, act.happened_at, campaign.newest),
        lambda draft, act, campaign: _window_facts(draft, act.happened_at, campaign.newest),
    ),
    EntryGate(
        "not_in_audience",
        _is_outside_audience,
        lambda draft, act, campaign: _audience_facts(draft, act.happened_at, campaign.newest),
    ),
    EntryGate("not_re_eligible", _is_not_re_eligible, _pause_facts),
    EntryGate("already_waiting", _is_waiting, _waiting_facts),
    EntryGate("chain_limit", _is_end_of_chain, _chain_facts),
)

_REST_GATES: Final = (EntryGate("already_waiting", _is_other_under_way, _waiting_facts),)
_RETRY_GATES: Final = (
    EntryGate(
        "control_group",
        lambda draft, _act, campaign: draft.membership(campaign.slug).control_at is not None,
        _control_facts,
    ),
    EntryGate("not_re_eligible", _is_not_re_eligible, _pause_facts),
    *_REST_GATES,
    EntryGate("already_waiting", _is_to_come_anyway, _waiting_facts, is_told_when_passed=False),
)


def _has_left_audience(draft: Draft, wait: Wait, campaign: PublishedCampaign, now: int) -> bool:
    """Look again, by the audience of the version that entered the user (semantics.md 1)."""
    if not campaign.newest.document.recheck_audience:
        return False
    return not _version_of(wait, campaign).audience(draft.profile(), now)


def _version_of(wait: Wait, campaign: PublishedCampaign) -> Version:
    return campaign.versions.get(wait.version, campaign.newest)


def _recheck_facts(draft: Draft, wait: Wait, campaign: PublishedCampaign, now: int) -> Facts:
    if not campaign.newest.document.recheck_audience:
        return {"recheck_audience": False}
    facts = _audience_facts(draft, now, _version_of(wait, campaign))
    return {"recheck_audience": True, **facts}


_DUE_GATES: Final = (
    DueGate(
        "campaign_stopped",
        lambda _draft, _wait, campaign, _now: campaign.status != "active",
        lambda _draft, _wait, campaign, _now: {"status": campaign.status},
    ),
    DueGate(
        "outside_window",
        lambda draft, _wait, campaign, now: _is_outside_window(draft, now, campaign.newest),
        lambda draft, _wait, campaign, now: _window_facts(draft, now, campaign.newest),
    ),
    DueGate("not_in_audience", _has_left_audience, _recheck_facts),
)
