from selectolax.lexbor import LexborHTMLParser

from segue.content.html import add_preheader, to_text
from segue.content.links import LinkMaker, LinkRewriter, Origin, add_pixel
from segue.content.tokens import TokenSigner, Tracked

SIGNER = TokenSigner(b"a secret of thirty-two bytes ok!")
MAKER = LinkMaker(
    "https://go.test/", SIGNER, Origin("s1", "u1", "spring-sale", "A"), channel="email"
)


def rewrite(html: str) -> str:
    tree = LexborHTMLParser(html)
    rewriter = LinkRewriter(MAKER)
    rewriter.rewrite(tree)
    return rewriter.rewrite_outlook(tree.html or "")


def clicks(html: str) -> list[tuple[str | None, str | None]]:
    """Return the alias and the target of each tracked link, in order."""
    tokens = [part.partition('"')[0] for part in html.split("https://go.test/t/c/")[1:]]
    found = [SIGNER.read(token, "click") for token in tokens]
    return [(tracked.alias, tracked.link) for tracked in found if tracked]


def test_web_links_lead_through_us_to_where_they_led() -> None:
    html = rewrite('<a href="https://a.test/?x=1&amp;y=2#z">a</a><a href="HTTP://b.test">b</a>')
    assert clicks(html) == [("link-1", "https://a.test/?x=1&y=2#z"), ("link-2", "HTTP://b.test")]
    assert "a.test" not in html


def test_an_alias_names_its_link_and_is_removed() -> None:
    html = rewrite('<a href="https://a.test" data-alias="cta">a</a><area href="https://b.test">')
    assert clicks(html) == [("cta", "https://a.test"), ("link-2", "https://b.test")]
    assert "data-alias" not in html


def test_one_alias_may_stand_for_two_links() -> None:
    link = '<a data-alias="cta" href="https://{}.test">x</a>'
    html = rewrite(link.format("a") + link.format("b"))
    assert clicks(html) == [("cta", "https://a.test"), ("cta", "https://b.test")]


def test_what_is_no_web_link_is_left_alone() -> None:
    html = '<a href="mailto:a@b.test">a</a><a href="tel:1">b</a><a href="#c">c</a><a href="">d</a>'
    assert rewrite(html) == LexborHTMLParser(html).html


def test_links_that_opt_out_are_left_alone() -> None:
    for attribute in (
        "data-no-track",
        "clicktracking=off",
        'clicktracking="OFF"',
        'data-msys-clicktrack="0"',
        "ses:no-track",
    ):
        html = rewrite(f'<a href="https://a.test" {attribute}>a</a>')
        assert 'href="https://a.test"' in html
        assert not clicks(html)


def test_tracking_that_is_on_is_no_opting_out() -> None:
    assert clicks(rewrite('<a href="https://a.test" clicktracking="on">a</a>'))


def test_our_own_unsubscribe_link_is_left_alone() -> None:
    url = MAKER.unsubscribe_url()
    html = rewrite(f'<a href="{url}">x</a><a href="https://a.test">y</a>')
    assert f'href="{url}"' in html
    assert clicks(html) == [("link-1", "https://a.test")]


def test_a_link_with_line_ends_cannot_add_a_header_to_the_redirect() -> None:
    html = rewrite(
        '<a href=" https://a.test/\r\nSet-Cookie:x">a</a><a href="https://b.test/\0">b</a>'
    )
    assert all("\n" not in (link or "") and "\r" not in (link or "") for _, link in clicks(html))


def test_a_very_long_link_is_left_alone() -> None:
    assert not clicks(rewrite(f'<a href="https://a.test/{"x" * 5_000}">a</a>'))


def test_the_links_that_only_outlook_sees_are_rewritten_under_the_same_alias() -> None:
    html = rewrite(
        '<a href="https://a.test/?x=1&amp;y=2" data-alias="cta">a</a>'
        '<!--[if mso]><v:roundrect href="https://a.test/?x=1&amp;y=2" fill="t"><a '
        "href='https://b.test' data-alias='b'>b</a><a href='#x' data-no-track>c</a>"
        "</v:roundrect><![endif]-->"
        '<!--[if !mso]><!--><a href="https://c.test">c</a><!--<![endif]-->'
        '<!-- <a href="https://d.test">d</a> -->'
    )
    assert clicks(html) == [
        ("cta", "https://a.test/?x=1&y=2"),
        ("cta", "https://a.test/?x=1&y=2"),
        ("b", "https://b.test"),
        ("link-2", "https://c.test"),
    ]
    assert 'fill="t"' in html
    assert "data-" not in html
    assert "https://d.test" in html


def test_the_pixel_is_last_in_the_body() -> None:
    tree = LexborHTMLParser("<body><p>x</p></body><!-- </body> -->")
    add_pixel(tree, MAKER)
    html = tree.html or ""
    start = html.index('<img src="https://go.test/t/o/')
    assert html[start:].split(">", 1)[1].startswith("</body>")
    token = html[start:].split("/t/o/")[1].split(".gif")[0]
    opened = SIGNER.read(token, "open")
    assert opened == Tracked(
        kind="open",
        user_id="u1",
        campaign="spring-sale",
        variant="A",
        send_id="s1",
        channel="email",
    )


def test_the_preheader_is_first_in_the_body_and_text() -> None:
    tree = LexborHTMLParser("<body><p>x</p></body>")
    add_preheader(tree, "Look <b>")
    assert "<body><div style=" in (tree.html or "")
    assert ">Look &lt;b&gt;</div><p>" in (tree.html or "")


def test_the_text_of_html_shows_where_links_lead() -> None:
    tree = LexborHTMLParser(
        "<head><title>no</title><style>p{}</style></head><body><h1>Hi</h1><p>One\n  two<br>three"
        '<ul><li>a<li>b</ul><table><tr><td>c<td>d</table><a href="https://a.test">Shop</a> '
        '<a href="https://b.test">https://b.test</a><img alt="logo"><hr><!-- no -->'
        "<script>no</script>"
    )
    assert to_text(tree) == (
        "Hi\n\nOne two\nthree\n\n- a\n\n- b\n\nc d\n\nShop (https://a.test) https://b.testlogo\n\n---"
    )


def test_the_text_of_deeply_nested_html_needs_no_recursion() -> None:
    assert to_text(LexborHTMLParser("<div>" * 3_000 + "x")) == "x"
