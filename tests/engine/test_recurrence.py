"""Schedules that come once or by cron, held against a walk over every minute."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.clock_changes import CHANGES, ClockChange, first_minute, minutes_around

from segue.engine.local_time import parse_bound, wall_of
from segue.engine.recurrence import Cron, Occurrence, due_of, occurrence_after, parse_cron
from segue.model.instants import DAY, HOUR, MINUTE, from_datetime, parse_instant
from segue.model.limits import CRON_LENGTH_MAX

pytestmark = pytest.mark.slow

PARIS = ZoneInfo("Europe/Paris")
KIRITIMATI = ZoneInfo("Pacific/Kiritimati")  # UTC+14
PAGO_PAGO = ZoneInfo("Pacific/Pago_Pago")  # UTC-11
MIN = timedelta(minutes=1)


def instant(text: str) -> int:
    return parse_instant(text)


def shown(text: str) -> datetime:
    """Return a wall time."""
    return datetime.fromisoformat(text)


def series(when: Cron | datetime, zone: ZoneInfo | None, after: int, until: int) -> list[int]:
    """Return when the occurrences in (after, until] are walked."""
    found: list[int] = []
    while occurrence := occurrence_after(after, when, zone):
        after = occurrence.walk_at
        if after > until:
            break
        found.append(after)
    return found


# Cron


@dataclass(frozen=True)
class Schedule:
    """What a cron schedule means, field by field; an empty set is a star."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]  # Sunday is 0

    @property
    def text(self) -> str:
        """The schedule as it is written."""
        fields = (self.minutes, self.hours, self.days, self.months, self.weekdays)
        return " ".join(",".join(map(str, sorted(field))) or "*" for field in fields)

    def has(self, wall: datetime) -> bool:
        """Return whether the schedule comes at this minute."""
        return (
            self.has_day(wall.date())
            and (not self.hours or wall.hour in self.hours)
            and (not self.minutes or wall.minute in self.minutes)
        )

    def has_day(self, day: date) -> bool:
        """Return whether the schedule comes on this day: of two day fields, either will do."""
        if self.months and day.month not in self.months:
            return False
        by_day, by_weekday = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        if self.days and self.weekdays:
            return by_day or by_weekday
        return by_day or by_weekday or not (self.days or self.weekdays)

    def first_after(self, wall: datetime) -> datetime:
        """Return the first minute of the schedule after `wall`, by a walk."""
        day = wall.date()
        while True:
            midnight = datetime.combine(day, time())
            minutes = (midnight + MIN * count for count in range(24 * 60))
            for minute in minutes if self.has_day(day) else ():
                if minute > wall and self.has(minute):
                    return minute
            day += timedelta(days=1)


def fields(first: int, last: int) -> st.SearchStrategy[frozenset[int]]:
    return st.frozensets(st.integers(first, last), max_size=3)


schedules = st.builds(
    Schedule, fields(0, 59), fields(0, 23), fields(1, 28), fields(1, 12), fields(0, 6)
)
# Often enough to meet the change, at the hours at which clocks change.
frequent = st.builds(
    Schedule,
    st.frozensets(st.sampled_from([0, 1, 15, 20, 30, 59]), min_size=1, max_size=3),
    fields(0, 3),
    st.just(frozenset[int]()),
    st.just(frozenset[int]()),
    st.frozensets(st.integers(0, 6), max_size=1),
)


@given(schedules, st.datetimes(shown("1999-01-01"), shown("2101-01-01")))
def test_a_cron_schedule_comes_next_where_a_walk_finds_it(
    schedule: Schedule, wall: datetime
) -> None:
    assert parse_cron(schedule.text).next_after(wall) == schedule.first_after(wall)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0 9 * * 1", "2026-11-02T09:00"),
        ("0 9 * * MON", "2026-11-02T09:00"),
        ("0 9 * * mon-fri", "2026-10-29T09:00"),
        ("0 9 * * 7", "2026-11-01T09:00"),
        ("*/15 * * * *", "2026-10-28T10:15"),
        ("0 0 1 * *", "2026-11-01T00:00"),
        ("0 0 L * *", "2026-10-31T00:00"),
        ("0 9 * * MON#1", "2026-11-02T09:00"),
        ("0 9 1 1 *", "2027-01-01T09:00"),
        ("  0\t9 * *  1 ", "2026-11-02T09:00"),
        ("0 0 29 2 *", "2028-02-29T00:00"),
        ("0 0 29 2 */7", "2032-02-29T00:00"),  # star and step: both day fields must match
        ("0 0 30 2 1", "2027-02-01T00:00"),  # neither has a star: either will do
    ],
)
def test_cron_is_read_as_debian_reads_it(text: str, expected: str) -> None:
    assert parse_cron(text).next_after(shown("2026-10-28T10:00")) == shown(expected)


def test_a_schedule_comes_strictly_later_to_the_microsecond() -> None:
    cron = parse_cron("0 9 * * *")
    for text, expected in [
        ("2026-10-28T08:59:59.999999", "2026-10-28T09:00"),
        ("2026-10-28T09:00", "2026-10-29T09:00"),
        ("2026-10-28T09:00:00.000001", "2026-10-29T09:00"),
    ]:
        assert cron.next_after(shown(text)) == shown(expected)


def test_a_leap_day_on_a_sunday_is_waited_for_over_the_end_of_a_century() -> None:
    cron = parse_cron("0 0 29 2 */7")
    assert cron.next_after(shown("2088-03-01T00:00")) == shown("2128-02-29T00:00")


@pytest.mark.parametrize("text", ["0 9 * * *", "0 0 1 1 *", "0 0 29 2 *"])
def test_a_schedule_ends_with_the_calendar(text: str) -> None:
    assert parse_cron(text).next_after(shown("9999-12-31T23:00")) is None


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "0 fields"),
        ("0 9 * *", "4 fields"),
        ("0 0 9 * * 1", "6 fields"),  # with seconds
        ("@daily", "1 fields"),
        ("60 9 * * *", "bad minute"),
        ("0 24 * * *", "bad hour"),
        ("0 9 0 * *", "bad day-of-month"),
        ("0 9 * 13 *", "bad month"),
        ("0 9 * * 8", "bad day-of-week"),
        ("0 9 * * Lundi", "bad day-of-week"),
        ("*/0 9 * * *", "bad minute"),
        ("30-10 9 * * *", "bad minute"),
        ("1,,2 9 * * *", "bad minute"),
        ("-1 9 * * *", "bad minute"),
        ("² 9 * * *", "bad minute"),
        ("0 0 30 2 *", "bad day-of-month"),
        ("0 0 31 4,6 *", "bad day-of-month"),
        ("0 0 */31 * MON#5", "there is no such day"),
    ],
)
def test_what_is_no_schedule_is_refused_with_a_sentence(text: str, fault: str) -> None:
    with pytest.raises(ValueError, match="is no cron schedule: ") as refused:
        parse_cron(text)
    assert str(refused.value) == (
        f"{text!r} is no cron schedule: {fault}; write minute, hour, day of month, month and "
        "day of week, such as '0 9 * * MON' for Mondays at nine"
    )


def test_a_schedule_of_any_length_is_refused_without_being_read() -> None:
    longest = ",".join(map(str, range(60))) + " * * * *"
    assert len(longest) < CRON_LENGTH_MAX
    assert parse_cron(longest)
    text = "0," * 1_000_000 + "0 * * * *"
    with pytest.raises(ValueError, match="of 2000009 characters; write at most 255"):
        parse_cron(text)


items = st.text("0123456789*/,-#LWlwMONSUNJAN", min_size=1, max_size=6)


@given(st.text() | st.lists(items | st.text(), min_size=5, max_size=5).map(" ".join))
def test_whatever_is_written_as_cron_is_refused_or_comes(text: str) -> None:
    try:
        cron = parse_cron(text)
    except ValueError:
        return
    assert cron.next_after(shown("2026-10-28T10:00")) is not None


# In one zone


def test_a_daily_schedule_keeps_its_local_clock() -> None:
    cron = parse_cron("0 9 * * *")
    found = series(cron, PARIS, instant("2026-10-24T00:00Z"), instant("2026-10-26T12:00Z"))
    assert found == [
        instant("2026-10-24T07:00Z"),
        instant("2026-10-25T08:00Z"),
        instant("2026-10-26T08:00Z"),
    ]


def test_times_that_a_clock_change_skips_fire_once_at_the_change() -> None:
    """semantics.md 3: local times that a clock change skips move to the first valid instant."""
    cron = parse_cron("*/20 * * * *")
    found = series(cron, PARIS, instant("2026-03-29T00:30Z"), instant("2026-03-29T01:30Z"))
    assert found == [
        instant("2026-03-29T00:40Z"),
        instant("2026-03-29T01:00Z"),
        instant("2026-03-29T01:20Z"),
    ]


def test_times_that_come_twice_fire_the_first_time() -> None:
    """semantics.md 3: doubled local times take the first."""
    cron = parse_cron("*/30 * * * *")
    found = series(cron, PARIS, instant("2026-10-25T00:00Z"), instant("2026-10-25T02:30Z"))
    assert found == [
        instant("2026-10-25T00:30Z"),
        instant("2026-10-25T02:00Z"),  # clocks show three, after two for the second time
        instant("2026-10-25T02:30Z"),
    ]


@given(st.sampled_from(CHANGES), frequent, st.integers(-2 * DAY, DAY))
def test_a_schedule_in_a_zone_comes_where_a_walk_finds_it(
    changed: ClockChange, schedule: Schedule, offset: int
) -> None:
    after, until = changed.at + offset, changed.at + 2 * DAY
    first = min(wall for at, wall in minutes_around(changed))
    last = wall_of(until, changed.zone)
    minutes = (first + MIN * count for count in range((last - first) // MIN + 1))
    expected = {first_minute(changed, wall) for wall in minutes if schedule.has(wall)}
    found = series(parse_cron(schedule.text), changed.zone, after, until)
    assert found == sorted(at for at in expected if after < at <= until)


# In each user's own zone


def test_a_local_schedule_is_walked_when_the_first_clocks_on_earth_show_it() -> None:
    occurrence = occurrence_after(instant("2026-10-27T20:00Z"), parse_cron("0 9 * * *"), None)
    assert occurrence == Occurrence(instant("2026-10-28T19:00Z"), shown("2026-10-29T09:00"))
    assert due_of(occurrence, KIRITIMATI) == occurrence.walk_at
    assert due_of(occurrence, PARIS) == instant("2026-10-29T08:00Z")
    assert due_of(occurrence, PAGO_PAGO) == occurrence.walk_at + 25 * HOUR


@given(frequent, st.integers(instant("2026-01-01T00:00Z"), instant("2030-01-01T00:00Z")))
def test_local_occurrences_are_the_wall_times_one_after_the_other(
    schedule: Schedule, after: int
) -> None:
    cron = parse_cron(schedule.text)
    walked = after
    wall = wall_of(after, KIRITIMATI)
    for _ in range(5):
        occurrence = occurrence_after(walked, cron, None)
        wall = cron.next_after(wall)
        assert occurrence is not None
        assert occurrence.walk_at > walked
        assert occurrence.wall == wall
        walked = occurrence.walk_at


@given(st.sampled_from(CHANGES), st.integers(-2 * DAY // MINUTE, 2 * DAY // MINUTE))
def test_no_user_is_due_before_the_walk(changed: ClockChange, minutes: int) -> None:
    wall = changed.before + minutes * MIN
    occurrence = occurrence_after(0, wall, None)
    assert occurrence is not None
    assert due_of(occurrence, changed.zone) == first_minute(changed, wall) >= occurrence.walk_at


# Once


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-01T10:00", "2026-11-01T09:00Z"),
        ("2026-03-29T02:30", "2026-03-29T01:00Z"),
        ("2026-10-25T02:30", "2026-10-25T00:30Z"),
        ("2026-11-01T10:00Z", "2026-11-01T10:00Z"),
        ("2026-11-01T10:00-05:00", "2026-11-01T15:00Z"),
    ],
)
def test_a_schedule_of_one_moment_comes_once(text: str, expected: str) -> None:
    at, moment = instant(expected), parse_bound(text)
    assert occurrence_after(at - 1, moment, PARIS) == Occurrence(at)
    assert occurrence_after(at, moment, PARIS) is None


def test_a_local_moment_comes_once_for_everybody_at_their_own_time() -> None:
    moment = shown("2026-10-29T09:00")
    occurrence = occurrence_after(0, moment, None)
    assert occurrence == Occurrence(instant("2026-10-28T19:00Z"), moment)
    assert occurrence_after(occurrence.walk_at, moment, None) is None
    assert due_of(occurrence, PARIS) == instant("2026-10-29T08:00Z")


def test_a_moment_with_an_offset_is_local_to_nobody() -> None:
    moment = parse_bound("2026-10-29T09:00Z")
    occurrence = occurrence_after(0, moment, None)
    assert occurrence == Occurrence(from_datetime(moment))
    assert due_of(occurrence, PARIS) == due_of(occurrence, KIRITIMATI) == from_datetime(moment)
