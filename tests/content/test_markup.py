import time

import pytest

from segue.content.html import can_inline, inline_css
from segue.content.markup import DEPTH_MAX, MarkupError, bound_markup

HOSTILE = {
    "elements nested deep": "<div>" * 80_000,
    "closed only in attributes": "<div><img title='</div>'>" * 9_000,
    "closed only in comments": "<div><!-- </div> -->" * 9_000,
    "closed only in scripts": "<div><script></div></script>" * 9_000,
    "closed under another name": "<div></span>" * 9_000,
    "a quote that opens nothing": '<div><a x=">' * 30_000,
    "a value without a name": '<div><a ="><div>">' * 9_000,
    "unclosed bold text": "".join(f"<b id={n}><p>" for n in range(2_000)),
    "bold text left open over paragraphs": "<p>"
    + "".join(f"<b id={n}>" for n in range(400))
    + "<p>x</p>" * 5_000,
    "a title in a drawing": "<svg><title>" + "<div>" * 60_000,
    "attributes without end": "<a " + " ".join(f"a{n}" for n in range(50_000)) + ">",
    "attributes in many tags": ("<a " + " ".join(f"a{n}" for n in range(2_000)) + ">") * 30,
    "attributes apart by slashes": "<a" + "/a" * 190_000 + ">",
    "attributes apart by quotes": "<a" + ' a=""b=""' * 40_000 + ">",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_markup_that_would_hold_or_end_the_process_is_refused(name: str) -> None:
    started = time.process_time()
    with pytest.raises(MarkupError):
        bound_markup(HOSTILE[name])
    assert time.process_time() - started < 1


@pytest.mark.parametrize("text", ["<" * 400_000, "<!--" * 99_000, "<a" * 199_000, "</" * 199_000])
def test_malformed_markup_is_looked_through_in_linear_time(text: str) -> None:
    started = time.process_time()
    bound_markup(text)
    assert time.process_time() - started < 1


def test_a_long_newsletter_passes() -> None:
    row = '<table><tr><td class="a"><p>Hi <a href="https://a.test?a=1&b=2">x</a><br></td></tr></table>'
    html = f"<html><head><title>a < b</title></head><body>{row * 3_000}</body></html>"
    assert bound_markup(html) < 12


def test_a_newsletter_with_paragraphs_left_open_and_a_slip_passes() -> None:
    assert bound_markup("<p>one <b>two</b>" * 900) < 5
    assert bound_markup('<a href=x">y</a>' + "<p>one</p>" * 900) <= 3_000


def test_large_pictures_inside_the_html_pass() -> None:
    assert (
        bound_markup('<img src="data:image/png;base64,' + ("aB3+xyz0" * 8 + "/") * 1_500 + '">')
        <= DEPTH_MAX
    )


def test_styles_are_moved_into_elements() -> None:
    html = "<html><head><style>p{color:red}</style></head><body><p>x</p></body></html>"
    assert '<p style="color: red;">' in inline_css(html, bound_markup(html))


def test_media_queries_and_hovers_stay_in_the_style_sheet() -> None:
    html = (
        "<style>a{color:red} a:hover{color:blue} @media (max-width:9px){a{color:green}}</style><a>"
    )
    shown = inline_css(html, 2)
    assert "@media (max-width:9px)" in shown
    assert "a:hover" in shown


def test_a_style_sheet_elsewhere_is_never_fetched() -> None:
    html = '<link rel="stylesheet" href="file:///etc/passwd"><style>p{color:red}</style><p>x</p>'
    assert "root:" not in inline_css(html, 3)


def test_too_many_styles_for_the_elements_are_left_where_they_are() -> None:
    html = "<style>*{" + "color:red;" * 2_000 + "}</style>" + "<b></b>" * 5_000
    assert not can_inline(html, 2)
    assert inline_css(html, 2) == html
