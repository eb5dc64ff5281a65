"""Text messages: over Twilio, and over any provider that takes one HTTP call."""

import base64
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs

import pytest
from msgspec.structs import replace

from segue.channels.sender import Accepted, Refused, TryLater, Unknown
from segue.channels.settings import (
    HttpSmsCallbackSettings,
    HttpSmsSettings,
    SmsSettings,
    TwilioSettings,
)
from segue.channels.sms import SmsSender
from segue.clock import FixedClock
from segue.errors import SegueError
from segue.model.instants import SECOND, parse_instant
from segue.model.limits import BREAKER_FAILURES_MAX
from segue.model.rendered import RenderedEmail, RenderedSms
from tests.channels.fake_provider import CUT, NEVER, Asked, FakeProvider, Reply, serving

NOW = parse_instant("2026-11-01T10:00:00Z")
SMS = RenderedSms("snd_1", "ada", "welcome", "+32470123456", "Hello & welcome, Zoë")
LONGEST, TOO_LONG = "a" * 1_530, "a" * 1_531


class FakeTwilio(FakeProvider):
    """The Messages API: who asks, from whom to whom, and the words."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[dict[str, list[str]]] = []

    def settings(self, url: str | None = None) -> dict[str, str]:
        """Return the variables by which a server of ours sends through it."""
        return {
            "SEGUE_CHANNELS__SMS__TWILIO__URL": url or self.url,
            "SEGUE_CHANNELS__SMS__TWILIO__ACCOUNT_SID": "AC1",
            "SEGUE_CHANNELS__SMS__TWILIO__AUTH_TOKEN": "sesame",
            "SEGUE_CHANNELS__SMS__TWILIO__FROM": "+15005550006",
        }

    def answer(self, asked: Asked) -> Reply:
        assert (asked.method, asked.path) == ("POST", "/2010-04-01/Accounts/AC1/Messages.json")
        assert asked.headers["content-type"] == "application/x-www-form-urlencoded"
        login = base64.b64decode(asked.headers["authorization"].removeprefix("Basic ")).decode()
        if login not in ("AC1:sesame", "SK1:sesame"):
            return twilio_error(401, 20003, "Authenticate")
        form = parse_qs(asked.body.decode(), strict_parsing=True)
        assert ("From" in form) != ("MessagingServiceSid" in form)
        reply = self.planned.pop(0) if self.planned else Reply(201)
        if reply.status == 201:
            self.sent.append(form)
            reply.body = b'{"sid": "SM1", "status": "queued", "num_segments": "1"}'
        return reply


def twilio_error(status: int, code: int, message: str, **headers: str) -> Reply:
    body = {"code": code, "message": message, "status": status, "more_info": "https://t.test"}
    return Reply(status, headers, json.dumps(body).encode())


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
async def twilio() -> AsyncIterator[FakeTwilio]:
    server = FakeTwilio()
    async with serving(server):
        yield server


def over_twilio(
    twilio: FakeTwilio, clock: FixedClock, public_url: str | None = None, **more: Any
) -> SmsSender:
    fields = {"from_": "+15005550006", "timeout_s": 5.0, "url": twilio.url, **more}
    settings = TwilioSettings(account_sid="AC1", **{"auth_token": "sesame", **fields})
    return SmsSender(SmsSettings(twilio=settings), clock, public_url)


@pytest.fixture
async def sender(twilio: FakeTwilio, clock: FixedClock) -> AsyncIterator[SmsSender]:
    made = over_twilio(twilio, clock)
    yield made
    await made.close()


async def test_a_text_message_goes_from_a_number_to_a_number(
    twilio: FakeTwilio, sender: SmsSender
) -> None:
    assert await sender.send(SMS) == Accepted("SM1")
    assert twilio.sent == [
        {"To": ["+32470123456"], "From": ["+15005550006"], "Body": ["Hello & welcome, Zoë"]}
    ]


async def test_a_message_may_name_its_sender_and_bring_media(
    twilio: FakeTwilio, sender: SmsSender
) -> None:
    media = ["https://shop.test/1.png", "https://shop.test/2.png?a=b&c"]
    await sender.send(replace(SMS, from_="Shop", media_urls=media))
    assert twilio.sent[0]["From"] == ["Shop"]
    assert twilio.sent[0]["MediaUrl"] == media


async def test_a_messaging_service_and_an_api_key_are_used_where_they_are_set(
    twilio: FakeTwilio, clock: FixedClock
) -> None:
    sender = over_twilio(twilio, clock, from_=None, messaging_service_sid="MG1", api_key="SK1")
    await sender.send(SMS)
    await sender.send(replace(SMS, from_="+15005550006"))
    await sender.close()
    assert twilio.sent[0]["MessagingServiceSid"] == ["MG1"]
    assert twilio.sent[1]["From"] == ["+15005550006"]
    assert (
        twilio.asked[0].headers["authorization"]
        == "Basic " + base64.b64encode(b"SK1:sesame").decode()
    )


@pytest.mark.parametrize(
    ("public_url", "settings", "called_back"),
    [
        ("https://segue.test/", {}, ["https://segue.test/hooks/sms/twilio?m=t0-ken"]),
        (None, {}, None),
        ("https://segue.test", {"api_key": "SK1"}, None),
        (
            "https://segue.test",
            {"api_key": "SK1", "webhook_auth_token": "whistle"},
            ["https://segue.test/hooks/sms/twilio?m=t0-ken"],
        ),
    ],
)
async def test_twilio_is_asked_for_reports_where_it_can_call_and_be_believed(
    twilio: FakeTwilio,
    clock: FixedClock,
    public_url: str | None,
    settings: dict[str, str],
    called_back: list[str] | None,
) -> None:
    sender = over_twilio(twilio, clock, public_url, **settings)
    await sender.send(replace(SMS, token="t0-ken"))
    await sender.send(SMS)
    await sender.close()
    assert twilio.sent[0].get("StatusCallback") == called_back
    assert "StatusCallback" not in twilio.sent[1], "of a message that has no name"


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (twilio_error(400, 21211, "Invalid 'To'"), Refused("HTTP 400 21211 Invalid 'To'", True)),
        (twilio_error(400, 21614, "Not mobile"), Refused("HTTP 400 21614 Not mobile", True)),
        (twilio_error(400, 21610, "Opted out"), Refused("HTTP 400 21610 Opted out")),
        (twilio_error(400, 21602, "No body"), Refused("HTTP 400 21602 No body")),
        (Reply(404, body=b"what?"), Refused("HTTP 404 what?")),
        (
            twilio_error(429, 20429, "Slower", **{"retry-after": "7"}),
            TryLater("HTTP 429 20429 Slower", 7.0, is_outage=True),
        ),
        (twilio_error(400, 21611, "Queue full"), TryLater("HTTP 400 21611 Queue full")),
        (twilio_error(429, 30001, "Queue full"), TryLater("HTTP 429 30001 Queue full")),
        (Reply(500), TryLater("HTTP 500", is_outage=True)),
        (Reply(503, {"retry-after": "9"}), TryLater("HTTP 503", 9.0, is_outage=True)),
        (Reply(504), Unknown("HTTP 504")),
    ],
)
async def test_an_answer_is_sorted_by_its_code(
    twilio: FakeTwilio, sender: SmsSender, reply: Reply, expected: Refused | TryLater | Unknown
) -> None:
    """channel-facts.md 6.9."""
    twilio.say(reply)
    assert await sender.send(SMS) == expected
    assert not twilio.sent


async def test_a_wrong_login_is_tried_again_once_it_is_mended_and_not_repeated_in_words(
    twilio: FakeTwilio, clock: FixedClock
) -> None:
    sender = over_twilio(twilio, clock, auth_token="wrong-sesame")
    answer = await sender.send(SMS)
    await sender.close()
    assert isinstance(answer, TryLater)
    assert answer.is_outage
    assert "channels.sms.twilio" in answer.detail
    assert "wrong-sesame" not in answer.detail


@pytest.mark.parametrize("end", [CUT, NEVER])
async def test_what_broke_off_is_unknown_and_never_sent_again_by_itself(
    twilio: FakeTwilio, clock: FixedClock, end: Reply
) -> None:
    sender = over_twilio(twilio, clock, timeout_s=0.5)
    twilio.say(Reply(201, is_cut=end.is_cut, is_never=end.is_never))
    answer = await sender.send(SMS)
    await sender.close()
    assert isinstance(answer, Unknown)
    assert len(twilio.sent) == 1


async def test_a_provider_out_of_reach_is_left_alone_after_a_few_tries(clock: FixedClock) -> None:
    gone = FakeTwilio()
    gone.url = "http://127.0.0.1:9"
    sender = over_twilio(gone, clock)
    answers = [await sender.send(SMS) for _ in range(BREAKER_FAILURES_MAX + 1)]
    await sender.close()
    assert all(isinstance(answer, TryLater) for answer in answers)
    assert "left alone" in answers[-1].detail
    assert "left alone" not in answers[-2].detail


async def test_a_text_is_not_paid_for_many_times_over(
    twilio: FakeTwilio, sender: SmsSender
) -> None:
    assert await sender.send(replace(SMS, body=LONGEST)) == Accepted("SM1")
    answer = await sender.send(replace(SMS, body=TOO_LONG))
    assert answer == Refused("the text takes 11 messages of GSM-7; at most 10 are sent")
    assert len(twilio.sent) == 1


async def test_a_turn_counts_a_texts_segments(twilio: FakeTwilio, clock: FixedClock) -> None:
    sender = over_twilio(twilio, clock, sends_per_second_max=1.0)
    turns = [sender.turn(replace(SMS, body="a" * length), NOW) for length in (100, 200, 10)]
    await sender.close()
    assert turns == [NOW, NOW + SECOND, NOW + 3 * SECOND]


class FakeGateway(FakeProvider):
    """A provider of no particular kind."""

    def answer(self, asked: Asked) -> Reply:
        return self.planned.pop(0) if self.planned else Reply(200, body=b"queued")


@pytest.fixture
async def gateway() -> AsyncIterator[FakeGateway]:
    server = FakeGateway()
    async with serving(server):
        yield server


def over_http(
    gateway: FakeGateway,
    clock: FixedClock,
    path: str = "",
    public_url: str | None = None,
    **more: Any,
) -> SmsSender:
    settings = HttpSmsSettings(url=gateway.url + path, **{"timeout_s": 5.0, **more})
    return SmsSender(SmsSettings(http=settings), clock, public_url)


async def test_a_call_is_made_as_its_templates_say(gateway: FakeGateway, clock: FixedClock) -> None:
    sender = over_http(
        gateway,
        clock,
        path="/send/{{ campaign }}",
        headers={"X-Key": "sesame"},
        body='{"to": {{ to | json }}, "text": {{ body | json }}, "from": {{ from | json }}}',
        from_="Shop",
    )
    assert await sender.send(SMS) == Accepted("HTTP 200 queued")
    await sender.close()
    asked = gateway.asked[0]
    assert (asked.method, asked.path) == ("POST", "/send/welcome")
    assert json.loads(asked.body) == {"to": SMS.to, "text": SMS.body, "from": "Shop"}
    assert asked.headers["content-type"] == "application/json"
    assert asked.headers["x-key"] == "sesame"
    assert asked.headers["idempotency-key"] == "snd_1"


@pytest.mark.parametrize(
    ("public_url", "callbacks", "told"),
    [
        ("https://segue.test", {}, "https://segue.test/hooks/sms/http?m=t0-ken"),
        (
            "https://segue.test",
            {"proof": "query", "proof_name": "key"},
            "https://segue.test/hooks/sms/http?m=t0-ken&key=sesame-sesame-sesame",
        ),
        (None, {}, ""),
        ("https://segue.test", None, ""),
    ],
)
async def test_a_template_says_where_to_report_to(
    gateway: FakeGateway,
    clock: FixedClock,
    public_url: str | None,
    callbacks: dict[str, Any] | None,
    told: str,
) -> None:
    settings = None
    if callbacks is not None:
        settings = HttpSmsCallbackSettings(secret="sesame-sesame-sesame", **callbacks)
    body = '{"report_to": {{ callback_url | json }}}'
    sender = over_http(gateway, clock, "/", public_url, body=body, callbacks=settings)
    await sender.send(replace(SMS, token="t0-ken"))
    await sender.close()
    assert json.loads(gateway.asked[0].body) == {"report_to": told}


async def test_no_text_can_become_another_part_of_the_url(
    gateway: FakeGateway, clock: FixedClock
) -> None:
    path = "/send?to={{ to }}&text={{ body }}"
    sender = over_http(gateway, clock, path=path, method="GET")
    await sender.send(replace(SMS, body="a&to=+1#/../b c"))
    await sender.close()
    path, _, query = gateway.asked[0].path.partition("?")
    assert path == "/send"
    assert parse_qs(query) == {"to": [SMS.to], "text": ["a&to=+1#/../b c"]}
    assert gateway.asked[0].body == b""


async def test_a_form_and_headers_of_the_operators_own(
    gateway: FakeGateway, clock: FixedClock
) -> None:
    body = "to={{ to | url_encode }}&text={{ body | url_encode }}&media={{ media_urls[0] }}"
    headers = {"idempotency-key": "{{ none }}", "content-type": "application/x-form"}
    sender = over_http(gateway, clock, body=body)
    await sender.send(replace(SMS, from_="Mine", media_urls=["https://a.test/1"]))
    await sender.close()
    sender = over_http(gateway, clock, body=body, headers=headers)
    await sender.send(SMS)
    await sender.close()
    first, second = gateway.asked
    assert parse_qs(first.body.decode())["text"] == [SMS.body]
    assert first.headers["content-type"] == "application/x-www-form-urlencoded"
    assert second.headers["content-type"] == "application/x-form"
    assert second.headers["idempotency-key"] == "{{ none }}"


@pytest.mark.parametrize(
    ("reply", "kind", "is_outage"),
    [
        (Reply(202), Accepted, False),
        (Reply(400), Refused, False),
        (Reply(404), Refused, False),
        (Reply(302, {"location": "https://elsewhere.test"}), Refused, False),
        (Reply(401), TryLater, True),
        (Reply(408), TryLater, True),
        (Reply(429), TryLater, True),
        (Reply(503), TryLater, True),
        (Reply(504), Unknown, False),
        (CUT, Unknown, False),
        (NEVER, Unknown, False),
    ],
)
async def test_any_providers_answer_is_sorted_by_its_status(
    gateway: FakeGateway, clock: FixedClock, reply: Reply, kind: type, is_outage: bool
) -> None:
    gateway.say(reply)
    sender = over_http(gateway, clock, timeout_s=0.5)
    answer = await sender.send(SMS)
    await sender.close()
    assert type(answer) is kind
    assert getattr(answer, "is_outage", False) is is_outage
    assert not getattr(answer, "is_address_dead", False)
    assert len(gateway.asked) == 1


async def test_a_template_that_fails_for_one_message_refuses_it(
    gateway: FakeGateway, clock: FixedClock
) -> None:
    sender = over_http(gateway, clock, body="{{ body | divided_by: 0 }}")
    answer = await sender.send(SMS)
    await sender.close()
    assert isinstance(answer, Refused)
    assert "channels.sms.http.body" in answer.detail
    assert not gateway.asked


async def test_nothing_but_text_messages_is_taken(sender: SmsSender) -> None:
    mail = RenderedEmail("snd_1", "ada", "welcome", "ada@people.test", "shop@shop.test", "Hi")
    assert isinstance(await sender.send(mail), Refused)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (SmsSettings(), "either twilio or http"),
        (
            SmsSettings(
                TwilioSettings(account_sid="AC1", auth_token="sesame", from_="+1"),
                HttpSmsSettings(url="https://sms.test"),
            ),
            "either twilio or http",
        ),
        (SmsSettings(TwilioSettings(account_sid="AC1", auth_token="sesame")), "set from"),
        (
            SmsSettings(
                TwilioSettings(
                    account_sid="AC1", auth_token="sesame", from_="+1", url="http://t.test"
                )
            ),
            r"channels\.sms\.twilio\.url",
        ),
        (SmsSettings(http=HttpSmsSettings(url="ftp://sms.test/?k=sesame")), r"sms\.http\.url"),
        (SmsSettings(http=HttpSmsSettings(url="https://{{ to }}.test")), r"sms\.http\.url"),
        (SmsSettings(http=HttpSmsSettings(url="https://a.test/{{ to")), r"sms\.http\.url"),
        (
            SmsSettings(http=HttpSmsSettings(url="https://a.test", body="{{ to | nope }}")),
            r"sms\.http\.body: .*nope",
        ),
    ],
)
def test_a_setting_that_is_unusable_is_told_at_the_start(settings: SmsSettings, said: str) -> None:
    with pytest.raises(SegueError, match=said) as caught:
        SmsSender(settings, FixedClock())
    assert "sesame" not in str(caught.value)
