"""How much one template may do: work, output, what it keeps, and time.

The counts come first, since they are the same on every machine; the clock is there for what
they do not see. Numbers: a unit of work is about a microsecond.
"""

from collections.abc import Sized
from io import StringIO
from typing import Final

from liquid.exceptions import ResourceLimitError

from segue.clock import Clock
from segue.model.instants import to_datetime
from segue.model.limits import MESSAGE_BYTES_MAX, RENDER_TIME_MAX

WORK_MAX: Final = 50_000
# Characters written by all outputs and captures together; what is captured is written twice.
WRITTEN_MAX: Final = 2 * MESSAGE_BYTES_MAX
# One value that a filter takes or gives: characters, and some for each item of a list.
WEIGHT_MAX: Final = 200_000
KEPT_WEIGHT_MAX: Final = 1_000_000  # all variables of a template together: some 10 MB
INTEGER_BITS_MAX: Final = 1_024  # as far as a float reaches; more digits are no quantity

_ITEM_WEIGHT: Final = 8  # a list's slot, in characters
_WORK_PER_LOOK: Final = 200  # units between two looks at the clock
# Below this it is the process that paused (garbage collection, a busy machine), not the template.
_WORK_TO_BLAME: Final = 2_000
_WEIGHT_PER_UNIT: Final = 20


class Budget:
    """What one rendering of one template has used so far."""

    __slots__ = (
        "_clock",
        "_deadline",
        "_kept",
        "_kept_weight",
        "_look_at",
        "now",
        "work",
        "written",
    )

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.now = to_datetime(clock.now())
        self._deadline = clock.monotonic() + RENDER_TIME_MAX / 1_000_000
        self._look_at = _WORK_PER_LOOK
        self._kept: dict[str, int] = {}
        self._kept_weight = 0
        self.work = 0
        self.written = 0

    def spend(self, units: int = 1) -> None:
        """Count work that is about to be done.

        Raises:
            ResourceLimitError: the template has done enough, or has taken too long.
        """
        self.work += units
        if self.work >= self._look_at:
            self._look()

    def take(self, value: object) -> None:
        """Count the work that handling `value` makes; refuse one that is too large."""
        kind = type(value)
        if kind is float or (kind is str and len(value) < _WEIGHT_PER_UNIT):  # type: ignore[arg-type]
            self.spend(1)
        else:
            self.spend(1 + weigh(value) // _WEIGHT_PER_UNIT)

    def keep(self, name: str, value: object) -> None:
        """Count a value that a variable holds from now on, in place of its last one."""
        weight = weigh(value) + len(name) + _ITEM_WEIGHT
        self._kept_weight += weight - self._kept.get(name, 0)
        self._kept[name] = weight
        if self._kept_weight > KEPT_WEIGHT_MAX:
            message = "its variables hold too much"
            raise ResourceLimitError(message, token=None)

    def _look(self) -> None:
        if self.work > WORK_MAX:
            message = "it does too much; is a loop too long?"
            raise ResourceLimitError(message, token=None)
        if self.work > _WORK_TO_BLAME and self._clock.monotonic() > self._deadline:
            message = f"it takes longer than {RENDER_TIME_MAX // 1000} ms"
            raise ResourceLimitError(message, token=None)
        self._look_at = self.work + _WORK_PER_LOOK


class Output(StringIO):
    """A text buffer whose writes are counted."""

    def __init__(self, budget: Budget) -> None:
        super().__init__()
        self._budget = budget
        self._append = super().write

    def write(self, text: str) -> int:
        """Append `text`."""
        budget = self._budget
        budget.written += len(text)
        if budget.written > WRITTEN_MAX:
            message = f"it writes more than {WRITTEN_MAX // 1024} kB"
            raise ResourceLimitError(message, token=None)
        return self._append(text)


def weigh(value: object) -> int:
    """Return roughly how much text `value` would be, with everything it holds.

    Raises:
        ResourceLimitError: more than a filter may be given; the rest was not looked at.
    """
    if isinstance(value, str):
        total = len(value)
    else:
        total = 0
        waiting = [value]
        while waiting:
            item = waiting.pop()
            total += _weigh_alone(item)
            if total > WEIGHT_MAX:
                break
            if isinstance(item, list | tuple):
                waiting.extend(item)
            elif isinstance(item, dict):
                waiting.extend(item)
                waiting.extend(item.values())
    if total > WEIGHT_MAX:
        message = "a value is too large to work with"
        raise ResourceLimitError(message, token=None)
    return total


def _weigh_alone(item: object) -> int:
    if isinstance(item, str):
        return len(item) + _ITEM_WEIGHT
    if isinstance(item, int):
        if item.bit_length() > INTEGER_BITS_MAX:
            message = "a number is too large to work with"
            raise ResourceLimitError(message, token=None)
        return _ITEM_WEIGHT
    if isinstance(item, list | tuple | dict | range) and isinstance(item, Sized):
        return _ITEM_WEIGHT * (1 + len(item))
    return _ITEM_WEIGHT
