"""The checks on entry, in the order of semantics.md 3."""

from segue.model.campaigns import Campaign
from segue.model.instants import parse_duration
from tests.support.oracle.audience import audience_holds
from tests.support.oracle.local_time import moment_of, zone_of
from tests.support.oracle.memory import Act, Knowledge, Life, Standing, User


def refusal(life: Life, user: User, act: Act, knowledge: Knowledge) -> str | None:
    """Return the first check that fails, but for the end of a chain; all look at T."""
    at, campaign, standing = act.happened_at, life.newest, user.peek(life.newest.slug)
    audience = campaign.audience
    reason = None
    if life.status != "active":  # a program may ask for it all the same
        reason = f"campaign_{life.status}"
    elif at < life.published_at and not act.is_backfill:
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


def is_in_window(campaign: Campaign, at: int, user: User, knowledge: Knowledge) -> bool:
    """Say whether a campaign's window is open: start included, end not."""
    window = campaign.delivery.window
    if window is None:
        return True
    zone = zone_of(user.attributes if window.local else {}, knowledge.workspace)
    has_begun = window.start is None or at >= moment_of(window.start, zone)
    return has_begun and (window.end is None or at < moment_of(window.end, zone))


def _is_re_eligible(campaign: Campaign, standing: Standing, at: int) -> bool:
    """Counted from the last send, or from enrolment in the control group."""
    moments = [one for one in (standing.last_sent, standing.enrolled_at) if one is not None]
    rule = campaign.re_eligibility
    if not moments or isinstance(rule, str):
        return not moments or rule == "always"
    return at >= max(moments) + parse_duration(rule.after)
