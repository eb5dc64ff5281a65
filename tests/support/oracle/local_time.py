"""Local time by looking at the clock again and again (semantics.md 3).

Wherever clocks change in the worlds, they change at a full quarter of an hour UTC. So a local
clock runs evenly within a quarter, and every quarter is looked at by itself.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from segue.model.instants import DAY, HOUR, MINUTE
from segue.model.workspace import Workspace

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
QUARTER = 15 * MINUTE
SEARCHED = 8 * DAY  # hours of the day that do not come in a week never come
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def zone_of(attributes: dict[str, object], workspace: Workspace) -> ZoneInfo:
    """Return the user's zone; the workspace's where the profile names none that there is."""
    return _zone(attributes.get("time_zone")) or _zone(workspace.time_zone) or ZoneInfo("UTC")


@cache
def _zone(name: object) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if isinstance(name, str) and name else None
    except (KeyError, ValueError, OSError):
        return None


def microseconds(span: timedelta) -> int:
    """Return a span as the oracle counts time."""
    return span // timedelta(microseconds=1)


def wall_at(at: int, zone: ZoneInfo) -> datetime:
    """Return what local clocks show at an instant."""
    return (EPOCH + timedelta(microseconds=at)).astimezone(zone).replace(tzinfo=None)


@cache
def instant_of(wall: datetime, zone: ZoneInfo) -> int:
    """Return the first instant at which local clocks have reached a wall time.

    So a time that is skipped moves to the first valid instant, and of two the first is meant.
    """
    as_if_utc = microseconds(wall.replace(tzinfo=UTC) - EPOCH)
    quarter = (as_if_utc - 15 * HOUR) // QUARTER * QUARTER
    while True:
        behind = microseconds(wall - wall_at(quarter, zone))
        if behind < QUARTER:
            return quarter + max(behind, 0)
        quarter += QUARTER


def moment_of(text: str, zone: ZoneInfo) -> int:
    """Return the instant of a text, which is local to the zone if it bears no offset."""
    moment = datetime.fromisoformat(text)
    return instant_of(moment, zone) if moment.tzinfo is None else microseconds(moment - EPOCH)


def clock(text: str) -> time:
    """Read a clock such as "09:00"."""
    return time.fromisoformat(text)


def next_weekday(at: int, weekday: str, text: str, zone: ZoneInfo) -> int:
    """Return the clock on the next such weekday, strictly: the same one is a week away."""
    date = wall_at(at, zone).date() + timedelta(days=1)
    while WEEKDAYS[date.weekday()] != weekday:
        date += timedelta(days=1)
    return instant_of(datetime.combine(date, clock(text)), zone)


def in_days(at: int, days: int, text: str, zone: ZoneInfo) -> int:
    """Return the clock so many calendar days later."""
    date = wall_at(at, zone).date() + timedelta(days=days)
    return instant_of(datetime.combine(date, clock(text)), zone)


def start_of_days(at: int, days: int, zone: ZoneInfo) -> int:
    """Return when the last so many calendar days began, of which today is the last."""
    date = wall_at(at, zone).date() - timedelta(days=days - 1)
    return instant_of(datetime.combine(date, time()), zone)


def is_within(at: int, hours: tuple[str, str], zone: ZoneInfo) -> bool:
    """Say whether local clocks show an hour from the first (included) to the second (not)."""
    shown, start, end = wall_at(at, zone).time(), clock(hours[0]), clock(hours[1])
    if start < end:
        return start <= shown < end
    return shown >= start or shown < end  # past midnight, or the whole day


def next_allowed(
    at: int, allowed: tuple[str, str] | None, quiet: tuple[str, str] | None, zone: ZoneInfo
) -> int | None:
    """Return the first instant from `at` on inside the one and outside the other."""
    clocks = [clock(text) for hours in (allowed, quiet) if hours for text in hours]
    for moment in _moments_from(at, clocks, zone):
        is_inside = allowed is None or is_within(moment, allowed, zone)
        if is_inside and not (quiet and is_within(moment, quiet, zone)):
            return moment
    return None


def _moments_from(at: int, clocks: list[time], zone: ZoneInfo) -> Iterator[int]:
    """Yield `at`, and in order each later instant at which something may begin or end."""
    yield at
    quarter = at // QUARTER * QUARTER
    while quarter < at + SEARCHED:
        wall = wall_at(quarter, zone)
        strikes = (microseconds(datetime.combine(wall, one) - wall) for one in clocks)
        for after in sorted({0, *strikes}):
            if 0 <= after < QUARTER and quarter + after > at:
                yield quarter + after
        quarter += QUARTER
