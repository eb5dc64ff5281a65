"""The checks at due time, in the order of semantics.md 3.

The window, hours, caps and content are the newest version's; the audience is of the version that
entered the user.
"""

from dataclasses import dataclass, field
from hashlib import blake2b
from zoneinfo import ZoneInfo

from segue.model.limits import QUIET_SPREAD
from segue.model.workspace import QuietHours
from tests.support.oracle.audience import audience_holds
from tests.support.oracle.caps import reached_channels
from tests.support.oracle.entry import is_in_window
from tests.support.oracle.local_time import is_within, next_allowed, zone_of
from tests.support.oracle.memory import PUSHED, Knowledge, Life, Send, User, Wait


@dataclass
class Due:
    """A send that is due: of what, to whom, when, and what else is on its way to them."""

    wait: Wait
    user: User
    now: int
    knowledge: Knowledge
    under_way: list[Send]

    @property
    def life(self) -> Life:
        """The campaign as it is now."""
        return self.knowledge.lives[self.wait.document.slug]

    @property
    def zone(self) -> ZoneInfo:
        """The user's time zone."""
        return zone_of(self.user.attributes, self.knowledge.workspace)


@dataclass
class Verdict:
    """What becomes of it: it is skipped for a reason, held, or goes by some channels."""

    reason: str | None = None
    held_until: int | None = None
    channels: list[str] = field(default_factory=list)


def due_verdict(due: Due) -> Verdict:
    """Return what the checks say; the first that fails is the reason."""
    if not is_in_window(due.life.newest, due.now, due.user, due.knowledge):
        return Verdict("outside_window")
    # Whether to look again is said by the newest version (A5), at whom by the one that entered.
    audience = due.wait.document.audience
    if due.life.newest.recheck_audience and audience is not None:
        due.knowledge.seen["audience rechecked"] += 1
        if not audience_holds(audience, due.user, due.now, due.knowledge):
            return Verdict("not_in_audience")
    return _hours_verdict(due) or _channels_verdict(due)


def _hours_verdict(due: Due) -> Verdict | None:
    """Return a verdict if it is not the time of day, or a quiet one; None: it may go."""
    zone, now = due.zone, due.now
    time_of_day, quiet_hours = due.life.newest.delivery.time_of_day, _quiet_hours(due)
    allowed = (time_of_day.from_, time_of_day.to) if time_of_day else None
    quiet = (quiet_hours.from_, quiet_hours.to) if quiet_hours else None
    if time_of_day and allowed and not is_within(now, allowed, zone):
        reason, otherwise = "outside_time_of_day", time_of_day.otherwise
    elif quiet_hours and quiet and is_within(now, quiet, zone):
        reason, otherwise = "quiet_hours", quiet_hours.otherwise
    else:
        return None
    until = next_allowed(now, allowed, quiet, zone)
    if otherwise == "skip" or until is None:
        return Verdict(reason)
    if reason == "quiet_hours":  # over the first minutes after they end, if that is allowed
        spread = until + _spread(due.wait.send_id)
        until = spread if next_allowed(spread, allowed, quiet, zone) == spread else until
    due.knowledge.seen[f"held: {reason}"] += 1
    return Verdict(held_until=until)


def _quiet_hours(due: Due) -> QuietHours | None:
    """Return the campaign's quiet hours, else the workspace's; what is not pushed has none."""
    written = due.life.newest.delivery.quiet_hours
    if not {*due.life.channels(due.wait.variant)} & {*PUSHED}:
        return None
    if isinstance(written, QuietHours):
        return written
    return due.knowledge.workspace.quiet_hours if written == "respect" else None


def _spread(send_id: str) -> int:
    noise = blake2b(send_id.encode(), digest_size=4).digest()
    return int.from_bytes(noise, "big") * QUIET_SPREAD // 2**32


def _channels_verdict(due: Due) -> Verdict:
    """Close channels by subscription, reachability and caps; what closes the last is the reason."""
    newest = due.life.newest
    group, wanted = newest.subscription_group, newest.subscription
    left = due.life.channels(due.wait.variant)
    if wanted == "all":
        due.knowledge.seen["sent to all"] += 1
    else:
        left = [one for one in left if due.user.subscription(one) != "unsubscribed"]
        if group is not None and due.user.subscription(group) == "unsubscribed":
            left = []
    if not left:
        return Verdict("unsubscribed")
    if wanted == "opted_in":
        by_choice = ("email", "push", "sms")
        opted_in = [one for one in by_choice if due.user.subscription(one) == "opted_in"]
        left = [one for one in left if one in opted_in or one not in by_choice]
    if not left:
        return Verdict("not_opted_in")
    left = [one for one in left if one not in due.user.dead_channels]
    if not left:
        return Verdict("unreachable")
    capped = reached_channels(
        due.life, left, due.user, due.now, due.zone, due.knowledge, due.under_way
    )
    left = [one for one in left if one not in capped]
    return Verdict(channels=left) if left else Verdict("frequency_cap")
