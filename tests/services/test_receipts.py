"""Reports of what became of messages, from whoever gives them, as they enter the log."""

from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio
from msgspec.structs import replace

from segue.channels.receipts import Receipt
from segue.content.tokens import TokenSigner, Tracked, address_mark
from segue.model.events import AttributeChange, Event
from segue.model.instants import HOUR, SECOND, parse_instant, to_datetime
from segue.model.log_records import AttributesReceived, EventsReceived
from segue.services.receipts import Receipts, TakenReceipts
from tests.support.live import LiveRuntime

START = parse_instant("2026-11-01T00:00:00Z")
SIGNER = TokenSigner(b"k" * 32)
SENT = Tracked("report", "u1", "sale", "A", "send-1", "email")
PROVIDER_COUNTS = replace(SENT, reported=("open", "click"))


class Door:
    """A live runtime, and its door for reports."""

    def __init__(self) -> None:
        self.live = LiveRuntime(START)

    async def open(self) -> None:
        await self.live.start()
        self.receipts = Receipts(self.live.runtime, SIGNER, "https://go.test")

    async def take(self, *receipts: Receipt, source: str = "postmark") -> TakenReceipts:
        return await self.receipts.take(source, receipts)

    def logged(self) -> list[Event]:
        blocks = self.live.stores.journal.read_log()
        records = [record for block in blocks for record in block.records]
        return [
            event
            for record in records
            if isinstance(record, EventsReceived)
            for event in record.events
        ]


@pytest_asyncio.fixture
async def door() -> AsyncIterator[Door]:
    door = Door()
    await door.open()
    yield door
    await door.live.stop()


def receipt(act: Any = "email_delivered", sent: Tracked = SENT, **more: Any) -> Receipt:
    return Receipt(act, SIGNER.sign(sent), **{"id": "r1", **more})


async def test_a_report_becomes_an_event_of_the_user_and_campaign_the_token_names(
    door: Door,
) -> None:
    at = START - HOUR
    taken = await door.take(receipt("email_bounce", at=at, detail="550 5.1.1 unknown"))
    assert taken == TakenReceipts(accepted=1, duplicates=0, unmatched=0, unused=0)
    (event,) = door.logged()
    assert (event.user_id, event.name, event.campaign) == ("u1", "email_bounce", "sale")
    assert (event.channel, event.variant, event.send_id) == ("email", "A", "send-1")
    assert event.time == to_datetime(at)
    assert event.properties == {"detail": "550 5.1.1 unknown"}


async def test_the_same_reports_again_change_nothing(door: Door) -> None:
    batch = [receipt(), receipt("email_unsubscribe", id="r2"), receipt("email_bounce", id="r3")]
    assert (await door.take(*batch)).accepted == 3
    again = await door.take(*batch)
    assert (again.accepted, again.duplicates) == (0, 3)
    assert len(door.logged()) == 3


async def test_a_report_twice_in_one_batch_is_taken_once(door: Door) -> None:
    taken = await door.take(receipt(), receipt())
    assert (taken.accepted, taken.duplicates) == (1, 1)


async def test_one_bounce_reported_by_two_is_one(door: Door) -> None:
    await door.take(receipt("email_bounce", id="of the provider"))
    taken = await door.take(receipt("email_bounce", id="of a returned mail"), source="dsn")
    assert (taken.accepted, taken.duplicates) == (0, 1)


async def test_a_user_may_unsubscribe_by_one_message_again(door: Door) -> None:
    await door.take(receipt("email_unsubscribe", id="first"))
    assert (await door.take(receipt("email_unsubscribe", id="later"))).accepted == 1


async def test_an_id_that_two_providers_use_is_of_two_reports(door: Door) -> None:
    await door.take(receipt("email_unsubscribe", id="1"), source="sendgrid")
    taken = await door.take(receipt("email_unsubscribe", id="1"), source="mailgun")
    assert taken.accepted == 1


async def test_reports_of_other_mails_are_counted_and_do_not_disturb(door: Door) -> None:
    stranger = TokenSigner(b"another" * 4).sign(SENT)
    click = SIGNER.sign(replace(SENT, kind="click", link="https://shop.test"))
    push = SIGNER.sign(replace(SENT, channel="push"))
    tokens = (stranger, click, push, "", "x", "é")
    others = [Receipt("email_bounce", token, "r") for token in tokens]
    taken = await door.take(*others, receipt())
    assert (taken.accepted, taken.unmatched) == (1, 6)
    assert door.receipts.counts["postmark", "unmatched"] == 6
    assert [event.name for event in door.logged()] == ["email_delivered"]


async def test_opens_and_clicks_count_only_where_the_message_leaves_them_to_reports(
    door: Door,
) -> None:
    acts = ("email_open", "email_click")
    assert (await door.take(*(receipt(act) for act in acts))).unused == 2
    only_opens = replace(SENT, reported=("open",))
    taken = await door.take(*(receipt(act, only_opens) for act in acts))
    assert (taken.accepted, taken.unused) == (1, 1)
    taken = await door.take(
        receipt("email_open", PROVIDER_COUNTS, id="r2", machine=True),
        receipt("email_click", PROVIDER_COUNTS, id="r3", link="https://shop.test/a"),
    )
    assert taken.accepted == 2
    _, opened, clicked = door.logged()
    assert (opened.machine, clicked.link) == (True, "https://shop.test/a")


async def test_a_click_on_a_page_of_ours_is_no_click(door: Door) -> None:
    own = receipt("email_click", PROVIDER_COUNTS, link="https://go.test/t/u/token")
    like_ours = receipt("email_click", PROVIDER_COUNTS, link="https://go.test.evil/t/u")
    taken = await door.take(own, like_ours)
    assert (taken.accepted, taken.unused) == (1, 1)


async def test_a_bounce_of_an_address_of_before_does_not_close_the_new_one(door: Door) -> None:
    sent = replace(SENT, address=address_mark("ann@mistyped.test"))
    for address, taken in (("ann@right.test", (0, 1)), ("Ann@mistyped.test", (1, 0))):
        change = AttributeChange("u1", {"email": address})
        await door.live.hand_in([AttributesReceived(door.live.clock.now(), [change])])
        found = await door.take(receipt("email_bounce", sent), source="dsn")
        assert (found.accepted, found.unused) == taken
    assert door.receipts.counts["dsn", "outdated"] == 1


async def test_what_is_said_to_have_happened_later_than_now_happened_now(door: Door) -> None:
    for number, at in enumerate((START + HOUR, 1 << 62, -(1 << 62), 0)):
        sent = replace(SENT, send_id=f"send-{number}")
        assert (await door.take(receipt(sent=sent, at=at))).accepted == 1
    door.live.clock.advance(SECOND)
    await door.live.settle()
    assert len(door.logged()) == 4
