"""Cut a template into tokens, and read Braze's spelling of variables.

Stands in for python-liquid's own lexer, whose patterns need quadratic time on tags that are
never closed. Every step here is linear, and the amount of Liquid in a template is bounded.
`{{${name}}}`, `{{custom_attribute.${name}}}` and `{% if {{...}} %}` become plain Liquid.
"""

import re
from collections.abc import Iterator
from typing import Final

from liquid import Token
from liquid.exceptions import LiquidSyntaxError
from liquid.token import TOKEN_CONTENT, TOKEN_EXPRESSION, TOKEN_OUTPUT, TOKEN_TAG

# 3,000 tags and 64 kB of Liquid parse in less than 100 ms; a long newsletter has 300 tags.
TAGS_MAX: Final = 3_000
LIQUID_LENGTH_MAX: Final = 64 * 1024
TAG_LENGTH_MAX: Final = 4_000
# The expression lexer looks ahead to the end of the tag from each opening bracket.
BRACKETS_PER_TAG_MAX: Final = 20

# Words that mean something to Liquid itself, and so cannot stand for a variable bare.
_KEYWORDS: Final = frozenset(
    (
        *("and", "as", "blank", "cols", "contains", "continue", "else", "empty", "false", "for"),
        *("if", "in", "limit", "nil", "not", "null", "offset", "or", "required", "reversed"),
        *("true", "with"),
    )
)
_OPENING: Final = re.compile(r"\{\{|\{%")
_OUTPUT_STEP: Final = re.compile(r"\$\{[^{}\n]*\}|\}\}")
_TAG_NAME: Final = re.compile(r"-?\s*(#|\w+)")
_END_RAW: Final = re.compile(r"\{%-?\s*endraw\s*-?%\}")
_COMMENT: Final = re.compile(r"\{%-?\s*(endcomment|comment)\b")
_BRAZE: Final = re.compile(r"""("[^"]*"|'[^']*')|(\.)?\$\{([^{}\n]*)\}|(\{\{|\}\})""")
_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


def tokenize_template(source: str) -> Iterator[Token]:
    """Yield the tokens of a template, as python-liquid's parser wants them.

    Raises:
        LiquidSyntaxError: a tag is never closed, or the template holds too much Liquid.
    """
    return _Lexer(source).tokens()


class _Lexer:
    """The place in one template, and how much Liquid was seen on the way to it."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.position = 0
        self.is_trimming = False  # the last tag ended in a dash: the text after it loses its margin
        self.tag_count = 0
        self.liquid_length = 0

    def tokens(self) -> Iterator[Token]:
        source = self.source
        while True:
            opening = _OPENING.search(source, self.position)
            start = opening.start() if opening else len(source)
            text = source[self.position : start]
            if self.is_trimming:
                text = text.lstrip()
            if source.startswith("-", start + 2):
                text = text.rstrip()
            if text:
                yield self._token(TOKEN_CONTENT, text, self.position)
            if opening is None:
                return
            self._count_tag(start)
            if opening.group() == "{{":
                yield from self._output(start)
            else:
                yield from self._tag(start)

    def _output(self, start: int) -> Iterator[Token]:
        step = _OUTPUT_STEP.search(self.source, start + 2)
        while step is not None and step.group() != "}}":
            step = _OUTPUT_STEP.search(self.source, step.end())
        if step is None:
            raise self._error("this {{ is never closed by }}", start)
        yield self._token(TOKEN_OUTPUT, self.source[start : step.end()], start)
        yield self._expression(start + 2, step.start(), is_tag=False)
        self.position = step.end()

    def _tag(self, start: int) -> Iterator[Token]:
        source = self.source
        name = _TAG_NAME.match(source, start + 2)
        end = source.find("%}", start + 2)
        if end < 0:
            raise self._error("this {% is never closed by %}", start)
        if name is None or name.end() > end:
            raise self._error("this tag has no name", start)
        self.position = end + 2
        self.is_trimming = source[end - 1] == "-"
        match name.group(1):
            case "#":
                return
            case "raw":
                yield from self._raw(start)
            case "comment":
                self._skip_comment(start)
            case word:
                yield self._token(TOKEN_TAG, word, name.start(1))
                expression = self._expression(name.end(), end, is_tag=True)
                if expression.value:
                    yield expression

    def _raw(self, start: int) -> Iterator[Token]:
        end = _END_RAW.search(self.source, self.position)
        if end is None:
            raise self._error("this raw block is never closed by endraw", start)
        text = self.source[self.position : end.start()]
        if text:
            yield self._token(TOKEN_CONTENT, text, self.position)
        self.position = end.end()
        self.is_trimming = self.source[end.end() - 3] == "-"

    def _skip_comment(self, start: int) -> None:
        depth = 1
        while depth:
            tag = _COMMENT.search(self.source, self.position)
            end = self.source.find("%}", tag.end()) if tag else -1
            if tag is None or end < 0:
                raise self._error("this comment is never closed by endcomment", start)
            depth += 1 if tag.group(1) == "comment" else -1
            self.position = end + 2
            self.is_trimming = self.source[end - 1] == "-"

    def _expression(self, start: int, end: int, *, is_tag: bool) -> Token:
        if end - start > TAG_LENGTH_MAX:
            raise self._error(f"a tag has at most {TAG_LENGTH_MAX} characters", start)
        text = self.source[start:end]
        if text.startswith("-") and not is_tag:
            text = text[1:]
        if text.endswith("-"):
            text = text[:-1]
            self.is_trimming = True
        elif not is_tag:
            self.is_trimming = False
        if text.count("(") + text.count("[") > BRACKETS_PER_TAG_MAX:
            raise self._error(f"a tag has at most {BRACKETS_PER_TAG_MAX} brackets", start)
        self.liquid_length += len(text)
        if self.liquid_length > LIQUID_LENGTH_MAX:
            raise self._error(f"more than {LIQUID_LENGTH_MAX} characters of Liquid", start)
        start += len(text) - len(text.lstrip())
        return self._token(TOKEN_EXPRESSION, self._plain(text.strip(), start, is_tag), start)

    def _plain(self, text: str, start: int, is_tag: bool) -> str:
        if "${" not in text and "{{" not in text:
            return text

        def replace(found: re.Match[str]) -> str:
            quoted, dot, name, braces = found.groups()
            if quoted is not None:
                return str(quoted)
            if braces is not None:
                # Only tags may hold nested braces; in an output they are the author's slip.
                return "" if is_tag else str(braces)
            return self._path(name.strip(), bool(dot), start)

        return _BRAZE.sub(replace, text)

    def _path(self, name: str, has_parent: bool, start: int) -> str:
        if _IDENTIFIER.fullmatch(name) and name not in _KEYWORDS:
            return f".{name}" if has_parent else name
        quote = "'" if '"' in name else '"'
        if not name or quote in name:
            raise self._error(f"${{{name}}} names no variable", start)
        return f"[{quote}{name}{quote}]"

    def _count_tag(self, start: int) -> None:
        self.tag_count += 1
        if self.tag_count > TAGS_MAX:
            raise self._error(f"a template has at most {TAGS_MAX} tags", start)

    def _token(self, kind: str, value: str, start: int) -> Token:
        return Token(kind, value, start, self.source)

    def _error(self, message: str, start: int) -> LiquidSyntaxError:
        return LiquidSyntaxError(message, token=self._token(TOKEN_TAG, "", start))
