"""A real server, Twilio's calls to it, and another provider's: reports, STOP, START, forgeries."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx2
import msgspec
import pytest
from tests.channels.fake_provider import Asked, FakeProvider, serving
from tests.channels.test_sms import FakeGateway, FakeTwilio
from tests.support.servers import SegueServer, eventually, free_port
from tests.support.twilio import signed_form

pytestmark = pytest.mark.slow

PUBLIC_URL = "https://segue.shop.test"
PHONE = "+32470123456"
TEXT = {"sms": {"body": "Hello"}}
HOOK = "/hooks/sms/twilio"
TWIML = '<?xml version="1.0" encoding="UTF-8"?><Response>{}</Response>'


def campaign(slug: str, trigger: dict[str, Any]) -> dict[str, Any]:
    delivery = {"type": "action", "triggers": [trigger]}
    document = {"slug": slug, "name": slug, "delivery": delivery, "messages": [TEXT]}
    return {**document, "re_eligibility": "always"}


class World:
    """A server of ours, and the provider that it is set up with."""

    def __init__(self, provider: FakeProvider, segue: SegueServer) -> None:
        self.provider = provider
        self.segue = segue

    async def do(self, act: Callable[[SegueServer], Any]) -> Any:
        """Do something with the server, beside the loop that the provider runs on."""
        return await asyncio.to_thread(act, self.segue)

    async def until_asked(self, count: int) -> Asked:
        """Wait until so many messages were handed over in all; return the newest."""
        asked = self.provider.asked
        await self.do(lambda _: eventually(lambda: len(asked) >= count, f"text message {count}"))
        return asked[-1]

    async def calls(self, url: str, signed: str = "", **fields: str) -> httpx2.Response:
        """Call the server as Twilio calls the public URL, which a proxy makes into its own."""
        body, headers = signed_form(signed or "sesame", url, fields)
        path = url.removeprefix(PUBLIC_URL)
        return await self.do(
            lambda segue: httpx2.post(segue.url + path, content=body, headers=headers)
        )

    async def texts(self, text: str, **more: str) -> str:
        fields = {"MessageSid": f"SM-{text}", "From": PHONE, "Body": text, **more}
        answer = await self.calls(PUBLIC_URL + HOOK, **fields)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].startswith("text/xml")
        return answer.text

    async def decisions(self, slug: str, count: int) -> list[str]:
        def find(segue: SegueServer) -> list[str]:
            def told() -> list[str] | None:
                found = [reason or one for one, reason in segue.decisions("ada", slug)]
                return found if len(found) >= count else None

            return list(eventually(told, f"{count} decisions about {slug}"))

        return list(await self.do(find))


async def serving_world(
    provider: FakeProvider, folder: Path, **settings: str
) -> AsyncIterator[World]:
    async with serving(provider):
        given = {name: value.replace("PROVIDER", provider.url) for name, value in settings.items()}
        segue = SegueServer(folder, free_port(), SEGUE_PUBLIC_URL=PUBLIC_URL, **given)
        try:
            await asyncio.to_thread(segue.start)
            yield World(provider, segue)
        finally:
            await asyncio.to_thread(segue.stop)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    twilio = FakeTwilio()
    async for made in serving_world(
        twilio,
        tmp_path / "data",
        **twilio.settings("PROVIDER"),
        SEGUE_CHANNELS__SMS__REPLIES__HELP="Ask <us> & see",
    ):
        yield made


@pytest.fixture
async def any_provider(tmp_path: Path) -> AsyncIterator[World]:
    body = '{"to": {{ to | json }}, "report_to": {{ callback_url | json }}}'
    async for made in serving_world(
        FakeGateway(),
        tmp_path / "data",
        SEGUE_CHANNELS__SMS__HTTP__URL="PROVIDER/send",
        SEGUE_CHANNELS__SMS__HTTP__BODY=body,
        SEGUE_CHANNELS__SMS__HTTP__CALLBACKS__SECRET="open-sesame-open",
        SEGUE_CHANNELS__SMS__HTTP__CALLBACKS__STATUS_FIELD="result.state",
        SEGUE_CHANNELS__SMS__HTTP__CALLBACKS__DELIVERED='["DELIVRD"]',
    ):
        yield made


def set_up(segue: SegueServer, *documents: dict[str, Any]) -> None:
    for document in documents:
        segue.create(document)
    for document in documents:
        segue.publish(document["slug"])
    segue.user("ada", phone="+32 470 12 34 56")


def delivered(slug: str) -> dict[str, Any]:
    spec = {"campaign": slug, "interaction": "sms_receive", "outcome": "delivered"}
    return {"interact_with_campaign": spec}


async def test_a_follower_of_delivery_sends_after_twilios_report_and_once(world: World) -> None:
    documents = [campaign("next", delivered("hello")), campaign("hello", {"event": "go"})]
    await world.do(lambda segue: set_up(segue, *documents))
    await world.do(lambda segue: segue.event("ada", "go"))
    [url] = parse_qs((await world.until_asked(1)).body.decode())["StatusCallback"]
    assert url.startswith(f"{PUBLIC_URL}{HOOK}?m=")
    said = {"MessageSid": "SM1", "To": PHONE, "AccountSid": "AC1"}

    forged = await world.calls(url, "not the token", MessageStatus="delivered", **said)
    assert forged.status_code == 403
    assert forged.json()["detail"].startswith("X-Twilio-Signature is not that of this URL")
    assert "sesame" not in forged.text
    for status in ("queued", "sent"):
        assert (await world.calls(url, MessageStatus=status, **said)).status_code == 204
    assert await world.decisions("hello", 2) == ["enter", "send"]
    assert await world.do(lambda segue: segue.decisions("ada", "next")) == []

    for _ in range(10):
        answer = await world.calls(url, MessageStatus="delivered", **said)
        assert (answer.status_code, answer.content) == (204, b"")
    assert (await world.calls(url, MessageStatus="sent", **said)).status_code == 204
    assert await world.decisions("next", 2) == ["enter", "send"]
    await world.until_asked(2)
    acts = [line.get("name") for line in await world.do(lambda segue: segue.timeline("ada"))]
    assert acts.count("sms_delivered") == 1
    stats = await world.do(lambda segue: segue.api.get("/api/v1/campaigns/hello/stats").json())
    assert stats["totals"]["delivered"] == 1
    assert await world.decisions("next", 2) == ["enter", "send"]
    metrics = await world.do(lambda segue: segue.api.get("/metrics").text)
    assert "segue_forged_sms_calls_total 1.0" in metrics


async def test_stop_ends_and_start_resumes_what_a_number_gets(world: World) -> None:
    await world.do(lambda segue: set_up(segue, campaign("hello", {"event": "go"})))
    await world.do(lambda segue: segue.event("ada", "go"))
    await world.until_asked(1)
    stopped = await world.texts("Stop")
    assert stopped == TWIML.format(
        "<Message>You get no more messages from us. Reply START to get them again.</Message>"
    )
    assert await world.texts("STOP", From="+32499999999", MessageSid="SM-o") == stopped
    await world.do(lambda segue: segue.event("ada", "go"))
    assert await world.decisions("hello", 4) == ["enter", "send", "enter", "unsubscribed"]
    assert await world.texts("START", OptOutType="START") == TWIML.format("")
    await world.do(lambda segue: segue.event("ada", "go"))
    assert await world.decisions("hello", 6) == [
        *("enter", "send", "enter", "unsubscribed", "enter", "send")
    ]
    await world.until_asked(2)
    helped = await world.texts("help")
    assert helped == TWIML.format("<Message>Ask &lt;us&gt; &amp; see</Message>")
    assert await world.texts("Where is it?") == TWIML.format("")
    stats = await world.do(lambda segue: segue.api.get("/api/v1/campaigns/hello/stats").json())
    assert stats["totals"]["unsubscribes"] == 1
    lines = await world.do(lambda segue: segue.timeline("ada"))
    replies = [line["properties"] for line in lines if line.get("name") == "sms_reply"]
    assert replies == [{"text": "Where is it?", "campaign": "hello"}]
    refused = await world.calls(
        PUBLIC_URL + HOOK, "guess", MessageSid="SM9", From=PHONE, Body="STOP"
    )
    assert refused.status_code == 403
    user = await world.do(lambda segue: segue.api.get("/api/v1/users/ada").json())
    assert user["subscriptions"] == {"sms": "opted_in"}


async def test_a_call_that_is_too_large_or_about_another_provider_is_refused(world: World) -> None:
    large = await world.calls(PUBLIC_URL + HOOK, MessageSid="SM1", From=PHONE, Body="x" * 70_000)
    assert large.status_code == 413
    other = await world.do(lambda segue: httpx2.post(f"{segue.url}/hooks/sms/http"))
    assert other.status_code == 404
    assert "channels.sms.http.callbacks" in other.json()["detail"]
    assert (await world.do(lambda segue: httpx2.get(segue.url + HOOK))).status_code == 405


async def test_any_provider_reports_as_the_settings_describe_it(any_provider: World) -> None:
    world = any_provider
    documents = [campaign("next", delivered("hello")), campaign("hello", {"event": "go"})]
    await world.do(lambda segue: set_up(segue, *documents))
    await world.do(lambda segue: segue.event("ada", "go"))
    url = msgspec.json.decode((await world.until_asked(1)).body)["report_to"]
    assert url.startswith(f"{PUBLIC_URL}/hooks/sms/http?m=")
    path = url.removeprefix(PUBLIC_URL)
    bearer = {"Authorization": "Bearer open-sesame-open"}

    def report(segue: SegueServer, headers: dict[str, str] = bearer, **said: Any) -> int:
        return httpx2.post(segue.url + path, json=said, headers=headers).status_code

    state = {"state": "delivrd"}
    wrong = {"Authorization": "Bearer open-sesame"}
    assert await world.do(lambda segue: report(segue, wrong, id="7", result=state)) == 403
    assert await world.do(lambda segue: report(segue, id="7", result={"state": "BUFFRD"})) == 204
    assert await world.do(lambda segue: segue.decisions("ada", "next")) == []
    for _ in range(3):
        assert await world.do(lambda segue: report(segue, id="7", result=state)) == 204
    assert await world.decisions("next", 2) == ["enter", "send"]
    texted = "/hooks/sms/http?id=8&text=stop&from=%2B32470123456"
    answer = await world.do(lambda segue: httpx2.get(segue.url + texted, headers=bearer))
    assert answer.status_code == 204
    user = await world.do(lambda segue: segue.api.get("/api/v1/users/ada").json())
    assert user["subscriptions"] == {"sms": "unsubscribed"}
    assert (await world.do(lambda segue: httpx2.post(segue.url + HOOK))).status_code == 404
