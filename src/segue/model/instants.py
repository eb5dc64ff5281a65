"""Instants and durations: whole microseconds, UTC; and their text forms."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

SECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
WEEK: Final = 7 * DAY
FOREVER: Final = 1 << 62  # later than anything that happens

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_UNITS: Final = {"s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY, "w": WEEK}
DURATION_PATTERN: Final = r"^(\d+[smhdw])+$"
_DURATION_PART: Final = re.compile(r"(\d+)([smhdw])")


def from_datetime(moment: datetime) -> int:
    """Return the instant of `moment`; one without an offset is read as UTC."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // _MICROSECOND


def to_datetime(instant: int) -> datetime:
    """Return `instant` as an aware datetime in UTC; beyond the calendar, its first or last one."""
    return _EPOCH + timedelta(microseconds=min(max(instant, _FIRST), _LAST))


# What the calendar holds: local time, a day and more away from UTC, can still lie beyond.
_FIRST: Final = from_datetime(datetime.min.replace(tzinfo=UTC))
_LAST: Final = from_datetime(datetime.max.replace(tzinfo=UTC))


def parse_instant(text: str) -> int:
    """Read an RFC 3339 instant.

    Raises:
        ValueError: `text` is not one; the message shows it.
    """
    try:
        return from_datetime(datetime.fromisoformat(text))
    except ValueError:
        message = f"{text!r} is no instant; write it as 2026-11-01T10:00:00Z"
        raise ValueError(message) from None


def format_instant(instant: int) -> str:
    """Return `instant` in RFC 3339 with a Z, microseconds only where there are any."""
    return to_datetime(instant).isoformat().replace("+00:00", "Z")


def parse_duration(text: str) -> int:
    """Read a duration such as "7d", "90m" or "1h30m" into microseconds.

    Raises:
        ValueError: `text` is not one; the message shows it.
    """
    if not re.fullmatch(DURATION_PATTERN, text):
        message = (
            f"{text!r} is no duration; write a number and a unit, such as 90s, 45m, 3h, 7d or 2w"
        )
        raise ValueError(message)
    return sum(int(number) * _UNITS[unit] for number, unit in _DURATION_PART.findall(text))


def format_duration(duration: int) -> str:
    """Return a duration in its largest whole units, such as "1h30m"."""
    parts: list[str] = []
    rest = duration
    for unit in ("w", "d", "h", "m", "s"):
        count, rest = divmod(rest, _UNITS[unit])
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"
