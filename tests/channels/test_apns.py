"""Push to Apple devices, over HTTP/2 and TLS, to a server that checks what Apple's does."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from segue.channels.apns import ApnsProvider
from segue.channels.sender import Accepted, Refused, TryLater, Unknown
from segue.channels.settings import ApnsSettings
from segue.clock import FixedClock
from segue.errors import SegueError
from segue.model.devices import RegisteredDevice
from segue.model.instants import MINUTE, SECOND, parse_instant
from segue.model.messages import Button, StoryPage
from segue.model.rendered import RenderedPush
from tests.channels.fake_provider import CUT, NEVER, Reply, serving
from tests.channels.fake_push import FakeApns, apns_error, pem_of

NOW = parse_instant("2026-11-01T10:00:00Z")
TOKEN = "ab" * 32
DEVICE = RegisteredDevice("phone", "ios", TOKEN.upper(), registered_at=NOW)
SEND_ID = "01900000-0000-7000-8000-000000000000"
PUSH = RenderedPush(SEND_ID, "ada", "welcome", "A", [DEVICE], "Hello", "Come back", token="t")


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
async def apns(
    tmp_path: Path, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[FakeApns]:
    server = FakeApns(clock)
    (tmp_path / "apns.p8").write_bytes(pem_of(server.key))
    async with serving(server, tmp_path):
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
        yield server


@pytest.fixture
async def provider(
    apns: FakeApns, tmp_path: Path, clock: FixedClock
) -> AsyncIterator[ApnsProvider]:
    settings = ApnsSettings(
        str(tmp_path / "apns.p8"), "KEY", "TEAM", "test.shop", apns.url, timeout_s=5.0
    )
    made = ApnsProvider(settings, 3_600, clock)
    yield made
    await made.close()


async def test_a_push_is_shown_and_says_whose_it_is(apns: FakeApns, provider: ApnsProvider) -> None:
    answer = await provider.push(replace(PUSH, extra={"shop": "1"}), DEVICE)
    asked = apns.asked[0]
    assert answer == Accepted(asked.headers["apns-id"])
    assert apns.shown == {
        (TOKEN, SEND_ID): {
            "aps": {"alert": {"title": "Hello", "body": "Come back"}, "sound": "default"},
            "segue": {"send_id": SEND_ID, "campaign": "welcome", "variant": "A", "token": "t"},
            "shop": "1",
        }
    }
    assert asked.headers["apns-priority"] == "10"
    assert int(asked.headers["apns-expiration"]) == NOW // SECOND + 3_600


async def test_an_app_is_given_what_it_draws_itself(apns: FakeApns, provider: ApnsProvider) -> None:
    drawn = replace(
        PUSH,
        deep_link="shop://sale",
        image_url="https://shop.test/a.png",
        buttons=[Button("claim", "Claim", "shop://claim"), Button("later", "Later")],
        pages=[StoryPage("p1", "https://shop.test/1.png", "One")],
    )
    await provider.push(drawn, DEVICE)
    shown = apns.shown[TOKEN, SEND_ID]
    assert shown["aps"]["mutable-content"] == 1
    assert shown["aps"]["category"] == "segue.claim.later"
    assert shown["segue"] == {
        "send_id": SEND_ID,
        "campaign": "welcome",
        "variant": "A",
        "token": "t",
        "deep_link": "shop://sale",
        "image_url": "https://shop.test/a.png",
        "buttons": [
            {"id": "claim", "text": "Claim", "link": "shop://claim"},
            {"id": "later", "text": "Later"},
        ],
        "pages": [{"id": "p1", "image_url": "https://shop.test/1.png", "title": "One"}],
    }


async def test_all_pushes_go_over_one_connection(apns: FakeApns, provider: ApnsProvider) -> None:
    for number in range(5):
        await provider.push(replace(PUSH, send_id=f"s{number}"), DEVICE)
    assert apns.relay.connection_count == 1


async def test_a_token_of_ours_is_used_for_a_while_and_renewed_in_time(
    apns: FakeApns, provider: ApnsProvider, clock: FixedClock
) -> None:
    for _ in range(8):
        assert isinstance(await provider.push(PUSH, DEVICE), Accepted)
        clock.advance(15 * MINUTE)
    tokens = [asked.headers["authorization"] for asked in apns.asked]
    assert len(set(tokens)) == 3
    assert tokens == sorted(tokens, key=tokens.index)


async def test_a_token_that_has_expired_after_all_is_renewed_once(
    apns: FakeApns, provider: ApnsProvider, clock: FixedClock
) -> None:
    await provider.push(PUSH, DEVICE)
    clock.advance(30 * MINUTE)
    apns.say(apns_error(403, "ExpiredProviderToken"))
    assert isinstance(await provider.push(PUSH, DEVICE), Accepted)
    assert len({asked.headers["authorization"] for asked in apns.asked}) == 2
    # A new one just after would be one too many for Apple.
    apns.say(apns_error(403, "ExpiredProviderToken"))
    answer = await provider.push(PUSH, DEVICE)
    assert isinstance(answer, TryLater)
    assert answer.is_outage
    assert len(apns.asked) == 4


@pytest.mark.parametrize(
    ("status", "reason", "expected"),
    [
        (400, "BadDeviceToken", Refused("HTTP 400 BadDeviceToken", is_address_dead=True)),
        (400, "DeviceTokenNotForTopic", Refused("HTTP 400 DeviceTokenNotForTopic", True)),
        (410, "Unregistered", Refused("HTTP 410 Unregistered", is_address_dead=True)),
        (410, "ExpiredToken", Refused("HTTP 410 ExpiredToken", is_address_dead=True)),
        (400, "BadTopic", Refused("HTTP 400 BadTopic")),
        (404, "BadPath", Refused("HTTP 404 BadPath")),
        (405, "MethodNotAllowed", Refused("HTTP 405 MethodNotAllowed")),
        (413, "PayloadTooLarge", Refused("HTTP 413 PayloadTooLarge")),
        (429, "TooManyRequests", TryLater("HTTP 429 TooManyRequests", 7.0)),
        (
            429,
            "TooManyProviderTokenUpdates",
            TryLater("HTTP 429 TooManyProviderTokenUpdates", 7.0, is_outage=True),
        ),
        (500, "InternalServerError", TryLater("HTTP 500 InternalServerError", 7.0, True)),
        (503, "ServiceUnavailable", TryLater("HTTP 503 ServiceUnavailable", 7.0, True)),
        (503, "Shutdown", TryLater("HTTP 503 Shutdown", 7.0, True)),
    ],
)
async def test_an_answer_is_sorted_by_its_reason(
    apns: FakeApns,
    provider: ApnsProvider,
    status: int,
    reason: str,
    expected: Refused | TryLater,
) -> None:
    """channel-facts.md 6.8."""
    apns.say(apns_error(status, reason, **{"retry-after": "7"}))
    assert await provider.push(PUSH, DEVICE) == expected
    assert not apns.shown


@pytest.mark.parametrize("reason", ["InvalidProviderToken", "BadCertificateEnvironment"])
async def test_keys_that_apple_does_not_know_are_tried_again_once_they_are_mended(
    apns: FakeApns, provider: ApnsProvider, reason: str
) -> None:
    apns.say(apns_error(403, reason))
    answer = await provider.push(PUSH, DEVICE)
    assert isinstance(answer, TryLater)
    assert "channels.push.apns" in answer.detail
    assert isinstance(await provider.push(PUSH, DEVICE), Accepted)


async def test_a_token_registered_anew_after_it_was_dead_lives(
    apns: FakeApns, provider: ApnsProvider
) -> None:
    dead_since_ms = NOW // 1_000
    apns.say(
        apns_error(410, "Unregistered", dead_since_ms - 1),
        apns_error(410, "Unregistered", dead_since_ms),
    )
    assert await provider.push(PUSH, DEVICE) == Refused("HTTP 410 Unregistered")
    answer = await provider.push(PUSH, DEVICE)
    assert answer == Refused("HTTP 410 Unregistered", is_address_dead=True)


async def test_an_answer_that_is_no_json_is_told_as_it_is(
    apns: FakeApns, provider: ApnsProvider
) -> None:
    apns.say(Reply(502, body=b"<h1>Bad\n gateway</h1>"))
    answer = await provider.push(PUSH, DEVICE)
    assert answer == TryLater("HTTP 502 <h1>Bad gateway</h1>", is_outage=True)


@pytest.mark.parametrize("end", [CUT, NEVER])
async def test_what_broke_off_is_unknown_and_a_repeat_is_the_same_push(
    apns: FakeApns, tmp_path: Path, clock: FixedClock, end: Reply
) -> None:
    settings = ApnsSettings(
        str(tmp_path / "apns.p8"), "KEY", "TEAM", "test.shop", apns.url, timeout_s=0.5
    )
    provider = ApnsProvider(settings, 3_600, clock)
    apns.say(Reply(200, is_cut=end.is_cut, is_never=end.is_never))  # taken, and then no answer
    answer = await provider.push(PUSH, DEVICE)
    assert isinstance(answer, Unknown)
    assert "may have arrived" in answer.detail
    assert isinstance(await provider.push(PUSH, DEVICE), Accepted)
    await provider.close()
    first, second = apns.asked
    for name in ("apns-id", "apns-collapse-id"):
        assert first.headers[name] == second.headers[name]
    assert apns.alert_count == 2
    assert len(apns.shown) == 1, "the repeat replaces the first on the device"


async def test_the_same_push_has_another_id_at_each_device(
    apns: FakeApns, provider: ApnsProvider
) -> None:
    await provider.push(PUSH, DEVICE)
    await provider.push(PUSH, replace(DEVICE, token="cd" * 32))
    first, second = (asked.headers["apns-id"] for asked in apns.asked)
    assert first != second


async def test_apple_being_out_of_reach_is_an_outage(
    tmp_path: Path, clock: FixedClock, apns: FakeApns
) -> None:
    settings = ApnsSettings(
        str(tmp_path / "apns.p8"), "KEY", "TEAM", "test.shop", "https://127.0.0.1:9", timeout_s=1.0
    )
    provider = ApnsProvider(settings, 3_600, clock)
    answer = await provider.push(PUSH, DEVICE)
    await provider.close()
    assert isinstance(answer, TryLater)
    assert answer.is_outage


async def test_what_is_too_large_is_not_even_sent(apns: FakeApns, provider: ApnsProvider) -> None:
    answer = await provider.push(replace(PUSH, body="ä" * 2_100), DEVICE)
    assert isinstance(answer, Refused)
    assert "bytes of the 4096" in answer.detail
    assert not apns.asked


@pytest.mark.parametrize("content", [b"", b"sesame", b"x" * 100_000])
def test_a_file_that_holds_no_key_is_said_to_hold_none(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "key.p8"
    file.write_bytes(content)
    with pytest.raises(SegueError, match=r"channels\.push\.apns\.key_file") as caught:
        ApnsProvider(ApnsSettings(str(file), "KEY", "TEAM", "test.shop"), 60, FixedClock())
    assert "sesame" not in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    settings = ApnsSettings(str(tmp_path / "nothing"), "KEY", "TEAM", "test.shop")
    with pytest.raises(SegueError, match="nothing cannot be read: No such file"):
        ApnsProvider(settings, 60, FixedClock())


async def test_a_connection_that_was_closed_while_idle_loses_no_push(
    apns: FakeApns, provider: ApnsProvider
) -> None:
    """Apple closes connections now and then; what was not written cannot have arrived."""
    for number in range(3):
        assert isinstance(
            await provider.push(replace(PUSH, send_id=f"s{number}"), DEVICE), Accepted
        )
        apns.relay.cut()
        await apns.relay.broken()
    assert apns.alert_count == 3
    assert apns.relay.connection_count == 3
