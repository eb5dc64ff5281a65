"""A real server texts short links, follows who follows them, and lets nobody find any."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx2
import pytest
from tests.channels.fake_provider import Reply, serving
from tests.channels.test_sms import FakeTwilio
from tests.support.servers import SegueServer, eventually

from segue.channels.segments import segments_of
from segue.model.limits import UNKNOWN_CODES_PER_MINUTE_MAX

pytestmark = pytest.mark.slow

LONG = "https://shop.test/sale?utm_source=sms&utm_campaign=spring&name=" + "x" * 150
FIREFOX = {"User-Agent": "Mozilla/5.0 (Android 16; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0"}
IMESSAGE = {
    "User-Agent": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_1) AppleWebKit/601.2.4 (KHTML, "
    "like Gecko) Version/9.0.1 Safari/601.2.4 facebookexternalhit/1.1 Facebot Twitterbot/1.0"
}
SHORT = re.compile(r"https://go\.shop\.test(/s/[A-Za-z0-9]{8})")


class World:
    """A server of ours with a short domain, and a provider of SMS."""

    def __init__(self) -> None:
        self.twilio = FakeTwilio()
        self.segue: SegueServer | None = None

    async def do(self, act: Callable[[SegueServer], Any]) -> Any:
        """Do something with the server, beside the loop that the provider runs on."""
        assert self.segue is not None
        return await asyncio.to_thread(act, self.segue)

    async def texts(self, count: int) -> list[str]:
        """Return the texts that were sent, once there are as many."""

        def sent() -> list[str] | None:
            asked = [parse_qs(one.body.decode())["Body"][0] for one in self.twilio.asked]
            return asked if len(asked) >= count else None

        return list(await asyncio.to_thread(eventually, sent, f"{count} texts"))

    async def follow(self, path: str, method: str = "GET", **headers: str) -> httpx2.Response:
        """Ask for a path as somebody without a key would."""

        def ask(segue: SegueServer) -> httpx2.Response:
            return httpx2.request(method, segue.url + path, headers=headers or FIREFOX)

        answer: httpx2.Response = await self.do(ask)
        return answer

    async def clicks(self, user_id: str) -> list[dict[str, Any]]:
        """Return the clicks in a user's timeline."""
        lines = await self.do(lambda segue: segue.timeline(user_id))
        return [one for one in lines if one.get("name") == "sms_short_link_click"]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = World()
    async with serving(made.twilio):
        made.segue = SegueServer(
            tmp_path / "data",
            SEGUE_SHORT_URL="https://go.shop.test/",
            **made.twilio.settings(),
        )
        await asyncio.to_thread(made.segue.start)
        try:
            yield made
        finally:
            await asyncio.to_thread(made.segue.stop)


def sms(slug: str, trigger: dict[str, Any], body: str) -> dict[str, Any]:
    delivery = {"type": "action", "triggers": [trigger]}
    return {
        "slug": slug,
        "name": slug,
        "delivery": delivery,
        "re_eligibility": "always",
        "messages": [{"sms": {"body": body}}],
    }


async def set_up(world: World) -> None:
    """Publish a campaign with two links and its follower; text Ada and Bob."""
    clicked = {
        "interact_with_campaign": {"campaign": "sale", "interaction": "sms_short_link_click"}
    }
    told = "You followed {{ trigger.alias }} to {{ trigger.link | remove: 'https://' }}"
    documents = [
        sms("thanks", clicked, told),
        sms("sale", {"event": "go"}, f"{{{{ user_id }}}}: {LONG} (or https://shop.test/stop)."),
    ]
    await world.do(lambda segue: [segue.create(one) for one in documents])
    await world.do(lambda segue: [segue.publish(one["slug"]) for one in documents])
    for number, user in enumerate(("ada", "bob")):
        phone = f"+3247012345{number}"
        await world.do(lambda segue, user=user, phone=phone: segue.user(user, phone=phone))
        await world.do(lambda segue, user=user: segue.event(user, "go"))
        await world.texts(number + 1)


def paths_in(text: str) -> list[str]:
    """Return the paths of a text's short links."""
    return SHORT.findall(text)


async def test_a_text_arrives_its_link_is_followed_and_the_followers_text_arrives(
    world: World,
) -> None:
    await set_up(world)
    text, other = await world.texts(2)
    first, second = paths_in(text)
    assert text == f"ada: https://go.shop.test{first} (or https://go.shop.test{second})."
    assert segments_of(text).count == 1
    assert set(paths_in(other)).isdisjoint((first, second))

    # Who only looks at where it leads is no person who follows it.
    for method, headers in (("GET", IMESSAGE), ("HEAD", FIREFOX)):
        answer = await world.follow(first, method, **headers)
        assert (answer.status_code, answer.headers["location"]) == (302, LONG)
        assert answer.content == b""
    assert await world.clicks("ada") == []

    answer = await world.follow(first)
    assert (answer.status_code, answer.headers["location"]) == (302, LONG)
    assert "no-store" in answer.headers["cache-control"]
    assert answer.headers["referrer-policy"] == "no-referrer"
    *_, thanks = await world.texts(3)
    assert thanks == f"You followed link-1 to {LONG.removeprefix('https://')}"
    [click] = await world.clicks("ada")
    assert click["campaign"] == "sale"
    assert click["link"] == LONG
    assert click["alias"] == "link-1"
    assert await world.clicks("bob") == []
    answer = await world.follow(second)
    assert answer.headers["location"] == "https://shop.test/stop"


async def test_links_outlive_a_restart_and_end_with_their_users_erasure(world: World) -> None:
    await set_up(world)
    adas, bobs = [paths_in(text)[1] for text in await world.texts(2)]
    await world.do(lambda segue: segue.kill())
    await world.do(lambda segue: segue.start())
    assert (await world.follow(adas)).headers["location"] == "https://shop.test/stop"
    erased = await world.do(lambda segue: segue.api.delete("/api/v1/users/ada"))
    assert erased.is_success
    for method in ("GET", "HEAD"):
        assert (await world.follow(adas, method)).status_code == 404
    assert (await world.follow(bobs)).status_code == 302
    assert (await world.do(lambda segue: segue.api.get("/api/v1/users/ada"))).status_code == 404


async def test_a_text_that_the_provider_puts_off_comes_with_the_same_links(world: World) -> None:
    world.twilio.say(Reply(429, {"Retry-After": "1"}))
    await set_up(world)
    first, *_ = await world.texts(3)
    again = [one for one in await world.texts(3) if one.startswith("ada")]
    assert again == [first, first]
    assert (await world.follow(paths_in(first)[0])).status_code == 302


async def test_who_tries_codes_finds_none_and_is_soon_told_to_wait(world: World) -> None:
    await set_up(world)
    path = paths_in((await world.texts(1))[0])[0]
    near = path[:-1] + ("2" if path[-1] != "2" else "3")
    shapes = [near, path[:-1], path + "2", "/s/00000001", "/s/%C3%A9", "/s/" + "x" * 500]
    for shape in shapes:
        assert (await world.follow(shape)).status_code == 404, shape
    tried = len(shapes)
    assert (await world.follow(path)).status_code == 302
    for _ in range(UNKNOWN_CODES_PER_MINUTE_MAX):
        answer = await world.follow(near)
        if answer.status_code == 429:
            break
        tried += 1
    assert UNKNOWN_CODES_PER_MINUTE_MAX <= tried <= UNKNOWN_CODES_PER_MINUTE_MAX + 5
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    # Not even one that exists is told then.
    assert (await world.follow(path)).status_code == 429
    # A proxy on this machine tells who asks, and others are not made to wait.
    elsewhere = {**FIREFOX, "X-Forwarded-For": "203.0.113.9"}
    assert (await world.follow(path, **elsewhere)).status_code == 302
    metrics = await world.do(lambda segue: segue.api.get("/metrics"))
    assert f"segue_forged_links_total {tried}.0" in metrics.text


async def test_a_preview_shows_the_length_that_is_sent_and_keeps_nothing(world: World) -> None:
    await set_up(world)
    answer = await world.do(
        lambda segue: segue.api.post("/api/v1/campaigns/sale/preview", json={"user_id": "ada"})
    )
    [message] = answer.json()["messages"]
    shown, [sent, _] = message["content"], await world.texts(2)
    body = "ada: https://go.shop.test/s/00000001 (or https://go.shop.test/s/00000002)."
    assert shown["body"] == body
    told = [(one["alias"], one["link"]) for one in shown["short_links"]]
    assert told == [("link-1", LONG), ("link-2", "https://shop.test/stop")]
    assert shown["segments"]["units"] == segments_of(sent).units
    assert (await world.follow("/s/00000001")).status_code == 404


async def test_a_short_link_leads_to_the_preferences_and_is_no_click(world: World) -> None:
    body = "Sale https://shop.test/sale, or fewer texts: {{ preferences_url }}"
    await world.do(lambda segue: segue.create(sms("sale", {"event": "go"}, body)))
    await world.do(lambda segue: segue.publish("sale"))
    await world.do(lambda segue: segue.user("ada", phone="+32470123450"))
    await world.do(lambda segue: segue.event("ada", "go"))
    [text] = await world.texts(1)
    assert segments_of(text).count == 1
    sale, preferences = paths_in(text)
    answer = await world.follow(preferences)
    page = answer.headers["location"]
    assert "/t/p/" in page
    assert await world.clicks("ada") == []
    form = {"shown": "sms", "was": "sms"}
    saved = await world.do(lambda _: httpx2.post(page, data=form))
    assert "Text messages: <strong>off</strong>" in saved.text
    await world.follow(sale)
    assert [one["alias"] for one in await world.clicks("ada")] == ["link-1"]
    await world.do(lambda segue: segue.event("ada", "go"))
    decided = await world.do(lambda segue: segue.decisions("ada", "sale"))
    assert decided[-1] == ("skip", "unsubscribed")
