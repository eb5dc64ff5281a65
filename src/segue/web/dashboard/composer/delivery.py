"""Step 2, Delivery: what starts it, how long it waits, what ends the wait, when nothing is sent."""

from typing import Any, Final
from zoneinfo import available_timezones

from segue.services.application import Application
from segue.services.compositions import Composition
from segue.web.dashboard.composer.drawing import drawing_of
from segue.web.dashboard.composer.happenings import (
    HAPPENING_KINDS,
    KIND_WORDS,
    TRIGGER_KINDS,
    new_interaction,
    read_happenings,
)
from segue.web.dashboard.composer.moments import is_picked, moment_of, shown_moment, whose_of
from segue.web.dashboard.composer.schedules import DAY_WORDS, HOW_WORDS, read_schedule, rhythm_of
from segue.web.dashboard.composer.step import Step
from segue.web.dashboard.document_values import loose, read_duration
from segue.web.dashboard.form_fields import Fields, Tree, lookup, put
from segue.web.dashboard.pages import PageRequest

_TYPES: Final = (
    ("action", "When a user does something", "or leaves it: an event, a purchase, an interaction"),
    ("scheduled", "At a time", "once, or again and again"),
    ("api", "When a program asks for it", "by POST /api/v1/campaigns/{id}/send"),
)
_WEEKDAYS: Final = tuple(day.lower() for _, day in DAY_WORDS)


def _read(fields: Fields, tree: Tree) -> None:
    sent = fields.at("delivery")
    earlier = tree.get("delivery")
    old: Tree = earlier if isinstance(earlier, dict) else {}
    delivery = dict(old)
    kind = sent.text("type") or old.get("type", "action")
    delivery["type"] = kind
    was_shown = old.get("type", "action")
    put(delivery, "triggers", read_happenings(sent, "triggers", old.get("triggers")) or None)
    if kind != "action":
        delivery.pop("triggers", None)
    elif "triggers" in old:
        delivery.setdefault("triggers", [])
    delivery.pop("schedule", None)
    if kind == "scheduled":
        delivery["schedule"] = read_schedule(sent.at("schedule"), old.get("schedule"))
        for name in ("delay", "exceptions"):
            delivery.pop(name, None)
    elif was_shown != "scheduled":
        put(delivery, "delay", _read_delay(sent, old.get("delay")))
        exceptions = read_happenings(sent, "exceptions", old.get("exceptions"))
        put(delivery, "exceptions", exceptions or None)
    put(delivery, "window", _read_window(sent.at("window"), old.get("window")))
    put(delivery, "time_of_day", _read_hours(sent.at("time_of_day"), old.get("time_of_day")))
    put(delivery, "quiet_hours", _read_quiet(sent.at("quiet_hours"), old.get("quiet_hours")))
    tree["delivery"] = delivery


def _read_delay(sent: Fields, old: Any) -> Any:
    """Return the delay: none, or one of its three forms."""
    fields = sent.at("delay")
    earlier = old if isinstance(old, dict) else {}
    kind = fields.text("kind") or delay_kind(old)
    match kind:
        case "after":
            return {"after": read_duration(fields, "after") if fields.has("after") else "1d"}
        case "on_next":
            day = fields.text("on_next") or earlier.get("on_next", "monday")
            return {"on_next": day, "at": fields.text("at") or earlier.get("at", "09:00")}
        case "in_days":
            days = fields.number("in_days") if fields.has("in_days") else 1
            at = fields.text("at") or earlier.get("at", "09:00")
            return {"in_days": days if days is not None else "", "at": at}
        case _:
            return old if old == "immediately" else None


def delay_kind(delay: Any) -> str:
    """Return which form a delay has."""
    found = delay if isinstance(delay, dict) else {}
    return next((one for one in ("after", "on_next", "in_days") if one in found), "immediately")


def _read_window(fields: Fields, old: Any) -> Any:
    before = old if isinstance(old, dict) else {}
    whose = fields.text("whose")
    read: Tree = {}
    for name in ("start", "end"):
        put(read, name, moment_of(fields.text(name), before.get(name), whose))
    if not read:
        return None
    if whose == "user":
        read["local"] = True
    return read


def _read_hours(fields: Fields, old: Any) -> Any:
    """Return hours of the day, if any was said."""
    read: Tree = {}
    for name in ("from", "to"):
        put(read, name, fields.text(name))
    return _with_otherwise(read, fields, old, "skip") if read else None


def _read_quiet(fields: Fields, old: Any) -> Any:
    match fields.text("kind"):
        case "ignore":
            return "ignore"
        case "own":
            before = old if isinstance(old, dict) else {"from": "21:00", "to": "09:00"}
            read = {name: fields.text(name) or before.get(name, "") for name in ("from", "to")}
            return _with_otherwise(read, fields, old, "next_available")
        case _:
            return old if old == "respect" else None


def _with_otherwise(read: Tree, fields: Fields, old: Any, default: str) -> Tree:
    chosen = fields.text("otherwise") or default
    if chosen != default or (isinstance(old, dict) and "otherwise" in old):
        read["otherwise"] = chosen
    return read


def _context(
    _request: PageRequest, application: Application, composition: Composition
) -> dict[str, Any]:
    tree = composition.tree
    schedule = loose(lookup(tree, "delivery.schedule") or {})
    window = loose(lookup(tree, "delivery.window") or {})
    quiet = lookup(tree, "delivery.quiet_hours")
    return {
        "types": _TYPES,
        "choices": application.compositions.choices(composition),
        "trigger_kinds": [(one, KIND_WORDS[one]) for one in TRIGGER_KINDS],
        "exception_kinds": [(one, KIND_WORDS[one]) for one in HAPPENING_KINDS],
        "rhythm": rhythm_of(schedule),
        "rhythms": HOW_WORDS,
        "days": DAY_WORDS,
        "weekdays": [(one, one.capitalize()) for one in _WEEKDAYS],
        "schedule": schedule,
        "schedule_whose": whose_of(
            [schedule.get("at")],
            is_local=bool(schedule.get("local")),
            has_zone="time_zone" in schedule,
        ),
        "zones": sorted(available_timezones()),
        "workspace": application.workspace.get(),
        "delay_kind": delay_kind(lookup(tree, "delivery.delay")),
        "window": window,
        "window_whose": whose_of(
            [window.get("start"), window.get("end")], is_local=bool(window.get("local"))
        ),
        "is_picked": is_picked,
        "shown_moment": shown_moment,
        "quiet_kind": "own" if isinstance(quiet, dict) else quiet or "respect",
        "drawing": drawing_of(application.compositions.stages(composition)),
    }


def _new_member(_place: str) -> Tree:
    return new_interaction()


STEP = Step(
    "delivery",
    "Delivery",
    ("delivery",),
    "composer/delivery.html",
    _context,
    _read,
    _new_member,
)
