"""Forms that stand for documents: each field is named by its place, such as "a.b[0].c".

The names are the paths that faults bear, so that a fault finds its field. Adding, removing and
moving members of a list are buttons of the form, so that they work without JavaScript.
"""

import re
from collections.abc import Iterator, Mapping, MutableSequence
from itertools import pairwise
from typing import Any, Final, Literal

from msgspec import Struct

from segue.services.user_acts import value_of
from segue.web.dashboard.forms import Form

_PLACE: Final = re.compile(r"\.?([A-Za-z_]\w*)|\[([0-9]{1,4})\]")
_WHOLE: Final = re.compile(r"-?[0-9]{1,15}")
_NUMBER: Final = re.compile(r"-?[0-9]{1,15}\.[0-9]{1,15}")
Tree = dict[str, Any]


class Fields:
    """The fields of a form under one place of the document."""

    def __init__(self, form: Form, place: str = "") -> None:
        self._form = form
        self._place = place

    @property
    def place(self) -> str:
        """Where in the document the fields are."""
        return self._place

    def name(self, name: str) -> str:
        """Return what a field is called in the form."""
        return f"{self._place}.{name}" if self._place else name

    def at(self, name: str) -> "Fields":
        """Return the fields of an inner document."""
        return Fields(self._form, self.name(name))

    def each(self, name: str) -> Iterator["Fields"]:
        """Yield the members of a list, in order, as far as the form has any field of them."""
        place = re.escape(self.name(name))
        found = {
            int(match[1])
            for one in self._form.names()
            if (match := re.match(rf"{place}\[([0-9]{{1,4}})\]", one))
        }
        for index in sorted(found):
            yield Fields(self._form, f"{self.name(name)}[{index}]")

    def text(self, name: str) -> str:
        """Return a field's text without white space around it; "" where there is none."""
        return self._form.text(self.name(name))

    def raw(self, name: str) -> str:
        """Return a field's text as it was typed, with line ends as documents have them."""
        return self._form.raw(self.name(name)).replace("\r\n", "\n")

    def number(self, name: str) -> int | float | str | None:
        """Return a number; what is none stays a text, so that it is shown with its fault."""
        return number_of(self.text(name))

    def has(self, name: str) -> bool:
        """Return whether a box was ticked."""
        return self._form.has(self.name(name))

    def all(self, name: str) -> list[str]:
        """Return what was ticked of several."""
        return [one for one in self._form.all(self.name(name)) if one]


def named_values(form: Form, name: str) -> Tree:
    """Return rows of names and values, as those of an event's properties; one has a name."""
    rows = [(one.text("name"), one.text("value")) for one in Fields(form).each(name)]
    return {key: value_of(text) for key, text in rows if key}


class ListEdit(Struct, frozen=True):
    """What a button of the form does to a list of the document."""

    verb: Literal["add", "remove", "up", "down"]
    place: str  # of the list, to add to it; else of the member


def list_edit(text: str) -> ListEdit | None:
    """Return what a button asks for, such as "add delivery.triggers"; None if it is no edit."""
    verb, _, place = text.partition(" ")
    match verb:
        case "add" | "remove" | "up" | "down" if _steps(place):
            return ListEdit(verb, place)
        case _:
            return None


def edited(tree: Tree, edit: ListEdit, new: Any) -> None:
    """Carry out an edit in a document; `new` is what is added. What is not there stays away."""
    steps = _steps(edit.place)
    if edit.verb == "add":
        members = lookup(tree, edit.place)
        if not isinstance(members, list):
            members = []
            put(tree, edit.place, members)
        members.append(new)
        return
    members, index = lookup(tree, _place_of(steps[:-1])), steps[-1]
    if isinstance(members, list) and isinstance(index, int) and index < len(members):
        _move(members, index, edit.verb)


def lookup(tree: Any, place: str) -> Any:
    """Return what stands at a place of a document; None where there is nothing."""
    for step in _steps(place):
        match tree, step:
            case dict(), str():
                tree = tree.get(step)
            case list(), int() if step < len(tree):
                tree = tree[step]
            case _:
                return None
    return tree


def put(tree: Tree, place: str, value: Any) -> None:
    """Set what stands at a place, with the documents around it; None and "" take it away.

    A member of a list has to be there.
    """
    steps = _steps(place)
    holder: Any = tree
    for step, after in pairwise(steps):
        inner = lookup(holder, _place_of([step]))
        if not isinstance(inner, list if isinstance(after, int) else dict):
            if isinstance(holder, list) or isinstance(after, int):
                return
            inner = holder[step] = {}
        holder = inner
    if value is None or value == "":
        holder.pop(steps[-1], None)
    else:
        holder[steps[-1]] = value


def without_blanks(tree: Mapping[str, Any]) -> Tree:
    """Return a document without what was left empty: texts of nothing, and None."""
    return {name: one for name, one in tree.items() if one is not None and one != ""}


def number_of(text: str) -> int | float | str | None:
    """Return a number as it was typed; None for nothing, and the text where it is none."""
    if not text:
        return None
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if _NUMBER.fullmatch(text) else text


def _steps(place: str) -> list[str | int]:
    """Return the steps of a place; none, if it is not one."""
    steps: list[str | int] = []
    position = 0
    while position < len(place):
        found = _PLACE.match(place, position)
        if found is None:
            return []
        steps.append(found[1] if found[1] is not None else int(found[2]))
        position = found.end()
    return steps


def _place_of(steps: list[str | int]) -> str:
    return "".join(f"[{one}]" if isinstance(one, int) else f".{one}" for one in steps).lstrip(".")


def _move(members: MutableSequence[Any], index: int, verb: str) -> None:
    member = members.pop(index)
    if verb != "remove":
        members.insert(max(index - 1, 0) if verb == "up" else index + 1, member)
