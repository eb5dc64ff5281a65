"""The links of text messages, shortened."""

import re
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from segue.channels.segments import segments_of
from segue.content.codes import CodeMaker, is_code
from segue.content.links import LINK_LENGTH_MAX, Origin
from segue.content.short_links import Shortener, tracked_link
from segue.model.limits import MESSAGE_BYTES_MAX, SHORT_LINKS_MAX, SMS_SEGMENTS_MAX
from segue.model.rendered import ShortLink

MAKER = CodeMaker(b"a secret of thirty-two bytes ok!")
SHORTENER = Shortener("https://go.test/", MAKER)
ORIGIN = Origin("s1", "u1", "sale", "A")


def links_in(text: str) -> list[str]:
    return [one.link for one in SHORTENER.shorten(text, ORIGIN)[1]]


def restored(text: str, links: list[ShortLink], root: str = "https://go.test/s/") -> str:
    """Put the links back where they were."""
    for one in reversed(links):
        assert text[one.at - len(root) : one.at] == root
        assert text[one.at : one.at + 8] == one.code
        text = text[: one.at - len(root)] + one.link + text[one.at + 8 :]
    return text


def test_a_link_becomes_a_short_one_and_the_rest_stays() -> None:
    text, [link] = SHORTENER.shorten("Sale: https://shop.test/a?b=1&c=2#d - now!", ORIGIN)
    assert is_code(link.code, 8)
    assert text == f"Sale: https://go.test/s/{link.code} - now!"
    assert (link.alias, link.link) == ("link-1", "https://shop.test/a?b=1&c=2#d")
    assert link.code == MAKER.code(tracked_link(ORIGIN, "link-1", link.link), 8)


def test_links_are_named_by_their_places_and_one_that_is_there_twice_is_two() -> None:
    _, links = SHORTENER.shorten("http://a.test HTTPS://B.test http://a.test", ORIGIN)
    assert [(one.alias, one.link) for one in links] == [
        ("link-1", "http://a.test"),
        ("link-2", "HTTPS://B.test"),
        ("link-3", "http://a.test"),
    ]
    assert len({one.code for one in links}) == 3


def test_the_same_message_has_the_same_codes_and_another_users_has_others() -> None:
    text = "http://a.test http://b.test"
    assert SHORTENER.shorten(text, ORIGIN) == SHORTENER.shorten(text, ORIGIN)
    other = SHORTENER.shorten(text, Origin("s2", "u2", "sale", "A"))[1]
    assert {one.code for one in other}.isdisjoint(
        one.code for one in SHORTENER.shorten(text, ORIGIN)[1]
    )


@pytest.mark.parametrize(
    ("text", "link"),
    [
        ("https://a.test/x.", "https://a.test/x"),
        ("https://a.test/x...", "https://a.test/x"),
        ("https://a.test/x…", "https://a.test/x"),
        ("(https://a.test/x)", "https://a.test/x"),
        ("(or https://a.test/x).", "https://a.test/x"),
        ("[https://a.test/x]", "https://a.test/x"),
        ("https://a.test/x?!", "https://a.test/x"),
        ("https://a.test/x, and", "https://a.test/x"),
        ("https://a.test/x; https", "https://a.test/x"),
        ("'https://a.test/x'", "https://a.test/x"),
        ('"https://a.test/x"', "https://a.test/x"),
        ("“https://a.test/x”", "https://a.test/x"),
        ("<https://a.test/x>", "https://a.test/x"),
        ("https://a.test/x—now", "https://a.test/x"),
        ("看https://a.test/x，快", "https://a.test/x"),
        ("https://a.test/x\u200b", "https://a.test/x"),
        ("https://a.test/x\u00a0y", "https://a.test/x"),
        ("https://a.test/x\ny", "https://a.test/x"),
        # Inside of a URL they belong to it, and so does a bracket that was opened there.
        ("https://a.test/x_(y)", "https://a.test/x_(y)"),
        ("(https://a.test/x_(y))", "https://a.test/x_(y)"),
        ("https://a.test/a,b;c:d!e'f.g?", "https://a.test/a,b;c:d!e'f.g"),
        ("https://a.test/?u=https://b.test/.", "https://a.test/?u=https://b.test/"),
        ("https://a.test/é/ü?q=ß", "https://a.test/é/ü?q=ß"),
        ("https://a.test:8443/#x-", "https://a.test:8443/#x-"),
        ("http://[::1]:80/x.", "http://[::1]:80/x"),
        ("https://a.test/x/", "https://a.test/x/"),
        ("HtTp://a.test", "HtTp://a.test"),
        ("now:https://a.test", "https://a.test"),
    ],
)
def test_a_link_ends_where_the_sentence_goes_on(text: str, link: str) -> None:
    short, found = SHORTENER.shorten(text, ORIGIN)
    assert [one.link for one in found] == [link]
    assert restored(short, found) == text
    assert short.replace(f"https://go.test/s/{found[0].code}", "*") == text.replace(link, "*")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "www.a.test",
        "a.test/x",
        "ftp://a.test",
        "mailto:a@b.test",
        "shop://sale",
        "https://",
        "https:// a.test",
        "http://.",
        "https:/a.test",
        "https://go.test",
        "https://go.test/",
        "HTTPS://GO.test/s/abc",
        "https://go.test/t/u/token?x.",
        "https://go.test?x",
        "https://a.test/" + "x" * LINK_LENGTH_MAX,
    ],
)
def test_what_is_no_web_link_or_our_own_is_left_alone(text: str) -> None:
    assert SHORTENER.shorten(text, ORIGIN) == (text, [])


def test_a_host_that_only_begins_as_ours_is_not_ours() -> None:
    assert links_in("https://go.test.evil.test/s/x") == ["https://go.test.evil.test/s/x"]
    assert links_in("https://go.tester/ https://go.test:81/") == [
        "https://go.tester/",
        "https://go.test:81/",
    ]


def test_more_links_than_could_be_sent_stay_as_they_are() -> None:
    text = " ".join(f"http://{number}.a" for number in range(SHORT_LINKS_MAX + 5))
    shortest = Shortener("http://a", MAKER)
    short, links = shortest.shorten(text, ORIGIN)
    assert len(links) == SHORT_LINKS_MAX
    assert short.endswith(" http://84.a")
    assert segments_of(short).count > SMS_SEGMENTS_MAX


@pytest.mark.parametrize("piece", ["https://a.test/x)", ")", "https://", "(", "http://a.", "http"])
def test_hostile_texts_take_no_time(piece: str) -> None:
    text = "https://a" + piece * (MESSAGE_BYTES_MAX // len(piece))
    start = time.process_time()
    SHORTENER.shorten(text, ORIGIN)
    assert time.process_time() - start < 1


def test_previews_are_as_long_and_lead_nowhere() -> None:
    text = "http://a.test and http://b.test/long/path"
    shown, links = SHORTENER.for_previews().shorten(text, ORIGIN)
    assert shown == "https://go.test/s/00000001 and https://go.test/s/00000002"
    assert not any(is_code(one.code, 8) for one in links)
    assert restored(shown, links) == text


PIECES = st.sampled_from(
    [
        "https://a.test/",
        "http://b.test",
        "HTTPS://x",
        "https://go.test/s/",
        "(",
        ")",
        ".",
        "…",
        " ",
        "é",
    ]
)
TEXTS = st.lists(PIECES | st.text(max_size=5), max_size=12).map("".join)


@given(TEXTS)
@example("https://a.test/https://b.test).(")
def test_all_other_text_is_untouched(text: str) -> None:
    short, links = SHORTENER.shorten(text, ORIGIN)
    assert restored(short, links) == text
    assert [one.alias for one in links] == [f"link-{n}" for n in range(1, len(links) + 1)]
    assert all(re.match("https?://", one.link, re.IGNORECASE) for one in links)


@given(TEXTS)
def test_what_is_counted_in_a_preview_is_what_is_sent(text: str) -> None:
    sent, _ = SHORTENER.shorten(text, ORIGIN)
    shown, _ = SHORTENER.for_previews().shorten(text, ORIGIN)
    assert segments_of(shown) == segments_of(sent)


@pytest.mark.parametrize("short_url", ["https://go.test", "https://s.test"])
def test_a_link_to_the_preferences_is_short_too_and_takes_no_name_from_the_others(
    short_url: str,
) -> None:
    shortener = Shortener(short_url, MAKER, "https://go.test/t/p/")
    url = "https://go.test/t/p/a-long-token"
    text, links = shortener.shorten(f"{url} http://a.test {short_url}/t/o/x", ORIGIN)
    named = [("preferences", url), ("link-1", "http://a.test")]
    assert [(one.alias, one.link) for one in links] == named
    assert restored(text, links, f"{short_url}/s/").startswith(url)
    assert url not in text
    assert url not in shortener.for_previews().shorten(url, ORIGIN)[0]
