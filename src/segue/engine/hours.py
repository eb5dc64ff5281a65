"""When a due send may go: the campaign's hours, and quiet hours (semantics.md 3)."""

from hashlib import blake2b
from typing import Final

from msgspec import Struct, to_builtins

from segue.engine.draft import Draft
from segue.engine.local_time import Hours, is_within_hours, next_allowed, wall_of
from segue.engine.plan import PublishedCampaign
from segue.engine.versions import hours_of
from segue.engine.watching import Check, CheckReason
from segue.model.campaigns import TimeOfDay
from segue.model.channels import PUSHED_CHANNELS
from segue.model.instants import to_datetime
from segue.model.limits import QUIET_SPREAD
from segue.model.state import Wait
from segue.model.traces import Facts
from segue.model.workspace import QuietHours

_OUTSIDE: Final = "outside_time_of_day"
_QUIET: Final = "quiet_hours"


class Skip(Struct, frozen=True):
    """The send is dropped, for a reason."""

    reason: str


class Hold(Struct, frozen=True):
    """The send waits on, until an instant."""

    until: int


def hours_verdict(
    draft: Draft, wait: Wait, campaign: PublishedCampaign, now: int
) -> Skip | Hold | None:
    """Return what the hours of the user's day make of a send that is due; None: it may go."""
    document = campaign.newest.document
    allowed, time_of_day = campaign.newest.hours, document.delivery.time_of_day
    quiet_hours = quiet_hours_for(draft, campaign, wait.variant)
    quiet = hours_of(quiet_hours)
    is_outside = allowed is not None and not is_within_hours(now, allowed, draft.zone)
    is_quiet = quiet is not None and is_within_hours(now, quiet, draft.zone)
    if draft.watch is not None:
        _note(draft, campaign, now, _OUTSIDE, is_outside, time_of_day)
    if is_outside and time_of_day is not None and time_of_day.otherwise == "skip":
        return Skip(_OUTSIDE)
    if draft.watch is not None and not is_outside:
        _note(draft, campaign, now, _QUIET, is_quiet, quiet_hours)
    if not is_outside and is_quiet and quiet_hours is not None and quiet_hours.otherwise == "skip":
        return Skip(_QUIET)
    if not is_outside and not is_quiet:
        return None
    until = next_allowed(now, draft.zone, allowed, quiet)
    if until is None:
        return Skip(_OUTSIDE if is_outside else _QUIET)
    return Hold(until if is_outside else _spread(until, wait, draft, allowed, quiet))


def quiet_hours_for(draft: Draft, campaign: PublishedCampaign, variant: str) -> QuietHours | None:
    """Return the campaign's quiet hours, else the workspace's; what is not pushed has none."""
    written = campaign.newest.document.delivery.quiet_hours
    channels = campaign.channels_of(variant)
    if written == "ignore" or not any(channel in PUSHED_CHANNELS for channel in channels):
        return None
    return written if isinstance(written, QuietHours) else draft.plan.workspace.quiet_hours


def _spread(
    until: int, wait: Wait, draft: Draft, allowed: Hours | None, quiet: Hours | None
) -> int:
    """Return an instant in the first minutes after quiet hours, so that not all go at once."""
    noise = int.from_bytes(blake2b(wait.send_id.encode(), digest_size=4).digest(), "big")
    spread = until + noise * QUIET_SPREAD // 2**32
    return spread if next_allowed(spread, draft.zone, allowed, quiet) == spread else until


def _note(
    draft: Draft,
    campaign: PublishedCampaign,
    now: int,
    reason: CheckReason,
    is_stopped: bool,
    hours: TimeOfDay | QuietHours | None,
) -> None:
    if draft.watch is None or not draft.watch.is_about(campaign.slug):
        return
    facts: Facts = {
        "at": to_datetime(now),
        "local_time": f"{wall_of(now, draft.zone):%H:%M}",
        "time_zone": draft.zone.key,
        "hours": to_builtins(hours),
    }
    if reason == "quiet_hours":
        facts["is_ignored"] = campaign.newest.document.delivery.quiet_hours == "ignore"
    draft.watch.seen.append(Check(campaign.slug, reason, not is_stopped, facts))
