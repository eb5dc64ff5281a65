"""Mails that come back, as they enter the log: handed in one by one, or found in a Maildir."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from segue.channels.maildir import Maildir
from segue.channels.settings import MailboxSettings
from segue.clock import FixedClock
from segue.content.tokens import TokenSigner, Tracked
from segue.errors import BusyError, SegueError
from segue.model.events import Event
from segue.model.instants import parse_instant, to_datetime
from segue.model.limits import INGEST_BACKLOG_EVENTS_MAX, MAILS_LOOK_MAX
from segue.model.log_records import EventsReceived
from segue.services.mail_reports import MailReports, MailTaken
from segue.services.mail_watch import MailWatch, open_mailbox
from segue.services.receipts import Receipts
from tests.channels import returned_mails as mails
from tests.channels.fake_imap import imap_server
from tests.support.live import LiveRuntime

START = parse_instant("2026-11-02T00:00:00Z")
SIGNER = TokenSigner(b"k" * 32)
SENT = Tracked("report", "u1", "sale", "A", "send-1", "email")
CLICKED = Tracked("click", "u1", "sale", "A", "send-1", "email", "cta", "https://shop.test")
PUSHED = Tracked("report", "u1", "sale", "A", "send-1", "push")


def message_id(tracked: Tracked = SENT, signer: TokenSigner = SIGNER) -> str:
    return f"<{signer.sign(tracked)}@shop.test>"


OURS = message_id()
FORGED = message_id(signer=TokenSigner(b"f" * 32))


class Door:
    """A live runtime, its door for mails, and a Maildir that is watched."""

    def __init__(self, folder: Path) -> None:
        self.live = LiveRuntime(START)
        self.folder = folder
        for name in ("new", "cur", "tmp"):
            (folder / name).mkdir(parents=True)

    async def open(self) -> None:
        await self.live.start()
        self.receipts = Receipts(self.live.runtime, SIGNER, "https://go.test")
        codes = {"code1": SENT, "click1": CLICKED}
        self.reports = MailReports(self.receipts, SIGNER, codes.get, "bounces@shop.test")
        self.watch = self.new_watch()

    def new_watch(self, *, deletes: bool = False) -> MailWatch:
        return MailWatch(Maildir(self.folder), self.reports, self.live.clock, deletes=deletes)

    def put(self, name: str, content: bytes) -> None:
        (self.folder / "new" / name).write_bytes(content)

    def names_in(self, folder: str) -> list[str]:
        return sorted(path.name for path in (self.folder / folder).iterdir())

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
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    door = Door(tmp_path / "bounces")
    await door.open()
    yield door
    await door.live.stop()


async def test_a_bounce_becomes_an_event_of_the_user_and_campaign_the_token_names(
    door: Door,
) -> None:
    assert await door.reports.take(mails.postfix(OURS)) == MailTaken("reported", accepted=1)
    [event] = door.logged()
    assert (event.user_id, event.name, event.campaign) == ("u1", "email_bounce", "sale")
    assert (event.channel, event.variant, event.send_id) == ("email", "A", "send-1")
    assert event.time == to_datetime(parse_instant("2026-11-01T11:00:00.999999Z"))
    assert event.properties is not None
    assert event.properties["detail"].startswith("550 5.1.1 <ada@people.test>")


async def test_the_same_mail_again_changes_nothing(door: Door) -> None:
    for content in (mails.postfix(OURS), mails.feedback(OURS, "opt-out")):
        assert (await door.reports.take(content)).accepted == 1
        assert await door.reports.take(content) == MailTaken("reported", duplicates=1)
    assert len(door.logged()) == 2


@pytest.mark.parametrize(
    "content",
    [
        mails.postfix("<0102@elsewhere.test>"),
        mails.postfix(FORGED),
        mails.postfix(message_id(CLICKED)),
        mails.postfix(message_id(PUSHED)),
        mails.feedback(FORGED),
        mails.qmail(FORGED),
        mails.report(mails.failed("4.4.1"), mails.original(FORGED)),
        mails.report(mails.failed(action="delayed"), mails.original(FORGED)),
        mails.feedback(FORGED, "not-spam"),
        f"Subject: unsubscribe:{FORGED[1:40]}\n\n".encode(),
        mails.report(mails.failed(), "From: a@b.test", to="bounces+unknown@shop.test"),
        mails.report(mails.failed(), "From: a@b.test", to="bounces+click1@shop.test"),
    ],
)
async def test_reports_of_mails_that_are_not_ours_change_nothing(
    door: Door, content: bytes
) -> None:
    assert await door.reports.take(content) == MailTaken("unmatched")
    assert door.logged() == []


@pytest.mark.parametrize(
    ("content", "outcome"),
    [
        (mails.report(mails.failed("4.4.1"), mails.original(OURS)), "soft_bounce"),
        (mails.report(mails.failed(action="delayed"), mails.original(OURS)), "no_failure"),
        (mails.feedback(OURS, "not-spam"), "no_complaint"),
        (mails.qmail(OURS, "full (#5.2.2)"), "soft_bounce"),
        (mails.out_of_office(OURS), "auto_reply"),
        (b"\x00\xff garbage " * 70_000, "no_report"),
    ],
)
async def test_mails_that_say_nothing_of_the_address_change_nothing(
    door: Door, content: bytes, outcome: str
) -> None:
    taken = await door.reports.take(content)
    assert taken == MailTaken(outcome)  # type: ignore[arg-type]
    assert taken.is_ours == (outcome not in ("auto_reply", "no_report"))
    assert door.logged() == []
    assert door.receipts.counts["mail", outcome] == 1


async def test_a_code_in_the_address_stands_for_the_message(door: Door) -> None:
    bounce = mails.report(mails.failed(), "Subject: Sale", to="bounces+code1@shop.test")
    assert (await door.reports.take(bounce)).accepted == 1
    [event] = door.logged()
    assert (event.user_id, event.name, event.send_id) == ("u1", "email_bounce", "send-1")


async def test_a_name_that_is_not_ours_gives_way_to_one_that_is(door: Door) -> None:
    bounce = mails.report(mails.failed(envelope_id="code1"), mails.original(FORGED))
    assert (await door.reports.take(bounce)).accepted == 1


async def test_one_mail_may_report_of_several_acts(door: Door) -> None:
    both = (
        mails.failed() + "\n\nFinal-Recipient: rfc822; b@c.test\nAction: delivered\nStatus: 2.0.0"
    )
    assert (await door.reports.take(mails.report(both, mails.original(OURS)))).accepted == 1
    assert [event.name for event in door.logged()] == ["email_delivered"]


# The Maildir


async def test_a_mail_of_a_maildir_is_taken_and_marked_as_seen(door: Door) -> None:
    door.put("1.mx", mails.postfix(OURS))
    assert await door.watch.look() == 1
    assert (door.names_in("new"), door.names_in("cur")) == ([], ["1.mx:2,S"])
    assert [event.name for event in door.logged()] == ["email_bounce"]
    assert await door.watch.look() == 0


async def test_with_the_setting_a_mail_that_was_taken_is_deleted_and_no_other(
    door: Door,
) -> None:
    watch = door.new_watch(deletes=True)
    door.put("1.mx", mails.postfix(OURS))
    door.put("2.mx", mails.report(mails.failed("4.4.1"), mails.original(OURS)))
    door.put("3.mx", mails.report(mails.failed("4.4.1"), mails.original(FORGED)))
    door.put("4.mx", mails.out_of_office(OURS))
    await watch.look()
    assert (door.names_in("new"), door.names_in("cur")) == ([], ["3.mx:2,", "4.mx:2,"])


async def test_what_is_for_a_person_stays_unread_for_them(door: Door) -> None:
    door.put("1.mx", b"From: ada@people.test\nSubject: Hello\n\nHow are you?")
    door.put("2.mx", b"\xff\x00")
    await door.watch.look()
    assert door.names_in("cur") == ["1.mx:2,", "2.mx:2,"]


async def test_what_cannot_be_read_stays_is_counted_and_keeps_back_no_other(door: Door) -> None:
    (door.folder / "new" / "1.mx").mkdir()
    os.mkfifo(door.folder / "new" / "2.mx")
    (door.folder / "new" / "3.mx").symlink_to(__file__)
    door.put("4.mx", mails.postfix(OURS))
    door.put(".hidden", mails.postfix(OURS))
    assert await door.watch.look() == 4
    assert door.names_in("new") == [".hidden", "1.mx", "2.mx", "3.mx"]
    assert len(door.logged()) == 1
    assert await door.watch.look() == 0
    assert door.receipts.counts["mail", "unreadable"] == 3


async def test_a_crash_before_a_mail_is_marked_makes_no_second_event(door: Door) -> None:
    door.put("1.mx", mails.postfix(OURS))
    await door.reports.take(mails.postfix(OURS))  # and then the lights went out
    await door.new_watch().look()
    assert len(door.logged()) == 1
    assert door.names_in("cur") == ["1.mx:2,S"]


async def test_a_mail_that_cannot_be_marked_is_taken_once_all_the_same(door: Door) -> None:
    door.put("1.mx", mails.postfix(OURS))
    (door.folder / "cur").rmdir()
    await door.watch.look()
    assert await door.watch.look() == 0
    assert len(door.logged()) == 1
    assert door.names_in("new") == ["1.mx"]


async def test_one_look_takes_a_bounded_number_the_oldest_first(door: Door) -> None:
    for number in range(MAILS_LOOK_MAX + 5):
        door.put(f"{number:04}.mx", b"Subject: x\n\n")
    assert await door.watch.look() == MAILS_LOOK_MAX
    assert door.names_in("new")[0] == f"{MAILS_LOOK_MAX:04}.mx"
    assert await door.watch.look() == 5


async def test_a_mail_stays_while_too_much_waits_to_be_decided(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    door.put("1.mx", mails.postfix(OURS))
    processor = door.live.runtime.processor
    with monkeypatch.context() as busy:
        busy.setattr(processor, "backlog_entries", INGEST_BACKLOG_EVENTS_MAX + 1)
        with pytest.raises(BusyError):
            await door.reports.take(mails.postfix(OURS))
        assert await door.watch.look() == 0
    assert door.names_in("new") == ["1.mx"]
    assert await door.watch.look() == 1
    assert door.names_in("cur") == ["1.mx:2,S"]


async def test_a_folder_that_is_not_there_yet_is_waited_for(door: Door) -> None:
    later = door.folder.parent / "later"
    watch = MailWatch(Maildir(later), door.reports, FixedClock(START), deletes=False)
    watch.start()
    await asyncio.sleep(0.02)
    for name in ("new", "cur"):
        (later / name).mkdir(parents=True)
    (later / "new" / "1.mx").write_bytes(mails.postfix(OURS))
    for _ in range(2_000):
        if door.names_in("../later/cur"):
            break
        await asyncio.sleep(0.005)
    await watch.close()
    assert len(door.logged()) == 1


# The IMAP server


async def test_mails_on_an_imap_server_are_taken_as_those_of_a_maildir(door: Door) -> None:
    with imap_server() as post:
        post.put(mails.postfix(OURS), mails.out_of_office(OURS), b"\xff\x00")
        mailbox = open_mailbox(MailboxSettings(imap_url=post.url))
        watch = MailWatch(mailbox, door.reports, FixedClock(START), deletes=False)
        assert await watch.look() == 3
        assert post.unread() == [2, 3]
        assert await watch.look() == 0
        await watch.close()
    assert [event.name for event in door.logged()] == ["email_bounce"]


async def test_a_break_leaves_no_mail_behind(door: Door) -> None:
    with imap_server() as post:
        post.put(mails.postfix(OURS))
        post.hangs_up_at = "STORE"
        mailbox = open_mailbox(MailboxSettings(imap_url=post.url))
        watch = MailWatch(mailbox, door.reports, FixedClock(START), deletes=True)
        watch.start()
        for _ in range(2_000):
            if not post.mails:
                break
            await asyncio.sleep(0.005)
        await watch.close()
        assert post.mails == {}
    assert [event.name for event in door.logged()] == ["email_bounce"]


@pytest.mark.parametrize(
    "settings",
    [
        MailboxSettings(),
        MailboxSettings(maildir="bounces", imap_url="imaps://a:b@mail.test/INBOX"),
        MailboxSettings(imap_url="imaps://mail.test"),
    ],
)
def test_a_mailbox_is_one_place(settings: MailboxSettings) -> None:
    with pytest.raises(SegueError, match="imap_url"):
        open_mailbox(settings)


def test_the_password_of_a_mailbox_is_not_shown() -> None:
    assert "secret" not in repr(MailboxSettings(imap_url="imaps://a:secret@mail.test/INBOX"))
