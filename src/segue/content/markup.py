"""Bounds HTML before a parser sees it, in linear time.

Measured: 80,000 nested elements take Lexbor ten seconds and overflow css-inline's stack, which
ends the process; 1,500 unclosed `<b id=…>` become 18 MB; 50,000 attributes take four seconds.
Ordinary emails pass by counting; a long one is read tag by tag, exactly as HTML's tokenizer
does; where it would not agree with us, only the counts are trusted.
"""

import re
from collections import Counter
from typing import Final

from segue.errors import SegueError

DEPTH_MAX: Final = 1_000  # css-inline needs some 700 bytes of stack a level
# Sums over all elements of how deep each is, and how many unclosed <b> and the like go before
# it: the parser walks the former and copies the latter.
DEPTH_SUM_MAX: Final = 3_000_000
FORMATTING_SUM_MAX: Final = 300_000
UNRULY_ELEMENTS_MAX: Final = 3_000
ATTRIBUTE_SQUARES_MAX: Final = 20_000_000  # each attribute is compared with those before it

_LONG_TAG: Final = 1_000
_VOID: Final = frozenset(
    (
        *("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta"),
        *("param", "source", "track", "wbr"),
    )
)
_FORMATTING: Final = frozenset(
    (
        *("a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike"),
        *("strong", "tt", "u"),
    )
)
_RAW_TEXT: Final = frozenset(
    ("iframe", "noembed", "noframes", "script", "style", "textarea", "title", "xmp")
)
# Inside these the tokenizer follows other rules.
_FOREIGN: Final = frozenset(("frameset", "math", "plaintext", "select", "svg", "template"))
_NOT_NESTED: Final = frozenset(("p",))  # opening one closes the last; it is often left open
_START: Final = re.compile(r"<[a-zA-Z/!?]")
_OPENING: Final = re.compile(r"<([a-zA-Z][^\s/>]*)")
_COMMENT: Final = re.compile(r"<!--(?:>|->|.*?(?:-->|--!>|\Z))", re.DOTALL)
_TAG: Final = re.compile(
    r"<(/?)([a-zA-Z][^\s/><]*+)"
    r"(?>[\s/]++"
    r"""|[^\s"'<>/=]++(?>\s*+=\s*+(?>"[^"]*+"|'[^']*+'|[^\s"'=<>`][^\s"'<>]*+))?+"""
    r")*+>"
)


class MarkupError(SegueError):
    """The HTML is too deeply nested or too malformed to be worked with."""


def bound_markup(html: str) -> int:
    """Return how deep the elements of `html` nest at the most.

    Raises:
        MarkupError: parsing it might take long, or much memory.
    """
    _bound_attributes(html)
    count = html.count("<")
    if count <= DEPTH_MAX:
        return count
    depth = _Scan(html).depth()
    if depth is None:
        return _bound_unruly(html)
    if depth > DEPTH_MAX:
        message = f"elements nest {depth} deep, with those never closed; at most {DEPTH_MAX}"
        raise MarkupError(message)
    return depth


def _bound_attributes(html: str) -> None:
    squares = 0
    for part in html.split("<"):
        if len(part) > _LONG_TAG:
            marks = part.count('"') + part.count("'") + part.count("/") // 3
            squares += (len(part.split()) + marks) ** 2
    if squares > ATTRIBUTE_SQUARES_MAX:
        message = "a tag has too many attributes, or a text without any tag is too long"
        raise MarkupError(message)


def _bound_unruly(html: str) -> int:
    names = [name.lower() for name in _OPENING.findall(html)]
    formatting_count = sum(name in _FORMATTING for name in names)
    if len(names) > UNRULY_ELEMENTS_MAX or formatting_count * len(names) > FORMATTING_SUM_MAX:
        message = "a tag is malformed, in a text of very many tags"
        raise MarkupError(message)
    return len(names)


class _Scan:
    """The tags of one text, and how many elements are open."""

    def __init__(self, html: str) -> None:
        self._html = html
        self._open: Counter[str] = Counter()
        self._depth = 0
        self._depth_max = 0
        self._depth_sum = 0
        self._formatting = 0
        self._formatting_sum = 0

    def depth(self) -> int | None:
        """Return the greatest depth; None where a tag is not clear.

        Raises:
            MarkupError: the sums are too great.
        """
        found = _START.search(self._html)
        while found is not None:
            end = self._step(found.start())
            if end is None:
                return None
            found = _START.search(self._html, end)
        return self._depth_max

    def _step(self, position: int) -> int | None:
        """Take in what starts with the "<" at `position`; return where it ends."""
        html = self._html
        tag = _TAG.match(html, position)
        if tag is None:
            return self._step_over(position)
        is_closing, name = tag.group(1), tag.group(2).lower()
        if is_closing:
            self._close(name)
        elif name in _FOREIGN:
            return None
        elif name in _RAW_TEXT:
            end = re.compile(rf"</{name}[\s/>]", re.IGNORECASE).search(html, tag.end())
            return end.start() + 2 if end else len(html)
        elif name not in _VOID:
            self._enter(name)
        return tag.end()

    def _step_over(self, position: int) -> int | None:
        html = self._html
        comment = _COMMENT.match(html, position)
        if comment is not None:
            return comment.end()
        following = html[position + 1 : position + 3]
        if following[:1].isalpha() or (following[:1] == "/" and following[1:].isalpha()):
            return None
        end = html.find(">", position)  # to the tokenizer all the rest are comments too
        return end + 1 if end >= 0 else len(html)

    def _enter(self, name: str) -> None:
        self._depth_sum += self._depth
        self._formatting_sum += self._formatting
        if self._depth_sum > DEPTH_SUM_MAX or self._formatting_sum > FORMATTING_SUM_MAX:
            message = "too many elements are never closed"
            raise MarkupError(message)
        if name in _NOT_NESTED:
            return
        self._open[name] += 1
        self._depth += 1
        self._depth_max = max(self._depth_max, self._depth)
        if name in _FORMATTING:
            self._formatting += 1

    def _close(self, name: str) -> None:
        if self._open[name] > 0:
            self._open[name] -= 1
            self._depth -= 1
            if name in _FORMATTING:
                self._formatting -= 1
