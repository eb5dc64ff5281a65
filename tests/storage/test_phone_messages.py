"""Virtual phones: what both stores promise."""

import threading
from pathlib import Path
from typing import Any

import pytest

from segue.model.limits import PHONE_MESSAGES_MAX
from segue.model.log_records import Block, UserErased
from segue.storage import memory_phones, sqlite_phones
from segue.storage.phones import PhoneEntry, PhoneMessage
from segue.storage.ports import Journal
from segue.storage.sqlite_journal import SqliteJournal


def text(number: int, user_id: str = "ann", **more: Any) -> PhoneMessage:
    values: dict[str, Any] = {
        "user_id": user_id,
        "channel": "sms",
        "send_id": f"s{number:04}",
        "campaign": "sale",
        "variant": "A",
        "at": number,
        "content": {"from": None, "body": "Sale", "media_urls": ["https://shop.test/a.png"]},
        **more,
    }
    return PhoneMessage(**values)


def sends(journal: Journal, user_id: str = "ann", **wish: Any) -> list[str]:
    return [one.send_id for one in journal.phones.of_user(user_id, **wish)]


def test_messages_come_back_as_they_were_put_newest_first(journal: Journal) -> None:
    journal.phones.put([text(1), text(2, channel="email"), text(3, "bob")])
    assert journal.phones.of_user("ann") == [text(2, channel="email", place=2), text(1, place=1)]
    assert journal.phones.of_user("nobody") == []
    assert journal.phones.last_place() == 3


def test_a_message_that_is_put_again_stays_as_it_is(journal: Journal) -> None:
    journal.phones.put([text(1)])
    journal.phones.put([text(1, at=9, content={"body": "Other"}), text(1, channel="email")])
    journal.phones.put([text(2), text(2, at=9)])
    kept = journal.phones.of_user("ann")
    assert [(one.send_id, one.channel, one.at) for one in kept] == [
        ("s0002", "sms", 2),
        ("s0001", "email", 1),
        ("s0001", "sms", 1),
    ]


def test_messages_are_read_in_parts_and_by_channel(journal: Journal) -> None:
    journal.phones.put([text(n, channel="email" if n % 2 else "sms") for n in range(1, 8)])
    first = journal.phones.of_user("ann", limit=3)
    assert [one.send_id for one in first] == ["s0007", "s0006", "s0005"]
    assert sends(journal, before=first[-1].place, limit=2) == ["s0004", "s0003"]
    assert sends(journal, channel="sms") == ["s0006", "s0004", "s0002"]
    assert sends(journal, channel="push") == []


def test_what_came_after_a_place_is_told_oldest_first_of_one_or_of_all(journal: Journal) -> None:
    assert journal.phones.last_place() == 0
    journal.phones.put([text(1), text(2, "bob"), text(3)])
    first = journal.phones.of_user("ann")[-1].place
    assert [one.send_id for one in journal.phones.after(first)] == ["s0002", "s0003"]
    assert [one.send_id for one in journal.phones.after(first, "ann")] == ["s0003"]
    assert [one.send_id for one in journal.phones.after(0, limit=2)] == ["s0001", "s0002"]
    assert journal.phones.after(journal.phones.last_place()) == []


def test_phones_are_listed_by_their_newest_message(journal: Journal) -> None:
    journal.phones.put([text(1), text(2, "bob"), text(3, "cid"), text(4)])
    assert journal.phones.entries() == [
        PhoneEntry("ann", 2, 4, 4),
        PhoneEntry("cid", 1, 3, 3),
        PhoneEntry("bob", 1, 2, 2),
    ]
    assert [one.user_id for one in journal.phones.entries(before=4)] == ["cid", "bob"]
    assert [one.user_id for one in journal.phones.entries(limit=1)] == ["ann"]


def test_the_oldest_of_a_full_phone_go_first(journal: Journal) -> None:
    journal.phones.put([text(0, "bob")])
    journal.phones.put([text(number) for number in range(PHONE_MESSAGES_MAX)])
    journal.phones.put([text(900), text(901, channel="email")])
    kept = sends(journal, limit=1_000)
    assert len(kept) == PHONE_MESSAGES_MAX
    assert (kept[0], kept[-1]) == ("s0901", "s0002")
    assert sends(journal, "bob") == ["s0000"]


def test_of_all_phones_together_so_many_messages_stay(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (memory_phones, sqlite_phones):
        monkeypatch.setattr(module, "PHONES_MESSAGES_MAX", 5)
    journal.phones.put([text(number, f"u{number % 3}") for number in range(8)])
    kept = journal.phones.after(0)
    assert [one.send_id for one in kept] == ["s0003", "s0004", "s0005", "s0006", "s0007"]


def test_of_all_phones_together_so_many_bytes_stay(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (memory_phones, sqlite_phones):
        monkeypatch.setattr(module, "PHONES_BYTES_MAX", 3_500)
    large = {"body": "x" * 1_000}
    journal.phones.put([text(number, f"u{number}", content=large) for number in range(5)])
    assert [one.send_id for one in journal.phones.after(0)] == ["s0002", "s0003", "s0004"]


def test_a_place_is_never_given_twice(journal: Journal) -> None:
    journal.phones.put([text(1), text(2)])
    last = journal.phones.last_place()
    journal.append(Block(1, 0, [UserErased(5, "ann")]))
    assert journal.phones.last_place() == 0
    journal.phones.put([text(3)])
    assert journal.phones.last_place() > last


def test_a_users_erasure_takes_the_phone_along(journal: Journal) -> None:
    journal.phones.put([text(1), text(2, "bob")])
    journal.append(Block(1, 0, [UserErased(5, "ann")]))
    assert sends(journal) == []
    assert [one.user_id for one in journal.phones.entries()] == ["bob"]


def test_a_changed_content_does_not_change_what_is_kept(journal: Journal) -> None:
    message = text(1)
    journal.phones.put([message])
    message.content["body"] = "Other"
    journal.phones.of_user("ann")[0].content["body"] = "Another"
    assert journal.phones.of_user("ann") == [text(1, place=1)]


def test_the_phones_of_a_file_are_there_after_it_was_closed(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "segue.db")
    journal.phones.put([text(1)])
    journal.close()
    journal = SqliteJournal(tmp_path / "segue.db")
    assert journal.phones.of_user("ann") == [text(1, place=1)]
    journal.close()


def test_threads_may_put_at_the_same_time(journal: Journal) -> None:
    def put(start: int) -> None:
        for number in range(start, start + 20):
            journal.phones.put([text(number)])

    threads = [threading.Thread(target=put, args=(start,)) for start in (0, 20, 40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(sends(journal)) == [f"s{number:04}" for number in range(60)]
