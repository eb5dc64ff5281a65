"""Push in a real browser: subscribing, showing, and reporting what was done with it.

There is no push service on this machine: the page is given a subscription, and the browser's
debugger delivers what a push service would.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, CDPSession, Page, Worker, expect

from tests.support.receiver import Receiver, webhook_receiver
from tests.support.servers import SegueServer, eventually
from tests.support.shop_page import shop_page

pytestmark = pytest.mark.slow

P256DH = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
SUBSCRIPTION = {
    "endpoint": "https://push.shop.test/subscription",
    "keys": {"p256dh": P256DH, "auth": "BTBZMqHH6r4Tts7J_aSIgg"},
}
SUBSCRIBES = """
PushManager.prototype.subscribe = async function (options) {
  if (!options.applicationServerKey) throw new Error("there is no key");
  return { toJSON: () => (%s) };
};
"""


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with webhook_receiver() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def segue(tmp_path_factory: pytest.TempPathFactory, receiver: Receiver) -> Iterator[SegueServer]:
    settings = {
        "SEGUE_CHANNELS__PUSH__WEB__CONTACT": "mailto:ops@shop.test",
        "SEGUE_CHANNELS__WEBHOOK__ALLOW_PRIVATE_ADDRESSES": '["127.0.0.1/32"]',
    }
    folder = tmp_path_factory.mktemp("push") / "data"
    with SegueServer(folder, **settings) as server:
        # The webhook is what is received here; the push cannot leave the machine.
        messages = [{"push": {"title": "News"}}, {"webhook": {"url": receiver.url}}]
        delivery = {"type": "action", "triggers": [{"event": "looked"}]}
        server.create({"slug": "news", "name": "News", "delivery": delivery, "messages": messages})
        server.publish("news")
        yield server


@pytest.fixture(scope="module")
def shop(segue: SegueServer) -> Iterator[str]:
    with shop_page(segue.url, segue.key_for("sdk")) as url:
        yield url


@pytest.fixture
def context(page: Page) -> BrowserContext:
    page.context.grant_permissions(["notifications"])
    page.add_init_script(SUBSCRIBES % json.dumps(SUBSCRIPTION))
    return page.context


def subscribe(page: Page, shop: str, user_id: str) -> None:
    page.goto(f"{shop}?user={user_id}")
    eventually(lambda: ":push-key" in str(page.evaluate("Object.keys(localStorage)")), "the key")
    page.click("#push")
    expect(page.locator("#push")).to_have_text("We tell you")


def received(segue: SegueServer, receiver: Receiver, page: Page) -> str:
    """Let the page's user receive the campaign; return the id of the send."""

    def receipts() -> float:
        answer = segue.api.get("/api/v1/campaigns/news/stats").json()
        return float(answer["totals"].get("recipients", 0))

    before = receipts()
    page.click("#look")
    eventually(lambda: receipts() > before, "the receipt")
    headers = {name.lower(): value for name, value in receiver.requests[-1][1].items()}
    return headers["webhook-id"]


def acts(segue: SegueServer, user_id: str, name: str) -> list[Any]:
    """Return the campaigns of a user's acts of a name."""
    return [one["campaign"] for one in segue.timeline(user_id) if one.get("name") == name]


def registration_of(debugger: CDPSession) -> str:
    found: list[str] = []

    def note(told: dict[str, Any]) -> None:
        found.extend(one["registrationId"] for one in told["registrations"])

    debugger.on("ServiceWorker.workerRegistrationUpdated", note)
    debugger.send("ServiceWorker.enable")
    # Playwright hands events over while it is asked something.
    eventually(lambda: debugger.send("Runtime.enable") is not None and found, "the registration")
    return found[0]


def titles(worker: Worker) -> list[str]:
    shown = "self.registration.getNotifications().then((all) => all.map((one) => one.title))"
    return list(worker.evaluate(shown))


def test_a_browser_that_subscribes_is_registered_for_whoever_is_identified(
    segue: SegueServer, shop: str, page: Page, context: BrowserContext
) -> None:
    subscribe(page, shop, "ann")

    def devices(user_id: str) -> list[tuple[str, bool]]:
        lines = [line for line in segue.timeline(user_id) if "device" in line]
        return [(line["device"]["token"], line.get("is_removed", False)) for line in lines]

    endpoint = SUBSCRIPTION["endpoint"]
    eventually(lambda: devices("ann") == [(endpoint, False)], "the device of ann")
    page.goto(f"{shop}?user=bob")
    eventually(lambda: devices("bob") == [(endpoint, False)], "the device of bob")
    assert devices("ann")[-1] == (endpoint, True)  # taken from her
    expect(page.locator("#problems li")).to_have_count(0)


def test_a_push_is_shown_and_a_click_on_it_reported(
    segue: SegueServer, receiver: Receiver, shop: str, page: Page, context: BrowserContext
) -> None:
    subscribe(page, shop, "cid")
    told = {
        "title": "News",
        "body": "Look!",
        "segue": {"send_id": received(segue, receiver, page)},
    }
    debugger = context.new_cdp_session(page)
    push = {"registrationId": registration_of(debugger), "origin": shop.rstrip("/")}
    debugger.send("ServiceWorker.deliverPushMessage", {**push, "data": json.dumps(told)})
    [worker] = context.service_workers
    eventually(lambda: titles(worker) == ["News"], "the notification")

    worker.evaluate("self.registration.getNotifications().then(([one]) => segueClicked(one, ''))")
    eventually(lambda: acts(segue, "cid", "push_direct_open") == ["news"], "the report")
    assert titles(worker) == []


def test_a_click_that_could_not_be_reported_is_taken_over_by_the_next_page(
    segue: SegueServer, receiver: Receiver, shop: str, page: Page, context: BrowserContext
) -> None:
    subscribe(page, shop, "dan")
    send_id = received(segue, receiver, page)
    [worker] = context.service_workers
    act = {"channel": "push", "type": "open", "send_id": send_id}
    worker.evaluate(
        "async (act) => { const { fetch } = self;"
        " self.fetch = () => Promise.reject(new Error('offline'));"
        " await segueReport(act); self.fetch = fetch; }",
        act,
    )
    assert acts(segue, "dan", "push_direct_open") == []
    page.reload()
    eventually(lambda: acts(segue, "dan", "push_direct_open") == ["news"], "the report")
