"""The period that analytics are asked for, and the one before it that is as long.

Counters are kept by the hour, so both periods are of whole hours.
"""

from datetime import date, timedelta
from typing import Final, Literal

from msgspec import Struct

from segue.engine.local_time import at_local, wall_of, zone_of
from segue.model.instants import FOREVER, HOUR
from segue.model.limits import ANALYTICS_DAYS_MAX
from segue.model.problems import InvalidError, Problem
from segue.services.spans import Period

Span = Literal["now", "before"]
PERIODS: Final = {"1": "today", "7": "7 days", "30": "30 days", "90": "90 days"}
_DEFAULT: Final = "30"


class Spans(Struct, frozen=True):
    """Two spans of time: from an instant until before another."""

    period: Period
    before_from: int
    before_to: int
    first: date  # of the period, in the time zone
    last: date
    days: str  # of PERIODS; "" for days that were chosen one by one

    @property
    def bounds(self) -> list[int]:
        """Where the two spans begin and end, in order; what is between them is in neither."""
        begins = {self.before_from, self.before_to, self.period.from_at}
        return [*sorted(begins), self.period.to_at]

    def of(self, bound: int) -> Span | None:
        """Return which of the spans begins at a bound."""
        if bound == self.period.from_at:
            return "now"
        return "before" if bound == self.before_from else None


def read_spans(days: str, from_text: str, to_text: str, time_zone: str, now: int) -> Spans:
    """Return the last days of a time zone, or those from a date to a date, both included.

    Raises:
        InvalidError: with every fault of the dates.
    """
    zone = zone_of(time_zone, "UTC")
    today = wall_of(now, zone).date()
    if from_text or to_text:
        first, last = _read_dates(from_text, to_text, today)
        days = ""
    else:
        days = days if days in PERIODS else _DEFAULT
        first, last = today - timedelta(int(days) - 1), today
    length = (last - first).days + 1
    from_at, end_at = at_local(first, 0, zone), at_local(last + timedelta(1), 0, zone)
    before_from = at_local(first - timedelta(length), 0, zone)
    # A day that is not over is compared with as much of the day before it.
    until = min(end_at, now - now % HOUR + HOUR)
    before_to = min(max(before_from + (until - from_at), before_from + HOUR), from_at)
    period = Period(
        time_zone, from_at, FOREVER if last >= today else end_at, "hour" if length == 1 else "day"
    )
    return Spans(period, before_from, before_to, first, last, days)


def _read_dates(from_text: str, to_text: str, today: date) -> tuple[date, date]:
    problems: list[Problem] = []

    def read(name: str, text: str, default: date) -> date:
        if not text:
            return default
        try:
            found = date.fromisoformat(text)
        except ValueError:
            message = f"{text[:40]!r} is no date; write it as {today.isoformat()}"
            problems.append(Problem(name, message))
            return default
        if not date(1971, 1, 1) <= found <= today + timedelta(1):
            problems.append(Problem(name, f"{text} is in the future, or long before Segue"))
            return default
        return found

    last = read("to", to_text, today)
    first = read("from", from_text, last)
    if not problems and first > last:
        problems.append(Problem("to", f"{last} is before {first}, with which the period begins"))
    if not problems and (last - first).days >= ANALYTICS_DAYS_MAX:
        message = f"the period has {(last - first).days + 1} days; at most {ANALYTICS_DAYS_MAX}"
        problems.append(Problem("from", message))
    if problems:
        raise InvalidError(problems, "The request")
    return first, last
