"""What templates say things with: instants, numbers, names of browsers."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from jinja2 import Environment

from segue.model.instants import (
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    format_instant,
    from_datetime,
    to_datetime,
)

_UNITS: Final = ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute"))
_BROWSERS: Final = (("Edg/", "Edge"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"))
_SYSTEMS: Final = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)
_TIME: Final = """{% macro tag(whole, short) -%}
<time datetime="{{ whole }}" title="{{ whole }}">{{ short }}</time>
{%- endmacro %}"""
_templates: Any = Environment(autoescape=True).from_string(_TIME).module
_time_tag: Callable[[str, str], str] = _templates.tag  # gives markup, which is not escaped again


def with_capital(text: str) -> str:
    """Return a text as a sentence begins."""
    return text[:1].upper() + text[1:]


def time_tag(instant: int | None) -> str:
    """Return an instant as `<time>`: short to read, whole in the machine's form and the title."""
    if instant is None:
        return "never"
    moment = to_datetime(instant)
    whole = iso(instant)
    short = f"{moment.day} {moment:%b %Y, %H:%M} UTC"
    return _time_tag(whole, short)


def moment_tag(moment: datetime) -> str:
    """Return an instant as `time_tag` does."""
    return time_tag(from_datetime(moment))


def day_tag(instant: int) -> str:
    """Return a day in UTC as `<time>`."""
    moment = to_datetime(instant)
    return _time_tag(f"{moment:%Y-%m-%d}", f"{moment.day} {moment:%B}")


def iso(instant: int) -> str:
    """Return an instant in the machine's form, to the second."""
    return format_instant(instant - instant % SECOND)


def ago(instant: int, now: int) -> str:
    """Return how long ago an instant was, as `<time>` with the whole of it in the title."""
    whole = iso(instant)
    return _time_tag(whole, _distance(now - instant))


def _distance(span: int) -> str:
    for unit, word in _UNITS:
        if span >= unit:
            return f"{counted(span // unit, word)} ago"
    return "just now"


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """Return a number with its noun, such as "1 account" or "2,000 accounts"."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def browser_name(agent: str) -> str:
    """Return what a browser's name for itself comes to, such as "Firefox on Linux"."""
    browser = next((name for mark, name in _BROWSERS if mark in agent), None)
    if browser is None and re.search(r"Version/.*Safari/", agent):
        browser = "Safari"
    system = next((name for mark, name in _SYSTEMS if mark in agent), None)
    if browser is None:
        return agent[:40] or "a browser that does not say which"
    return f"{browser} on {system}" if system else browser
