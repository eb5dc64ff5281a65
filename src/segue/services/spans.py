"""The time that a campaign's numbers are asked for, and the hours or days it is shown by.

Counters are kept by the hour, UTC. An hour belongs to the day in which it begins; where a zone's
days begin at half past, the first half hour of a day is in the day before.
"""

from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from msgspec import Struct

from segue.engine.local_time import at_local, bound_instant, is_zone, wall_of, zone_of
from segue.model.instants import FOREVER, HOUR, from_datetime
from segue.model.limits import STATS_SPANS_MAX
from segue.model.problems import InvalidError, Problem

By = Literal["hour", "day"]
_LAST: Final = from_datetime(datetime.max.replace(tzinfo=UTC))  # an offset may lead beyond it


class Period(Struct, frozen=True):
    """From an instant until before another, by the hour or by the day of a zone."""

    time_zone: str = "UTC"
    from_at: int = 0
    to_at: int = FOREVER
    by: By = "day"


def read_period(from_text: str | None, to_text: str | None, by: By, time_zone: str) -> Period:
    """Read a period as a person writes it: instants, or days and times of the zone.

    Raises:
        InvalidError: with every fault.
    """
    if not is_zone(time_zone):
        message = f"{time_zone!r} is no time zone; write it as Europe/Paris"
        raise InvalidError([Problem("time_zone", message)], "The request")
    problems: list[Problem] = []

    def instant(name: str, text: str | None, default: int) -> int:
        try:
            if text is None:
                return default
            return min(bound_instant(text, zone_of(time_zone, "UTC")), _LAST)
        except ValueError as error:
            problems.append(Problem(name, str(error)))
            return default

    from_at = max(instant("from", from_text, 0), 0)  # nothing was counted before 1970
    to_at = instant("to", to_text, FOREVER)
    if not problems and to_text is not None and to_at <= from_at:
        problems.append(Problem("to", f"{to_text!r} is not after the beginning of the period"))
    if problems:
        raise InvalidError(problems, "The request")
    return Period(time_zone, from_at, to_at, by)


def newest_bounds(period: Period, now: int) -> list[int]:
    """Return where the newest spans of a period begin, oldest first, and where the last one ends.

    There are at most `STATS_SPANS_MAX` of them; the last is the one that `now` is in, or the
    period's last. Of a period that is all in the future there are none.
    """
    end = min(period.to_at, now - now % HOUR + HOUR)
    if end <= period.from_at:
        return []
    begins = _hours_back(end) if period.by == "hour" else _days_back(end, period.time_zone)
    inside = [begin for begin in begins if begin > period.from_at]
    is_whole = len(inside) < STATS_SPANS_MAX
    return [*([period.from_at] if is_whole else []), *reversed(inside), end]


def _hours_back(end: int) -> list[int]:
    """Return the beginnings of the last hours that begin before `end`, newest first."""
    last = (end - 1) - (end - 1) % HOUR
    return [last - number * HOUR for number in range(STATS_SPANS_MAX)]


def _days_back(end: int, time_zone: str) -> list[int]:
    """Return the beginnings of the last days that begin before `end`, newest first."""
    zone = zone_of(time_zone, "UTC")
    last = wall_of(end - 1, zone).date()
    return [at_local(last - timedelta(number), 0, zone) for number in range(STATS_SPANS_MAX)]
