"""What a plan looks like on a terminal: one line for each change, then the order."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import yaml
from msgspec import UNSET
from rich.console import Console
from rich.text import Text

from segue.services.differences import Difference
from segue.services.project_changes import Change, place_of
from segue.services.project_plan import ProjectPlan

_VALUE_LENGTH_MAX: Final = 72  # a longer text is shown where it differs
_ONE_LINE: Final = 1 << 20
_CONTEXT_LENGTH: Final = 12  # and so much before and behind
_STYLES: Final = {"+": "green", "~": "yellow", "-": "red", "!": "magenta"}
_ARRIVALS: Final = {
    ("create",): "new",
    ("create", "publish"): "new, published",
    ("create", "publish", "stop"): "new, published and stopped at once",
}
_DEPARTURES: Final = {"delete": "deleted", "archive": "archived"}


def print_plan(plan: ProjectPlan, files: Mapping[str, str], *, is_done: bool = False) -> None:
    """Print a plan, or what an apply did; `files` are the names of those in the folder."""
    console = Console(highlight=False, soft_wrap=True)
    for sign, text in _lines(plan, files):
        console.print(Text(f"{sign} {text}", style=_STYLES.get(sign, "")))
    if plan.left:
        names = ", ".join(plan.left)
        console.print(f"Only on the server, left alone: {names} (--prune takes them away)")
    if plan.publish_order:
        verb = "Published" if is_done else "To be published"
        console.print(f"{verb} at one instant, in this order: {', '.join(plan.publish_order)}")
    console.print(_summary(plan, is_done=is_done))


def _lines(plan: ProjectPlan, files: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for change in plan.changes:
        place = place_of(change.what, change.slug)
        name = files.get(place, f"{place}.yaml")
        if change.actions[0] == "create":
            yield "+", f"{name}  {_ARRIVALS[tuple(change.actions)]}"
        elif place not in files:
            yield "-", f"{name}  {_DEPARTURES[change.actions[-1]]}: not in the folder"
        else:
            for difference in change.differences:
                yield "~", f"{name}  {_shown(difference)}"
    for warning in plan.warnings:
        place, separator, path = warning.path.partition(": ")
        name = files.get(place, place)
        yield "!", f"{name}{'  ' if separator else ''}{path}: {warning.message}"


def _summary(plan: ProjectPlan, *, is_done: bool) -> str:
    if not plan.changes:
        return f"No changes: {len(plan.unchanged)} unchanged."
    created = sum("create" in change.actions for change in plan.changes)
    gone = sum(_is_departure(change) for change in plan.changes)
    counts = {
        "new": created,
        "changed": len(plan.changes) - created - gone,
        "gone": gone,
        "unchanged": len(plan.unchanged),
    }
    told = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
    return f"Applied: {told}." if is_done else f"{told}. Fingerprint: {plan.fingerprint}"


def _is_departure(change: Change) -> bool:
    return change.actions[-1] in _DEPARTURES


def _shown(difference: Difference) -> str:
    old, new = difference.old, difference.new
    if isinstance(old, str) and isinstance(new, str):
        old, new = _differing_parts(old, new)
    # A field that is not written has its default; an entry of a list is simply not there.
    absent = "(none)" if difference.path.endswith("]") else "(default)"
    return f"{difference.path}: {_value(old, absent)} → {_value(new, absent)}"


def _value(value: Any, absent: str) -> str:
    if value is UNSET:
        return absent
    if isinstance(value, str) and value.isprintable() and value:
        return value
    text = yaml.safe_dump(
        value, default_flow_style=True, allow_unicode=True, sort_keys=False, width=_ONE_LINE
    )
    return text.removesuffix("\n...\n").strip()


def _differing_parts(old: str, new: str) -> tuple[str, str]:
    """Return two texts cut down to where they differ, if one of them is long."""
    if max(len(old), len(new)) <= _VALUE_LENGTH_MAX:
        return old, new
    start = _common_length(old, new)
    behind = _common_length(old[start:][::-1], new[start:][::-1])
    return _part(old, start, behind), _part(new, start, behind)


def _common_length(one: str, other: str) -> int:
    """Return how many characters two texts begin with that are the same."""
    pairs = zip(one, other, strict=False)
    shorter = min(len(one), len(other))
    return next((index for index, (a, b) in enumerate(pairs) if a != b), shorter)


def _part(text: str, start: int, behind: int) -> str:
    first = max(start - _CONTEXT_LENGTH, 0)
    end = min(len(text) - behind + _CONTEXT_LENGTH, len(text))
    part = text[first:end]
    if len(part) > _VALUE_LENGTH_MAX:
        part = part[:_VALUE_LENGTH_MAX] + "…"
        end = len(text)
    return ("…" if first else "") + part + ("…" if end < len(text) else "")
