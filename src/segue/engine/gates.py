"""The checks that a user passes on the way to a message, in order (semantics.md 3).

The first that fails is the reason recorded. Each says what it compared, for whoever asks why.
"""

from collections.abc import Callable
from typing import Any, Final

from msgspec import Struct

from segue.engine.draft import Act, Draft
from segue.engine.plan import PublishedCampaign
from segue.engine.versions import Version
from segue.engine.watching import Check
from segue.model.instants import format_instant
from segue.model.limits import CHAIN_HOPS_MAX
from segue.model.state import Membership, Wait

Facts = dict[str, Any]


class EntryGate(Struct, frozen=True):
    """A check of a trigger: whether it keeps the user out, and what it looks at."""

    reason: str
    stops: Callable[[Draft, Act, PublishedCampaign], bool]
    facts: Callable[[Draft, Act, PublishedCampaign], Facts]


class DueGate(Struct, frozen=True):
    """A check of a wait that is due at `now`."""

    reason: str
    stops: Callable[[Draft, Wait, PublishedCampaign, int], bool]
    facts: Callable[[Draft, Wait, PublishedCampaign, int], Facts]


def refusal(draft: Draft, act: Act, campaign: PublishedCampaign) -> str | None:
    """Return why the act does not enter the user into the campaign, if so."""
    for gate in _ENTRY_GATES:
        is_stopped = gate.stops(draft, act, campaign)
        if draft.watch is not None:
            facts = gate.facts(draft, act, campaign)
            draft.watch.seen.append(Check(campaign.slug, gate.reason, not is_stopped, facts))
        if is_stopped:
            return gate.reason
    return None


def obstruction(draft: Draft, wait: Wait, campaign: PublishedCampaign, now: int) -> str | None:
    """Return why a due wait is not sent at all, as far as it is not a matter of hours."""
    for gate in _DUE_GATES:
        is_stopped = gate.stops(draft, wait, campaign, now)
        if draft.watch is not None:
            facts = gate.facts(draft, wait, campaign, now)
            draft.watch.seen.append(Check(campaign.slug, gate.reason, not is_stopped, facts))
        if is_stopped:
            return gate.reason
    return None


def _is_inactive(_draft: Draft, _act: Act, campaign: PublishedCampaign) -> bool:
    return campaign.status != "active"


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


def _is_end_of_chain(_draft: Draft, act: Act, _campaign: PublishedCampaign) -> bool:
    return act.hops >= CHAIN_HOPS_MAX


def _time_facts(_draft: Draft, act: Act, campaign: PublishedCampaign) -> Facts:
    return {"happened_at": _shown(act.happened_at), "published_at": _shown(campaign.published_at)}


def _window_facts(version: Version, at: int) -> Facts:
    window = version.document.delivery.window
    bounds = {} if window is None else {"start": window.start, "end": window.end}
    return {"at": _shown(at), **bounds}


def _pause_facts(draft: Draft, _act: Act, campaign: PublishedCampaign) -> Facts:
    last = _last_at(draft.membership(campaign.slug))
    rule = campaign.newest.document.re_eligibility
    written = rule if isinstance(rule, str) else f"after {rule.after}"
    return {"re_eligibility": written, "last_received_at": _shown(last) if last else None}


def _waiting_facts(draft: Draft, _act: Act, campaign: PublishedCampaign) -> Facts:
    membership = draft.membership(campaign.slug)
    wait, handed = membership.wait, membership.handed
    return {
        "waits_until": _shown(wait.due_at) if wait is not None else None,
        "being_handed_over": handed.send_id if handed is not None else None,
    }


def _shown(at: int) -> str:
    return format_instant(at)


_ENTRY_GATES: Final = (
    EntryGate("campaign_stopped", _is_inactive, lambda _d, _a, c: {"status": c.status}),
    EntryGate("published_after_event", _is_before_publication, _time_facts),
    EntryGate(
        "outside_window",
        lambda draft, act, campaign: _is_outside_window(draft, act.happened_at, campaign.newest),
        lambda _draft, act, campaign: _window_facts(campaign.newest, act.happened_at),
    ),
    EntryGate(
        "not_in_audience",
        _is_outside_audience,
        lambda draft, _act, _campaign: {"attributes": draft.state.attributes},
    ),
    EntryGate("not_re_eligible", _is_not_re_eligible, _pause_facts),
    EntryGate("already_waiting", _is_waiting, _waiting_facts),
    EntryGate("chain_limit", _is_end_of_chain, lambda _d, act, _c: {"hops": act.hops}),
)


def _has_left_audience(draft: Draft, wait: Wait, campaign: PublishedCampaign, now: int) -> bool:
    """Look again, by the audience of the version that entered the user (semantics.md 1)."""
    if not campaign.newest.document.recheck_audience:
        return False
    version = campaign.versions.get(wait.version, campaign.newest)
    return not version.audience(draft.profile(), now)


_DUE_GATES: Final = (
    DueGate(
        "campaign_stopped",
        lambda _draft, _wait, campaign, _now: campaign.status != "active",
        lambda _draft, _wait, campaign, _now: {"status": campaign.status},
    ),
    DueGate(
        "outside_window",
        lambda draft, _wait, campaign, now: _is_outside_window(draft, now, campaign.newest),
        lambda _draft, _wait, campaign, now: _window_facts(campaign.newest, now),
    ),
    DueGate(
        "not_in_audience",
        _has_left_audience,
        lambda draft, _wait, campaign, _now: {
            "recheck_audience": campaign.newest.document.recheck_audience,
            "attributes": draft.state.attributes,
        },
    ),
)
