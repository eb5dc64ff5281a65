"""The inbox of devices: what both stores promise."""

import threading
from pathlib import Path
from typing import Any

from segue.model.channels import Channel
from segue.model.limits import INBOX_CARDS_MAX, INBOX_IN_APP_MAX
from segue.model.log_records import Block, UserErased
from segue.storage.ports import InboxItem, Journal
from segue.storage.sqlite_journal import SqliteJournal


def card(number: int, user_id: str = "ann", **more: Any) -> InboxItem:
    values: dict[str, Any] = {
        "user_id": user_id,
        "channel": "content_card",
        "send_id": f"s{number:04}",
        "campaign": "sale",
        "variant": "A",
        "available_at": number,
        "expires_at": 1_000 + number,
        "content": {"title": "Sale", "pinned": True, "buttons": [{"id": "a"}]},
        **more,
    }
    return InboxItem(**values)


def sends(journal: Journal, user_id: str = "ann", channel: Channel = "content_card") -> list[str]:
    return [one.send_id for one in journal.inbox.of_user(user_id) if one.channel == channel]


def test_messages_come_back_as_they_were_put_newest_first(journal: Journal) -> None:
    first, second = card(1), card(2, channel="in_app_message")
    journal.inbox.put([first, second, card(3, "bob")], 0)
    assert journal.inbox.of_user("ann") == [second, first]
    assert journal.inbox.of_user("nobody") == []


def test_a_message_that_is_put_again_stays_as_it_is(journal: Journal) -> None:
    journal.inbox.put([card(1)], 0)
    journal.inbox.end("ann", [("content_card", "s0001")], 7)
    journal.inbox.put([card(1, content={"title": "Other"}, available_at=9)], 0)
    [kept] = journal.inbox.of_user("ann")
    assert kept == card(1, ended_at=7)


def test_a_send_of_both_channels_is_two_messages(journal: Journal) -> None:
    journal.inbox.put([card(1), card(1, channel="in_app_message")], 0)
    journal.inbox.end("ann", [("in_app_message", "s0001")], 5)
    ended = {one.channel: one.ended_at for one in journal.inbox.of_user("ann")}
    assert ended == {"content_card": None, "in_app_message": 5}


def test_a_message_ends_once_and_only_that_of_its_user(journal: Journal) -> None:
    journal.inbox.put([card(1), card(1, "bob")], 0)
    for at in (5, 6):
        journal.inbox.end("ann", [("content_card", "s0001"), ("content_card", "unknown")], at)
    assert [one.ended_at for one in journal.inbox.of_user("ann")] == [5]
    assert [one.ended_at for one in journal.inbox.of_user("bob")] == [None]


def test_the_oldest_of_a_full_inbox_go_first_each_channel_for_itself(journal: Journal) -> None:
    journal.inbox.put([card(number, channel="in_app_message") for number in range(60)], 0)
    journal.inbox.put([card(number) for number in range(INBOX_CARDS_MAX)], 0)
    journal.inbox.put([card(900), card(1, "bob")], 0)
    kept = sends(journal)
    assert len(kept) == INBOX_CARDS_MAX
    assert kept[0] == "s0900"
    assert kept[-1] == "s0001"
    assert sends(journal, channel="in_app_message")[-1] == f"s{60 - INBOX_IN_APP_MAX:04}"
    assert sends(journal, "bob") == ["s0001"]


def test_what_expired_before_an_instant_goes_with_the_next_put(journal: Journal) -> None:
    journal.inbox.put([card(1), card(2, "bob")], 0)
    journal.inbox.put([card(5)], 1_002)
    assert sends(journal) == ["s0005"]
    assert sends(journal, "bob") == ["s0002"]


def test_a_users_erasure_takes_the_inbox_along(journal: Journal) -> None:
    journal.inbox.put([card(1), card(2, "bob")], 0)
    journal.append(Block(1, 0, [UserErased(5, "ann")]))
    assert sends(journal) == []
    assert sends(journal, "bob") == ["s0002"]


def test_a_changed_content_does_not_change_what_is_kept(journal: Journal) -> None:
    item = card(1)
    journal.inbox.put([item], 0)
    item.content["title"] = "Other"
    journal.inbox.of_user("ann")[0].content["title"] = "Another"
    assert journal.inbox.of_user("ann") == [card(1)]


def test_the_inbox_of_a_file_is_there_after_it_was_closed(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "segue.db")
    journal.inbox.put([card(1)], 0)
    journal.close()
    journal = SqliteJournal(tmp_path / "segue.db")
    assert journal.inbox.of_user("ann") == [card(1)]
    journal.close()


def test_threads_may_put_at_the_same_time(journal: Journal) -> None:
    def put(start: int) -> None:
        for number in range(start, start + 20):
            journal.inbox.put([card(number)], 0)

    threads = [threading.Thread(target=put, args=(start,)) for start in (0, 20, 40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sends(journal) == [f"s{number:04}" for number in reversed(range(60))]
