"""What devices are told and what they may report, on a live runtime with a clock that is moved."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import pytest_asyncio

from segue.channels.inbox import InboxSender
from segue.channels.sender import Accepted, Answer
from segue.engine.checks import decode_campaign
from segue.model.events import Event
from segue.model.instants import DAY, HOUR, SECOND, parse_instant, to_datetime
from segue.model.log_records import (
    CampaignPublished,
    CampaignStopped,
    EventsReceived,
)
from segue.model.rendered import Rendered, RenderedPush
from segue.runtime.history import timeline_of
from segue.runtime.ingest import Rejected, Taken
from segue.services.device_reports import Report
from segue.services.devices import Devices, Due
from segue.services.users import Users
from segue.storage.memory import MemoryJournal
from segue.storage.memory_phones import MemoryPhones
from segue.storage.memory_snapshot import MemorySnapshot
from segue.storage.open import Stores
from segue.storage.phones import PhoneMessage
from tests.support.documents import follower, interaction
from tests.support.live import SIGNER, LiveRuntime, phones_of
from tests.support.rehearsing import LiveShop
from tests.support.servers import PATIENCE_S

START = parse_instant("2026-11-01T00:00:00Z")


class Handed:
    """Hands everything to the inbox of a runtime that is made after it."""

    sender: InboxSender

    def __init__(self) -> None:
        self.pushed: list[RenderedPush] = []
        self.when_shown: Callable[[RenderedPush], Awaitable[None]] | None = None

    async def send(self, message: Rendered) -> Answer:
        if isinstance(message, RenderedPush):
            self.pushed.append(message)
            if self.when_shown is not None:
                await self.when_shown(message)
            return Accepted("by a push provider")
        return await self.sender.send(message)

    def turn(self, message: Rendered, now: int) -> int:
        return now


class Phone:
    """A live runtime, and the device of ann."""

    def __init__(self) -> None:
        self.handed = Handed()
        self.live = LiveRuntime(START, self.handed)
        self.sender = InboxSender(self.live.stores.journal.inbox, self.live.clock)
        self.handed.sender = self.sender

    async def open(self) -> None:
        await self.live.start()
        self.devices = Devices(self.live.runtime, self.sender, SIGNER)

    async def publish(self, slug: str, message: dict[str, Any], **more: Any) -> None:
        triggers = more.pop("triggers", [{"event": slug}])
        document = decode_campaign(follower(slug, *triggers, messages=[message], **more))
        now = self.live.clock.now()
        await self.live.hand_in([CampaignPublished(now, f"id-{slug}", 1, document)])

    async def does(self, name: str) -> None:
        await self.live.move_to(self.live.clock.now() + SECOND)
        await self.live.hand_in([EventsReceived(self.live.clock.now(), [Event("ann", name)])])

    async def due(self) -> Due:
        return await self.devices.due("ann")

    async def reports(self, *reports: Report, user_id: str = "ann") -> Taken:
        taken = await self.devices.take_reports(user_id, reports)
        await self.live.settle()
        return taken

    def acts(self, name: str) -> list[dict[str, Any]]:
        runtime = self.live.runtime
        now = runtime.processor.fold.now
        lines = timeline_of(runtime.journal, runtime.snapshot, "ann", now)
        return [line for line in lines if line.get("name") == name]


@pytest_asyncio.fixture
async def phone() -> AsyncIterator[Phone]:
    phone = Phone()
    await phone.open()
    yield phone
    await phone.live.stop()


def card(title: str, **more: Any) -> dict[str, Any]:
    return {"content_card": {"title": title, **more}}


def in_app(body: str, **more: Any) -> dict[str, Any]:
    return {"in_app_message": {"body": body, **more}}


def titles(due: Due) -> list[str]:
    return [card["title"] for card in due.content_cards]


def bodies(due: Due) -> list[str]:
    return [message["body"] for message in due.in_app_messages]


async def test_due_time_makes_a_message_available_until_it_expires(phone: Phone) -> None:
    """semantics.md 3: in-app messages and content cards are not pushed."""
    delivery = {"triggers": [{"event": "sale"}], "delay": {"after": "1h"}}
    await phone.publish("sale", card("Sale", expires_after="2d"), delivery=delivery)
    await phone.publish("hint", in_app("Hint"))
    await phone.does("sale")
    await phone.does("hint")
    assert titles(await phone.due()) == []
    assert bodies(await phone.due()) == ["Hint"]
    await phone.live.move_to(START + HOUR + 2 * SECOND)
    assert titles(await phone.due()) == ["Sale"]
    await phone.live.move_to(START + 2 * DAY + HOUR)
    assert titles(await phone.due()) == ["Sale"]
    await phone.live.move_to(START + 2 * DAY + HOUR + 2 * SECOND)
    assert titles(await phone.due()) == []
    await phone.live.move_to(START + 31 * DAY)
    assert bodies(await phone.due()) == []


async def test_in_app_messages_come_by_priority_and_then_the_newest_first(phone: Phone) -> None:
    for slug, priority in (("a", "low"), ("b", "medium"), ("c", "high"), ("d", "medium")):
        await phone.publish(slug, in_app(slug, priority=priority))
        await phone.does(slug)
    assert bodies(await phone.due()) == ["c", "d", "b", "a"]


async def test_cards_come_pinned_ones_first_and_then_the_newest(phone: Phone) -> None:
    for slug, is_pinned in (("a", True), ("b", False), ("c", False), ("d", True)):
        await phone.publish(slug, card(slug, pinned=is_pinned))
        await phone.does(slug)
    assert titles(await phone.due()) == ["d", "a", "c", "b"]


async def test_messages_of_a_stopped_campaign_are_not_shown(phone: Phone) -> None:
    await phone.publish("sale", card("Sale"))
    await phone.does("sale")
    await phone.live.hand_in([CampaignStopped(phone.live.clock.now(), "sale")])
    assert titles(await phone.due()) == []


async def test_a_view_is_reported_with_what_the_server_knows_of_the_message(phone: Phone) -> None:
    """semantics.md 6: an in-app message is received when it was displayed."""
    await phone.publish("hint", in_app("Hint", buttons=[{"id": "go", "text": "Go"}]))
    await phone.publish(
        "after", card("After"), triggers=[interaction("in_app_message_view", "hint")]
    )
    await phone.does("hint")
    [message] = (await phone.due()).in_app_messages
    assert phone.live.runtime.state_of("ann").memberships["hint"].receipt is None

    taken = await phone.reports(Report("r1", "view", "in_app_message", message["send_id"]))
    assert taken == Taken(1, 0, [])
    [view] = phone.acts("in_app_message_view")
    assert (view["campaign"], view["channel"]) == ("hint", "in_app_message")
    receipt = phone.live.runtime.state_of("ann").memberships["hint"].receipt
    assert receipt.send_id == message["send_id"]
    assert titles(await phone.due()) == ["After"]


async def test_an_in_app_message_is_shown_once_and_can_be_clicked_afterwards(phone: Phone) -> None:
    await phone.publish("hint", in_app("Hint", buttons=[{"id": "go", "text": "Go"}]))
    await phone.does("hint")
    [message] = (await phone.due()).in_app_messages
    send_id = message["send_id"]
    await phone.reports(Report("r1", "view", "in_app_message", send_id))
    assert bodies(await phone.due()) == []
    await phone.reports(Report("r2", "click", "in_app_message", send_id, button="go"))
    assert [act["button"] for act in phone.acts("in_app_message_click")] == ["go"]


async def test_a_dismissed_card_is_gone_and_a_pinned_one_cannot_be(phone: Phone) -> None:
    await phone.publish("sale", card("Sale"))
    await phone.publish("rules", card("Rules", pinned=True))
    await phone.does("sale")
    await phone.does("rules")
    send_ids = [one["send_id"] for one in (await phone.due()).content_cards]
    reports = [Report(f"r{one}", "dismiss", "content_card", one) for one in send_ids]
    taken = await phone.reports(*reports)
    assert taken == Taken(1, 0, [Rejected(0, "a pinned card cannot be dismissed")])
    assert titles(await phone.due()) == ["Rules"]
    assert len(phone.acts("content_card_dismiss")) == 1


async def test_a_repeated_report_is_taken_once(phone: Phone) -> None:
    """semantics.md 8: the same id from the same user is applied once."""
    await phone.publish("sale", card("Sale"))
    await phone.does("sale")
    [sale] = (await phone.due()).content_cards
    report = Report("r1", "view", "content_card", sale["send_id"])
    assert await phone.reports(report) == Taken(1, 0, [])
    assert await phone.reports(report) == Taken(0, 1, [])
    assert len(phone.acts("content_card_view")) == 1


async def test_a_report_of_another_users_message_is_refused(phone: Phone) -> None:
    await phone.publish("sale", card("Sale"))
    await phone.does("sale")
    [sale] = (await phone.due()).content_cards
    report = Report("r1", "view", "content_card", sale["send_id"])
    taken = await phone.reports(report, user_id="bob")
    assert taken.accepted == 0
    assert "for this user" in taken.rejected[0].message


async def test_what_cannot_be_done_to_a_message_is_refused_by_index(phone: Phone) -> None:
    await phone.publish("hint", in_app("Hint"))
    await phone.does("hint")
    send_id = (await phone.due()).in_app_messages[0]["send_id"]
    taken = await phone.reports(
        Report("r1", "dismiss", "in_app_message", send_id),
        Report("r2", "click", "in_app_message", send_id, button="no-such"),
        Report("r3", "view", "content_card", send_id),
        Report("r4", "click", "in_app_message", send_id),
    )
    assert [one.index for one in taken.rejected] == [0, 1, 2]
    assert "no-such" in taken.rejected[1].message
    assert taken.accepted == 1


async def test_a_view_that_a_wrong_clock_puts_before_the_message_is_a_receipt(phone: Phone) -> None:
    await phone.publish("sale", card("Sale"))
    await phone.does("sale")
    [sale] = (await phone.due()).content_cards
    early = to_datetime(START - DAY)
    await phone.reports(Report("r1", "view", "content_card", sale["send_id"], time=early))
    assert phone.live.runtime.state_of("ann").memberships["sale"].receipt is not None


async def test_an_opened_push_is_of_the_campaign_that_the_user_received_it_from(
    phone: Phone,
) -> None:
    await phone.publish("news", {"push": {"title": "News", "buttons": [{"id": "a", "text": "A"}]}})
    await phone.live.hand_in([phones_of(phone.live.clock.now(), "ann")])
    await phone.does("news")
    send_id = phone.live.runtime.state_of("ann").memberships["news"].receipt.send_id
    taken = await phone.reports(
        Report("r1", "open", "push", send_id),
        Report("r2", "click", "push", send_id, button="a"),
        Report("r3", "click", "push", send_id, page="shoes"),
        Report("r4", "click", "push", send_id),
        Report("r5", "view", "push", send_id),
        Report("r6", "open", "push", "another"),
        Report("r7", "open", "push", send_id, page="shoes"),
        Report("r8", "click", "push", send_id, button="a", page="shoes"),
    )
    assert taken.accepted == 3
    assert [one.index for one in taken.rejected] == [3, 4, 5, 6, 7]
    assert [act["campaign"] for act in phone.acts("push_direct_open")] == ["news"]
    assert [act["button"] for act in phone.acts("push_button_click")] == ["a"]
    assert [act["page"] for act in phone.acts("push_story_page_click")] == ["shoes"]


async def test_a_push_may_be_pressed_before_its_provider_has_answered(phone: Phone) -> None:
    taken: list[Taken] = []

    async def press(push: RenderedPush) -> None:
        report = Report("r1", "open", "push", push.send_id)
        taken.append(await phone.devices.take_reports("ann", [report]))

    phone.handed.when_shown = press
    await phone.publish("news", {"push": {"title": "News"}})
    await phone.live.hand_in([phones_of(phone.live.clock.now(), "ann")])
    await phone.does("news")
    assert [one.accepted for one in taken] == [1]
    assert [act["campaign"] for act in phone.acts("push_direct_open")] == ["news"]


async def test_an_older_push_is_known_by_its_token_and_nobody_elses_is(phone: Phone) -> None:
    await phone.publish("news", {"push": {"title": "News"}}, re_eligibility="always")
    await phone.live.hand_in([phones_of(phone.live.clock.now(), "ann", "bob")])
    for _ in range(2):
        await phone.does("news")
    older = phone.handed.pushed[0]

    def press(report_id: str, token: str | None) -> Report:
        return Report(report_id, "open", "push", older.send_id, token=token)

    assert (await phone.reports(press("r1", None), press("r2", older.token[:-2]))).accepted == 0
    assert (await phone.reports(press("r3", older.token), user_id="bob")).accepted == 0
    assert (await phone.reports(press("r4", older.token))).accepted == 1
    assert [act["send_id"] for act in phone.acts("push_direct_open")] == [older.send_id]


async def test_erasing_a_user_takes_their_messages_along(phone: Phone) -> None:
    await phone.publish("sale", card("Sale"))
    await phone.does("sale")
    await Users(phone.live.runtime).erase("ann")
    assert phone.live.stores.journal.inbox.of_user("ann") == []


async def test_a_watch_tells_of_what_comes_once_it_is_handed_over(phone: Phone) -> None:
    await phone.publish("sale", card("Sale"))
    with phone.devices.watch("ann") as watch:
        assert await watch.news(0.001) is None
        await phone.does("sale")
        news = await watch.news(5)
    assert news is not None
    assert titles(news) == ["Sale"]


async def test_links_that_would_run_something_are_left_out(phone: Phone) -> None:
    buttons = [
        {"id": "run", "text": "Run", "link": "JavaScript:alert(1)"},
        {"id": "app", "text": "App", "link": "shop://sale"},
    ]
    unsafe = {"link": "java\tscript:alert(1)", "image_url": "data:text/html,x"}
    await phone.publish("bad", in_app("Bad", buttons=buttons, **unsafe))
    await phone.publish("good", card("Good", link="/sale", image_url="https://shop.test/a.png"))
    await phone.does("bad")
    await phone.does("good")
    due = await phone.due()
    [bad], [good] = due.in_app_messages, due.content_cards
    assert "link" not in bad
    assert "image_url" not in bad
    assert bad["buttons"] == [
        {"id": "run", "text": "Run"},
        {"id": "app", "text": "App", "link": "shop://sale"},
    ]
    assert (good["link"], good["image_url"]) == ("/sale", "https://shop.test/a.png")


async def test_after_a_crash_a_message_that_was_kept_is_handed_over_once(phone: Phone) -> None:
    """semantics.md 8: a repeat of the hand-over finds the message there."""
    await phone.publish("sale", card("Sale"))
    await phone.does("sale")
    [kept] = phone.live.stores.journal.inbox.of_user("ann")
    await phone.live.crash()
    await phone.live.start()
    phone.devices = Devices(phone.live.runtime, phone.sender, SIGNER)
    assert phone.live.stores.journal.inbox.of_user("ann") == [kept]
    assert titles(await phone.due()) == ["Sale"]


class LatePhones(MemoryPhones):
    """Phones that keep messages only when they may: until then their hand-over goes on."""

    def __init__(self) -> None:
        super().__init__()
        self.is_asked = threading.Event()
        self.may_keep = threading.Event()

    def put(self, messages: Sequence[PhoneMessage]) -> None:
        self.is_asked.set()
        self.may_keep.wait(PATIENCE_S)
        super().put(messages)


async def test_what_came_just_before_a_device_looks_on_is_told_when_it_is_handed_over() -> None:
    journal, phones = MemoryJournal(), LatePhones()
    journal.phones = phones
    shop = LiveShop(stores=Stores(journal, MemorySnapshot()))
    devices = shop.application.devices
    await shop.application.start()
    await shop.publish(follower("card", {"event": "came"}, messages=[card("Welcome")]))
    await shop.user("ann", test_user=True)
    await shop.application.user_acts.send_event("ann", "came", {})
    await asyncio.to_thread(phones.is_asked.wait, PATIENCE_S)
    assert titles(await devices.due("ann")) == []
    with devices.watch("ann") as watch:
        looking = asyncio.create_task(watch.first())
        await asyncio.sleep(0)
        phones.may_keep.set()
        assert titles(await looking) == ["Welcome"]
    await shop.application.stop()
