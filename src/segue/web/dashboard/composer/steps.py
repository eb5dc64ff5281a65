"""The six steps, in their order."""

from typing import Final

from litestar.exceptions import NotFoundException

from segue.web.dashboard.composer import (
    audience,
    conversions,
    delivery,
    limits,
    message,
)
from segue.web.dashboard.composer.step import Step, nothing_more

STEPS: Final[tuple[Step, ...]] = (
    message.STEP,
    delivery.STEP,
    audience.STEP,
    limits.STEP,
    conversions.STEP,
    Step("review", "Review", (), "composer/review.html", nothing_more),
)


def step_of(key: str) -> Step:
    """Return a step by its key.

    Raises:
        NotFoundException: there is no such step.
    """
    found = next((one for one in STEPS if one.key == key), None)
    if found is None:
        keys = ", ".join(one.key for one in STEPS)
        raise NotFoundException(f"There is no step {key!r}; there are {keys}.")
    return found


def step_for(path: str) -> Step:
    """Return the step whose form a place of the document stands in; the review's for the whole."""
    return max(STEPS[:-1], key=lambda one: one.depth_of(path)) if path else STEPS[-1]


def neighbours(step: Step) -> tuple[Step | None, Step | None]:
    """Return the steps before and after one."""
    index = STEPS.index(step)
    before = STEPS[index - 1] if index else None
    return before, STEPS[index + 1] if index + 1 < len(STEPS) else None
