"""What stands around each step: the stepper, the sentence, the problems and where they are."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal
from urllib.parse import quote

from msgspec import Struct

from segue.model.problems import Problem
from segue.services.application import Application
from segue.services.campaign_sentences import Part
from segue.services.composition_findings import CompositionProblems
from segue.services.compositions import Composition
from segue.web.dashboard.composer.happenings import kind_of_happening
from segue.web.dashboard.composer.place_words import place_words
from segue.web.dashboard.composer.step import Step, StepKey
from segue.web.dashboard.composer.steps import STEPS, neighbours, step_for
from segue.web.dashboard.document_values import HELPERS, loose
from segue.web.dashboard.form_fields import lookup
from segue.web.dashboard.pages import PageRequest, crumbs

_HELPERS: Final[Mapping[str, Any]] = {**HELPERS, "kind_of_happening": kind_of_happening}


class StepState(Struct, frozen=True):
    """A step in the stepper: what is left to do in it."""

    key: StepKey
    title: str
    path: str
    status: Literal["done", "problems", "not_yet"]
    problem_count: int
    is_here: bool


class Jump(Struct, frozen=True):
    """A problem, and where it is mended: `label` says the place as the form does."""

    problem: Problem
    step: Step
    path: str
    label: str


def step_path(composition_id: str, key: str, place: str = "") -> str:
    """Return the address of a step, and of a field in it."""
    return f"/compose/{composition_id}/{key}" + (f"#{quote(place, safe='.[]')}" if place else "")


def jumps(composition: Composition, problems: Iterable[Problem]) -> list[Jump]:
    """Return problems with the addresses of their fields."""
    found = []
    for problem in problems:
        step = step_for(problem.path)
        path = step_path(composition.id, step.key, problem.path)
        found.append(Jump(problem, step, path, place_words(problem.path)))
    return found


def by_place(problems: Iterable[Problem]) -> Mapping[str, str]:
    """Return what is told at each place."""
    told: dict[str, str] = {}
    for one in problems:
        told[one.path] = f"{told[one.path]} {one.message}" if one.path in told else one.message
    return told


def frame_context(
    request: PageRequest, application: Application, composition: Composition, step: Step
) -> dict[str, Any]:
    """Return what the templates of the frame and of a step are filled with."""
    problems = application.compositions.problems(composition)
    here = [one for one in problems.must_mend if step_for(one.path) is step]
    doubts = [one for one in problems.warnings if step_for(one.path) is step]
    is_visited = step.key in composition.visited
    before, after = neighbours(step)
    base = application.compositions.base_of(composition)
    return {
        "title": composition.name,
        "crumbs": crumbs(("Compose", "/compose")),
        "composition": composition,
        "base": base,
        "step": step,
        "states": states_of(composition, problems, step),
        "sentence": linked(composition, application.compositions.sentence(composition)),
        "overtaken": application.compositions.overtaken(composition),
        "problems": problems,
        "to_mend": jumps(composition, here) if is_visited else [],
        "faults": by_place(here) if is_visited else {},
        "doubts": by_place(doubts),
        "before": before,
        "after": after,
        **_HELPERS,
        "at": lambda place: _shown(lookup(composition.tree, place)),
        **step.context(request, application, composition),
    }


def states_of(
    composition: Composition, problems: CompositionProblems, here: Step
) -> Sequence[StepState]:
    """Return how far each step is."""
    counts = dict.fromkeys((one.key for one in STEPS), 0)
    for problem in problems.must_mend:
        counts[step_for(problem.path).key] += 1
    states = []
    for one in STEPS:
        count = counts[one.key]
        status: Literal["done", "problems", "not_yet"] = "done"
        if one.key == "review":
            status = "not_yet"
        elif count:
            status = "problems" if one.key in composition.visited else "not_yet"
        path = step_path(composition.id, one.key)
        states.append(StepState(one.key, one.title, path, status, count, one is here))
    return states


def linked(composition: Composition, parts: Iterable[Part]) -> list[tuple[str, str | None]]:
    """Return the sentence's parts with the addresses of the steps where they are chosen."""
    return [
        (one.text, step_path(composition.id, one.step) if one.step is not None else None)
        for one in parts
    ]


def _shown(value: Any) -> Any:
    return "" if value is None else loose(value)
