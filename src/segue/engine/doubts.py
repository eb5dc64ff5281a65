"""What may well be a mistake in a campaign, though nothing about it is wrong."""

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from segue.engine.local_time import next_allowed, parse_bound
from segue.engine.past import past_of, tracker_of
from segue.engine.references import leaves_of, references_in
from segue.engine.versions import hours_of
from segue.model.campaigns import Campaign, Delay, DidNot, InteractWithCampaign
from segue.model.events import PURCHASE, SESSION_START
from segue.model.filters import CountCondition
from segue.model.instants import DAY, from_datetime, parse_duration
from segue.model.problems import Problem
from segue.model.workspace import QuietHours

_IN_UTC = ZoneInfo("UTC")


def doubts_of(campaign: Campaign) -> Iterator[Problem]:
    """Yield warnings about a campaign that has passed its checks."""
    delivery = campaign.delivery
    if delivery.exceptions and longest_delay(campaign) == 0:
        yield Problem("delivery.exceptions", "do nothing without a delay: nobody waits")
    yield from _doubts_of_opens(campaign)
    yield from _doubts_of_window(campaign)
    yield from _doubts_of_hours(campaign)
    yield from _doubts_of_audience(campaign)


def longest_delay(campaign: Campaign) -> int:
    """Return the most that a delay can be, in microseconds."""
    delay = campaign.delivery.delay
    waits = [
        parse_duration(one.did_not.within) for one in campaign.delivery.triggers if one.did_not
    ]
    if not isinstance(delay, Delay):
        return max(waits, default=0)
    if delay.after is not None:
        return parse_duration(delay.after)
    return (7 if delay.on_next is not None else (delay.in_days or 0) + 1) * DAY


def shortest_delay(campaign: Campaign) -> int:
    """Return the least that a delay can be, in microseconds."""
    delay = campaign.delivery.delay
    if isinstance(delay, Delay) and delay.after is None:
        return max(delay.in_days or 0, 1) * DAY - DAY
    return longest_delay(campaign)


def _doubts_of_opens(campaign: Campaign) -> Iterator[Problem]:
    for reference in references_in(campaign):
        spec = reference.spec
        if not isinstance(spec, InteractWithCampaign | DidNot):
            continue
        is_exception = reference.path.startswith("delivery.exceptions")
        if (is_exception or isinstance(spec, DidNot)) and spec.interaction == "email_open":
            message = (
                "email_open counts machine opens too, which cancel for people who never looked; "
                "email_other_open is a person's"
            )
            yield Problem(f"{reference.path}.interaction", message)


def _doubts_of_window(campaign: Campaign) -> Iterator[Problem]:
    window = campaign.delivery.window
    if window is None or window.start is None or window.end is None:
        return
    length = from_datetime(parse_bound(window.end)) - from_datetime(parse_bound(window.start))
    if shortest_delay(campaign) >= length:
        message = "the delay is as long as the window: whoever enters is due after its end"
        yield Problem("delivery.window", message)


def _doubts_of_hours(campaign: Campaign) -> Iterator[Problem]:
    delivery = campaign.delivery
    quiet = delivery.quiet_hours
    if delivery.time_of_day is None or not isinstance(quiet, QuietHours):
        return
    if next_allowed(0, _IN_UTC, hours_of(delivery.time_of_day), hours_of(quiet)) is None:
        message = "leave nothing of time_of_day: nothing can ever be sent"
        yield Problem("delivery.quiet_hours", message)


def _doubts_of_audience(campaign: Campaign) -> Iterator[Problem]:
    """Warn where the audience asks for what triggers: its own first time does not count yet."""
    triggers = set()
    for trigger in campaign.delivery.triggers:
        event = trigger.event
        if event is not None:
            triggers.add(event if isinstance(event, str) else event.name)
        triggers |= {PURCHASE} if trigger.purchase is not None else set()
        triggers |= {SESSION_START} if trigger.session_start is not None else set()
    for leaf, path in leaves_of(campaign.audience, "audience"):
        past = past_of(leaf)
        if past is None or past.count not in (None, CountCondition(gte=1)):
            continue
        if ".not" not in path and tracker_of(past).name in triggers:
            message = (
                "asks for what triggers the campaign: the event that triggers is not counted yet, "
                "so a user's first one enters nobody"
            )
            yield Problem(path, message)
