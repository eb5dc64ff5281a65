"""Zones, local clock times, hours and windows, held against a walk over every minute."""

import os
import subprocess
import sys
import zoneinfo
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.support.clock_changes import (
    CHANGES,
    DOUBLINGS,
    GAPS,
    ClockChange,
    first_minute,
    minutes_around,
    wall_at,
)

from segue.engine.local_time import (
    Hours,
    at_local,
    bound_instant,
    from_local,
    in_days,
    is_within_hours,
    is_zone,
    next_allowed,
    next_outside_hours,
    next_weekday,
    next_within_hours,
    parse_bound,
    parse_clock,
    start_of_days,
    wall_of,
    zone_of,
)
from segue.model.instants import DAY, HOUR, MINUTE, SECOND, from_datetime, parse_instant
from segue.model.limits import HOURS_SEARCH

pytestmark = pytest.mark.slow

DAY_MINUTES = 24 * 60
MONDAY, TUESDAY, WEDNESDAY, SUNDAY = 0, 1, 2, 6
PARIS = ZoneInfo("Europe/Paris")
APIA = ZoneInfo("Pacific/Apia")
ZONE_NAMES = sorted(zoneinfo.available_timezones())
NINE = parse_clock("09:00")

changes = st.sampled_from(CHANGES)
# Half of what is drawn lies where the clocks change: in the night, and within hours of it.
clocks = st.integers(0, DAY_MINUTES - 1) | st.sampled_from(range(0, 4 * 60, 15))
hours = st.builds(Hours, clocks, clocks)
around_a_change = st.integers(-2 * DAY, 2 * DAY) | st.integers(-3 * HOUR, 3 * HOUR)


def instant(text: str) -> int:
    return parse_instant(text)


def shown(text: str) -> datetime:
    """Return a wall time."""
    return datetime.fromisoformat(text)


def on(day: date, clock: int) -> datetime:
    """Return the wall time of a clock on a day."""
    return datetime.combine(day, time(clock // 60, clock % 60))


walls = st.datetimes(shown("1970-01-03"), shown("2100-01-01"))


def paris(text: str) -> int:
    """Return the instant of a wall time in Paris that comes once."""
    return from_datetime(shown(text).replace(tzinfo=PARIS))


# Zones


@pytest.mark.parametrize("name", ["Europe/Paris", "America/Argentina/Ushuaia", "UTC", "Etc/GMT+5"])
def test_the_zone_a_profile_names_is_the_users(name: str) -> None:
    assert is_zone(name)
    assert zone_of(name, "Asia/Tokyo").key == name


HOSTILE = [
    None,
    "",
    " ",
    "Paris",
    "europe/paris/",
    "Europe",  # a folder
    "Europe/Paris\0",
    "\0",
    "/etc/passwd",
    "../../etc/passwd",
    "Europe/../../../etc/passwd",
    "__init__.py",
    "zone.tab",
    "tzdata.zi",
    "..",
    ".",
    "os.path/join",
    "C:\\Windows",
    "Europe/Par\ud800is",
    "Zürich",
    "A" * 300,
    "A" * 1_000_000,
    "A/" * 30,
    7,
    1.5,
    True,
    b"Europe/Paris",
    ["Europe/Paris"],
    {"zone": "Europe/Paris"},
    datetime(2026, 1, 1, tzinfo=UTC),
]


@pytest.mark.parametrize("name", HOSTILE, ids=lambda name: repr(name)[:30])
def test_what_is_no_zone_gives_the_workspaces(name: Any) -> None:
    for _ in range(2):  # the second time from memory
        assert not is_zone(name)
        assert zone_of(name, "Asia/Tokyo").key == "Asia/Tokyo"


@given(st.text() | st.text("./\\-_+:abEurope \0\n\ud800", max_size=70))
def test_whatever_a_profile_holds_there_is_a_zone(name: str) -> None:
    assert zone_of(name, "Asia/Tokyo").key in {"Asia/Tokyo", name}


def test_a_workspace_without_a_zone_is_a_mistake_that_is_told() -> None:
    with pytest.raises(ValueError, match="'Mars/Base' is no time zone; write it as Europe/Paris"):
        zone_of(None, "Mars/Base")


def test_zones_do_not_depend_on_the_machine() -> None:
    code = "import segue.engine.local_time, zoneinfo; print(zoneinfo.TZPATH)"
    environment = {**os.environ, "PYTHONTZPATH": os.sep}
    found = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert found.stdout == "()\n"


# Clocks and wall times


@given(clocks)
def test_a_clock_is_read_as_minutes_after_midnight(clock: int) -> None:
    assert parse_clock(f"{clock // 60:02}:{clock % 60:02}") == clock


@pytest.mark.parametrize(
    "text", ["", "9:00", "09:0", "24:00", "12:60", "09:00:00", "09:00\n", "9 am", "٠٩:٠٠", "-1:00"]
)
def test_what_is_no_clock_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match="is no time of day; write it as 09:30") as refused:
        parse_clock(text)
    assert repr(text) in str(refused.value)


@pytest.mark.parametrize("changed", CHANGES, ids=str)
def test_the_table_of_clock_changes_is_true(changed: ClockChange) -> None:
    assert wall_at(changed.at, changed.zone) == changed.after
    just_before = changed.before - timedelta(microseconds=1)
    assert wall_at(changed.at - 1, changed.zone) == just_before


@pytest.mark.parametrize("changed", GAPS, ids=str)
def test_a_skipped_wall_time_moves_to_the_change(changed: ClockChange) -> None:
    """semantics.md 3: local times that a clock change skips move to the first valid instant."""
    middle = changed.before + (changed.after - changed.before) / 2
    last = changed.after - timedelta(microseconds=1)
    for wall in (changed.before, middle, last, changed.after):
        assert from_local(wall, changed.zone) == changed.at
    just_before = changed.before - timedelta(microseconds=1)
    assert from_local(just_before, changed.zone) == changed.at - 1


@pytest.mark.parametrize("changed", DOUBLINGS, ids=str)
def test_a_doubled_wall_time_is_the_first(changed: ClockChange) -> None:
    """semantics.md 3: doubled local times take the first."""
    length = (changed.before - changed.after) // timedelta(microseconds=1)
    assert from_local(changed.after, changed.zone) == changed.at - length
    assert from_local(changed.after.replace(fold=1), changed.zone) == changed.at - length
    assert from_local(changed.before, changed.zone) == changed.at + length
    last = changed.before - timedelta(microseconds=1)
    assert from_local(last, changed.zone) == changed.at - 1


@given(changes, around_a_change.map(lambda off: off // MINUTE))
def test_a_wall_time_is_the_first_minute_that_has_reached_it(
    changed: ClockChange, minutes: int
) -> None:
    wall = changed.before + timedelta(minutes=minutes)
    assert from_local(wall, changed.zone) == first_minute(changed, wall)


@given(st.sampled_from(ZONE_NAMES), walls)
def test_in_every_zone_a_wall_time_is_the_first_instant_that_has_reached_it(
    name: str, wall: datetime
) -> None:
    zone = ZoneInfo(name)
    at = from_local(wall, zone)
    assert wall_at(at, zone) >= wall
    earlier = [at - 1, *(at - minutes * MINUTE for minutes in range(15, 26 * 60, 15))]
    assert all(wall_at(moment, zone) < wall for moment in earlier)


@given(changes, around_a_change)
def test_the_wall_time_of_an_instant_leads_back_to_it_or_to_its_first_coming(
    changed: ClockChange, offset: int
) -> None:
    at = changed.at + offset
    back = from_local(wall_of(at, changed.zone), changed.zone)
    assert back <= at
    assert wall_at(back, changed.zone) == wall_of(at, changed.zone) == wall_at(at, changed.zone)


def test_a_moment_with_an_offset_is_the_same_in_every_zone() -> None:
    moment = datetime(2026, 3, 29, 2, 30, tzinfo=timezone(timedelta(hours=-5)))
    assert from_local(moment, PARIS) == from_local(moment, APIA) == instant("2026-03-29T07:30Z")


@pytest.mark.parametrize(
    ("name", "clock", "expected"),
    [
        ("Europe/Paris", "09:00", "2026-03-29T07:00Z"),
        ("Europe/Paris", "02:30", "2026-03-29T01:00Z"),
        ("Asia/Beirut", "00:00", "2026-03-28T22:00Z"),
        ("Asia/Kolkata", "23:59", "2026-03-29T18:29Z"),
    ],
)
def test_a_clock_on_a_day_is_an_instant(name: str, clock: str, expected: str) -> None:
    at = at_local(date(2026, 3, 29), parse_clock(clock), ZoneInfo(name))
    assert at == instant(expected)


# Delays


@pytest.mark.parametrize(
    ("weekday", "expected"),
    [
        (MONDAY, "2026-11-02T09:00"),
        (TUESDAY, "2026-11-03T09:00"),
        (WEDNESDAY, "2026-11-04T09:00"),
        (SUNDAY, "2026-11-01T09:00"),
    ],
)
@pytest.mark.parametrize("hour", ["00:00", "08:59", "09:00", "23:59"])
def test_the_next_weekday_is_never_today(weekday: int, expected: str, hour: str) -> None:
    """semantics.md 3: strictly next, the same weekday is a week away, whatever the hour."""
    at = paris(f"2026-10-28T{hour}")  # a Wednesday
    assert next_weekday(at, weekday, NINE, PARIS) == paris(expected)


def test_the_day_that_counts_for_a_weekday_is_the_users() -> None:
    at = instant("2026-10-27T23:30Z")  # Wednesday in Paris, Tuesday in New York
    assert next_weekday(at, WEDNESDAY, NINE, PARIS) == instant("2026-11-04T08:00Z")
    new_york = ZoneInfo("America/New_York")
    assert next_weekday(at, WEDNESDAY, NINE, new_york) == instant("2026-10-28T13:00Z")


@given(changes, around_a_change, st.integers(0, 6), clocks)
def test_the_next_weekday_agrees_with_a_calendar(
    changed: ClockChange, offset: int, weekday: int, clock: int
) -> None:
    at = changed.at + offset
    day = wall_at(at, changed.zone).date() + timedelta(1)
    while day.weekday() != weekday:
        day += timedelta(1)
    assert next_weekday(at, weekday, clock, changed.zone) == first_minute(changed, on(day, clock))


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (0, "2026-10-24T09:00"),  # it was past ten: the caller sends now
        (1, "2026-10-25T09:00"),  # 24 hours later by the calendar, 25 by the clock
        (2, "2026-10-26T09:00"),
        (365, "2027-10-24T09:00"),
    ],
)
def test_calendar_days_keep_the_local_clock(days: int, expected: str) -> None:
    """semantics.md 3: `in_days` calendar days at a local time."""
    assert in_days(paris("2026-10-24T10:15"), days, NINE, PARIS) == paris(expected)


def test_a_calendar_day_that_a_zone_skips_is_the_next() -> None:
    at = from_local(shown("2011-12-29T12:00"), APIA)
    skipped = in_days(at, 1, NINE, APIA)
    assert wall_of(skipped, APIA) == shown("2011-12-31")
    assert wall_of(in_days(at, 2, NINE, APIA), APIA) == shown("2011-12-31T09:00")


@given(changes, around_a_change, st.integers(0, 7), clocks)
def test_calendar_days_agree_with_a_calendar(
    changed: ClockChange, offset: int, days: int, clock: int
) -> None:
    at = changed.at + offset
    day = wall_at(at, changed.zone).date() + timedelta(days)
    assert in_days(at, days, clock, changed.zone) == first_minute(changed, on(day, clock))


@pytest.mark.parametrize("name", ["America/New_York", "Asia/Tokyo", "Pacific/Kiritimati"])
def test_an_event_from_the_beginning_of_time_has_its_delay_long_past(name: str) -> None:
    at = from_datetime(datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))))
    zone = ZoneInfo(name)
    assert next_weekday(at, MONDAY, NINE, zone) < 0
    assert in_days(at, 0, NINE, zone) < in_days(at, 3, NINE, zone) < 0


# Calendar days of frequency caps


@pytest.mark.parametrize(
    ("days", "expected"),
    [(1, "2026-10-28T00:00"), (2, "2026-10-27T00:00"), (7, "2026-10-22T00:00")],
)
@pytest.mark.parametrize("hour", ["00:00", "12:00", "23:59"])
def test_days_of_a_cap_begin_at_local_midnight(days: int, expected: str, hour: str) -> None:
    """semantics.md 3: days and weeks are the user's calendar; today is the first."""
    assert start_of_days(paris(f"2026-10-28T{hour}"), days, PARIS) == paris(expected)


def test_a_day_without_a_midnight_begins_at_the_change() -> None:
    beirut = ZoneInfo("Asia/Beirut")
    at = instant("2026-03-29T12:00Z")
    assert start_of_days(at, 1, beirut) == instant("2026-03-28T22:00Z")
    assert wall_of(start_of_days(at, 1, beirut), beirut) == shown("2026-03-29T01:00")


def test_a_day_with_two_midnights_begins_at_the_first() -> None:
    havana = ZoneInfo("America/Havana")
    assert start_of_days(instant("2025-11-02T05:30Z"), 1, havana) == instant("2025-11-02T04:00Z")


@given(changes, around_a_change)
def test_today_has_begun_and_its_beginning_is_minimal(changed: ClockChange, offset: int) -> None:
    at = changed.at + offset
    today = wall_at(at, changed.zone).date()
    start = start_of_days(at, 1, changed.zone)
    assert start <= at
    assert start == next(t for t, wall in minutes_around(changed) if wall.date() >= today)
    assert start_of_days(at, 2, changed.zone) <= start


# Hours of the day


def test_hours_begin_with_their_first_instant_and_end_before_their_last() -> None:
    day = Hours(parse_clock("09:00"), parse_clock("17:00"))
    for text, expected in [
        ("2026-10-28T08:59:59.999999", False),
        ("2026-10-28T09:00", True),
        ("2026-10-28T16:59:59.999999", True),
        ("2026-10-28T17:00", False),
    ]:
        assert is_within_hours(paris(text), day, PARIS) is expected


def test_hours_may_pass_midnight() -> None:
    night = Hours(parse_clock("22:00"), parse_clock("08:00"))
    for text, expected in [("21:59", False), ("22:00", True), ("00:00", True), ("08:00", False)]:
        assert is_within_hours(paris(f"2026-10-28T{text}"), night, PARIS) is expected
    evening = paris("2026-10-28T23:15")
    assert next_outside_hours(evening, night, PARIS) == paris("2026-10-29T08:00")
    assert next_within_hours(paris("2026-10-28T12:00"), night, PARIS) == paris("2026-10-28T22:00")


@given(changes, around_a_change, clocks)
def test_hours_from_a_clock_to_itself_are_the_whole_day(
    changed: ClockChange, offset: int, clock: int
) -> None:
    at = changed.at + offset
    always = Hours(clock, clock)
    assert next_within_hours(at, always, changed.zone) == at
    assert next_outside_hours(at, always, changed.zone) is None


@pytest.mark.parametrize(
    ("text", "range_", "expected"),
    [
        # 02:00 to 03:00 was skipped: the rest of the hours begins at once, or waits for a day.
        ("2026-03-29T00:30Z", ("02:30", "05:00"), "2026-03-29T01:00Z"),
        ("2026-03-29T00:30Z", ("02:10", "02:40"), "2026-03-30T00:10Z"),
        # 02:00 to 03:00 comes twice, and the hours with it.
        ("2026-10-25T00:45Z", ("02:00", "02:30"), "2026-10-25T01:00Z"),
        ("2026-10-25T00:45Z", ("01:00", "02:15"), "2026-10-25T01:00Z"),
        ("2026-10-25T01:10Z", ("02:30", "05:00"), "2026-10-25T01:30Z"),
    ],
)
def test_hours_follow_the_local_clock_through_a_change(
    text: str, range_: tuple[str, str], expected: str
) -> None:
    hours_ = Hours(parse_clock(range_[0]), parse_clock(range_[1]))
    assert next_within_hours(instant(text), hours_, PARIS) == instant(expected)


def is_shown(wall: datetime, within: Hours) -> bool:
    """Return whether a wall time is in the hours, in other words than the engine's."""
    clock = wall.hour * 60 + wall.minute
    if within.from_clock < within.to_clock:
        return within.from_clock <= clock < within.to_clock
    return clock >= within.from_clock or clock < within.to_clock


def first_that(changed: ClockChange, at: int, holds: Any) -> int | None:
    """Return `at`, or the first minute after it, whose wall time satisfies `holds`."""
    if holds(wall_at(at, changed.zone)):
        return at
    return next((t for t, wall in minutes_around(changed) if t > at and holds(wall)), None)


@given(changes, around_a_change, hours)
def test_the_next_instant_within_hours_is_the_first(
    changed: ClockChange, offset: int, within: Hours
) -> None:
    at = changed.at + offset
    found = next_within_hours(at, within, changed.zone)
    assert found == first_that(changed, at, lambda wall: is_shown(wall, within))
    assert is_within_hours(found, within, changed.zone)


@given(changes, around_a_change, hours)
def test_the_next_instant_outside_hours_is_the_first(
    changed: ClockChange, offset: int, within: Hours
) -> None:
    at = changed.at + offset
    found = next_outside_hours(at, within, changed.zone)
    assert found == first_that(changed, at, lambda wall: not is_shown(wall, within))
    assert found is None or not is_within_hours(found, within, changed.zone)


# Both at once


def test_a_send_waits_for_its_hours_and_for_quiet_to_end() -> None:
    allowed = Hours(parse_clock("06:00"), parse_clock("20:00"))
    quiet = Hours(parse_clock("21:00"), parse_clock("08:00"))
    at = paris("2026-10-28T20:30")
    assert next_allowed(at, PARIS, None, None) == at
    assert next_allowed(at, PARIS, allowed, None) == paris("2026-10-29T06:00")
    assert next_allowed(at, PARIS, None, quiet) == at
    assert next_allowed(at, PARIS, allowed, quiet) == paris("2026-10-29T08:00")


def test_hours_that_are_all_quiet_never_come() -> None:
    allowed = Hours(parse_clock("22:00"), parse_clock("23:00"))
    quiet = Hours(parse_clock("21:00"), parse_clock("08:00"))
    always = Hours(0, 0)
    at = paris("2026-10-28T20:30")
    assert next_allowed(at, PARIS, allowed, quiet) is None
    assert next_allowed(at, PARIS, None, always) is None
    assert next_allowed(at, PARIS, always, None) == at


@given(changes, around_a_change, st.none() | hours, st.none() | hours)
@example(GAPS[0], -HOUR, Hours(120, 180), Hours(180, 181))
@example(DOUBLINGS[0], 30 * MINUTE + SECOND, Hours(60, 150), Hours(120, 165))
def test_the_next_allowed_instant_is_the_first(
    changed: ClockChange, offset: int, allowed: Hours | None, quiet: Hours | None
) -> None:
    at = changed.at + offset
    expected = first_that(
        changed,
        at,
        lambda wall: (
            (allowed is None or is_shown(wall, allowed))
            and (quiet is None or not is_shown(wall, quiet))
        ),
    )
    assert next_allowed(at, changed.zone, allowed, quiet) == expected
    assert expected is None or expected < at + HOURS_SEARCH


# Windows


def test_a_bound_without_an_offset_is_local() -> None:
    """semantics.md 3: the window is optionally local."""
    assert bound_instant("2026-11-01T10:00", PARIS) == instant("2026-11-01T09:00Z")
    assert bound_instant("2026-11-01T10:00", APIA) == instant("2026-10-31T21:00Z")
    assert bound_instant("2026-11-01", PARIS) == instant("2026-10-31T23:00Z")
    assert bound_instant("2026-03-29T02:30:01.5", PARIS) == instant("2026-03-29T01:00Z")


def test_a_bound_with_an_offset_is_absolute() -> None:
    for text in ("2026-11-01T10:00:00Z", "2026-11-01T12:00+02:00"):
        assert bound_instant(text, PARIS) == bound_instant(text, APIA)
        assert bound_instant(text, APIA) == instant("2026-11-01T10:00Z")


@pytest.mark.parametrize("text", ["", "tomorrow", "2026-02-30", "2026-11-01T25:00", "1.11.2026"])
def test_what_is_no_bound_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match="is no moment; write it as 2026-11-01T10:00:00Z") as said:
        parse_bound(text)
    assert repr(text) in str(said.value)


def test_the_ends_of_the_calendar_are_bounds_too() -> None:
    for zone in (PARIS, APIA, ZoneInfo("Pacific/Pago_Pago")):
        assert bound_instant("0001-01-01", zone) < 0 < bound_instant("9999-12-31T23:59:59", zone)
        assert bound_instant("0001-01-01T00:00+14:00", zone) < 0
