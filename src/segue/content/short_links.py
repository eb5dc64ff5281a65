"""Make the links of a text message short, and tell us who follows them.

Works on the text as it will be sent, after Liquid: only then is each URL known. Nothing is stored
here; the links come back with the text, for whoever hands the message over to keep.
"""

import re
from collections.abc import Iterator
from typing import Final

from segue.content.codes import LINK_CODE_LENGTH, CodeMaker
from segue.content.links import LINK_LENGTH_MAX, Origin
from segue.content.tokens import Tracked
from segue.model.limits import SHORT_LINKS_MAX
from segue.model.rendered import ShortLink

# Blanks end a URL, and so do quotes, dashes, what is invisible, and the punctuation of Chinese and
# Japanese, which do without blanks.
_END: Final = (
    r"\s\x00-\x1f\x7f<>\"`\u00ab\u00bb\u2010-\u2015\u2018-\u201f\u2039\u203a"
    r"\u200b-\u200f\u2060\ufeff\u3000-\u303f\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65"
)
_URL: Final = re.compile(rf"https?://[\w\[][^{_END}]*", re.IGNORECASE)
_OF_PROSE: Final = ".,;:!?'…"  # at the end of a URL; inside of one they are part of it
# The alias of a link to the user's own preferences: short like the others, and following it no
# click (semantics.md 2).
PREFERENCES_ALIAS: Final = "preferences"
_BRACKETS: Final = {")": "(", "]": "[", "}": "{"}


class Shortener:
    """Shortens the links of texts; without a maker of codes, to some that lead nowhere.

    `preferences_root` is what links to preference pages begin with.
    """

    def __init__(
        self, short_url: str, maker: CodeMaker | None, preferences_root: str | None = None
    ) -> None:
        self._own = short_url.rstrip("/")
        self._root = f"{self._own}/s/"
        self._maker = maker
        self._preferences_root = preferences_root

    def for_previews(self) -> "Shortener":
        """Return one whose links are as long, and lead nowhere."""
        return Shortener(self._own, None, self._preferences_root)

    def shorten(self, text: str, origin: Origin) -> tuple[str, list[ShortLink]]:
        """Return the text with its links shortened, and what became of each."""
        parts: list[str] = []
        links: list[ShortLink] = []
        read, written = 0, 0  # so far of the text, and of the shortened one
        named = 0
        for start, link in self._find(text):
            if self._is_preferences(link):
                alias = PREFERENCES_ALIAS
            else:
                named += 1
                alias = f"link-{named}"
            code = self._code(link, alias, len(links) + 1, origin)
            before = text[read:start] + self._root
            links.append(ShortLink(code, alias, link, written + len(before)))
            parts += (before, code)
            read, written = start + len(link), written + len(before) + len(code)
        return "".join((*parts, text[read:])), links

    def _find(self, text: str) -> Iterator[tuple[int, str]]:
        count = 0
        for found in _URL.finditer(text):
            if count < SHORT_LINKS_MAX and len(found[0]) <= LINK_LENGTH_MAX:
                link = _without_prose(found[0])
                if not self._is_own(link) or self._is_preferences(link):
                    count += 1
                    yield found.start(), link

    def _is_own(self, link: str) -> bool:
        beginning, rest = link[: len(self._own)], link[len(self._own) :]
        return beginning.lower() == self._own.lower() and rest[:1] in ("", "/", "?", "#")

    def _is_preferences(self, link: str) -> bool:
        return self._preferences_root is not None and link.startswith(self._preferences_root)

    def _code(self, link: str, alias: str, number: int, origin: Origin) -> str:
        if self._maker is None:
            return f"{number:0{LINK_CODE_LENGTH}}"  # 0 is in no code
        return self._maker.code(tracked_link(origin, alias, link), LINK_CODE_LENGTH)


def tracked_link(origin: Origin, alias: str, link: str) -> Tracked:
    """Return what the code of a link stands for."""
    return Tracked(
        "short_link",
        origin.user_id,
        origin.campaign,
        origin.variant,
        origin.send_id,
        "sms",
        alias,
        link,
    )


def _without_prose(url: str) -> str:
    """Return a URL without the full stop or the bracket that its sentence ends with.

    A bracket that was opened inside the URL is part of it.
    """
    while True:
        last = url[-1]
        opening = _BRACKETS.get(last)
        is_prose = last in _OF_PROSE if opening is None else url.count(last) > url.count(opening)
        if not is_prose:
            return url
        url = url[:-1]
