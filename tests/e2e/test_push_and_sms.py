"""A real server pushes to a phone and texts its owner; followers follow, and dead tokens go."""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from tests.channels.fake_provider import serving
from tests.channels.fake_push import FakeFcm, fcm_error
from tests.channels.test_sms import FakeTwilio
from tests.support.servers import SegueServer, eventually

from segue.clock import SystemClock

pytestmark = pytest.mark.slow

PUSH = {"push": {"title": "Hello"}}


class World:
    """A server of ours, and the providers it is set up with."""

    def __init__(self) -> None:
        self.fcm = FakeFcm(SystemClock())
        self.twilio = FakeTwilio()
        self.segue: SegueServer | None = None

    async def do(self, act: Callable[[SegueServer], Any]) -> Any:
        """Do something with the server, beside the loop that the providers run on."""
        assert self.segue is not None
        return await asyncio.to_thread(act, self.segue)

    async def settled(self, user_id: str, campaign: str, *decisions: str) -> None:
        """Wait until so many decisions are made, and compare them."""

        def find(segue: SegueServer) -> list[str]:
            def told() -> list[str] | None:
                found = [reason or one for one, reason in segue.decisions(user_id, campaign)]
                return found if len(found) >= len(decisions) else None

            return list(eventually(told, f"{campaign}: {decisions}"))

        assert await self.do(find) == list(decisions)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = World()
    async with serving(made.fcm, tmp_path), serving(made.twilio):
        (tmp_path / "account.json").write_bytes(made.fcm.account())
        made.segue = SegueServer(
            tmp_path / "data",
            SSL_CERT_FILE=str(tmp_path / "certificate.pem"),
            SEGUE_CHANNELS__PUSH__FCM__SERVICE_ACCOUNT_FILE=str(tmp_path / "account.json"),
            SEGUE_CHANNELS__PUSH__FCM__URL=made.fcm.url,
            SEGUE_CHANNELS__PUSH__WEB__CONTACT="mailto:ops@shop.test",
            **made.twilio.settings(),
        )
        await asyncio.to_thread(made.segue.start)
        try:
            yield made
        finally:
            await asyncio.to_thread(made.segue.stop)


def campaign(slug: str, trigger: dict[str, Any], message: dict[str, Any]) -> dict[str, Any]:
    delivery = {"type": "action", "triggers": [trigger]}
    return {
        "slug": slug,
        "name": slug,
        "delivery": delivery,
        "re_eligibility": "always",
        "messages": [message],
    }


async def test_a_push_is_shown_followed_by_a_text_and_a_dead_token_is_forgotten(
    world: World,
) -> None:
    received = {"interact_with_campaign": {"campaign": "hello", "interaction": "push_receive"}}
    button = {"interact_with_campaign": {"campaign": "hello", "interaction": "push_button_click"}}
    hello = {
        "title": "Hi {{ first_name }}",
        "deep_link": "shop://sale",
        "buttons": [{"id": "claim", "text": "Claim"}],
    }
    documents = [
        campaign("text", received, {"sms": {"body": "Look at your phone, {{ first_name }}"}}),
        campaign("claimed", button, {"sms": {"body": "Claimed"}}),
        campaign("hello", {"event": "go"}, {"push": hello}),
    ]
    await world.do(lambda segue: [segue.create(one) for one in documents])
    await world.do(lambda segue: [segue.publish(one["slug"]) for one in documents])
    await world.do(lambda segue: segue.user("ada", first_name="Ada", phone="+32 470 12 34 56"))
    device = {"id": "phone", "platform": "android", "token": "t1"}
    path = "/api/v1/users/ada/devices"
    answer = await world.do(lambda segue: segue.api.post(path, json=device))
    assert answer.status_code == 204, answer.text
    await world.do(lambda segue: segue.event("ada", "go"))
    await world.settled("ada", "text", "enter", "send")
    data = world.fcm.shown["t1", ""]["data"]
    assert data["title"] == "Hi Ada"
    told = parse_qs(world.twilio.asked[0].body.decode())
    assert told["To"] == ["+32470123456"]
    assert told["Body"] == ["Look at your phone, Ada"]

    # What the phone was told is enough to report the press of a button.
    reported = {"campaign": "hello", "channel": "push", "button": "claim"}
    await world.do(lambda segue: segue.event("ada", "push_button_click", **reported))
    await world.settled("ada", "claimed", "enter", "send")

    world.fcm.say(fcm_error(404, "UNREGISTERED", is_fcm=True))
    await world.do(lambda segue: segue.event("ada", "go"))
    await world.settled("ada", "hello", "enter", "send", "enter", "send", "unreachable")
    assert (
        "devices" not in (await world.do(lambda segue: segue.api.get("/api/v1/users/ada"))).json()
    )
    await world.do(lambda segue: segue.event("ada", "go"))
    decided = ("enter", "send", "enter", "send", "unreachable", "enter", "send", "no_address")
    await world.settled("ada", "hello", *decided)
    assert len(world.fcm.asked_to_send()) == 2


async def test_a_phone_that_somebody_else_signed_in_on_shows_them_nothing_of_the_former_user(
    world: World,
) -> None:
    await world.do(lambda segue: segue.create(campaign("hello", {"event": "go"}, PUSH)))
    await world.do(lambda segue: segue.publish("hello"))
    device = {"id": "phone", "platform": "android", "token": "t1"}
    for user_id in ("ada", "bob"):
        path = f"/api/v1/users/{user_id}/devices"
        await world.do(lambda segue, path=path: segue.api.post(path, json=device))
    for user_id in ("ada", "bob"):
        await world.do(lambda segue, user_id=user_id: segue.event(user_id, "go"))
    await world.settled("ada", "hello", "enter", "send", "no_address")
    await world.settled("bob", "hello", "enter", "send")
    assert len(world.fcm.asked_to_send()) == 1
    path = "/api/v1/users/bob"
    shown = (await world.do(lambda segue: segue.api.get(path))).json()["devices"]
    assert [(one["id"], one["platform"]) for one in shown] == [("phone", "android")]
    await world.do(lambda segue: segue.api.delete(f"{path}/devices/phone"))
    await world.do(lambda segue: segue.event("bob", "go"))
    await world.settled("bob", "hello", "enter", "send", "enter", "send", "no_address")


async def test_a_device_that_no_provider_would_take_is_refused_with_why(world: World) -> None:
    devices = [
        ({"id": "d", "platform": "ios", "token": "no hex"}, "no token of APNs"),
        ({"id": "d", "platform": "web", "token": "https://push.test/1"}, "comes with keys"),
        ({"id": "d", "platform": "pager", "token": "1"}, "pager"),
        ({"id": "d", "platform": "ios", "tokens": "1"}, "tokens"),
    ]
    for device, said in devices:
        answer = await world.do(
            lambda segue, one=device: segue.api.post("/api/v1/users/ada/devices", json=one)
        )
        assert answer.status_code == 422
        assert said in answer.text
    long = "d" * 256
    answer = await world.do(lambda segue: segue.api.delete(f"/api/v1/users/ada/devices/{long}"))
    assert answer.status_code == 422


async def test_the_key_for_browsers_is_told_at_the_start_and_stays(world: World) -> None:
    def key_of(segue: SegueServer) -> str:
        assert segue._process is not None
        assert segue._process.stdout is not None
        told = "Browsers subscribe to push with the key "
        line = next(one for one in segue._process.stdout if one.startswith(told))
        return line.split()[-1]

    first = await world.do(key_of)
    await world.do(lambda segue: segue.stop())
    await world.do(lambda segue: segue.start())
    assert await world.do(key_of) == first
    assert len(base64.urlsafe_b64decode(first + "=")) == 65
