"""The small words of explanations: who, when, how long, which campaign, which value."""

import json
from copy import copy
from datetime import datetime
from typing import Any, Final

from segue.engine.local_time import shown_wall, zone_of
from segue.engine.plan import Plan
from segue.model.instants import (
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    from_datetime,
    parse_duration,
)

_UNITS: Final = ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute"), (SECOND, "second"))
_MILLISECOND: Final = 1_000
_VALUE_LENGTH_MAX: Final = 60  # enough to know a value again; the facts have it whole
_LIST_LENGTH_MAX: Final = 8
_WORDS_FOR_CHANNELS: Final = {
    "email": "email",
    "push": "push",
    "sms": "SMS",
    "webhook": "webhook",
    "in_app_message": "in-app message",
    "content_card": "content card",
}


class Words:
    """Says things about one user, in one time zone, among the campaigns of one plan."""

    def __init__(
        self,
        user: str,
        plan: Plan,
        now: int,
        names: dict[str, str] | None = None,
        time_zone: str | None = None,
    ) -> None:
        self.user = user
        self._zone = zone_of(time_zone, plan.workspace.time_zone)
        self.time_zone = self._zone.key
        self._year = shown_wall(now, self._zone).year
        self._names = {
            **{slug: one.newest.document.name for slug, one in plan.campaigns.items()},
            **(names or {}),
        }

    def about(self, user: str) -> "Words":
        """Return words of the same kind about another user."""
        words = copy(self)
        words.user = user
        return words

    def at(self, moment: datetime | int) -> str:
        """Return an instant as "3 Nov 10:00", with seconds and year where they tell something."""
        instant = moment if isinstance(moment, int) else from_datetime(moment)
        wall = shown_wall(instant, self._zone)
        year = "" if wall.year == self._year else f" {wall.year}"
        seconds = f":{wall.second:02}" if wall.second else ""
        return f"{wall.day} {wall:%b}{year} {wall:%H:%M}{seconds}"

    def campaign(self, slug: str | None) -> str:
        """Return a campaign's name in quotes; its slug where the name is not known."""
        return f"“{self._names.get(slug or '', slug)}”"

    def value(self, found: Any) -> str:
        """Return a value of an event, a profile or a document; long ones are cut."""
        match found:
            case None:
                return "nothing"
            case datetime():
                return self.at(found)
            case float() if found.is_integer():
                return str(int(found))
            case list():
                shown = [self.value(one) for one in found[:_LIST_LENGTH_MAX]]
                return ", ".join(shown + ["…"] * (len(found) > _LIST_LENGTH_MAX)) or "an empty list"
        text = json.dumps(found, ensure_ascii=False, default=str)
        if len(text) <= _VALUE_LENGTH_MAX:
            return text
        return text[: _VALUE_LENGTH_MAX - 1] + "…" + ('"' if isinstance(found, str) else "")

    def sentence(self, clause: str) -> str:
        """Return a clause as a sentence; a user's id keeps its spelling, also at the beginning."""
        if not clause.startswith(self.user):
            clause = clause[:1].upper() + clause[1:]
        return clause if clause.endswith((".", "?", "!")) else f"{clause}."


def channel_word(channel: str) -> str:
    """Return what people call a channel."""
    return _WORDS_FOR_CHANNELS.get(channel, channel)


def between(one: datetime, other: datetime) -> str:
    """Return how long it is from one instant to another, in the two largest units."""
    return span(abs(from_datetime(one) - from_datetime(other)))


def span(duration: int) -> str:
    """Return a duration in words, in the two largest units."""
    if duration < SECOND:
        return counted(duration // _MILLISECOND, "millisecond")
    parts = []
    for unit, name in _UNITS:
        count, duration = divmod(duration, unit)
        if count:
            parts.append(counted(count, name))
        elif parts:
            break  # "3 days 20 seconds" is no better than "3 days"
    return " ".join(parts[:2])


def lasting(text: str) -> str:
    """Return a duration of a document, such as "7d", in words."""
    return span(parse_duration(text)) if parse_duration(text) else "no time"


def counted(count: int, noun: str) -> str:
    """Return "1 day", "2 days"."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def times(count: int) -> str:
    """Return "never", "once", "twice", "3 times"."""
    return {0: "never", 1: "once", 2: "twice"}.get(count, f"{count} times")
