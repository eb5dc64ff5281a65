"""One version of a campaign with everything about it that is computed once."""

from collections.abc import Callable
from datetime import datetime
from typing import Final, get_args
from zoneinfo import ZoneInfo

from msgspec import Struct

from segue.engine.audience import Audience, everybody
from segue.engine.local_time import (
    Hours,
    from_local,
    in_days,
    next_weekday,
    parse_bound,
    parse_clock,
)
from segue.model.campaigns import After, Campaign, Delay, TimeOfDay, Weekday, Window
from segue.model.channels import Channel
from segue.model.instants import parse_duration
from segue.model.workspace import QuietHours

_WEEKDAYS: Final = get_args(Weekday)

# (T, the user's zone) -> T plus the delay
Due = Callable[[int, ZoneInfo], int]


class Bounds(Struct, frozen=True):
    """A window: from when until when, by the user's zone if it is local."""

    start: datetime | None
    end: datetime | None
    is_local: bool

    def holds(self, at: int, zone: ZoneInfo) -> bool:
        """Return whether an instant is inside; the end itself is outside."""
        if self.start is not None and at < from_local(self.start, zone):
            return False
        return self.end is None or at < from_local(self.end, zone)


class Version(Struct, frozen=True):
    """A version; `channels` are those of each variant, by its name."""

    number: int
    document: Campaign
    due: Due
    audience: Audience  # as the plan's campaigns and segments make it
    pause: int | None  # of re-eligibility, in microseconds; None: never again
    channels: dict[str, list[Channel]]
    window: Bounds | None
    hours: Hours | None  # in which it sends


def compile_version(number: int, document: Campaign) -> Version:
    """Return a version of a campaign; the plan gives it its audience."""
    delivery = document.delivery
    return Version(
        number=number,
        document=document,
        due=_compile_due(document),
        audience=everybody,
        pause=_pause(document),
        channels={
            variant.name: [message.channel for message in variant.messages]
            for variant in document.all_variants()
        },
        window=_bounds(delivery.window),
        hours=hours_of(delivery.time_of_day),
    )


def hours_of(written: TimeOfDay | QuietHours | None) -> Hours | None:
    """Return hours of the day, as minutes after midnight."""
    if written is None:
        return None
    return Hours(parse_clock(written.from_), parse_clock(written.to))


def delay_of(document: Campaign) -> Delay:
    """Return the delay, that of a `did_not` among them (semantics.md 2, 3)."""
    delivery = document.delivery
    waits = [one.did_not.within for one in delivery.triggers if one.did_not]
    if waits:
        return Delay(after=waits[0])
    return delivery.delay if isinstance(delivery.delay, Delay) else Delay(after="0s")


def _compile_due(document: Campaign) -> Due:
    delay = delay_of(document)
    if delay.after is not None:
        return _after(parse_duration(delay.after))
    clock = parse_clock(delay.at or "00:00")
    if delay.on_next is not None:
        weekday = _WEEKDAYS.index(delay.on_next)
        return lambda at, zone: next_weekday(at, weekday, clock, zone)
    days = delay.in_days or 0
    return lambda at, zone: in_days(at, days, clock, zone)


def _after(duration: int) -> Due:
    return lambda at, _zone: at + duration


def _pause(document: Campaign) -> int | None:
    if isinstance(document.re_eligibility, After):
        return parse_duration(document.re_eligibility.after)
    return 0 if document.re_eligibility == "always" else None


def _bounds(window: Window | None) -> Bounds | None:
    if window is None:
        return None
    return Bounds(
        start=parse_bound(window.start) if window.start is not None else None,
        end=parse_bound(window.end) if window.end is not None else None,
        is_local=window.local,
    )
