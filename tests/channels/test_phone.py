"""Messages for a virtual phone are handed over by being kept."""

from collections.abc import Sequence

from msgspec.structs import replace

from segue.channels.inbox import InboxSender
from segue.channels.phone import PhoneSender
from segue.channels.sender import Accepted, Answer, TryLater
from segue.clock import FixedClock
from segue.errors import SegueError
from segue.model.channels import CHANNELS
from segue.model.messages import Button, StoryPage
from segue.model.rendered import (
    Rendered,
    RenderedEmail,
    RenderedNote,
    RenderedPush,
    RenderedSms,
    RenderedWebhook,
    ShortLink,
)
from segue.storage.memory_inbox import MemoryInbox
from segue.storage.memory_phones import MemoryPhones
from segue.storage.phones import PhoneMessage

NOW = 7_000_000
MAIL = RenderedEmail(
    "s1",
    "ann",
    "sale",
    "ann@phone.invalid",
    "Shop <hi@shop.test>",
    "Sale",
    html="<p>Hi</p>",
    text="Hi",
    headers={"List-Unsubscribe": "<https://segue.test/t/u/token>", "X-Segue-Send-Id": "s1"},
    variant="A",
    for_phone=True,
)
PUSH = RenderedPush(
    "s1",
    "ann",
    "sale",
    "A",
    [],
    "Sale",
    "Now",
    deep_link="shop://sale",
    buttons=[Button("claim", "Claim", "shop://claim")],
    pages=[StoryPage("one", "https://shop.test/1.png")],
    for_phone=True,
)
TEXT = RenderedSms("s1", "ann", "sale", "+99912345678901", "Sale", variant="A", for_phone=True)
CALL = RenderedWebhook(
    "s1",
    "ann",
    "sale",
    "https://user:hunter2@shop.test/hook",
    "POST",
    {
        "Authorization": "Bearer hunter2",
        "X-Api-Key": "hunter2",
        "Cookie": "id=hunter2",
        "X-Access-Token": "hunter2",
        "X-Shop": "north",
    },
    b'{"a": 1}',
    variant="A",
    for_phone=True,
)


class Kept:
    """A sender with what it keeps to."""

    def __init__(self) -> None:
        self.phones, self.inbox = MemoryPhones(), MemoryInbox()
        self.clock = FixedClock(NOW)
        self.sender = PhoneSender(self.phones, InboxSender(self.inbox, self.clock), self.clock)

    async def sent(self, message: Rendered) -> PhoneMessage:
        assert isinstance(await self.sender.send(message), Accepted)
        [kept] = self.phones.of_user("ann")
        assert (kept.send_id, kept.campaign, kept.variant) == ("s1", "sale", "A")
        assert kept.at == NOW
        return kept


async def test_a_mail_is_kept_as_it_is_read() -> None:
    kept = await Kept().sent(MAIL)
    assert kept.channel == "email"
    assert kept.content == {
        "from": "Shop <hi@shop.test>",
        "reply_to": None,
        "subject": "Sale",
        "html": "<p>Hi</p>",
        "text": "Hi",
        "unsubscribe_url": "https://segue.test/t/u/token",
    }


async def test_a_push_is_kept_with_its_buttons_and_pages() -> None:
    kept = await Kept().sent(PUSH)
    assert kept.channel == "push"
    assert kept.content["title"] == "Sale"
    assert kept.content["deep_link"] == "shop://sale"
    assert kept.content["buttons"] == [{"id": "claim", "text": "Claim", "link": "shop://claim"}]
    assert [page["id"] for page in kept.content["pages"]] == ["one"]


async def test_a_text_message_is_kept_with_its_sender_and_media() -> None:
    kept = await Kept().sent(TEXT)
    assert kept.channel == "sms"
    assert kept.content == {"from": None, "body": "Sale", "media_urls": [], "short_links": []}


async def test_a_short_link_is_kept_with_where_it_leads() -> None:
    link = ShortLink("abc", "link-1", "https://shop.test/a", len("See http://go.test/s/"))
    body = "See http://go.test/s/abc, or http://shop.test"
    kept = await Kept().sent(replace(TEXT, body=body, short_links=[link]))
    [shown] = kept.content["short_links"]
    assert shown == {
        "url": "http://go.test/s/abc",
        "alias": "link-1",
        "leads_to": "https://shop.test/a",
    }


async def test_a_webhook_is_kept_without_its_secrets() -> None:
    kept = await Kept().sent(CALL)
    assert kept.channel == "webhook"
    assert "hunter2" not in repr(kept)
    assert kept.content["headers"]["X-Shop"] == "north"
    assert kept.content["headers"]["Authorization"] == "***"
    assert kept.content["url"] == "https://***@shop.test/hook"
    assert kept.content["body"] == '{"a": 1}'


async def test_what_devices_show_is_kept_for_them_as_well() -> None:
    kept = Kept()
    note = RenderedNote(
        "s1", "ann", "sale", "content_card", {"title": "Sale", "expires_after": "2d"}, "A"
    )
    assert (await kept.sent(note)).content == {"title": "Sale"}
    assert [one.send_id for one in kept.inbox.of_user("ann")] == ["s1"]


async def test_a_repeat_is_kept_once_and_by_each_channel() -> None:
    kept = Kept()
    for message in (MAIL, PUSH, MAIL, TEXT, CALL):
        assert isinstance(await kept.sender.send(message), Accepted)
    channels = [one.channel for one in kept.phones.of_user("ann")]
    assert channels == ["webhook", "sms", "push", "email"]
    assert set(channels) < set(CHANNELS)


async def test_who_looks_on_is_told() -> None:
    kept = Kept()
    ann, bob = kept.sender.watchers.watch("ann"), kept.sender.watchers.watch("bob")
    await kept.sender.send(MAIL)
    assert ann.is_set()
    assert not bob.is_set()
    await kept.sender.close()


class FullPhones(MemoryPhones):
    """Are on a disk that is full."""

    def put(self, messages: Sequence[PhoneMessage]) -> None:
        raise SegueError("segue.db cannot be written: the disk is full.")


class Later:
    """An inbox that takes nothing now."""

    async def send(self, message: Rendered) -> Answer:
        return TryLater("not now")

    async def close(self) -> None:
        """Nothing is open."""


async def test_a_disk_that_is_full_is_tried_again_later() -> None:
    sender = PhoneSender(FullPhones(), Later(), FixedClock(NOW))
    detail = "segue.db cannot be written: the disk is full."
    assert await sender.send(MAIL) == TryLater(detail, was_asked=False)


async def test_what_the_inbox_does_not_take_is_not_on_the_phone_either() -> None:
    phones = MemoryPhones()
    sender = PhoneSender(phones, Later(), FixedClock(NOW))
    note = RenderedNote("s1", "ann", "sale", "content_card", {"title": "Sale"}, "A")
    assert await sender.send(note) == TryLater("not now")
    assert phones.of_user("ann") == []


async def test_of_two_ways_to_unsubscribe_the_page_is_given() -> None:
    ways = "<https://segue.test/t/u/token>, <mailto:off@shop.test?subject=unsubscribe:token>"
    for header, expected in ((ways, "https://segue.test/t/u/token"), ("<mailto:a@b.test>", None)):
        kept = await Kept().sent(replace(MAIL, headers={"List-Unsubscribe": header}))
        assert kept.content["unsubscribe_url"] == expected
