"""Clock changes, plain and odd, and the minutes around them, one by one: a slow, obvious oracle."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from segue.model.instants import DAY, MINUTE, parse_instant

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAYS_BEFORE = 3
DAYS_AFTER = 12


def wall_at(at: int, zone: ZoneInfo) -> datetime:
    """Return what local clocks show; this direction has no special cases."""
    return (EPOCH + timedelta(microseconds=at)).astimezone(zone).replace(tzinfo=None)


@dataclass(frozen=True)
class ClockChange:
    """A change of the clocks of a zone, and what they show just before and at it."""

    name: str
    at: int
    before: datetime
    after: datetime

    @property
    def zone(self) -> ZoneInfo:
        """The zone whose clocks change."""
        return ZoneInfo(self.name)

    def __str__(self) -> str:
        return f"{self.name} {self.before} to {self.after}"


def change(name: str, at: str, before: str, after: str) -> ClockChange:
    """Return a change from its texts; `before` is what clocks would have shown next."""
    return ClockChange(
        name, parse_instant(at), datetime.fromisoformat(before), datetime.fromisoformat(after)
    )


GAPS = [
    change("Europe/Paris", "2026-03-29T01:00Z", "2026-03-29T02:00", "2026-03-29T03:00"),
    change("America/New_York", "2026-03-08T07:00Z", "2026-03-08T02:00", "2026-03-08T03:00"),
    # The tzdata says by a rule, not by a list, what happens so late.
    change("America/New_York", "2099-03-08T07:00Z", "2099-03-08T02:00", "2099-03-08T03:00"),
    # Half an hour.
    change("Australia/Lord_Howe", "2026-10-03T15:30Z", "2026-10-04T02:00", "2026-10-04T02:30"),
    # Two hours.
    change("Antarctica/Troll", "2026-03-29T01:00Z", "2026-03-29T01:00", "2026-03-29T03:00"),
    # A quarter of an hour, for good, over midnight and the end of a year.
    change("Asia/Kathmandu", "1985-12-31T18:30Z", "1986-01-01T00:00", "1986-01-01T00:15"),
    # Half an hour before midnight.
    change("Asia/Pyongyang", "2018-05-04T15:00Z", "2018-05-04T23:30", "2018-05-05T00:00"),
    # There is no midnight.
    change("America/Sao_Paulo", "2018-11-04T03:00Z", "2018-11-04T00:00", "2018-11-04T01:00"),
    change("Africa/Cairo", "2026-04-23T22:00Z", "2026-04-24T00:00", "2026-04-24T01:00"),
    change("Asia/Beirut", "2026-03-28T22:00Z", "2026-03-29T00:00", "2026-03-29T01:00"),
    # There is no such day: the date line was moved.
    change("Pacific/Apia", "2011-12-30T10:00Z", "2011-12-30T00:00", "2011-12-31T00:00"),
    change("Pacific/Kwajalein", "1993-08-21T12:00Z", "1993-08-21T00:00", "1993-08-22T00:00"),
]
DOUBLINGS = [
    change("Europe/Paris", "2026-10-25T01:00Z", "2026-10-25T03:00", "2026-10-25T02:00"),
    change("America/New_York", "2026-11-01T06:00Z", "2026-11-01T02:00", "2026-11-01T01:00"),
    change("Australia/Lord_Howe", "2026-04-04T15:00Z", "2026-04-05T02:00", "2026-04-05T01:30"),
    change("Antarctica/Troll", "2026-10-25T01:00Z", "2026-10-25T03:00", "2026-10-25T01:00"),
    # Midnight comes twice.
    change("America/Havana", "2025-11-02T05:00Z", "2025-11-02T01:00", "2025-11-02T00:00"),
    # The evening before comes twice.
    change("America/Sao_Paulo", "2018-02-18T02:00Z", "2018-02-18T00:00", "2018-02-17T23:00"),
    change("Asia/Beirut", "2026-10-24T21:00Z", "2026-10-25T00:00", "2026-10-24T23:00"),
    # A minute of the new day has passed when the old one comes back.
    change("America/St_Johns", "2006-10-29T02:31Z", "2006-10-29T00:01", "2006-10-28T23:01"),
    # Winter time in summer: the offset falls for Ramadan.
    change("Africa/Casablanca", "2026-02-15T02:00Z", "2026-02-15T03:00", "2026-02-15T02:00"),
]
CHANGES = [*GAPS, *DOUBLINGS]


@cache
def minutes_around(changed: ClockChange) -> list[tuple[int, datetime]]:
    """Return every minute from days before a change to days after it, with its wall time."""
    start = changed.at - DAYS_BEFORE * DAY
    count = (DAYS_BEFORE + DAYS_AFTER) * DAY // MINUTE
    return [(at, wall_at(at, changed.zone)) for at in range(start, start + count * MINUTE, MINUTE)]


def first_minute(changed: ClockChange, wall: datetime) -> int:
    """Return the first minute whose wall time is `wall` or later."""
    return next(at for at, shown in minutes_around(changed) if shown >= wall)
