"""A drawing of what happens to one user: what starts it, the wait with what ends it, the send."""

import textwrap
from itertools import pairwise
from typing import Final

from msgspec import Struct

from segue.services.campaign_sentences import Stages

_LINE_LENGTH: Final = 34
_LINES_MAX: Final = 5
_LINE_HEIGHT: Final = 18
_PADDING: Final = 12
_GAP: Final = 34
_WIDTH: Final = 270


class Box(Struct, frozen=True):
    """A box with lines of text."""

    kind: str
    lines: list[tuple[int, str]]  # of the baseline, and what it says
    y: int
    height: int


class Drawing(Struct, frozen=True):
    """Boxes from top to bottom; the arrows are between them."""

    boxes: list[Box]
    exceptions: Box | None
    arrows: list[tuple[int, int]]
    height: int
    words: str


def drawing_of(stages: Stages) -> Drawing:
    """Lay the stages of a campaign out."""
    texts = [("start", stages.start)]
    if stages.wait:
        texts.append(("wait", stages.wait))
    texts.append(("send", stages.send))
    boxes: list[Box] = []
    y = 4
    for kind, text in texts:
        box = _box(kind, text, y)
        boxes.append(box)
        y += box.height + _GAP
        if kind == "wait" and stages.unless:
            # The way out stands below the wait, beside the way on.
            exceptions = _box("cancel", f"unless the user {stages.unless}: then nothing is sent", y)
            y += exceptions.height + _GAP
    bottom = boxes[-1].y + boxes[-1].height + 4
    out = exceptions if stages.wait and stages.unless else None
    arrows = [(one.y + one.height, other.y) for one, other in pairwise(boxes)]
    said = [
        stages.start,
        stages.wait,
        f"unless the user {stages.unless}" if out else "",
        stages.send,
    ]
    return Drawing(boxes, out, arrows, bottom, ", then ".join(one for one in said if one))


def _box(kind: str, text: str, y: int) -> Box:
    lines = textwrap.wrap(text, _LINE_LENGTH) or [""]
    if len(lines) > _LINES_MAX:
        lines = [*lines[: _LINES_MAX - 1], lines[_LINES_MAX - 1][: _LINE_LENGTH - 1] + "…"]
    first = y + _PADDING + 13
    placed = [(first + index * _LINE_HEIGHT, line) for index, line in enumerate(lines)]
    return Box(kind, placed, y, 2 * _PADDING + len(lines) * _LINE_HEIGHT)
