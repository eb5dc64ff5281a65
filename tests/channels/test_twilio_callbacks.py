"""Twilio's calls: believed by their signature alone, and read."""

from urllib.parse import urlencode

import pytest

from segue.channels.sms_callbacks import (
    ForgedCallbackError,
    InboundSms,
    Keyword,
    Outcome,
    SmsCallback,
    SmsReport,
    keyword_in,
)
from segue.channels.twilio_callbacks import TwilioCallbacks
from tests.support.twilio import signed_form

# The example of Twilio's documentation, and what its own libraries are tested with.
TOKEN = "12345"
URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
FORM = {
    "CallSid": "CA1234567890ABCDE",
    "Caller": "+14158675309",
    "Digits": "1234",
    "From": "+14158675309",
    "To": "+18005551212",
}
SIGNATURE = "RSOYDt4T1cUTdK1PDd93/VVr8B8="
BODY = b'{"property": "value", "boolean": true}'
HASHED_URL = f"{URL}&bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620"
HASHED_SIGNATURE = "a9nBmqA0ju/hNViExpshrM61xv4="
REPEATED = b"Sid=CA123&SidAccount=AC123&Digits=5678&Digits=1234&Digits=1234"
FORM_TYPE = "application/x-www-form-urlencoded"


def is_believed(
    url: str = URL,
    signature: str = SIGNATURE,
    body: bytes = urlencode(FORM).encode(),
    content_type: str = FORM_TYPE,
    token: str = TOKEN,
) -> bool:
    try:
        TwilioCallbacks(token).read(url, content_type, signature, body)
    except ForgedCallbackError:
        return False
    return True


def test_the_documented_example_is_believed() -> None:
    assert is_believed()


@pytest.mark.parametrize("body", [REPEATED, b"&".join(reversed(REPEATED.split(b"&")))])
def test_values_of_one_name_are_signed_once_and_in_order(body: bytes) -> None:
    assert is_believed(signature="IK+Dwps556ElfBT0I3Rgjkr1wJU=", body=body)


@pytest.mark.parametrize(
    ("url", "signature"),
    [
        (URL.replace(".com", ".com:1234"), SIGNATURE),
        (URL.replace("https", "http").replace(".com", ".com:1234"), "Zmvh+3yNM1Phv2jhDCwEM3q5ebU="),
        (URL, "kvajT1Ptam85bY51eRf/AJRuM3w="),  # with port 443
        (URL.replace("https", "http"), "0ZXoZLH/DfblKGATFgpif+LLRf4="),  # with port 80
        (URL.replace("//", "//user:pass@"), "CukzLTc1tT5dXEDIHm/tKBanW10="),
        (URL.replace("//", "//user:pass@"), "ZQFR1PTIZXF2MXB8ZnKCvnnA+rI="),  # with port 443
    ],
)
def test_the_url_is_believed_with_and_without_its_port(url: str, signature: str) -> None:
    assert is_believed(url, signature)


def test_json_is_believed_by_its_hash_in_the_url() -> None:
    json = "application/json; charset=utf-8"
    assert is_believed(HASHED_URL, HASHED_SIGNATURE, BODY, json)
    assert not is_believed(HASHED_URL, HASHED_SIGNATURE, BODY + b" ", json)
    assert not is_believed(URL, SIGNATURE, BODY, json), "without a hash"
    assert not is_believed(HASHED_URL, HASHED_SIGNATURE, urlencode(FORM).encode()), "a form"


@pytest.mark.parametrize(
    "forged",
    [
        {"signature": ""},
        {"signature": "FAIL"},
        {"signature": "é" * 28},
        {"signature": SIGNATURE.lower()},
        {"token": "12346"},
        {"url": URL.replace("bar=2", "bar=3")},
        {"url": URL.replace("mycompany", "yourcompany")},
        {"body": urlencode({**FORM, "Digits": "1235"}).encode()},
        {"body": urlencode({**FORM, "More": ""}).encode()},
        {"body": b"\xff\xfe"},
        {"body": b""},
    ],
)
def test_anything_else_is_not_believed(forged: dict[str, str]) -> None:
    assert not is_believed(**forged)  # type: ignore[arg-type]


def read(
    url: str = "https://segue.test/hooks/sms/twilio?m=to-ken", **fields: str
) -> SmsCallback | None:
    body, headers = signed_form(TOKEN, url, fields)
    signature = headers["X-Twilio-Signature"]
    return TwilioCallbacks(TOKEN).read(url, headers["Content-Type"], signature, body)


@pytest.mark.parametrize(
    ("status", "code", "outcome"),
    [
        *((status, "", None) for status in ("accepted", "scheduled", "queued", "sending", "sent")),
        *((status, "", None) for status in ("canceled", "partially_delivered", "new-fangled")),
        ("delivered", "", "delivered"),
        ("read", "", "delivered"),
        ("failed", "21211", "dead"),
        ("failed", "21614", "dead"),
        ("undelivered", "30005", "dead"),
        ("undelivered", "30006", "dead"),
        ("failed", "21610", "stopped"),
        *(
            ("undelivered", code, "failed")
            for code in ("30003", "30004", "30007", "30008", "30034")
        ),
        *(("failed", code, "failed") for code in ("", "30001", "30002", "99999")),
    ],
)
def test_a_report_says_what_became_of_a_message(
    status: str, code: str, outcome: Outcome | None
) -> None:
    """channel-facts.md 6.9."""
    said = {"MessageSid": "SM1", "MessageStatus": status, "To": "+32470123456", "ErrorCode": code}
    expected = SmsReport("twilio", "to-ken", "SM1", outcome, "+32470123456", code)
    assert read(**said, SmsSid="SM1", SmsStatus=status, AccountSid="AC1") == expected


@pytest.mark.parametrize(
    ("more", "keyword"),
    [
        ({}, None),
        ({"OptOutType": "STOP"}, "stop"),
        ({"OptOutType": "START"}, "start"),
        ({"OptOutType": "HELP"}, "help"),
        ({"MessageStatus": "received"}, None),
    ],
)
def test_a_text_that_came_in_is_told_from_a_report(
    more: dict[str, str], keyword: Keyword | None
) -> None:
    said = {"MessageSid": "SM2", "SmsStatus": "received", "From": "+32470123456", "Body": "Arrêt"}
    expected = InboundSms("twilio", "SM2", "+32470123456", "Arrêt", keyword)
    assert read(**said, To="+15005550006", NumMedia="0", **more) == expected


@pytest.mark.parametrize("fields", [{}, {"MessageSid": "SM3"}, {"Body": "Hello"}])
def test_what_is_neither_is_nothing_for_us(fields: dict[str, str]) -> None:
    assert read(**fields) is None


@pytest.mark.parametrize(
    ("text", "keyword"),
    [
        *((word, "stop") for word in ("STOP", " stop\n", "StopAll", "unsubscribe", "CANCEL")),
        *((word, "stop") for word in ("End", "quit")),
        *((word, "start") for word in ("START", "yes", "Unstop")),
        *((word, "help") for word in ("HELP", "info")),
        *((text, None) for text in ("please stop", "stop it", "STOP!", "", "yes please", "st op")),
    ],
)
def test_a_keyword_is_one_word_and_nothing_else(text: str, keyword: Keyword | None) -> None:
    """channel-facts.md 1.5."""
    assert keyword_in(text) == keyword
