"""The checks on the way to a message, in the order of semantics.md 3: on entry, and when due."""

from dataclasses import dataclass
from hashlib import blake2b

from segue.model.campaigns import Campaign
from segue.model.instants import parse_duration
from segue.model.limits import QUIET_SPREAD
from segue.model.workspace import QuietHours
from tests.support.oracle.audience import audience_holds
from tests.support.oracle.caps import reached_channels
from tests.support.oracle.local_time import is_within, moment_of, next_allowed, zone_of
from tests.support.oracle.memory import PUSHED, Act, Knowledge, Life, Send, Standing, User, Wait


def refusal(
    life: Life, user: User, act: Act, knowledge: Knowledge, is_backfill: bool
) -> str | None:
    """Return the first entry check that fails; all look at T."""
    at, campaign, standing = act.happened_at, life.newest, user.peek(life.newest.slug)
    audience = campaign.audience
    reason = None
    if life.status != "active":  # a program may ask for it all the same
        reason = f"campaign_{life.status}"
    elif at < life.published_at and not is_backfill:
        reason = "published_after_event"
    elif not is_in_window(campaign, at, user, knowledge):
        reason = "outside_window"
    elif audience and not audience_holds(audience, user, at, knowledge):
        reason = "not_in_audience"
    elif not _is_re_eligible(campaign, standing, at):
        reason = "not_re_eligible"
    elif standing.wait is not None or standing.is_unaccepted:
        reason = "already_waiting"
    return reason


def _is_re_eligible(campaign: Campaign, standing: Standing, at: int) -> bool:
    """Counted from the last send, or from enrolment in the control group."""
    moments = [one for one in (standing.last_sent, standing.enrolled_at) if one is not None]
    rule = campaign.re_eligibility
    if not moments or isinstance(rule, str):
        return not moments or rule == "always"
    return at >= max(moments) + parse_duration(rule.after)


def is_in_window(campaign: Campaign, at: int, user: User, knowledge: Knowledge) -> bool:
    """Say whether a campaign's window is open: start included, end not."""
    window = campaign.delivery.window
    if window is None:
        return True
    workspace = knowledge.workspace
    zone = zone_of(user.attributes if window.local else {}, workspace)
    has_begun = window.start is None or at >= moment_of(window.start, zone)
    return has_begun and (window.end is None or at < moment_of(window.end, zone))


@dataclass
class Verdict:
    """What becomes of a send that is due: it is skipped, held, or goes by some channels."""

    reason: str | None = None
    held_until: int | None = None
    channels: tuple[str, ...] = ()


def due_verdict(
    wait: Wait, user: User, now: int, knowledge: Knowledge, under_way: list[Send]
) -> Verdict:
    """Return what the checks at due time say, in order; most are by the newest version."""
    life = knowledge.lives[wait.document.slug]
    audience = wait.document.audience
    if not is_in_window(life.newest, now, user, knowledge):
        return Verdict("outside_window")
    if life.newest.recheck_audience and audience is not None:
        knowledge.seen["audience rechecked"] += 1
        if not audience_holds(audience, user, now, knowledge):
            return Verdict("not_in_audience")
    channels = life.channels(wait.variant)
    verdict = _hours_verdict(
        life, wait, user, now, knowledge, is_pushed=bool({*channels} & {*PUSHED})
    )
    if verdict is not None:
        return verdict
    return _channels_verdict(life, channels, user, now, knowledge, under_way)


def _hours_verdict(
    life: Life, wait: Wait, user: User, now: int, knowledge: Knowledge, *, is_pushed: bool
) -> Verdict | None:
    """Time of day, then quiet hours; held is a send until both let it go."""
    delivery, zone = life.newest.delivery, zone_of(user.attributes, knowledge.workspace)
    of_day, quiet = delivery.time_of_day, _quiet_hours(life, knowledge) if is_pushed else None
    allowed = (of_day.from_, of_day.to) if of_day else None
    silent = (quiet.from_, quiet.to) if quiet else None
    is_outside = allowed is not None and not is_within(now, allowed, zone)
    is_quiet = silent is not None and is_within(now, silent, zone)
    if is_outside and of_day and of_day.otherwise == "skip":
        return Verdict("outside_time_of_day")
    if not is_outside and is_quiet and quiet and quiet.otherwise == "skip":
        return Verdict("quiet_hours")
    if not is_outside and not is_quiet:
        return None
    until = next_allowed(now, allowed, silent, zone)
    if until is None:
        return Verdict("outside_time_of_day" if is_outside else "quiet_hours")
    if not is_outside:  # over the first minutes after they end, where that is allowed as well
        noise = blake2b(wait.send_id.encode(), digest_size=4).digest()
        spread = until + int.from_bytes(noise, "big") * QUIET_SPREAD // 2**32
        until = spread if next_allowed(spread, allowed, silent, zone) == spread else until
    knowledge.seen["held by " + ("time of day" if is_outside else "quiet hours")] += 1
    return Verdict(held_until=until)


def _quiet_hours(life: Life, knowledge: Knowledge) -> QuietHours | None:
    written = life.newest.delivery.quiet_hours
    if isinstance(written, QuietHours):
        return written
    return knowledge.workspace.quiet_hours if written == "respect" else None


def _channels_verdict(
    life: Life,
    channels: list[str],
    user: User,
    now: int,
    knowledge: Knowledge,
    under_way: list[Send],
) -> Verdict:
    """Subscription, then reachability, then caps; what is left goes."""
    group = life.newest.subscription_group
    reason = None
    checks = {
        "unsubscribed": lambda one: (
            user.subscription(one) == "unsubscribed"
            or (group is not None and user.subscription(group) == "unsubscribed")
        ),
        "unreachable": lambda one: one == "email" and user.is_email_dead,
        "frequency_cap": lambda one: one in capped,
    }
    for name, is_closed in checks.items():
        if name == "frequency_cap":
            capped = reached_channels(life, channels, user, now, knowledge, under_way)
        left = [one for one in channels if not is_closed(one)]
        if channels and not left:
            reason = name
        channels = left
    return Verdict(reason) if reason else Verdict(channels=tuple(channels))
