"""A schedule as people say it: once, every day, on weekdays, or on a day of the month."""

import re
from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

from segue.web.dashboard.composer.moments import moment_of, whose_of
from segue.web.dashboard.form_fields import Fields, Tree

HOW_WORDS: Final = (
    ("once", "once"),
    ("daily", "every day"),
    ("weekly", "every week, on certain days"),
    ("monthly", "every month, on a day"),
    ("cron", "by a cron expression"),
)
DAY_WORDS: Final = (
    ("1", "Monday"),
    ("2", "Tuesday"),
    ("3", "Wednesday"),
    ("4", "Thursday"),
    ("5", "Friday"),
    ("6", "Saturday"),
    ("0", "Sunday"),
)
_NAMES: Final = {"sun": "0", "mon": "1", "tue": "2", "wed": "3", "thu": "4", "fri": "5", "sat": "6"}
_PLAIN: Final = re.compile(r"(\d{1,2}) (\d{1,2}) (\*|\d{1,2}|[lL]) \* (\*|[\w,]+)")
_CLOCK: Final = re.compile(r"(\d{1,2}):(\d\d)")


class Rhythm(Struct, frozen=True):
    """How a schedule comes again, as the form asks for it."""

    how: str = "once"
    time: str = "09:00"
    days: tuple[str, ...] = ()
    day: str = "1"
    cron: str = ""


def rhythm_of(schedule: Mapping[str, Any]) -> Rhythm:
    """Return how a schedule comes; what people do not say so stays a cron expression."""
    cron = schedule.get("cron")
    if not isinstance(cron, str):
        return Rhythm()
    found = _PLAIN.fullmatch(cron.strip())
    if found is None or int(found[1]) > 59 or int(found[2]) > 23:  # noqa: PLR2004 - of a clock
        return Rhythm("cron", cron=cron)
    time = f"{int(found[2]):02}:{int(found[1]):02}"
    days = [_NAMES.get(one.lower(), one.replace("7", "0")) for one in found[4].split(",")]
    match found[3], found[4]:
        case "*", "*":
            return Rhythm("daily", time, cron=cron)
        case "*", _ if set(days) <= set(_NAMES.values()):
            return Rhythm("weekly", time, tuple(sorted(set(days))), cron=cron)
        case day, "*":
            return Rhythm("monthly", time, day=day.upper(), cron=cron)
        case _:
            return Rhythm("cron", cron=cron)


def cron_of(rhythm: Rhythm) -> str:
    """Return the cron expression of a rhythm; of a time that is none, the expression it had."""
    found = _CLOCK.fullmatch(rhythm.time)
    if rhythm.how == "cron" or found is None:
        return rhythm.cron
    clock = f"{int(found[2])} {int(found[1])}"
    match rhythm.how:
        case "weekly":
            return f"{clock} * * {','.join(rhythm.days) or '1'}"
        case "monthly":
            return f"{clock} {rhythm.day or '1'} * *"
        case _:
            return f"{clock} * * *"


def read_schedule(fields: Fields, old: Any) -> Tree:
    """Return the schedule that a form says, in the words it had where it says the same."""
    before: Mapping[str, Any] = old if isinstance(old, dict) else {}
    earlier = rhythm_of(before)
    how = fields.text("how") or earlier.how
    whose = fields.text("whose") or whose_of(
        [before.get("at")], is_local=bool(before.get("local")), has_zone="time_zone" in before
    )
    read: Tree = {}
    if how == "once":
        read["at"] = moment_of(fields.text("at"), before.get("at"), whose)
    else:
        rhythm = Rhythm(
            how,
            fields.text("time") or earlier.time,
            tuple(sorted(set(fields.all("days")))),
            fields.text("day") or earlier.day,
            fields.text("cron") if fields.has("cron") else before.get("cron") or cron_of(earlier),
        )
        is_same = bool(before.get("cron")) and cron_of(rhythm) == cron_of(earlier)
        read["cron"] = before["cron"] if is_same else cron_of(rhythm)
    if whose == "zone":
        read["time_zone"] = fields.text("time_zone") or before.get("time_zone", "")
    if whose == "user":
        read["local"] = True
    return read
