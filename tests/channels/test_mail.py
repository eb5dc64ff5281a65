"""The bytes of an email: what a strict reader makes of them."""

import re
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from msgspec.structs import replace

from segue.channels.mail import UnsendableMailError, build_mail
from segue.model.instants import parse_instant
from segue.model.rendered import RenderedEmail

NOW = parse_instant("2026-11-01T10:00:00Z")
MAIL = RenderedEmail("snd_1", "ada", "welcome", "ada@people.test", "shop@shop.test", "Hello")


def read(message: RenderedEmail) -> EmailMessage:
    content = build_mail(message, NOW).content
    return message_from_bytes(content, policy=policy.default)


def test_the_html_follows_the_text_since_readers_take_the_last_they_understand() -> None:
    mail = read(replace(MAIL, text="Grüße", html="<p>Grüße</p>"))
    assert mail.get_content_type() == "multipart/alternative"
    parts = list(mail.iter_parts())
    assert [part.get_content_type() for part in parts] == ["text/plain", "text/html"]
    assert [part.get_content().strip() for part in parts] == ["Grüße", "<p>Grüße</p>"]


@pytest.mark.parametrize(
    ("text", "html", "expected"),
    [
        ("Hi", None, "text/plain"),
        (None, "<p>Hi</p>", "text/html"),
        (None, None, "text/plain"),
    ],
)
def test_a_mail_with_one_body_has_one_part(
    text: str | None, html: str | None, expected: str
) -> None:
    assert read(replace(MAIL, text=text, html=html)).get_content_type() == expected


def test_the_date_is_the_clocks() -> None:
    assert read(MAIL)["Date"] == "Sun, 01 Nov 2026 10:00:00 +0000"


def test_the_same_send_is_the_same_bytes() -> None:
    message = replace(MAIL, text="Hi", html="<p>Hi</p>")
    assert build_mail(message, NOW) == build_mail(message, NOW)
    other = replace(message, send_id="snd_2")
    assert build_mail(message, NOW).content != build_mail(other, NOW).content


@pytest.mark.parametrize("size", [10, 60, 120, 400])
def test_the_headers_of_one_click_unsubscribe_stay_on_one_line_as_they_are(size: int) -> None:
    page, address = f"https://shop.test/u/{'x' * size}", f"u+{'y' * size}@shop.test"
    headers = {
        "Message-ID": f"<snd_{'z' * size}@shop.test>",
        "List-Unsubscribe": f"<{page}>, <mailto:{address}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "Feedback-ID": f"{'c' * size}:v:email:segue",
    }
    content = build_mail(replace(MAIL, headers=headers), NOW).content
    for name, value in headers.items():
        assert f"\r\n{name}: {value}\r\n".encode() in content


def test_what_is_not_ascii_is_encoded_and_reads_back() -> None:
    subject = "Grüße aus dem Café — " + "ü" * 200
    message = replace(MAIL, from_='"Müller, Söhne" <shop@shop.test>', subject=subject)
    message = replace(message, reply_to="Häuser <help@shop.test>", text="日本語 " * 300)
    content = build_mail(message, NOW).content
    mail = read(message)
    assert content.isascii()
    assert all(len(line) <= 78 for line in content.split(b"\r\n"))
    assert mail["Subject"] == subject
    assert mail["From"].addresses[0].display_name == "Müller, Söhne"
    assert mail["From"].addresses[0].addr_spec == "shop@shop.test"
    assert mail["Reply-To"].addresses[0].display_name == "Häuser"
    assert mail.get_content().strip() == ("日本語 " * 300).strip()


@pytest.mark.parametrize("text", ["é", "Grüße\n", "日本語"])
def test_a_body_needs_no_more_of_a_server_than_seven_bits(text: str) -> None:
    assert build_mail(replace(MAIL, text=text, html=text), NOW).content.isascii()


def test_an_international_domain_goes_out_in_ascii() -> None:
    mail = build_mail(replace(MAIL, to="ada@münchen.test", from_="Ü <ü@bücher.test>"), NOW)
    assert mail.recipient == "ada@xn--mnchen-3ya.test"
    assert mail.sender == "ü@xn--bcher-kva.test"
    assert mail.is_international
    assert not build_mail(replace(MAIL, to="ada@münchen.test"), NOW).is_international
    assert b"To: ada@xn--mnchen-3ya.test\r\n" in mail.content


@pytest.mark.parametrize("body", ["a\rb", "a\nb", "a\r\nb", "a\r\n.\rb\n.\r\nc", "x" * 5000])
def test_no_line_is_ended_by_half_a_line_end_or_is_too_long(body: str) -> None:
    content = build_mail(replace(MAIL, text=body, html=body), NOW).content
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n", content)
    assert content.endswith(b"\r\n")
    assert max(len(line) for line in content.split(b"\r\n")) <= 998


@pytest.mark.parametrize(
    "to",
    [
        "",
        "ada",
        "ada@",
        "@people.test",
        "ada@people.test, eve@people.test",
        "Ada <ada@people.test>",
        "ada@people.test\r\nRCPT TO:<eve@people.test>",
        "ada@people.test> BODY=8BITMIME",
        "a" * 400 + "@people.test",
        "ada@" + "ü" * 80 + ".test",
        "ada@people.test)eve@people.test",
    ],
)
def test_only_one_plain_address_is_a_recipient(to: str) -> None:
    with pytest.raises(UnsendableMailError) as caught:
        build_mail(replace(MAIL, to=to), NOW)
    assert caught.value.is_recipient


@pytest.mark.parametrize(
    "changed",
    [
        replace(MAIL, from_="nobody"),
        replace(MAIL, from_="a@shop.test, b@shop.test"),
        replace(MAIL, reply_to="nobody"),
        replace(MAIL, subject="Hi\r\nBcc: eve@people.test"),
        replace(MAIL, headers={"X-A": "b\nBcc: eve@people.test"}),
        replace(MAIL, headers={"Subject": "a second one"}),
    ],
)
def test_nothing_starts_a_header_of_its_own(changed: RenderedEmail) -> None:
    with pytest.raises(UnsendableMailError) as caught:
        build_mail(changed, NOW)
    assert not caught.value.is_recipient
