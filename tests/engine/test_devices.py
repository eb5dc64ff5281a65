"""A user's devices, as registrations, removals and dead tokens change them."""

import base64
from typing import Any

import pytest

from segue.engine.decide import decide
from segue.engine.devices import fault_of_device
from segue.engine.plan import EMPTY_PLAN
from segue.engine.sending import obstacle_to
from segue.model.devices import Device, Platform, WebPushKeys
from segue.model.events import Cause, DeviceChanged, DeviceUpdate, SendSettled, Settlement
from segue.model.limits import DEVICES_PER_USER_MAX
from segue.model.state import EMPTY_STATE, Handed, Membership, UserState

POINT = base64.urlsafe_b64encode(b"\4" + bytes(64)).decode().rstrip("=")
AUTH = base64.urlsafe_b64encode(bytes(16)).decode().rstrip("=")
KEYS = WebPushKeys(POINT, AUTH)
ENDPOINT = "https://push.test/send/1"


def phone(name: str, token: str, **more: Any) -> DeviceChanged:
    return DeviceChanged("ada", Device(name, "android", token), **more)


def after(*causes: Cause | DeviceChanged, state: UserState = EMPTY_STATE) -> UserState:
    for now, cause in enumerate(causes):
        is_change = isinstance(cause, DeviceChanged)
        state = decide(state, DeviceUpdate(cause, now) if is_change else cause, EMPTY_PLAN).state
    return state


def tokens(state: UserState) -> list[tuple[str, str]]:
    return [(device.id, device.token) for device in state.devices]


def refused(reason: str, *dead: str) -> Settlement:
    settled = SendSettled("ada", "c", "s", "push", "refused", reason, dead_tokens=list(dead))
    return Settlement(settled, 9)


def test_a_registration_replaces_what_has_its_id_and_what_has_its_token() -> None:
    state = after(phone("a", "t1"), phone("b", "t2"), phone("a", "t3"), phone("c", "t2"))
    assert tokens(state) == [("a", "t3"), ("c", "t2")]
    assert [device.registered_at for device in state.devices] == [2, 3]


def test_of_too_many_devices_the_one_registered_longest_ago_goes() -> None:
    many = [phone(f"d{number}", f"t{number}") for number in range(DEVICES_PER_USER_MAX + 2)]
    state = after(*many)
    assert len(state.devices) == DEVICES_PER_USER_MAX
    assert tokens(state)[0] == ("d2", "t2")


def test_a_device_is_removed_by_its_token_or_else_by_its_id() -> None:
    both = (phone("a", "t1"), phone("b", "t2"))
    assert tokens(after(*both, phone("a", "t2", is_removed=True))) == [("a", "t1")]
    assert tokens(after(*both, phone("a", "", is_removed=True))) == [("b", "t2")]
    assert tokens(after(*both, phone("z", "t2", is_removed=True))) == [("a", "t1")]
    assert tokens(after(*both, phone("z", "", is_removed=True))) == [("a", "t1"), ("b", "t2")]


def test_a_dead_token_takes_its_device_away_unless_it_has_a_new_one() -> None:
    changes = (phone("a", "t1"), phone("b", "t2"), phone("a", "t3"))
    state = after(*changes, refused("refused", "t1", "t2"))
    assert tokens(state) == [("a", "t3")]


def test_a_user_whose_devices_are_all_dead_is_reached_by_the_next_one() -> None:
    """A push has no single address that could be dead."""
    handed = Handed("s", "A", 0, "e", ["push"])
    state = UserState(memberships={"c": Membership(handed=handed)})
    state = after(phone("a", "t1"), refused("unreachable", "t1"), state=state)
    assert not state.devices
    assert obstacle_to(state, "push") is None


@pytest.mark.parametrize(
    ("platform", "token", "keys", "said"),
    [
        ("ios", "", None, "has no token"),
        ("ios", "z" * 64, None, "no token of APNs"),
        ("ios", "ab", None, "no token of APNs"),
        ("ios", "../" * 30, None, "no token of APNs"),
        ("ios", "ab" * 32, KEYS, "has no keys"),
        ("android", "a b", None, "no token of FCM"),
        ("web", "http://push.test/1", KEYS, "begins with https"),
        ("web", "https://", KEYS, "begins with https"),
        ("web", "https://[::1", KEYS, "begins with https"),
        ("web", ENDPOINT, None, "comes with keys"),
        ("web", ENDPOINT, WebPushKeys("AAAA", AUTH), "keys.p256dh"),
        ("web", ENDPOINT, WebPushKeys("B" + POINT, AUTH), "keys.p256dh"),
        ("web", ENDPOINT, WebPushKeys(POINT, "!"), "keys.auth"),
        ("web", ENDPOINT, WebPushKeys(POINT, "é"), "keys.auth"),
    ],
)
def test_what_no_provider_takes_is_not_registered(
    platform: Platform, token: str, keys: WebPushKeys | None, said: str
) -> None:
    changed = DeviceChanged("ada", Device("d", platform, token, keys))
    fault = fault_of_device(changed)
    assert fault is not None
    assert said in fault
    removal = DeviceChanged("ada", Device("d", platform, token, keys), is_removed=True)
    assert fault_of_device(removal) is None


@pytest.mark.parametrize(
    ("platform", "token", "keys"),
    [
        ("ios", "0aF" * 40, None),
        ("android", "cX-1_:APA91b" + "x" * 150, None),
        ("web", ENDPOINT, KEYS),
        ("web", ENDPOINT, WebPushKeys(POINT + "=", AUTH + "==")),
    ],
)
def test_a_token_in_its_providers_form_is_registered(
    platform: Platform, token: str, keys: WebPushKeys | None
) -> None:
    assert fault_of_device(DeviceChanged("ada", Device("d", platform, token, keys))) is None
