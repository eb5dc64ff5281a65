"""The variables that a template reads: where each stands, and what happens if it is blank."""

from typing import Final

from liquid.builtin.expressions import FilteredExpression, LoopExpression, Path
from liquid.builtin.tags.assign_tag import AssignNode
from liquid.builtin.tags.capture_tag import CaptureNode
from liquid.builtin.tags.decrement_tag import DecrementNode
from liquid.builtin.tags.increment_tag import IncrementNode
from liquid.exceptions import LiquidError as LibraryError
from msgspec import Struct

from segue.content.nodes import walk
from segue.content.sandbox import BoundedEnvironment, BoundedTemplate, parse_template
from segue.model.limits import MESSAGE_BYTES_MAX

_LOOPS: Final = frozenset(("forloop", "tablerowloop"))


class Reading(Struct, frozen=True):
    """A variable that a template reads: its segments ("" for one computed), and its character.

    It `is_bare` where nothing is said for users in whom it is blank: it has no default, and no
    condition asks about it.
    """

    path: tuple[str, ...]
    index: int
    is_bare: bool


def find_readings(template: str) -> list[Reading]:
    """Return what a template reads of its context, in order; nothing where it cannot be parsed."""
    if ("{{" not in template and "{%" not in template) or len(template) > MESSAGE_BYTES_MAX:
        return []
    try:
        parsed = parse_template(template, is_html=False)
    except LibraryError:
        return []
    return _readings(parsed)


def filter_names() -> list[str]:
    """Return the names of all filters."""
    return sorted(BoundedEnvironment().filters)


def place_in(template: str, index: int) -> str:
    """Return a place in a text as its author counts: "character 14", "line 3, character 2"."""
    index = min(max(index, 0), len(template))
    if "\n" not in template.strip():
        return f"character {index + 1}"
    before = template[:index]
    return f"line {before.count(chr(10)) + 1}, character {index - before.rfind(chr(10))}"


def _readings(parsed: BoundedTemplate) -> list[Reading]:
    own = set(_LOOPS)  # what the template sets itself
    put_out: dict[int, bool] = {}  # the paths that are a value by themselves: has it a default
    paths: list[Path] = []
    for part in walk(parsed.nodes):
        if isinstance(part, AssignNode | CaptureNode | IncrementNode | DecrementNode):
            own.add(str(part.name))
        elif isinstance(part, LoopExpression):
            own.add(str(part.identifier))
        elif isinstance(part, FilteredExpression) and isinstance(part.left, Path):
            has_default = any(one.name == "default" for one in part.filters or ())
            put_out[id(part.left)] = has_default
        elif isinstance(part, Path):
            paths.append(part)
    asked = {_segments(one) for one in paths if id(one) not in put_out}
    found = []
    for one in paths:
        segments = _segments(one)
        if segments and segments[0] not in own:
            is_bare = put_out.get(id(one)) is False and segments not in asked
            found.append(Reading(segments, max(one.token.start_index, 0), is_bare))
    return sorted(found, key=lambda one: one.index)


def _segments(path: Path) -> tuple[str, ...]:
    return tuple(one if isinstance(one, str) else "" for one in path.path)
