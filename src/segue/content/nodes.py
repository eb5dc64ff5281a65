"""Our own parts of a parsed template: bounded ones, faster ones, and `abort_message`.

python-liquid gives no hook for the classes it parses into; `adapt` puts ours in their place.
The faster ones take the common path in fewer steps and leave the rest to the library; together
they halve the time of a newsletter.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any, Final, TextIO

from liquid import BlockNode, Markup, Node, RenderContext, Tag, Token, TokenStream, escape
from liquid.builtin.expressions import (
    Filter,
    FilteredExpression,
    KeywordArgument,
    LoopExpression,
    Path,
    PositionalArgument,
    tokenize,
)
from liquid.builtin.expressions.primitive import IntegerLiteral, RangeLiteral
from liquid.builtin.output import OutputNode
from liquid.exceptions import ResourceLimitError
from liquid.expression import Expression
from liquid.output import NullIO
from liquid.stringify import to_liquid_string
from liquid.token import TOKEN_EXPRESSION, TOKEN_TAG

RANGE_LENGTH_MAX: Final = 1_000

_PARENTHESES: Final = re.compile(r"\A\((.*)\)\Z", re.DOTALL)
_MISSING: Final = object()


class Aborted(Exception):  # noqa: N818 - an interrupt, as the library's own are
    """The template called `abort_message`."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class BoundedRange(RangeLiteral):
    """A range that cannot be long: filters and loops walk all of it."""

    __slots__ = ()

    def _make_range(self, start: Any, stop: Any) -> range:
        made = super()._make_range(start, stop)
        if made.stop - made.start > RANGE_LENGTH_MAX:
            message = f"a range has at most {RANGE_LENGTH_MAX} numbers"
            raise ResourceLimitError(message, token=self.token)
        return made


class BoundedBlock(BlockNode):
    """A block that counts its nodes at once, rather than each when it is rendered."""

    __slots__ = ()

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        """Render the nodes."""
        spend: Callable[[int], None] = context.budget.spend  # type: ignore[attr-defined]
        nodes = self.nodes
        spend(1 + len(nodes))
        if self.blank:
            buffer = NullIO()
        written = 0
        for node in nodes:
            written += node.render_to_output(context, buffer)
        return 0 if self.blank else written


class DirectPath(Path):
    """A variable, mostly of names into objects, looked up without the library's detours."""

    __slots__ = ()

    def evaluate(self, context: RenderContext) -> object:
        """Return the variable's value."""
        segments = iter(self.path)
        root = next(segments)
        value: object = _MISSING
        if type(root) is str:
            for names in context.scope._maps:
                if root in names:
                    value = names[root]
                    break
        for segment in segments:
            if type(value) is not dict or type(segment) is not str or segment not in value:
                return super().evaluate(context)
            value = value[segment]
        return super().evaluate(context) if value is _MISSING else value


class DirectOutput(OutputNode):
    """An output whose value mostly is text already."""

    __slots__ = ()

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        """Write the value."""
        value: Any = self.expression.evaluate(context)
        kind = type(value)
        if kind is str:
            text = escape(value) if context.autoescape else value
        elif kind is Markup:
            text = value
        elif kind is int or kind is float:
            text = str(value)
        else:
            text = to_liquid_string(value, context.autoescape)
        return buffer.write(text)


class AbortNode(Node):
    """`{% abort_message('reason') %}`"""

    __slots__ = ("reason",)

    def __init__(self, token: Token, reason: Expression | None) -> None:
        super().__init__(token)
        self.reason = reason

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        """Give up on the message."""
        raise Aborted(str(self.reason.evaluate(context)) if self.reason else "")

    def expressions(self) -> Iterable[Expression]:
        """Return the reason, if one is given."""
        return [self.reason] if self.reason else []


class AbortTag(Tag):
    """Reads `{% abort_message %}`, with or without a reason in parentheses."""

    name = "abort_message"
    block = False

    def parse(self, stream: TokenStream) -> Node:
        """Return the node that the tokens stand for."""
        token = stream.eat(TOKEN_TAG)
        if stream.current.kind != TOKEN_EXPRESSION:
            # The parser steps over one more token, which here is not the tag's.
            stream.pos -= 1
            return AbortNode(token, None)
        given = stream.current
        inside = _PARENTHESES.match(given.value)
        text = inside.group(1).strip() if inside else given.value
        if not text:
            return AbortNode(token, None)
        reason = FilteredExpression.parse(self.env, TokenStream(tokenize(text, given)))
        return AbortNode(token, reason)


_OURS: Final[dict[type, type]] = {
    BlockNode: BoundedBlock,
    OutputNode: DirectOutput,
    Path: DirectPath,
    RangeLiteral: BoundedRange,
}


def adapt(nodes: list[Node]) -> None:
    """Put our classes in the place of the library's, all through a parsed template."""
    for part in walk(nodes):
        ours = _OURS.get(type(part))
        if ours is not None:
            part.__class__ = ours
        if isinstance(part, LoopExpression):
            # The library's kind of name compares itself in Python, at every look-up in the loop.
            part.identifier = str(part.identifier)


def walk(root: object) -> Iterator[object]:
    """Yield every node, expression and filter below `root`, wherever the library keeps it."""
    waiting: list[object] = [root]
    while waiting:
        item = waiting.pop()
        if isinstance(item, Token):
            continue
        if isinstance(item, list | tuple):
            waiting.extend(item)
        elif isinstance(item, Node | Expression | Filter | KeywordArgument | PositionalArgument):
            yield item
            kind: Any = type(item)
            waiting.extend(getattr(item, slot, None) for slot in _slots_of(kind))
            waiting.extend(getattr(item, "__dict__", {}).values())


@cache
def _slots_of(kind: type) -> tuple[str, ...]:
    names = (name for owner in kind.__mro__ for name in getattr(owner, "__slots__", ()))
    return tuple(name for name in dict.fromkeys(names) if name not in ("token", "blank"))


def is_long(literal: RangeLiteral) -> bool:
    """Return whether a range is too long whatever the values are."""
    start, stop = literal.start, literal.stop
    if not isinstance(start, IntegerLiteral) or not isinstance(stop, IntegerLiteral):
        return False
    return stop.value - start.value >= RANGE_LENGTH_MAX
