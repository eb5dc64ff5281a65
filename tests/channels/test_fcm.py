"""Push to Android devices: to a server that gives access tokens, and sends, as Google's do."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from segue.channels.fcm import FcmProvider
from segue.channels.sender import Accepted, Refused, TryLater, Unknown
from segue.channels.settings import FcmSettings
from segue.clock import FixedClock
from segue.errors import SegueError
from segue.model.devices import RegisteredDevice
from segue.model.instants import HOUR, MINUTE, parse_instant
from segue.model.messages import Button, StoryPage
from segue.model.rendered import RenderedPush
from tests.channels.fake_provider import CUT, NEVER, Reply, serving
from tests.channels.fake_push import FakeFcm, fcm_error

pytestmark = pytest.mark.slow

NOW = parse_instant("2026-11-01T10:00:00Z")
DEVICE = RegisteredDevice("phone", "android", "cX-1:APA91b")
PUSH = RenderedPush("snd_1", "ada", "welcome", "A", [DEVICE], "Hello", "Come back", token="t")


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
async def fcm(
    tmp_path: Path, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[FakeFcm]:
    server = FakeFcm(clock)
    async with serving(server, tmp_path):
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
        (tmp_path / "account.json").write_bytes(server.account())
        yield server


def made(fcm: FakeFcm, folder: Path, clock: FixedClock, **more: Any) -> FcmProvider:
    settings = FcmSettings(str(folder / "account.json"), fcm.url, **{"timeout_s": 5.0, **more})
    return FcmProvider(settings, 3_600, clock)


@pytest.fixture
async def provider(fcm: FakeFcm, tmp_path: Path, clock: FixedClock) -> AsyncIterator[FcmProvider]:
    sender = made(fcm, tmp_path, clock)
    yield sender
    await sender.close()


async def test_a_push_is_shown_by_the_system_and_says_whose_it_is(
    fcm: FakeFcm, provider: FcmProvider
) -> None:
    message = replace(PUSH, image_url="https://shop.test/a.png", extra={"shop": "1"})
    assert await provider.push(message, DEVICE) == Accepted("projects/shop-1/messages/1")
    segue = '{"send_id":"snd_1","campaign":"welcome","variant":"A","token":"t",'
    assert fcm.shown == {
        (DEVICE.token, "snd_1"): {
            "token": DEVICE.token,
            "notification": {
                "title": "Hello",
                "body": "Come back",
                "image": "https://shop.test/a.png",
            },
            "data": {"shop": "1", "segue": segue + '"image_url":"https://shop.test/a.png"}'},
            "android": {"priority": "HIGH", "ttl": "3600s", "notification": {"tag": "snd_1"}},
        }
    }
    assert all(asked.http_version == "2" for asked in fcm.asked)


async def test_buttons_and_pages_are_left_to_the_app(fcm: FakeFcm, provider: FcmProvider) -> None:
    page = StoryPage("p1", "https://shop.test/1.png")
    await provider.push(replace(PUSH, buttons=[Button("claim", "Claim")], pages=[page]), DEVICE)
    message = fcm.shown[DEVICE.token, ""]
    assert "notification" not in message
    assert "notification" not in message["android"]
    assert (message["data"]["title"], message["data"]["body"]) == ("Hello", "Come back")
    told = json.loads(message["data"]["segue"])
    assert told["buttons"] == [{"id": "claim", "text": "Claim"}]
    assert told["pages"] == [{"id": "p1", "image_url": "https://shop.test/1.png"}]
    assert told["send_id"] == "snd_1", "by which the app knows a repeat"


async def test_an_access_token_is_asked_for_once_and_renewed_before_its_end(
    fcm: FakeFcm, provider: FcmProvider, clock: FixedClock
) -> None:
    await asyncio.gather(*(provider.push(PUSH, DEVICE) for _ in range(5)))
    clock.advance(50 * MINUTE)
    await provider.push(PUSH, DEVICE)
    assert len(fcm.valid_tokens) == 1
    clock.advance(9 * MINUTE)
    await provider.push(PUSH, DEVICE)
    assert len(fcm.valid_tokens) == 2
    assert len(fcm.asked_to_send()) == 7


async def test_an_access_token_that_is_not_taken_any_more_is_exchanged_once(
    fcm: FakeFcm, provider: FcmProvider
) -> None:
    await provider.push(PUSH, DEVICE)
    fcm.valid_tokens.clear()
    assert isinstance(await provider.push(PUSH, DEVICE), Accepted)
    fcm.say(fcm_error(401, "UNAUTHENTICATED"), fcm_error(401, "UNAUTHENTICATED"))
    answer = await provider.push(PUSH, DEVICE)
    assert isinstance(answer, TryLater)
    assert answer.is_outage
    assert len(fcm.asked_to_send()) == 5


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (
            fcm_error(404, "UNREGISTERED", is_fcm=True),
            Refused("HTTP 404 UNREGISTERED Said so.", is_address_dead=True),
        ),
        (
            fcm_error(403, "SENDER_ID_MISMATCH", is_fcm=True),
            Refused("HTTP 403 SENDER_ID_MISMATCH Said so.", is_address_dead=True),
        ),
        (
            fcm_error(400, "INVALID_ARGUMENT", is_fcm=True),
            Refused("HTTP 400 INVALID_ARGUMENT Said so.", is_address_dead=True),
        ),
        (
            fcm_error(400, "INVALID_ARGUMENT", "message.token", is_fcm=True),
            Refused("HTTP 400 INVALID_ARGUMENT Said so.", is_address_dead=True),
        ),
        (
            fcm_error(400, "INVALID_ARGUMENT", "message.data[0].value", is_fcm=True),
            Refused("HTTP 400 INVALID_ARGUMENT Said so."),
        ),
        (
            fcm_error(400, "INVALID_ARGUMENT", "message.token", "message.android", is_fcm=True),
            Refused("HTTP 400 INVALID_ARGUMENT Said so."),
        ),
        (
            fcm_error(400, "INVALID_ARGUMENT", "message.data[0].value"),
            Refused("HTTP 400 Said so."),
        ),
        (fcm_error(404, "NOT_FOUND"), Refused("HTTP 404 Said so.")),
        (Reply(404, body=b"no such page"), Refused("HTTP 404 no such page")),
        (
            fcm_error(429, "QUOTA_EXCEEDED", is_fcm=True),
            TryLater("HTTP 429 QUOTA_EXCEEDED Said so.", 60.0),
        ),
        (
            fcm_error(429, "QUOTA_EXCEEDED", is_fcm=True, **{"retry-after": "90"}),
            TryLater("HTTP 429 QUOTA_EXCEEDED Said so.", 90.0),
        ),
        (Reply(429), TryLater("HTTP 429", 60.0, is_outage=True)),
        (
            fcm_error(503, "UNAVAILABLE", is_fcm=True, **{"retry-after": "7"}),
            TryLater("HTTP 503 UNAVAILABLE Said so.", 7.0, is_outage=True),
        ),
        (
            fcm_error(500, "INTERNAL", is_fcm=True),
            TryLater("HTTP 500 INTERNAL Said so.", is_outage=True),
        ),
        (
            fcm_error(400, "UNSPECIFIED_ERROR", is_fcm=True),
            TryLater("HTTP 400 UNSPECIFIED_ERROR Said so.", is_outage=True),
        ),
    ],
)
async def test_an_answer_is_sorted_by_its_code(
    fcm: FakeFcm, provider: FcmProvider, reply: Reply, expected: Refused | TryLater
) -> None:
    """channel-facts.md 6.7."""
    fcm.say(reply)
    assert await provider.push(PUSH, DEVICE) == expected
    assert not fcm.shown


@pytest.mark.parametrize(
    ("status", "code"), [(401, "THIRD_PARTY_AUTH_ERROR"), (403, "PERMISSION_DENIED")]
)
async def test_rights_that_lack_are_tried_again_once_they_are_given(
    fcm: FakeFcm, provider: FcmProvider, status: int, code: str
) -> None:
    fcm.say(fcm_error(status, code, is_fcm=True))
    answer = await provider.push(PUSH, DEVICE)
    assert isinstance(answer, TryLater)
    assert answer.is_outage
    assert "look at the service account" in answer.detail
    assert isinstance(await provider.push(PUSH, DEVICE), Accepted)
    assert len(fcm.valid_tokens) == 1, "the access token was not at fault"


@pytest.mark.parametrize("end", [CUT, NEVER])
async def test_what_broke_off_is_unknown_and_a_repeat_replaces_it_on_the_device(
    fcm: FakeFcm, tmp_path: Path, clock: FixedClock, end: Reply
) -> None:
    provider = made(fcm, tmp_path, clock, timeout_s=0.5)
    fcm.say(Reply(200, is_cut=end.is_cut, is_never=end.is_never))
    assert isinstance(await provider.push(PUSH, DEVICE), Unknown)
    assert isinstance(await provider.push(PUSH, DEVICE), Accepted)
    await provider.close()
    assert len(fcm.asked_to_send()) == 2
    assert len(fcm.shown) == 1


@pytest.mark.parametrize(
    "reply", [CUT, NEVER, Reply(400, body=b'{"error":"invalid_grant"}'), Reply(200, body=b"{}")]
)
async def test_without_an_access_token_nothing_was_sent_to_anybody(
    fcm: FakeFcm, tmp_path: Path, clock: FixedClock, reply: Reply
) -> None:
    provider = made(fcm, tmp_path, clock, timeout_s=0.5)
    fcm.planned_exchanges.append(reply)
    answer = await provider.push(PUSH, DEVICE)
    assert isinstance(answer, TryLater)
    assert answer.is_outage
    assert answer.detail.startswith("no access token: ")
    assert not fcm.asked_to_send()
    assert isinstance(await provider.push(PUSH, DEVICE), Accepted)
    await provider.close()


async def test_what_is_too_large_is_not_even_sent(fcm: FakeFcm, provider: FcmProvider) -> None:
    answer = await provider.push(replace(PUSH, extra={"a": "b" * 4_100}), DEVICE)
    assert isinstance(answer, Refused)
    assert "bytes of the 4096" in answer.detail
    assert not fcm.asked


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"private_key": "sesame"}, "private_key holds no RSA key"),
        ({"private_key": None}, "no key file of a service account"),
        ({"project_id": 5}, "no key file of a service account"),
        ({"token_uri": "http://keys.test/sesame"}, "token_uri"),
    ],
)
def test_a_file_that_is_no_service_account_is_named_without_its_key(
    tmp_path: Path, change: dict[str, object], said: str
) -> None:
    fcm = FakeFcm(FixedClock())
    fcm.url = "https://fcm.test"
    file = tmp_path / "account.json"
    file.write_text(json.dumps(json.loads(fcm.account()) | change))
    with pytest.raises(SegueError, match=said) as caught:
        FcmProvider(FcmSettings(str(file)), 60, FixedClock())
    assert "service_account_file" in str(caught.value)
    assert "sesame" not in str(caught.value).replace("keys.test/sesame", "")
    assert "BEGIN" not in str(caught.value)


def test_credentials_do_not_go_to_another_machine_in_the_clear(tmp_path: Path) -> None:
    fcm = FakeFcm(FixedClock())
    fcm.url = "https://fcm.test"
    (tmp_path / "account.json").write_bytes(fcm.account())
    for url in ("http://fcm.test", "ftp://fcm.test", "fcm.test", "https://", "http://[::1"):
        settings = FcmSettings(str(tmp_path / "account.json"), url)
        with pytest.raises(SegueError, match=r"channels\.push\.fcm\.url: .* must begin with https"):
            FcmProvider(settings, HOUR, FixedClock())
