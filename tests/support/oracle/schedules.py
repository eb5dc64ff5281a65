"""When scheduled campaigns come round: once or by a cron schedule, tried day by day."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

from segue.model.campaigns import Schedule
from segue.model.instants import HOUR
from segue.model.workspace import Workspace
from tests.support.oracle.local_time import EPOCH, instant_of, microseconds, zone_of

EARLIEST = 14 * HOUR  # no clock on earth is further ahead, so nobody's local time comes earlier
DAYS_TRIED = 400


def next_occurrence(
    schedule: Schedule, workspace: Workspace, after: int
) -> tuple[int, datetime | None] | None:
    """Return when all users are looked at next, and the local time each is due, if it is local."""
    zone = zone_of({"time_zone": schedule.time_zone}, workspace)
    for wall in _walls(schedule, after):
        if schedule.local:
            walk_at = microseconds(wall.replace(tzinfo=UTC) - EPOCH) - EARLIEST
        elif wall.tzinfo is not None:
            walk_at = microseconds(wall - EPOCH)
        else:
            walk_at = instant_of(wall, zone)
        if walk_at > after:
            return walk_at, wall if schedule.local else None
    return None


def _walls(schedule: Schedule, after: int) -> Iterator[datetime]:
    """Yield the wall times of a schedule, from some before `after` on."""
    if schedule.cron is None:
        yield datetime.fromisoformat(schedule.at or "")
        return
    minute, hour, day, month, weekday = schedule.cron.split()
    first = (EPOCH + timedelta(microseconds=after)).date() - timedelta(days=2)
    for number in range(DAYS_TRIED):
        today = first + timedelta(days=number)
        if today.month in _numbers(month, 1, 12) and _is_day(today, day, weekday):
            for hours in _numbers(hour, 0, 23):
                for minutes in _numbers(minute, 0, 59):
                    yield datetime.combine(today, time(hours, minutes))


def _is_day(today: date, day: str, weekday: str) -> bool:
    is_day = today.day in _numbers(day, 1, 31)
    is_weekday = today.isoweekday() % 7 in _numbers(weekday, 0, 6)
    if "*" in day or "*" in weekday:
        return is_day and is_weekday
    return is_day or is_weekday  # as cron has it: where both are given, either will do


def _numbers(field: str, first: int, last: int) -> list[int]:
    """Return the numbers of a cron field: a star, numbers, ranges, each with a step or not."""
    numbers: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        start, _, end = (first, "", last) if span == "*" else span.partition("-")
        numbers.update(range(int(start), int(end or start) + 1, int(step or 1)))
    return sorted(numbers)
