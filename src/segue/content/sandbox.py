"""The bounds of a template: python-liquid without loaders, and a budget before every step.

No template may hold the process, whatever its author wrote: `syntax` bounds what is parsed,
`budget` what is done, and the context below asks the budget before every node, filter call and
variable. Only this file and its neighbours that it imports know the library.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Final, TextIO, cast

from liquid import BoundTemplate, Environment, RenderContext, Token
from liquid.exceptions import LiquidError as LibraryError
from liquid.exceptions import UnknownFilterError

from segue.content.budget import Budget, Output
from segue.content.filters import add_filters
from segue.content.nodes import AbortTag, adapt
from segue.content.syntax import tokenize_template

LOOP_ITERATIONS_MAX: Final = 10_000  # of a loop and those around it, multiplied
BLOCK_DEPTH_MAX: Final = 30

# Those that would load another template, and those whose own small lexers are not bounded;
# comments do not get past our lexer.
_TAGS_REFUSED: Final = ("include", "render", "liquid", "doc", "comment", "#")


class BoundedContext(RenderContext):
    """A render context that asks its budget before every step."""

    __slots__ = ("budget",)
    budget: Budget

    @property
    def disabled_tags(self) -> list[str]:
        """Return none; but count, since a node asks for them before it renders."""
        self.budget.spend()
        return []

    @disabled_tags.setter
    def disabled_tags(self, value: list[str]) -> None:
        """Take what the base class sets."""

    def filter(self, name: str, token: Token | None) -> Callable[..., object]:
        """Return a filter that counts what goes in and what comes out."""
        bounded = cast("BoundedEnvironment", self.env).bounded_filters.get(name)
        if bounded is None:
            message = f"there is no filter {name!r}"
            raise UnknownFilterError(message, token=token)
        return partial(bounded, self)

    def assign(self, key: str, val: Any) -> None:
        """Set a variable."""
        self.budget.keep(key, val)
        self.locals[str(key)] = val

    def cycle(self, key: object, length: int) -> int:
        """Return the place in a cycle; its key may be as long as what it cycles through."""
        self.budget.take(key)
        self.budget.keep(f"cycle {key}", key)
        return super().cycle(key, length)

    def get_buffer(self, buf: TextIO | None = None) -> Output:
        """Return a new buffer, for what is captured."""
        return Output(self.budget)


class BoundedTemplate(BoundTemplate):
    """A parsed template that renders within a budget."""

    context_class = BoundedContext

    def fill(self, values: Mapping[str, object], budget: Budget) -> str:
        """Return the template's text with `values` filled in."""
        context = BoundedContext(self, globals=values)
        context.budget = budget
        buffer = Output(budget)
        self.render_with_context(context, buffer)
        return buffer.getvalue()


class BoundedEnvironment(Environment):
    """Liquid without loaders, with our lexer, our filters and our bounds."""

    template_class = BoundedTemplate
    block_nesting_limit = BLOCK_DEPTH_MAX
    context_depth_limit = BLOCK_DEPTH_MAX + 5  # a few levels are the library's own
    loop_iteration_limit = LOOP_ITERATIONS_MAX

    def tokenizer(self) -> Callable[[str], Iterator[Token]]:
        """Return our lexer."""
        return tokenize_template

    def error(
        self,
        exc: type[LibraryError] | LibraryError,
        msg: str | None = None,
        token: Token | None = None,
    ) -> None:
        """Raise `exc`; one at the end of an expression gets the place of the tag around it."""
        if isinstance(exc, LibraryError) and exc.token is not None and exc.token.start_index < 0:
            exc.token = token or exc.token
        super().error(exc, msg, token)

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        """Register what templates may use."""
        super().setup_tags_and_filters(extra=extra)
        for name in _TAGS_REFUSED:
            del self.tags[name]
        self.add_tag(AbortTag)
        add_filters(self)
        self.bounded_filters = {
            name: _bounded(function, self) for name, function in self.filters.items()
        }


def parse_template(source: str, *, is_html: bool) -> BoundedTemplate:
    """Return `source` parsed; in HTML, values are escaped where they are put in.

    Raises:
        liquid.exceptions.LiquidError: it is no Liquid, or too much of it.
    """
    parsed = (_HTML if is_html else _PLAIN).from_string(source)
    adapt(parsed.nodes)
    return cast("BoundedTemplate", parsed)


def _bounded(function: Callable[..., object], environment: Environment) -> Callable[..., object]:
    """Return the filter with its budget asked before and after; it takes the context first."""
    if getattr(function, "with_environment", False):
        function = partial(function, environment=environment)
    wants_context = getattr(function, "with_context", False)

    def bounded(
        context: BoundedContext, left: object, *arguments: object, **named: object
    ) -> object:
        take = context.budget.take
        for value in (left, *arguments, *named.values()):
            take(value)
        if wants_context:
            named["context"] = context
        result = function(left, *arguments, **named)
        take(result)
        return result

    return bounded


_PLAIN: Final = BoundedEnvironment()
_HTML: Final = BoundedEnvironment(autoescape=True)
