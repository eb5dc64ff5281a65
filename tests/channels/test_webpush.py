"""Push to browsers: to a push service that decrypts, and checks who signed."""

import base64
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from segue.channels.push_payload import payload_of
from segue.channels.sender import Accepted, Refused, TryLater, Unknown
from segue.channels.settings import WebPushSettings
from segue.channels.webpush import WebPushProvider
from segue.clock import FixedClock
from segue.errors import SegueError
from segue.model.devices import RegisteredDevice, WebPushKeys
from segue.model.instants import HOUR, parse_instant
from segue.model.messages import Button, StoryPage
from segue.model.rendered import RenderedPush
from tests.channels.fake_provider import CUT, NEVER, Reply, serving
from tests.channels.fake_push import FakePushService, base64url

NOW = parse_instant("2026-11-01T10:00:00Z")
PUSH = RenderedPush("snd_1", "ada", "welcome", "A", [], "Hello", "Come back", token="t")
LOCAL = ["127.0.0.0/8"]


def secret(name: str) -> bytes:
    return f"the secret called {name}, of 40 bytes".ljust(40, ".").encode()


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
async def service(
    tmp_path: Path, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[FakePushService]:
    server = FakePushService(clock)
    async with serving(server, tmp_path):
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
        yield server


def made(clock: FixedClock, **more: Any) -> WebPushProvider:
    fields = {"allow_private_addresses": LOCAL, "timeout_s": 5.0, **more}
    return WebPushProvider(WebPushSettings("mailto:ops@shop.test", **fields), 60, clock, secret)


@pytest.fixture
async def provider(service: FakePushService, clock: FixedClock) -> AsyncIterator[WebPushProvider]:
    sender = made(clock)
    service.public_key = sender.public_key
    yield sender
    await sender.close()


async def test_a_browser_decrypts_what_it_shows_and_whose_it_is(
    service: FakePushService, provider: WebPushProvider
) -> None:
    message = replace(
        PUSH,
        deep_link="https://shop.test/sale",
        buttons=[Button("claim", "Claim")],
        pages=[StoryPage("p1", "https://shop.test/1.png")],
        extra={"shop": "1", "title": "not this"},
    )
    answer = await provider.push(message, service.device())
    assert answer == Accepted(f"{service.url}/message/1")
    topic = service.asked[0].headers["topic"]
    assert service.shown == {
        ("/send/1", topic): {
            "title": "Hello",
            "body": "Come back",
            "shop": "1",
            "segue": {
                "send_id": "snd_1",
                "campaign": "welcome",
                "variant": "A",
                "token": "t",
                "deep_link": "https://shop.test/sale",
                "buttons": [{"id": "claim", "text": "Claim"}],
                "pages": [{"id": "p1", "image_url": "https://shop.test/1.png"}],
            },
        }
    }
    assert service.asked[0].headers["ttl"] == "60"
    assert service.asked[0].headers["urgency"] == "normal"


async def test_the_largest_notification_still_fits_and_a_larger_one_is_not_sent(
    service: FakePushService, provider: WebPushProvider
) -> None:
    empty = {"title": "Hello", "body": "", "segue": payload_of(PUSH)}
    rest = 3_993 - len(msgspec.json.encode(empty))
    largest, larger = (replace(PUSH, body="x" * length) for length in (rest, rest + 1))
    assert isinstance(await provider.push(largest, service.device()), Accepted)
    assert len(service.asked[0].body) == 4_096
    answer = await provider.push(larger, service.device())
    assert isinstance(answer, Refused)
    assert "3994 bytes of the 3993" in answer.detail
    assert len(service.asked) == 1


async def test_no_two_pushes_are_encrypted_alike(
    service: FakePushService, provider: WebPushProvider
) -> None:
    for _ in range(2):
        await provider.push(PUSH, service.device())
    first, second = (asked.body for asked in service.asked)
    assert first[:16] != second[:16], "the salt"
    assert first[21:86] != second[21:86], "the key for this push alone"


async def test_we_sign_anew_for_each_service_and_now_and_then(
    service: FakePushService, provider: WebPushProvider, clock: FixedClock
) -> None:
    for _ in range(3):
        await provider.push(PUSH, service.device())
        clock.advance(4 * HOUR)
    tokens = [asked.headers["authorization"] for asked in service.asked]
    assert tokens[0] == tokens[1] != tokens[2]


async def test_the_key_that_browsers_subscribe_with_stays_the_same(clock: FixedClock) -> None:
    first, second = made(clock), made(clock)
    assert first.public_key == second.public_key
    point = base64.urlsafe_b64decode(first.public_key + "=")
    assert (len(point), point[0]) == (65, 4)


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (Reply(404), Refused("HTTP 404", is_address_dead=True)),
        (Reply(410, body=b"gone"), Refused("HTTP 410 gone", is_address_dead=True)),
        (Reply(400, body=b"bad"), Refused("HTTP 400 bad")),
        (Reply(401), Refused("HTTP 401")),
        (Reply(403), Refused("HTTP 403")),
        (Reply(413), Refused("HTTP 413")),
        (Reply(307, {"location": "https://elsewhere.test"}), Refused("HTTP 307")),
        (Reply(429, {"retry-after": "30"}), TryLater("HTTP 429", 30.0)),
        (Reply(500), TryLater("HTTP 500", is_outage=True)),
        (Reply(503, {"retry-after": "7"}), TryLater("HTTP 503", 7.0, is_outage=True)),
        (Reply(200), Accepted("HTTP 200")),
        (Reply(202), Accepted("HTTP 202")),
    ],
)
async def test_an_answer_is_sorted_by_its_status(
    service: FakePushService,
    provider: WebPushProvider,
    reply: Reply,
    expected: Accepted | Refused | TryLater,
) -> None:
    """channel-facts.md 6.6."""
    service.say(reply)
    assert await provider.push(PUSH, service.device()) == expected


async def test_who_subscribed_with_another_key_is_refused_and_not_forgotten(
    service: FakePushService, provider: WebPushProvider
) -> None:
    service.public_key = "another"
    assert await provider.push(PUSH, service.device()) == Refused("HTTP 403 another key")


@pytest.mark.parametrize("end", [CUT, NEVER])
async def test_what_broke_off_is_unknown_and_a_repeat_replaces_it(
    service: FakePushService, clock: FixedClock, end: Reply
) -> None:
    provider = made(clock, timeout_s=0.5)
    service.say(Reply(201, is_cut=end.is_cut, is_never=end.is_never))
    assert isinstance(await provider.push(PUSH, service.device()), Unknown)
    assert isinstance(await provider.push(PUSH, service.device()), Accepted)
    await provider.close()
    assert len(service.asked) == 2
    assert len(service.shown) == 1


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://169.254.169.254/latest/meta-data",
        "https://10.0.0.1/push",
        "https://[::1]/push",
        "https://2130706433/push",
        "https://localhost/push",
    ],
)
async def test_a_user_cannot_make_us_call_into_our_own_network(
    clock: FixedClock, endpoint: str
) -> None:
    provider = made(clock, allow_private_addresses=[])
    device = replace(FakePushService(clock).device(), token=endpoint)
    answer = await provider.push(PUSH, device)
    await provider.close()
    assert isinstance(answer, Refused)
    assert "channels.push.web.allow_private_addresses" in answer.detail


@pytest.mark.parametrize(
    ("token", "keys"),
    [
        ("http://127.0.0.1:9/push", WebPushKeys(base64url(b"\4" + bytes(64)), "A" * 22)),
        ("https://127.0.0.1:9/push", None),
        ("https://127.0.0.1:9/push", WebPushKeys("AAAA", "A" * 22)),
        ("https://127.0.0.1:9/push", WebPushKeys(base64url(b"\4" + bytes(64)), "A" * 22)),
    ],
)
async def test_a_subscription_that_cannot_be_one_is_dead(
    clock: FixedClock, token: str, keys: WebPushKeys | None
) -> None:
    provider = made(clock)
    answer = await provider.push(PUSH, RegisteredDevice("browser", "web", token, keys))
    await provider.close()
    assert isinstance(answer, Refused)
    assert answer.is_address_dead


def test_a_network_that_is_none_is_told_at_the_start(clock: FixedClock) -> None:
    with pytest.raises(SegueError, match=r"channels\.push\.web\.allow_private_addresses"):
        made(clock, allow_private_addresses=["everything"])
