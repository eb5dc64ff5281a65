"""Calls of any provider of text messages, read as the settings describe them."""

import hashlib
import hmac
from typing import Any

import pytest

from segue.channels.settings import HttpSmsCallbackSettings
from segue.channels.sms_callbacks import ForgedCallbackError, InboundSms, SmsCallback, SmsReport
from segue.channels.sms_http_callbacks import HttpSmsCallbacks

SECRET = "open-sesame-open"
BEARER = {"authorization": f"Bearer {SECRET}"}


def reader(**settings: Any) -> HttpSmsCallbacks:
    return HttpSmsCallbacks(HttpSmsCallbackSettings(secret=SECRET, **settings))


def read(
    query: str = "",
    body: bytes = b"",
    headers: dict[str, str] | None = None,
    **settings: Any,
) -> SmsCallback | None:
    return reader(**settings).read(BEARER if headers is None else headers, query, body)


def hmac_of(body: bytes) -> str:
    return hmac.digest(SECRET.encode(), body, hashlib.sha256).hex()


def test_a_report_is_read_from_nested_json() -> None:
    body = b'{"data": [{"id": 17, "state": "DELIVRD"}], "meta.tags": "to-ken"}'
    paths = {"id_field": "data.0.id", "status_field": "data.0.state", "message_field": "meta.tags"}
    found = read(body=body, **paths, delivered=["delivrd"])
    assert found == SmsReport("http", "to-ken", "17", "delivered")


@pytest.mark.parametrize(
    ("query", "body"),
    [
        ("m=to-ken&id=17&status=failed", b""),
        ("m=to-ken", b"id=17&status=failed"),
        ("m=to-ken&status=delivered", b'{"id": "17", "status": "Failed"}'),
    ],
)
def test_a_report_is_read_from_a_form_and_the_query_with_the_body_before_it(
    query: str, body: bytes
) -> None:
    assert read(query, body) == SmsReport("http", "to-ken", "17", "failed")


@pytest.mark.parametrize("status", ["buffered", "", "7"])
def test_a_status_that_the_settings_do_not_name_is_none(status: str) -> None:
    assert read(f"m=to-ken&status={status}") == SmsReport("http", "to-ken", "", None)


def test_a_text_is_read_where_no_message_of_ours_is_named() -> None:
    found = read(body=b'{"id": "18", "sender": "+32470123456", "text": "Hi"}', from_field="sender")
    assert found == InboundSms("http", "18", "+32470123456", "Hi")


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"null", b'"text"', b"\xff", b'{"from": {}, "text": []}', b'{"text": "Hi"}'],
)
def test_what_is_neither_is_nothing_for_us(body: bytes) -> None:
    assert read(body=body) is None


@pytest.mark.parametrize("headers", [{}, {"authorization": SECRET}, {"authorization": "Bearer é"}])
def test_without_the_bearers_secret_nothing_is_believed(headers: dict[str, str]) -> None:
    with pytest.raises(ForgedCallbackError, match="Bearer") as caught:
        read("m=to-ken&status=delivered", headers=headers)
    assert SECRET not in str(caught.value)


def test_a_secret_in_the_query_is_part_of_the_url_that_is_given_to_the_provider() -> None:
    url = reader(proof="query").url_for("https://segue.test/", "to-ken")
    path, _, query = url.partition("?")
    assert path == "https://segue.test/hooks/sms/http"
    found = read(f"{query}&id=1&status=delivered", headers={}, proof="query")
    assert found == SmsReport("http", "to-ken", "1", "delivered")
    for wrong in ("m=to-ken", "m=to-ken&secret=", f"m=to-ken&key={SECRET}"):
        with pytest.raises(ForgedCallbackError):
            read(wrong, headers=BEARER, proof="query")
    assert read(f"m=t&key={SECRET}", headers={}, proof="query", proof_name="key")


@pytest.mark.parametrize("prefix", ["", "sha256="])
def test_with_an_hmac_the_body_alone_is_believed(prefix: str) -> None:
    body = b'{"id": "17", "status": "delivered"}'
    headers = {"x-signature": prefix + hmac_of(body).upper().replace("SHA", "sha")}
    found = read("m=to-ken&status=failed", body, headers, proof="hmac")
    assert found == SmsReport("http", "to-ken", "17", "delivered")
    beside = read(
        "m=to-ken&status=failed&id=1", b"{}", {"x-signature": hmac_of(b"{}")}, proof="hmac"
    )
    assert beside == SmsReport("http", "to-ken", "", None)
    named = {"x-hub": hmac_of(body)}
    assert read("", body, named, proof="hmac", proof_name="X-Hub") is None
    for wrong in ({}, BEARER, {"x-signature": hmac_of(body + b" ")}):
        with pytest.raises(ForgedCallbackError):
            read("m=to-ken", body, wrong, proof="hmac")


def test_the_secret_is_not_shown() -> None:
    assert SECRET not in repr(HttpSmsCallbackSettings(secret=SECRET))
