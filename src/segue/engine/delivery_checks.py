"""Checks of a campaign's delivery: what starts it, how long it waits, when it may send."""

from collections.abc import Callable, Iterator

from segue.engine.happening_checks import check_happening, check_length
from segue.engine.local_time import is_zone, parse_bound
from segue.engine.recurrence import parse_cron
from segue.model.campaigns import Campaign, Delay, Delivery, Schedule, Window
from segue.model.decoding import shown
from segue.model.instants import parse_duration
from segue.model.limits import DELAY_MAX
from segue.model.problems import Problem
from segue.model.workspace import QuietHours

_DELAYS = ("after", "on_next", "in_days")


def check_delivery(campaign: Campaign) -> Iterator[Problem]:
    """Yield what is wrong with a campaign's delivery."""
    delivery = campaign.delivery
    yield from _check_type(delivery)
    for index, trigger in enumerate(delivery.triggers):
        yield from check_happening(trigger, f"delivery.triggers[{index}]", campaign.slug)
    for index, exception in enumerate(delivery.exceptions):
        path = f"delivery.exceptions[{index}]"
        yield from check_happening(exception, path)
        if exception.session_start and any(one.session_start for one in delivery.triggers):
            message = "session_start may not be both trigger and exception of one campaign"
            yield Problem(f"{path}.session_start", message)
    if isinstance(delivery.delay, Delay):
        yield from _check_delay(delivery.delay)
    yield from _check_did_nots(delivery)
    if delivery.schedule is not None:
        yield from _check_schedule(delivery.schedule)
    if delivery.window is not None:
        yield from _check_window(delivery.window)
    yield from _check_hours(delivery)


def _check_type(delivery: Delivery) -> Iterator[Problem]:
    kind = delivery.type
    if kind == "action" and not delivery.triggers:
        yield Problem("delivery.triggers", "needs at least 1 entry; it has 0")
    if kind != "action" and delivery.triggers:
        message = f'is for type "action"; this delivery is "{kind}"'
        yield Problem("delivery.triggers", message)
    if kind == "scheduled" and delivery.schedule is None:
        yield Problem("delivery.schedule", "is missing: when is the campaign to be sent?")
    if kind != "scheduled" and delivery.schedule is not None:
        message = f'is for type "scheduled"; this delivery is "{kind}"'
        yield Problem("delivery.schedule", message)
    if kind == "scheduled" and delivery.delay != "immediately":
        yield Problem("delivery.delay", "leave it out: a scheduled campaign comes at its time")
    if kind == "scheduled" and delivery.exceptions:
        yield Problem("delivery.exceptions", "leave them out: nobody waits for a schedule")


def _check_delay(delay: Delay) -> Iterator[Problem]:
    path = "delivery.delay"
    written = [name for name in _DELAYS if getattr(delay, name) is not None]
    if len(written) != 1:
        found = ", ".join(written) or "none"
        yield Problem(path, f"must be exactly one of {', '.join(_DELAYS)}; it has {found}")
        return
    if delay.after is not None:
        yield from check_length(delay.after, f"{path}.after", DELAY_MAX)
        if delay.at is not None:
            yield Problem(f"{path}.at", "is for on_next and in_days; leave it out")
    elif delay.at is None:
        yield Problem(f"{path}.at", f'is missing; {written[0]} needs a local time such as "09:00"')


def _check_did_nots(delivery: Delivery) -> Iterator[Problem]:
    waits = {parse_duration(one.did_not.within) for one in delivery.triggers if one.did_not}
    if waits and delivery.delay != "immediately":
        yield Problem("delivery.delay", "leave it out: did_not brings its own delay, `within`")
    if waits and delivery.exceptions:
        yield Problem("delivery.exceptions", "leave them out: did_not brings its own exception")
    if len(waits) > 1 or (waits and not all(trigger.did_not for trigger in delivery.triggers)):
        message = "a did_not stands alone, or beside others with the same `within`"
        yield Problem("delivery.triggers", message)


def _check_schedule(schedule: Schedule) -> Iterator[Problem]:
    path = "delivery.schedule"
    if (schedule.at is None) == (schedule.cron is None):
        found = "both" if schedule.at is not None else "neither"
        yield Problem(path, f"must be exactly one of at, cron; it has {found}")
    if schedule.cron is not None:
        yield from _read(f"{path}.cron", lambda: parse_cron(schedule.cron or ""))
    if schedule.at is not None:
        yield from _check_bound(schedule.at, f"{path}.at", is_local=schedule.local)
    if schedule.time_zone is not None:
        if schedule.local:
            message = "stands beside local, which means each user's own; leave one of them out"
            yield Problem(f"{path}.time_zone", message)
        elif not is_zone(schedule.time_zone):
            message = f"{shown(schedule.time_zone)} is no time zone; write it as Europe/Paris"
            yield Problem(f"{path}.time_zone", message)


def _check_window(window: Window) -> Iterator[Problem]:
    path = "delivery.window"
    bounds = {"start": window.start, "end": window.end}
    problems = [
        problem
        for name, text in bounds.items()
        if text is not None
        for problem in _check_bound(text, f"{path}.{name}", is_local=window.local)
    ]
    yield from problems
    if window.start is None and window.end is None:
        yield Problem(path, "needs a start, an end, or both")
    elif window.start is not None and window.end is not None and not problems:
        start, end = parse_bound(window.start), parse_bound(window.end)
        if (start.tzinfo is None) != (end.tzinfo is None):
            message = "has an offset from UTC and the start has none, or the reverse"
            yield Problem(f"{path}.end", message)
        elif end <= start:
            yield Problem(f"{path}.end", f"{shown(window.end)} is not after the start")


def _check_bound(text: str, path: str, *, is_local: bool) -> Iterator[Problem]:
    found = list(_read(path, lambda: parse_bound(text)))
    yield from found
    if not found and is_local and parse_bound(text).tzinfo is not None:
        message = f"{shown(text)} has an offset, and so is the same instant everywhere: not local"
        yield Problem(path, message)


def _read(path: str, parse: Callable[[], object]) -> Iterator[Problem]:
    try:
        parse()
    except ValueError as error:
        yield Problem(path, str(error))


def _check_hours(delivery: Delivery) -> Iterator[Problem]:
    hours, quiet = delivery.time_of_day, delivery.quiet_hours
    if hours is not None and hours.from_ == hours.to:
        yield Problem("delivery.time_of_day.to", "is the same as from; leave time_of_day out")
    if isinstance(quiet, QuietHours) and quiet.from_ == quiet.to:
        message = "is the same as from: the whole day would be quiet, and nothing ever sent"
        yield Problem("delivery.quiet_hours.to", message)
