"""When scheduled campaigns come round: once, or by a cron schedule (semantics.md 1).

An occurrence is computed in wall time and only then made an instant, by the rule of local_time.
"""

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError
from msgspec import Struct

from segue.engine.local_time import from_local, parse_bound, wall_of, zone_of
from segue.model.campaigns import Schedule
from segue.model.instants import HOUR, from_datetime, to_datetime
from segue.model.limits import CRON_LENGTH_MAX

FIELD_COUNT: Final = 5
# No clock on earth is further ahead than UTC+14, so nobody's local time comes earlier.
EARLIEST_OFFSET: Final = 14 * HOUR
LATEST_OFFSET: Final = 12 * HOUR  # nor is one further behind than UTC-12


class Cron(Struct, frozen=True):
    """A cron schedule of five fields that parse_cron has checked.

    Where both day fields are given without a star, either may match, as cron has it.
    """

    text: str

    def next_after(self, wall: datetime) -> datetime | None:
        """Return the first wall time of the schedule after `wall`; None at the end of time."""
        try:
            return next(CronSim(self.text, wall), None)
        except OverflowError:  # beyond the year 9999
            return None


def parse_cron(text: str) -> Cron:
    """Check a cron schedule: five fields, and some day on which it comes.

    Raises:
        ValueError: it is none, or never comes; the message shows it.
    """
    if len(text) > CRON_LENGTH_MAX:
        message = f"a cron schedule of {len(text)} characters; write at most {CRON_LENGTH_MAX}"
        raise ValueError(message)
    if len(text.split()) != FIELD_COUNT:
        raise ValueError(_no_cron(text, f"{len(text.split())} fields"))
    cron = Cron(text)
    try:
        # CronSim looks 50 years ahead; a 29 February on a given weekday is 40 away at the most.
        comes = cron.next_after(_wall_in_utc(0))
    except CronSimError as error:
        raise ValueError(_no_cron(text, str(error).lower())) from None
    if comes is None:
        raise ValueError(_no_cron(text, "there is no such day"))
    return cron


class Occurrence(Struct, frozen=True):
    """One coming round of a schedule: when its users are looked at, and when each is due.

    `wall` is the wall time at which each user is due in their own zone. It is None where all are
    due at once, at `walk_at`; else `walk_at` is when that wall time is first reached anywhere.
    """

    walk_at: int
    wall: datetime | None = None


def occurrence_after(after: int, when: Cron | datetime, zone: ZoneInfo | None) -> Occurrence | None:
    """Return the first occurrence whose `walk_at` is after `after`; None if there is no more.

    `when` is a cron schedule, or the one moment of a schedule that comes once. Both are local to
    `zone`, or to each user where that is None; a moment that bears an offset is local to nobody.
    """
    if isinstance(when, Cron):
        return _next_local(after, when) if zone is None else _next_in(after, when, zone)
    if when.tzinfo is not None:
        occurrence = Occurrence(from_datetime(when))
    elif zone is None:
        occurrence = _local_occurrence(when)
    else:
        occurrence = Occurrence(from_local(when, zone))
    return occurrence if occurrence.walk_at > after else None


def next_occurrence(schedule: Schedule, time_zone: str, after: int) -> Occurrence | None:
    """Return the first occurrence of a schedule after an instant, in a workspace of a zone."""
    when: Cron | datetime
    when = parse_cron(schedule.cron) if schedule.cron else parse_bound(schedule.at or "")
    zone: ZoneInfo | None = None
    if not schedule.local:
        zone = zone_of(schedule.time_zone, time_zone)
    return occurrence_after(after, when, zone)


def due_of(occurrence: Occurrence, zone: ZoneInfo) -> int:
    """Return when a user whose zone is `zone` is due."""
    return occurrence.walk_at if occurrence.wall is None else from_local(occurrence.wall, zone)


def _next_in(after: int, cron: Cron, zone: ZoneInfo) -> Occurrence | None:
    wall = cron.next_after(wall_of(after, zone))
    # While clocks show an hour for the second time, what they show was reached before `after`.
    while wall is not None and from_local(wall, zone) <= after:
        wall = cron.next_after(wall)
    return None if wall is None else Occurrence(from_local(wall, zone))


def _next_local(after: int, cron: Cron) -> Occurrence | None:
    wall = cron.next_after(_wall_in_utc(after + EARLIEST_OFFSET))
    return None if wall is None else _local_occurrence(wall)


def _local_occurrence(wall: datetime) -> Occurrence:
    return Occurrence(from_datetime(wall) - EARLIEST_OFFSET, wall)


def _wall_in_utc(at: int) -> datetime:
    return to_datetime(at).replace(tzinfo=None)


def _no_cron(text: str, fault: str) -> str:
    return (
        f"{text!r} is no cron schedule: {fault}; write minute, hour, day of month, month and "
        "day of week, such as '0 9 * * MON' for Mondays at nine"
    )
