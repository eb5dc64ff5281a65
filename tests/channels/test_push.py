"""One push to all devices of a user: who is tried, what is remembered, what the answer is."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from segue.channels.push import PushSender
from segue.channels.sender import Accepted, Refused, TryLater, Unknown
from segue.channels.settings import ApnsSettings, FcmSettings, PushSettings, WebPushSettings
from segue.clock import FixedClock
from segue.errors import SegueError
from segue.model.devices import DevicesTried, RegisteredDevice
from segue.model.instants import SECOND, parse_instant
from segue.model.limits import BREAKER_FAILURES_MAX, BREAKER_PAUSE
from segue.model.rendered import RenderedEmail, RenderedPush
from tests.channels.fake_provider import CUT, serving
from tests.channels.fake_push import (
    FakeApns,
    FakeFcm,
    FakePushService,
    apns_error,
    fcm_error,
    pem_of,
)

NOW = parse_instant("2026-11-01T10:00:00Z")
TABLET = RegisteredDevice("tablet", "android", "t1", registered_at=NOW)
WATCH = RegisteredDevice("watch", "android", "t2", registered_at=NOW)
PHONE = RegisteredDevice("phone", "ios", "ab" * 32, registered_at=NOW)


class World:
    """A sender, and the three that it sends to."""

    def __init__(self, folder: Path) -> None:
        self.clock = FixedClock(NOW)
        self.fcm = FakeFcm(self.clock)
        self.apns = FakeApns(self.clock)
        self.service = FakePushService(self.clock)
        self.folder = folder

    def settings(self) -> PushSettings:
        (self.folder / "account.json").write_bytes(self.fcm.account())
        (self.folder / "apns.p8").write_bytes(pem_of(self.apns.key))
        return PushSettings(
            "1h",
            FcmSettings(str(self.folder / "account.json"), self.fcm.url, 5.0, 2.0),
            ApnsSettings(
                str(self.folder / "apns.p8"), "KEY", "TEAM", "test.shop", self.apns.url, 5.0
            ),
            WebPushSettings("mailto:ops@shop.test", ["127.0.0.0/8"], 5.0),
        )

    def sender(self) -> PushSender:
        return PushSender(self.settings(), self.clock, lambda _name: b"k" * 40)

    def push(self, *devices: RegisteredDevice) -> RenderedPush:
        return RenderedPush("snd_1", "ada", "welcome", "A", list(devices), "Hello")


@pytest.fixture
async def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    made = World(tmp_path)
    async with (
        serving(made.fcm, tmp_path),
        serving(made.apns, tmp_path),
        serving(made.service, tmp_path),
    ):
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
        yield made


@pytest.fixture
async def sender(world: World) -> AsyncIterator[PushSender]:
    made = world.sender()
    yield made
    await made.close()


async def test_every_device_gets_it_over_the_provider_of_its_platform(
    world: World, sender: PushSender
) -> None:
    browser = world.service.device()
    answer = await sender.send(world.push(TABLET, PHONE, browser))
    assert isinstance(answer, Accepted)
    assert answer.tried == DevicesTried([TABLET.token, PHONE.token, browser.token])
    assert [len(one.shown) for one in (world.fcm, world.apns, world.service)] == [1, 1, 1]


async def test_one_device_that_takes_it_is_enough_and_dead_ones_are_named(
    world: World, sender: PushSender
) -> None:
    world.fcm.say(fcm_error(404, "UNREGISTERED", is_fcm=True))
    answer = await sender.send(world.push(TABLET, PHONE))
    assert isinstance(answer, Accepted)
    assert answer.tried == DevicesTried([PHONE.token], dead=[TABLET.token])


async def test_while_one_is_to_be_tried_again_the_others_are_remembered(
    world: World, sender: PushSender
) -> None:
    world.fcm.say(fcm_error(503, "UNAVAILABLE", is_fcm=True, **{"retry-after": "7"}))
    world.apns.say(apns_error(410, "Unregistered"))
    browser = world.service.device()
    answer = await sender.send(world.push(TABLET, PHONE, browser))
    assert isinstance(answer, TryLater)
    assert answer.retry_after_s == 7.0
    assert answer.tried == DevicesTried([browser.token], dead=[PHONE.token])


async def test_if_all_devices_are_dead_so_is_the_address(world: World, sender: PushSender) -> None:
    world.fcm.say(fcm_error(404, "UNREGISTERED", is_fcm=True))
    world.apns.say(apns_error(410, "Unregistered"), apns_error(400, "BadTopic"))
    answer = await sender.send(world.push(TABLET, PHONE))
    assert isinstance(answer, Refused)
    assert answer.is_address_dead
    assert answer.tried == DevicesTried(dead=[TABLET.token, PHONE.token])
    answer = await sender.send(world.push(PHONE))
    assert answer == Refused("HTTP 400 BadTopic")


async def test_what_broke_off_is_unknown_unless_another_device_has_it(
    world: World, sender: PushSender
) -> None:
    world.apns.say(CUT)
    answer = await sender.send(world.push(PHONE))
    assert isinstance(answer, Unknown)
    assert answer.tried == DevicesTried(unknown=[PHONE.token])
    world.apns.say(CUT)
    answer = await sender.send(world.push(PHONE, TABLET))
    assert isinstance(answer, Accepted)
    assert answer.tried == DevicesTried([TABLET.token], unknown=[PHONE.token])
    world.apns.say(CUT)
    world.fcm.say(fcm_error(503, "UNAVAILABLE", is_fcm=True))
    answer = await sender.send(world.push(PHONE, TABLET))
    assert isinstance(answer, TryLater)
    assert answer.tried == DevicesTried(unknown=[PHONE.token])


async def test_a_provider_that_is_down_does_not_hold_up_the_others(
    world: World, sender: PushSender
) -> None:
    for _ in range(BREAKER_FAILURES_MAX):
        world.fcm.say(fcm_error(500, "INTERNAL", is_fcm=True))
        await sender.send(world.push(TABLET))
    asked = len(world.fcm.asked)
    answer = await sender.send(world.push(TABLET, PHONE))
    assert isinstance(answer, TryLater)
    assert answer.retry_after_s == BREAKER_PAUSE / SECOND
    assert not answer.was_asked
    assert answer.tried == DevicesTried([PHONE.token])
    assert len(world.fcm.asked) == asked
    world.clock.advance(BREAKER_PAUSE)
    assert isinstance(await sender.send(world.push(TABLET)), Accepted)


async def test_a_push_service_that_is_down_does_not_hold_up_another(
    world: World, sender: PushSender
) -> None:
    """A user names the push service, and could name one that never answers well."""
    elsewhere = replace(world.service.device(), token="https://127.0.0.1:9/push")
    for _ in range(BREAKER_FAILURES_MAX + 1):
        assert isinstance(await sender.send(world.push(elsewhere)), TryLater)
    assert isinstance(await sender.send(world.push(world.service.device())), Accepted)


async def test_a_platform_without_a_provider_says_what_to_set(world: World) -> None:
    settings = replace(world.settings(), apns=None)
    sender = PushSender(settings, world.clock, lambda _name: b"k" * 40)
    answer = await sender.send(world.push(PHONE))
    assert answer == Refused("no provider is set up for ios; set channels.push.apns")
    assert isinstance(await sender.send(world.push(PHONE, TABLET)), Accepted)
    await sender.close()


async def test_a_turn_is_every_devices_at_the_slowest_of_its_providers(
    world: World, sender: PushSender
) -> None:
    assert [sender.turn(world.push(PHONE), NOW) for _ in range(3)] == [NOW] * 3
    assert sender.turn(world.push(TABLET, WATCH, PHONE), NOW) == NOW
    assert sender.turn(world.push(TABLET), NOW) == NOW + SECOND // 2
    assert sender.turn(world.push(TABLET, PHONE), NOW) == NOW + SECOND


async def test_nothing_but_a_push_is_taken(sender: PushSender) -> None:
    mail = RenderedEmail("snd_1", "ada", "welcome", "ada@people.test", "shop@shop.test", "Hi")
    assert isinstance(await sender.send(mail), Refused)


def test_a_push_is_not_kept_longer_than_providers_do() -> None:
    with pytest.raises(SegueError, match=r"channels\.push\.keep_for: 5w is more than the 4w"):
        PushSender(PushSettings("5w"), FixedClock(), lambda _name: b"k" * 40)
