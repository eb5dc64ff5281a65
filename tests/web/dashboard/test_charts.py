"""Charts: what they draw, what they say, and that names are text in them."""

import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.web.dashboard import charts

SVG = "{http://www.w3.org/2000/svg}"
MARKUP = '<script>alert("1")</script>'
counts = st.lists(st.integers(0, 10**9), max_size=40)


def parsed(text: str) -> ET.Element:
    """Return a chart as a tree: it must be XML by itself."""
    return ET.fromstring(str(text).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))


def points(shape: ET.Element) -> list[tuple[float, float]]:
    pairs = (pair.split(",") for pair in shape.attrib["points"].split())
    return [(float(x), float(y)) for x, y in pairs]


@given(counts)
def test_a_sparkline_stays_inside_and_says_its_values(values: list[int]) -> None:
    chart = parsed(charts.sparkline(values, "Sent by day"))
    width, height = float(chart.attrib["width"]), float(chart.attrib["height"])
    told = ", ".join(f"{one:,}" for one in values) or "nothing"
    assert chart.attrib["aria-label"] == f"Sent by day: {told}"
    drawn = [pair for shape in chart.findall(f"{SVG}polyline") for pair in points(shape)]
    assert len(drawn) == len(values)
    assert all(0 <= x <= width and 0 <= y <= height for x, y in drawn)


def test_a_higher_value_stands_higher() -> None:
    [line] = parsed(charts.sparkline([1, 3, 2], "Sent")).findall(f"{SVG}polyline")
    [(_, low), (_, high), (_, middle)] = points(line)
    assert high < middle < low


@pytest.mark.parametrize(
    ("part", "whole", "length"), [(0, 10, 0), (5, 10, 120), (10, 10, 240), (30, 10, 240), (1, 0, 2)]
)
def test_a_bar_is_as_long_as_its_part(part: int, whole: int, length: float) -> None:
    _, bar = parsed(charts.bar(part, whole)).findall(f"{SVG}rect")
    assert float(bar.attrib["width"]) == length


def test_an_interval_beside_nought_is_drawn_beside_it() -> None:
    chart = parsed(charts.interval(0.01, 0.03, 0.02, 0.03, "2 points, 1 to 3"))
    nought = next(one for one in chart if one.attrib["class"] == "nought")
    ends = [float(one.attrib["x1"]) for one in chart if one.attrib["class"] == "range"]
    [middle] = chart.findall(f"{SVG}circle")
    assert min(ends) > float(nought.attrib["x1"])
    assert min(ends) < float(middle.attrib["cx"]) < max(ends)
    assert chart.attrib["aria-label"] == "2 points, 1 to 3"


def test_an_interval_of_no_reach_is_drawn_at_nought() -> None:
    chart = parsed(charts.interval(0, 0, 0, 0, "no difference"))
    assert {one.attrib.get("x1", one.attrib.get("cx")) for one in chart} == {"120"}


@given(st.lists(counts.filter(bool), min_size=1, max_size=6))
def test_lines_over_time_stay_inside_the_axes(values: list[list[int]]) -> None:
    length = min(map(len, values))
    lines = [charts.Line(f"line {n}", one[:length]) for n, one in enumerate(values)]
    chart = parsed(charts.series([f"{n} May" for n in range(length)], lines, "Sent"))
    shapes = chart.findall(f"{SVG}polyline")
    assert len(shapes) == min(len(lines), 4)
    for shape, line in zip(shapes, lines, strict=False):
        drawn = points(shape)
        assert len(drawn) == len(line.values)
        assert all(52 <= x <= 708 and 12 <= y <= 194 for x, y in drawn)


def test_the_last_day_is_named_and_the_axis_has_round_numbers() -> None:
    labels = [f"{n} May" for n in range(1, 31)]
    chart = parsed(charts.series(labels, [charts.Line("Sent", [22] * 30)], "Sent"))
    told = [one.text for one in chart.findall(f"{SVG}text")]
    assert told[:5] == ["0", "6", "12", "18", "24"]
    assert "30 May" in told
    assert len(told) <= 5 + 8


def test_names_are_text_in_every_chart() -> None:
    lines = [charts.Line(MARKUP, [1, 2])]
    shown = [
        charts.sparkline([1], MARKUP),
        charts.interval(0, 1, 0.5, 1, MARKUP),
        charts.series([MARKUP, MARKUP], lines, MARKUP),
        charts.legend(lines),
    ]
    for chart in shown:
        assert "<script" not in chart
        assert "&lt;script&gt;" in chart
        parsed(chart)
