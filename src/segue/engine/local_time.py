"""Local time: zones, wall times, delays, hours of the day, windows (semantics.md 3).

A wall time is a naive datetime, a clock the minutes after local midnight. One rule holds for all:
a wall time stands for the first instant at which local clocks have reached it. So one that a
clock change skips moves to the change itself, and one that comes twice is the first.
"""

import re
import zoneinfo
from bisect import bisect_left
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from msgspec import Struct

from segue.model.instants import DAY, MINUTE, from_datetime, to_datetime
from segue.model.limits import HOURS_SEARCH, ZONE_NAME_LENGTH_MAX, ZONES_CACHED_MAX

# The tzdata package alone: a machine's own zones differ, and so would what a replay decides.
zoneinfo.reset_tzpath(to=())

_CLOCK: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_DAY_MINUTES: Final = DAY // MINUTE
# An event's time is its sender's word; a day later, every zone's calendar has begun.
_EARLIEST: Final = from_datetime(datetime.fromisoformat("0001-01-03"))
_LATEST: Final = from_datetime(datetime.fromisoformat("9999-12-29"))


def is_zone(name: object) -> bool:
    """Return whether `name` is an IANA time zone."""
    return _find_zone(name) is not None


def zone_of(name: object, fallback: str) -> ZoneInfo:
    """Return the zone `name`, which may be anything a profile holds; else the zone `fallback`.

    Raises:
        ValueError: `fallback` is no zone either.
    """
    zone = _find_zone(name) or _find_zone(fallback)
    if zone is None:
        message = f"{fallback!r} is no time zone; write it as Europe/Paris"
        raise ValueError(message)
    return zone


def _find_zone(name: object) -> ZoneInfo | None:
    if isinstance(name, str) and len(name) <= ZONE_NAME_LENGTH_MAX:
        return _load_zone(name)
    return None


@lru_cache(ZONES_CACHED_MAX)
def _load_zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown; no name at all; a folder of zones
        return None


def wall_of(at: int, zone: ZoneInfo) -> datetime:
    """Return the wall time at the instant `at`."""
    return to_datetime(at).astimezone(zone).replace(tzinfo=None)


def shown_wall(at: int, zone: ZoneInfo) -> datetime:
    """Return the wall time to show; within days of the calendar's ends the nearest for sure."""
    return wall_of(min(max(at, _EARLIEST), _LATEST), zone)


def from_local(moment: datetime, zone: ZoneInfo) -> int:
    """Return the instant of a wall time in `zone`; a moment that bears an offset is absolute."""
    if moment.tzinfo is not None:
        return from_datetime(moment)
    first = from_datetime(moment.replace(tzinfo=zone, fold=0))
    second = from_datetime(moment.replace(tzinfo=zone, fold=1))
    # In a gap, fold 0 counts from the old offset and so lies behind the change, fold 1 before it.
    return first if first <= second else _clock_change(second, first, zone)


def at_local(day: date, clock: int, zone: ZoneInfo) -> int:
    """Return the instant of a clock on a local day."""
    return from_local(datetime.combine(day, time(*divmod(clock, 60))), zone)


def parse_clock(text: str) -> int:
    """Read a clock such as "09:00" into minutes after midnight.

    Raises:
        ValueError: `text` is not one; the message shows it.
    """
    found = _CLOCK.fullmatch(text)
    if not found:
        message = f"{text!r} is no time of day; write it as 09:30, from 00:00 to 23:59"
        raise ValueError(message)
    return int(found[1]) * 60 + int(found[2])


def next_weekday(at: int, weekday: int, clock: int, zone: ZoneInfo) -> int:
    """Return the clock on the next such weekday (Monday is 0); the same one is a week away."""
    today = _local_date(at, zone)
    days = (weekday - today.weekday() - 1) % 7 + 1
    return at_local(today + timedelta(days), clock, zone)


def in_days(at: int, days: int, clock: int, zone: ZoneInfo) -> int:
    """Return the clock on the local day `days` after that of `at`; for 0 days it may be past."""
    return at_local(_local_date(at, zone) + timedelta(days), clock, zone)


def start_of_days(at: int, days: int, zone: ZoneInfo) -> int:
    """Return when the last `days` local calendar days began, of which today is the first."""
    return at_local(_local_date(at, zone) - timedelta(days - 1), 0, zone)


def _local_date(at: int, zone: ZoneInfo) -> date:
    return wall_of(max(at, _EARLIEST), zone).date()


class Hours(Struct, frozen=True):
    """Hours of the local day, as clocks, [from, to).

    They may pass midnight, as 22:00 to 08:00 does; from = to is the whole day.
    """

    from_clock: int
    to_clock: int

    @property
    def minute_count(self) -> int:
        """How long they are on a day without a clock change."""
        return (self.to_clock - self.from_clock) % _DAY_MINUTES or _DAY_MINUTES


def is_within_hours(at: int, hours: Hours, zone: ZoneInfo) -> bool:
    """Return whether local clocks at `at` show one of the hours."""
    clock = (at + _offset_at(at, zone)) // MINUTE
    return (clock - hours.from_clock) % _DAY_MINUTES < hours.minute_count


def next_within_hours(at: int, hours: Hours, zone: ZoneInfo) -> int:
    """Return the first instant from `at` on inside the hours."""
    while not is_within_hours(at, hours, zone):
        at = _next_clock_or_change(at, hours.from_clock, zone)
    return at


def next_outside_hours(at: int, hours: Hours, zone: ZoneInfo) -> int | None:
    """Return the first instant from `at` on outside the hours; None if they are the whole day."""
    if hours.minute_count == _DAY_MINUTES:
        return None
    while is_within_hours(at, hours, zone):
        at = _next_clock_or_change(at, hours.to_clock, zone)
    return at


def next_allowed(at: int, zone: ZoneInfo, allowed: Hours | None, quiet: Hours | None) -> int | None:
    """Return the first instant from `at` on inside `allowed` and outside `quiet`, if there is one.

    Hours that are None allow everything, and keep nothing quiet.
    """
    moment = at
    while moment <= at + HOURS_SEARCH:
        inside = next_within_hours(moment, allowed, zone) if allowed is not None else moment
        outside = next_outside_hours(inside, quiet, zone) if quiet is not None else inside
        if outside is None or outside == inside:
            return outside
        moment = outside
    return None


def parse_bound(text: str) -> datetime:
    """Read a moment in RFC 3339; one without an offset is a wall time, in a zone known later.

    Raises:
        ValueError: `text` is not one; the message shows it.
    """
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        message = (
            f"{text!r} is no moment; write it as 2026-11-01T10:00:00Z, "
            "or as 2026-11-01T10:00 where local time is meant"
        )
        raise ValueError(message) from None


def bound_instant(text: str, zone: ZoneInfo) -> int:
    """Return the instant of a window's start or end, which is local to `zone` without an offset.

    Raises:
        ValueError: `text` is no moment; the message shows it.
    """
    return from_local(parse_bound(text), zone)


def _offset_at(at: int, zone: ZoneInfo) -> int:
    return from_datetime(wall_of(at, zone)) - at


def _next_clock_or_change(at: int, clock: int, zone: ZoneInfo) -> int:
    """Return when local clocks next show `clock`, or when they change if that comes first."""
    offset = _offset_at(at, zone)
    shown_at = at + (clock * MINUTE - at - offset) % DAY
    # No zone has ever changed its clocks twice within two days: equal offsets mean no change.
    return shown_at if _offset_at(shown_at, zone) == offset else _clock_change(at, shown_at, zone)


def _clock_change(before: int, after: int, zone: ZoneInfo) -> int:
    """Return the instant of the one clock change in (before, after]."""
    offset = _offset_at(before, zone)
    changed = bisect_left(range(before, after), True, key=lambda at: _offset_at(at, zone) != offset)
    return before + changed
