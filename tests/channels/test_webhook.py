"""Webhooks to a real server: signed, sorted by answer, never raised."""

import base64
import json
from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace
from standardwebhooks import Webhook, WebhookVerificationError

from segue.channels.sender import Accepted, Refused, TryLater
from segue.channels.settings import WebhookSettings
from segue.channels.webhook import WebhookSender
from segue.clock import FixedClock, SystemClock
from segue.errors import SegueError
from segue.model.instants import SECOND, parse_instant, to_datetime
from segue.model.rendered import RenderedEmail, RenderedWebhook
from tests.channels.fake_http import WebServer, web_server

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
NOW = parse_instant("2026-11-01T10:00:00Z")
LOCAL = ["127.0.0.0/8"]


@pytest.fixture
async def web() -> AsyncIterator[WebServer]:
    async with web_server() as server:
        yield server


@pytest.fixture
async def sender() -> AsyncIterator[WebhookSender]:
    made = WebhookSender(WebhookSettings(SECRET, LOCAL, 5.0), FixedClock(NOW))
    yield made
    await made.close()


def call(web: WebServer, path: str = "/hook", **headers: str) -> RenderedWebhook:
    return RenderedWebhook(
        "snd_1",
        "ada",
        "welcome",
        web.url + path,
        "POST",
        {"Content-Type": "application/json", **headers},
        json.dumps({"name": "Zoë"}).encode(),
    )


async def test_a_receiver_can_verify_the_signature(web: WebServer) -> None:
    sender = WebhookSender(WebhookSettings(SECRET, LOCAL, 5.0), SystemClock())
    assert await sender.send(call(web)) == Accepted("HTTP 200 ok")
    await sender.close()
    asked = web.asked[0]
    assert Webhook(SECRET).verify(asked.body, asked.headers) == {"name": "Zoë"}
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(asked.body + b" ", asked.headers)


async def test_a_call_without_a_body_is_signed_too(web: WebServer) -> None:
    sender = WebhookSender(WebhookSettings(SECRET, LOCAL, 5.0), SystemClock())
    await sender.send(replace(call(web), body=None, method="GET"))
    await sender.close()
    asked = web.asked[0]
    # The package verifies JSON only, so what it would have signed is compared.
    signed_at = to_datetime(int(asked.headers["webhook-timestamp"]) * SECOND)
    expected = Webhook(SECRET).sign("snd_1", signed_at, "")
    assert asked.headers["webhook-signature"] == expected


async def test_a_repeat_has_the_same_id_and_its_own_time(web: WebServer) -> None:
    clock = FixedClock(NOW)
    sender = WebhookSender(WebhookSettings(SECRET, LOCAL, 5.0), clock)
    web.say(500)
    assert isinstance(await sender.send(call(web)), TryLater)
    clock.advance(60_000_000)
    assert isinstance(await sender.send(call(web)), Accepted)
    await sender.close()
    first, second = (asked.headers for asked in web.asked)
    for name in ("webhook-id", "idempotency-key"):
        assert first[name] == second[name] == "snd_1"
    assert int(second["webhook-timestamp"]) - int(first["webhook-timestamp"]) == 60
    assert first["webhook-signature"] != second["webhook-signature"]


async def test_without_a_secret_nothing_is_signed(web: WebServer) -> None:
    sender = WebhookSender(WebhookSettings(None, LOCAL, 5.0), FixedClock(NOW))
    await sender.send(call(web))
    await sender.close()
    assert "webhook-signature" not in web.asked[0].headers
    assert web.asked[0].headers["webhook-id"] == "snd_1"
    assert web.asked[0].headers["user-agent"] == "Segue"


async def test_an_author_names_the_agent_and_key_but_not_the_signature(
    web: WebServer, sender: WebhookSender
) -> None:
    given = {
        "user-agent": "Shop",
        "idempotency-key": "mine",
        "Webhook-ID": "forged",
        "WEBHOOK-SIGNATURE": "v1,forged",
    }
    await sender.send(call(web, **given))
    head = web.asked[0].raw_head.lower()
    assert web.asked[0].headers["user-agent"] == "Shop"
    assert web.asked[0].headers["idempotency-key"] == "mine"
    assert b"forged" not in head
    for name in (b"user-agent", b"idempotency-key", b"webhook-id", b"webhook-signature"):
        assert head.count(b"\r\n" + name + b":") == 1


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (200, Accepted("HTTP 200 said so")),
        (202, Accepted("HTTP 202 said so")),
        (299, Accepted("HTTP 299 said so")),
        (408, TryLater("HTTP 408 said so")),
        (429, TryLater("HTTP 429 said so")),
        (500, TryLater("HTTP 500 said so")),
        (503, TryLater("HTTP 503 said so")),
        (599, TryLater("HTTP 599 said so")),
        (400, Refused("HTTP 400 said so")),
        (401, Refused("HTTP 401 said so")),
        (404, Refused("HTTP 404 said so")),
        (410, Refused("HTTP 410 said so")),
    ],
)
async def test_an_answer_is_sorted_by_its_status(
    web: WebServer, sender: WebhookSender, status: int, expected: Accepted | TryLater | Refused
) -> None:
    web.say(status, body=b"said\n so")
    assert await sender.send(call(web)) == expected


@pytest.mark.parametrize("status", [301, 302, 304, 307, 308])
async def test_a_redirect_is_refused_with_what_to_do(
    web: WebServer, sender: WebhookSender, status: int
) -> None:
    web.say(status, {"Location": f"{web.url}/elsewhere"})
    answer = await sender.send(call(web))
    assert isinstance(answer, Refused)
    assert "redirects are not followed" in answer.detail
    assert len(web.asked) == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        ("Sun, 01 Nov 2026 10:02:00 GMT", 120.0),
        ("Sun, 01 Nov 2026 09:00:00 GMT", 0.0),
        ("Sun, 01 Nov 99999 09:00:00 GMT", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("²", None),
        ("9" * 400, None),
        ("", None),
    ],
)
async def test_a_wish_for_later_is_read(
    web: WebServer, sender: WebhookSender, text: str, expected: float | None
) -> None:
    for status in (429, 503):
        web.say(status, {"Retry-After": text})
        answer = await sender.send(call(web))
        assert isinstance(answer, TryLater)
        assert answer.retry_after_s == expected


@pytest.mark.parametrize("path", ["/slow", "/drop"])
async def test_a_call_that_broke_off_is_made_again_later(web: WebServer, path: str) -> None:
    sender = WebhookSender(WebhookSettings(SECRET, LOCAL, 0.2), FixedClock(NOW))
    answer = await sender.send(call(web, path))
    await sender.close()
    assert isinstance(answer, TryLater)
    assert "may have arrived" in answer.detail


async def test_a_receiver_that_is_not_there_is_tried_later(sender: WebhookSender) -> None:
    async with web_server() as gone:
        message = call(gone)
    answer = await sender.send(message)
    assert isinstance(answer, TryLater)
    assert "may have arrived" not in answer.detail


@pytest.mark.parametrize(
    "url", ["http://169.254.169.254/latest", "http://[::1]/", "http://2130706433/", "http://10.1/"]
)
async def test_a_forbidden_address_is_refused_with_how_to_allow_it(url: str) -> None:
    sender = WebhookSender(WebhookSettings(), FixedClock(NOW))
    message = RenderedWebhook("snd_1", "ada", "welcome", url, "POST")
    answer = await sender.send(message)
    await sender.close()
    assert isinstance(answer, Refused)
    assert "allow_private_addresses" in answer.detail


async def test_what_cannot_be_sent_is_refused_without_the_secrets_of_its_url(
    web: WebServer, sender: WebhookSender
) -> None:
    message = call(web)
    for wrong in (
        replace(message, url="ftp://shop.test/token-123"),
        replace(message, method="POST it"),
        replace(message, headers={"X-A": "b\r\nX-C: d"}),
    ):
        answer = await sender.send(wrong)
        assert isinstance(answer, Refused)
        assert "token-123" not in answer.detail
    mail = RenderedEmail("snd_1", "ada", "welcome", "ada@people.test", "shop@shop.test", "Hi")
    assert isinstance(await sender.send(mail), Refused)


@pytest.mark.parametrize(
    "secret",
    ["", "whsec_", "whsec_short", "whsec_not base64!", "whsec_" + "A" * 20, "whsec_" + "A" * 200],
)
def test_a_secret_that_is_none_is_not_repeated(secret: str) -> None:
    with pytest.raises(SegueError, match=r"webhook\.secret") as caught:
        WebhookSender(WebhookSettings(secret=secret), FixedClock())
    assert not secret.removeprefix("whsec_") or secret not in str(caught.value)
