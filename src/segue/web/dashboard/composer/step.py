"""What a step of the composer is: how its form is shown, and how it is read."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

from msgspec import Struct

from segue.services.application import Application
from segue.services.compositions import Composition
from segue.web.dashboard.form_fields import Fields, Tree
from segue.web.dashboard.pages import PageRequest

StepKey = Literal["message", "delivery", "audience", "limits", "conversions", "review"]


def nothing_more(
    _request: PageRequest, _application: Application, _composition: Composition
) -> dict[str, Any]:
    """Return nothing beside what the frame gives."""
    return {}


def nothing_read(_fields: Fields, _tree: Tree) -> None:
    """Read a step that has no fields of the document."""


def nothing_new(_place: str) -> Any:
    """Return what is added where nothing can be."""
    return {}


class Step(Struct, frozen=True):
    """One step.

    `paths` are the beginnings of the places of the document that the step writes: their problems
    are the step's. `template` shows the fields inside the form, each named by its place, with
    `at(place)`, `faults` and `doubts` by place, and what `context` gives. `read` puts what the
    form sent into the tree; `new_member` is what the button "add PLACE" adds to a list.
    """

    key: StepKey
    title: str
    paths: Sequence[str]
    template: str
    context: Callable[[PageRequest, Application, Composition], dict[str, Any]]
    read: Callable[[Fields, Tree], None] = nothing_read
    new_member: Callable[[str], Any] = nothing_new

    def depth_of(self, path: str) -> int:
        """Return how much of a place the step says is its own; 0 for another step's."""
        return max((len(one) for one in self.paths if _is_within(path, one)), default=0)


def _is_within(path: str, beginning: str) -> bool:
    return path.startswith(beginning) and path[len(beginning) :][:1] in ("", ".", "[")
