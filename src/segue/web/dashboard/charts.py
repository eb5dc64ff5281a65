"""Charts as SVG made here: they need no script, and colours come from classes of charts.css.

Every chart says in words what it shows; numbers that matter stand in a table beside it.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from jinja2 import Environment
from msgspec import Struct

_SPARK_WIDTH, _SPARK_HEIGHT, _SPARK_EDGE = 84, 24, 3
_WIDTH, _HEIGHT = 720, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 12, 12, 26
_BAR_WIDTH, _BAR_HEIGHT = 240, 14
_INTERVAL_WIDTH, _INTERVAL_HEIGHT = 240, 32
_CEILINGS: Final = (1, 1.2, 1.6, 2, 2.4, 3.2, 4, 6, 8, 10)
_GRID_LINES: Final = 4
_DAYS_NAMED_MAX: Final = 8
_SERIES_MAX: Final = 4  # there are as many colours and dashes

Shape = tuple[str, dict[str, Any], str]  # an element, its attributes, its text

_CHARTS: Final = """{% macro chart(kind, words, width, height, shapes) -%}
<svg class="chart {{ kind }}" {% if words %}role="img" aria-label="{{ words }}"
{%- else %}aria-hidden="true"{% endif %} focusable="false" width="{{ width }}" height="{{ height }}"
 viewBox="0 0 {{ width }} {{ height }}">
{%- for tag, attributes, text in shapes -%}
<{{ tag }}{{ attributes | xmlattr }}>{{ text }}</{{ tag }}>
{%- endfor -%}
</svg>
{%- endmacro %}
{% macro legend(names) -%}
<ul class="legend">
{%- for name in names -%}
<li><svg class="key" aria-hidden="true" width="24" height="8" viewBox="0 0 24 8">
<line class="line tone-{{ loop.index }}" x1="1" x2="23" y1="4" y2="4"/></svg>{{ name }}</li>
{%- endfor -%}
</ul>
{%- endmacro %}"""
_templates: Any = Environment(autoescape=True).from_string(_CHARTS).module
# They give markup, which is not escaped again.
_chart: Callable[[str, str, int, int, Iterable[Shape]], str] = _templates.chart
_legend: Callable[[list[str]], str] = _templates.legend


class Line(Struct, frozen=True):
    """One line of a chart over time: its name, and a value for each point."""

    name: str
    values: Sequence[float]


def sparkline(values: Sequence[float], what: str) -> str:
    """Return a small line without axes; its words are the values themselves."""
    told = ", ".join(_number(one) for one in values) or "nothing"
    highest = max(values, default=0) or 1
    inner_width, inner_height = _SPARK_WIDTH - 2 * _SPARK_EDGE, _SPARK_HEIGHT - 2 * _SPARK_EDGE
    step = inner_width / max(len(values) - 1, 1)
    points = [
        (_SPARK_EDGE + step * place, _SPARK_EDGE + inner_height * (1 - value / highest))
        for place, value in enumerate(values)
    ]
    shapes: list[Shape] = []
    if points:
        x, y = points[-1]
        shapes = [
            ("polyline", {"points": _points(points)}, ""),
            ("circle", {"cx": _short(x), "cy": _short(y), "r": 2}, ""),
        ]
    return _chart("spark", f"{what}: {told}", _SPARK_WIDTH, _SPARK_HEIGHT, shapes)


def bar(part: float, whole: float, tone: int = 1) -> str:
    """Return a bar as long as a part of a whole; it says nothing that is not beside it in words."""
    share = min(max(part / whole, 0.0), 1.0) if whole > 0 else 0.0
    length = max(_BAR_WIDTH * share, 2.0) if part > 0 else 0.0
    size = {"height": _BAR_HEIGHT, "rx": 3}
    shapes: list[Shape] = [
        ("rect", {"class": "rest", "width": _BAR_WIDTH, **size}, ""),
        ("rect", {"class": f"tone-{tone}", "width": _short(length), **size}, ""),
    ]
    return _chart("bar", "", _BAR_WIDTH, _BAR_HEIGHT, shapes)


def interval(low: float, high: float, middle: float, reach: float, what: str) -> str:
    """Return an interval about nought, drawn from −reach to reach."""

    def across(value: float) -> str:
        share = (min(max(value, -reach), reach) + reach) / (2 * reach) if reach > 0 else 0.5
        return _short(4 + (_INTERVAL_WIDTH - 8) * share)

    def upright(kind: str, value: float, top: float) -> Shape:
        ends = {"y1": _short(top), "y2": _short(_INTERVAL_HEIGHT - top)}
        return ("line", {"class": kind, "x1": across(value), "x2": across(value), **ends}, "")

    centre = _short(_INTERVAL_HEIGHT / 2)
    between = {"x1": across(low), "x2": across(high), "y1": centre, "y2": centre}
    shapes: list[Shape] = [
        upright("nought", 0, 2),
        ("line", {"class": "range", **between}, ""),
        upright("range", low, 10),
        upright("range", high, 10),
        ("circle", {"class": "middle", "cx": across(middle), "cy": centre, "r": 4}, ""),
    ]
    return _chart("interval", what, _INTERVAL_WIDTH, _INTERVAL_HEIGHT, shapes)


def series(labels: Sequence[str], lines: Sequence[Line], what: str) -> str:
    """Return lines over time; each has a colour and a dash of its own, and its name in a legend.

    The table of the same numbers belongs beside it.
    """
    lines = lines[:_SERIES_MAX]
    highest = _ceiling(max((value for line in lines for value in line.values), default=0))
    shapes = [*_grid(highest), *_days(labels)]
    for number, line in enumerate(lines, 1):
        points = [
            (_across(place, len(labels)), _down(value, highest))
            for place, value in enumerate(line.values)
        ]
        if len(points) == 1:  # of which no line can be drawn
            [(x, y)] = points
            dot = {"class": f"dot tone-{number}", "cx": _short(x), "cy": _short(y), "r": 3}
            shapes.append(("circle", dot, ""))
        drawn = {"class": f"line tone-{number}", "points": _points(points)}
        shapes.append(("polyline", drawn, ""))
    return _chart("series", what, _WIDTH, _HEIGHT, shapes)


def legend(lines: Sequence[Line]) -> str:
    """Return the names of a chart's lines, each with the look of its line."""
    return _legend([line.name for line in lines[:_SERIES_MAX]])


def _grid(highest: float) -> Iterable[Shape]:
    for number in range(_GRID_LINES + 1):
        value = highest * number / _GRID_LINES
        y = _down(value, highest)
        ends = {"x1": _LEFT, "x2": _WIDTH - _RIGHT, "y1": _short(y), "y2": _short(y)}
        yield ("line", {"class": "grid", **ends}, "")
        yield ("text", {"class": "axis end", "x": _LEFT - 8, "y": _short(y + 4)}, _number(value))


def _days(labels: Sequence[str]) -> Iterable[Shape]:
    every = -(-len(labels) // _DAYS_NAMED_MAX) or 1
    # From the newest back, so that the last point is always named.
    for place in range(len(labels) - 1, -1, -every):
        kind = "axis end" if place == len(labels) - 1 and len(labels) > 1 else "axis"
        x = _short(_across(place, len(labels)))
        yield ("text", {"class": kind, "x": x, "y": _HEIGHT - 8}, labels[place])


def _across(place: int, count: int) -> float:
    width = _WIDTH - _LEFT - _RIGHT
    return _LEFT + (width * place / (count - 1) if count > 1 else width / 2)


def _down(value: float, highest: float) -> float:
    return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (1 - value / highest)


def _ceiling(value: float) -> float:
    """Return a round number that is not below a value, and is divided evenly by the grid."""
    size = 1
    while size * 10 < value:
        size *= 10
    found = next(one * size for one in _CEILINGS if one * size >= value)
    return max(found, _GRID_LINES)


def _points(points: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{_short(x)},{_short(y)}" for x, y in points)


def _short(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _number(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.1f}"
