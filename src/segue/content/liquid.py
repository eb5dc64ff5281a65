"""Liquid: fills in templates, and says what is wrong with one, where."""

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import Final

from liquid import Token
from liquid.builtin.expressions import Filter, Path
from liquid.builtin.expressions.primitive import RangeLiteral
from liquid.exceptions import LiquidError as LibraryError

from segue.clock import Clock
from segue.content.budget import Budget
from segue.content.nodes import RANGE_LENGTH_MAX, Aborted, is_long, walk
from segue.content.sandbox import BoundedTemplate, parse_template
from segue.errors import SegueError
from segue.model.limits import MESSAGE_BYTES_MAX
from segue.model.problems import Problem

TEMPLATES_KEPT_MAX: Final = 2_000
TEMPLATE_CHARACTERS_KEPT_MAX: Final = 4_000_000  # parsed they take some ten times that

_ABORT_REASON: Final = "the template called abort_message"
_DETAIL_LENGTH_MAX: Final = 200  # an error may quote a value


class LiquidError(SegueError):
    """A template cannot be filled in; says which one, on which line, and why.

    `index` is of the character in the template, where one is known.
    """

    def __init__(
        self, where: str, reason: str, line: int | None = None, index: int | None = None
    ) -> None:
        self.where = where
        self.reason = reason
        self.line = line
        self.index = index
        place = f"{where}, line {line}" if line is not None else where
        super().__init__(f"{place}: {reason}")


class LiquidAborted(SegueError):  # noqa: N818 - a choice of the author's, no fault
    """The template itself decided that this message is not to be sent."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class Liquid:
    """Fills in templates; keeps those it has parsed."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: OrderedDict[tuple[str, bool], BoundedTemplate | LiquidError] = OrderedDict()
        self._kept_characters = 0

    def render(
        self, template: str, context: Mapping[str, object], where: str, *, is_html: bool = False
    ) -> str:
        """Return `template` with `context` filled in; in HTML, values are escaped.

        Raises:
            LiquidError: it cannot be parsed, or goes wrong, or does too much.
            LiquidAborted: it calls `abort_message`.
        """
        if not _has_liquid(template):
            return template
        parsed = self._parse(template, where, is_html)
        budget = Budget(self._clock)
        try:
            return parsed.fill({"now": budget.now, "today": budget.now.date(), **context}, budget)
        except Aborted as aborted:
            raise LiquidAborted(aborted.reason or _ABORT_REASON) from None
        except LibraryError as error:
            raise _explain(error, template, where) from error
        except Exception as error:
            # Arithmetic, encodings, recursion: whatever a template brings about is its own error.
            reason = f"{type(error).__name__}: {error}"[:_DETAIL_LENGTH_MAX]
            raise LiquidError(where, reason) from error

    def check(self, template: str, where: str) -> Problem | None:
        """Return the first thing that is wrong with `template`, before any user is known."""
        return next(find_faults(template, where), None)

    def _parse(self, template: str, where: str, is_html: bool) -> BoundedTemplate:
        key = (template, is_html)
        parsed = self._kept.get(key)
        if parsed is None:
            # A template that fails is kept too, so that a million sends of it fail cheaply.
            parsed = _parse(template, where, is_html)
            self._keep(key, parsed)
        else:
            self._kept.move_to_end(key)
        if isinstance(parsed, LiquidError):
            raise LiquidError(where, parsed.reason, parsed.line, parsed.index)
        return parsed

    def _keep(self, key: tuple[str, bool], parsed: BoundedTemplate | LiquidError) -> None:
        self._kept[key] = parsed
        self._kept_characters += len(key[0])
        while (
            len(self._kept) > TEMPLATES_KEPT_MAX
            or self._kept_characters > TEMPLATE_CHARACTERS_KEPT_MAX
        ):
            (dropped, _), _ = self._kept.popitem(last=False)
            self._kept_characters -= len(dropped)


def find_faults(template: str, where: str) -> Iterator[Problem]:
    """Yield everything that is wrong with `template`, before any user is known."""
    for error in find_errors(template, where):
        yield Problem(where, _on_line(error.reason, error.line))


def find_errors(template: str, where: str) -> Iterator[LiquidError]:
    """Yield the same as errors, which know the character as well as the line."""
    if not _has_liquid(template):
        return
    parsed = _parse(template, where, is_html=False)
    if isinstance(parsed, LiquidError):
        yield parsed
        return
    for part in walk(parsed.nodes):
        if isinstance(part, Filter) and part.name not in parsed.env.filters:
            yield _error(where, f"there is no filter {part.name!r}", template, part.token)
        elif isinstance(part, RangeLiteral) and is_long(part):
            reason = f"the range {part} has more than {RANGE_LENGTH_MAX} numbers"
            yield _error(where, reason, template, part.token)


def find_paths(template: str) -> Iterator[tuple[str, ...]]:
    """Yield the variables that `template` reads, by their segments; one computed is ""."""
    if not _has_liquid(template):
        return
    parsed = _parse(template, "", is_html=False)
    if isinstance(parsed, LiquidError):
        return
    for part in walk(parsed.nodes):
        if isinstance(part, Path):
            yield tuple(segment if isinstance(segment, str) else "" for segment in part.path)


def _parse(template: str, where: str, is_html: bool) -> BoundedTemplate | LiquidError:
    if len(template) > MESSAGE_BYTES_MAX:
        return LiquidError(where, f"a template has at most {MESSAGE_BYTES_MAX // 1024} kB")
    try:
        return parse_template(template, is_html=is_html)
    except LibraryError as error:
        return _explain(error, template, where)


def _has_liquid(template: str) -> bool:
    return "{{" in template or "{%" in template


def _explain(error: LibraryError, template: str, where: str) -> LiquidError:
    cause = error.__cause__
    reason = str(error.message)
    if isinstance(cause, RecursionError):
        reason = "an expression is nested too deeply"
    return _error(where, reason, template, error.token)


def _error(where: str, reason: str, template: str, token: Token | None) -> LiquidError:
    if token is None:
        return LiquidError(where, reason)
    # A token of the template's end has no place of its own.
    index = token.start_index if token.start_index >= 0 else len(template)
    return LiquidError(where, reason, template.count("\n", 0, index) + 1, index)


def _on_line(reason: str, line: int | None) -> str:
    return reason if line is None else f"line {line}: {reason}"
