"""The hours and days that numbers are shown by, in every kind of zone."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.engine.local_time import wall_of, zone_of
from segue.model.instants import DAY, FOREVER, HOUR, format_instant, parse_instant
from segue.model.limits import STATS_SPANS_MAX
from segue.model.problems import InvalidError
from segue.services.spans import By, Period, newest_bounds, read_period

NOW = parse_instant("2026-11-03T10:20:00Z")


def bounds(first: str, last: str, by: By = "day", zone: str = "UTC", now: int = NOW) -> list[str]:
    period = read_period(first, last, by, zone)
    return [format_instant(bound) for bound in newest_bounds(period, now)]


def test_hours_reach_from_one_instant_to_another() -> None:
    assert bounds("2026-11-03T07:00Z", "2026-11-03T09:00Z", "hour") == [
        "2026-11-03T07:00:00Z",
        "2026-11-03T08:00:00Z",
        "2026-11-03T09:00:00Z",
    ]


def test_spans_end_with_the_hour_that_is_under_way() -> None:
    assert bounds("2026-11-03T09:30Z", "2026-12-01", "hour") == [
        "2026-11-03T09:30:00Z",
        "2026-11-03T10:00:00Z",
        "2026-11-03T11:00:00Z",
    ]
    assert bounds("2026-11-04", "2026-12-01") == []
    assert newest_bounds(Period(to_at=-DAY), NOW) == []


def test_days_begin_at_the_local_midnight_also_when_clocks_change() -> None:
    assert bounds("2026-10-24", "2026-10-27", zone="Europe/Paris") == [
        "2026-10-23T22:00:00Z",
        "2026-10-24T22:00:00Z",
        "2026-10-25T23:00:00Z",
        "2026-10-26T23:00:00Z",
    ]


def test_days_of_a_zone_may_begin_at_half_past_or_at_a_quarter_to() -> None:
    assert bounds("2026-11-01", "2026-11-02", zone="Asia/Kolkata") == [
        "2026-10-31T18:30:00Z",
        "2026-11-01T18:30:00Z",
    ]
    assert bounds("2026-11-01", "2026-11-02", zone="Asia/Kathmandu")[0] == "2026-10-31T18:15:00Z"


def test_a_day_that_never_was_is_an_empty_span() -> None:
    """Samoa went from the 29th to the 31st of December 2011."""
    now = parse_instant("2012-06-01T00:00:00Z")
    found = bounds("2011-12-29", "2012-01-01", zone="Pacific/Apia", now=now)
    assert found == [
        "2011-12-29T10:00:00Z",
        "2011-12-30T10:00:00Z",
        "2011-12-30T10:00:00Z",
        "2011-12-31T10:00:00Z",
    ]


@given(
    st.sampled_from(
        ["UTC", "Europe/Paris", "Australia/Lord_Howe", "America/St_Johns", "Etc/GMT-14"]
    ),
    st.sampled_from(["hour", "day"]),
    st.integers(0, NOW),
    st.integers(1, NOW),
)
def test_spans_are_in_order_and_whole_and_no_more_than_the_limit(
    zone: str, by: By, from_at: int, length: int
) -> None:
    period = Period(zone, from_at, from_at + length, by)
    found = newest_bounds(period, NOW)
    assert found == sorted(found)
    assert len(found) <= STATS_SPANS_MAX + 1
    assert found[0] >= from_at
    assert found[-1] == min(period.to_at, NOW - NOW % HOUR + HOUR)
    if len(found) <= STATS_SPANS_MAX:
        assert found[0] == from_at
    longest = HOUR if by == "hour" else 25 * HOUR
    for begin, end in pairwise(found):
        assert end - begin <= longest
        if by == "day" and begin != from_at:
            assert wall_of(begin, zone_of(zone, "UTC")).hour == 0


def test_all_there_is_ends_with_today_and_has_as_many_days_as_are_shown() -> None:
    found = newest_bounds(Period(), NOW)
    assert len(found) == STATS_SPANS_MAX + 1
    assert found[-1] == parse_instant("2026-11-03T11:00:00Z")
    assert found[0] == parse_instant("2026-11-03T00:00:00Z") - (STATS_SPANS_MAX - 1) * DAY


def test_a_time_without_an_offset_is_one_of_the_zone() -> None:
    period = read_period("2026-11-01", "2026-11-01T12:00:00+02:00", "day", "America/New_York")
    assert period.from_at == parse_instant("2026-11-01T04:00:00Z")
    assert period.to_at == parse_instant("2026-11-01T10:00:00Z")
    assert read_period(None, None, "hour", "UTC") == Period(by="hour")
    assert read_period("1960-01-01", None, "day", "UTC") == Period(to_at=FOREVER)
    beyond = "9999-12-31T23:59:59-12:00"
    assert format_instant(read_period(beyond, None, "day", "UTC").from_at).startswith("9999-12-31")


@pytest.mark.parametrize(
    ("asked", "path", "message"),
    [
        (("soon", None, "day", "UTC"), "from", "'soon' is no moment; write it as"),
        ((None, "2026-13-01", "day", "UTC"), "to", "'2026-13-01' is no moment"),
        (("2026-11-02", "2026-11-02", "day", "UTC"), "to", "'2026-11-02' is not after"),
        ((None, None, "day", "Paris"), "time_zone", "'Paris' is no time zone; write it as"),
    ],
)
def test_a_period_that_cannot_be_read_is_refused_with_what_was_written(
    asked: tuple[str | None, str | None, By, str], path: str, message: str
) -> None:
    with pytest.raises(InvalidError) as refused:
        read_period(*asked)
    [problem] = refused.value.problems
    assert problem.path == path
    assert problem.message.startswith(message)
