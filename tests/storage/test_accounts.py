"""Accounts, sessions, links and the audit trail: what both stores promise."""

import threading
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from segue.errors import ConflictError
from segue.storage.account_ports import StoredAccount, StoredChange, StoredLink, StoredSession
from segue.storage.ports import Journal
from segue.storage.sqlite_journal import SqliteJournal


def account(name: str, **more: Any) -> StoredAccount:
    return StoredAccount(f"id-{name}", f"{name}@shop.test", name, "author", 5, **more)


def session(number: int, account_id: str = "id-ann", seen_at: int | None = None) -> StoredSession:
    seen = number if seen_at is None else seen_at
    token_hash = b"hash %d" % number
    return StoredSession(f"s{number}", token_hash, account_id, number, seen, "127.0.0.1", "Firefox")


def change(action: str) -> StoredChange:
    return StoredChange(7, "account", "id-ann", "ann@shop.test", action, "sale", "as a test")


# Accounts


def test_accounts_come_back_as_they_were_saved_by_address(journal: Journal) -> None:
    ann = account("ann", password_hash="argon", theme="dark", has_shortcuts=False)
    journal.accounts.save(account("bob"))
    journal.accounts.save(ann)
    assert journal.accounts.all() == [ann, account("bob")]
    assert journal.accounts.find("id-ann") == ann
    assert journal.accounts.find_by_email("bob@shop.test") == account("bob")
    assert journal.accounts.find("id-nobody") is None
    assert journal.accounts.find_by_email("nobody@shop.test") is None


def test_an_account_that_is_saved_again_is_replaced(journal: Journal) -> None:
    journal.accounts.save(account("ann"))
    changed = replace(account("ann"), role="admin", theme="light", name="Ann A.")
    journal.accounts.save(changed)
    assert journal.accounts.all() == [changed]


def test_an_address_belongs_to_one_account(journal: Journal) -> None:
    journal.accounts.save(account("ann"))
    other = replace(account("bob"), email="ann@shop.test")
    with pytest.raises(ConflictError, match=r"ann@shop\.test"):
        journal.accounts.save(other)
    assert journal.accounts.all() == [account("ann")]


def test_a_deleted_account_takes_its_sessions_and_links_along(journal: Journal) -> None:
    accounts = journal.accounts
    for name in ("ann", "bob"):
        accounts.save(account(name))
        accounts.save_link(StoredLink(name.encode(), "set_password", f"id-{name}", 9))
    accounts.open_session(session(1), 5)
    accounts.open_session(session(2, "id-bob"), 5)
    accounts.delete("id-ann")
    assert accounts.all() == [account("bob")]
    assert accounts.find_session(b"hash 1") is None
    assert accounts.find_session(b"hash 2") == session(2, "id-bob")
    assert accounts.find_link(b"ann") is None
    assert accounts.find_link(b"bob") is not None


# Sessions


def test_of_an_accounts_sessions_those_seen_last_stay(journal: Journal) -> None:
    for number in range(1, 6):
        journal.accounts.open_session(session(number), 3)
    journal.accounts.open_session(session(9, "id-bob"), 3)
    assert [one.id for one in journal.accounts.sessions_of("id-ann")] == ["s5", "s4", "s3"]
    assert [one.id for one in journal.accounts.sessions_of("id-bob")] == ["s9"]


def test_a_session_that_was_seen_comes_first_and_one_that_ended_is_gone(journal: Journal) -> None:
    for number in (1, 2, 3):
        journal.accounts.open_session(session(number), 9)
    journal.accounts.touch_session("s1", 50)
    journal.accounts.touch_session("s-unknown", 50)
    journal.accounts.end_sessions(["s2", "s-unknown"])
    assert journal.accounts.sessions_of("id-ann") == [session(1, seen_at=50), session(3)]
    assert journal.accounts.find_session(b"hash 2") is None


# Links


def test_a_link_is_taken_once(journal: Journal) -> None:
    link = StoredLink(b"token", "set_password", "id-ann", 9)
    journal.accounts.save_link(link)
    assert journal.accounts.find_link(b"token") == link
    assert journal.accounts.take_link(b"token")
    assert not journal.accounts.take_link(b"token")
    assert journal.accounts.find_link(b"token") is None


@pytest.mark.parametrize("account_id", [None, "id-ann"])
def test_a_new_link_takes_the_place_of_the_earlier_one(
    journal: Journal, account_id: str | None
) -> None:
    purpose = "set_password" if account_id else "first_account"
    journal.accounts.save_link(StoredLink(b"other", "set_password", "id-bob", 9))
    for token in (b"one", b"two"):
        journal.accounts.save_link(StoredLink(token, purpose, account_id, 9))
    found = [journal.accounts.find_link(token) is not None for token in (b"one", b"two", b"other")]
    assert found == [False, True, True]


def test_of_threads_that_take_a_link_one_gets_it(journal: Journal) -> None:
    journal.accounts.save_link(StoredLink(b"token", "first_account", None, 9))
    taken: list[bool] = []
    threads = [
        threading.Thread(target=lambda: taken.append(journal.accounts.take_link(b"token")))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == [False] * 7 + [True]


# The audit trail


def test_changes_are_read_newest_first_a_page_at_a_time(journal: Journal) -> None:
    for action in ("one", "two", "three"):
        journal.audit.append(change(action), 10)
    newest = journal.audit.newest(2)
    assert [one.action for one in newest] == ["three", "two"]
    assert journal.audit.newest(2, newest[-1].number) == [replace(change("one"), number=1)]


def test_the_oldest_changes_go_and_numbers_are_not_used_again(journal: Journal) -> None:
    for number in range(5):
        journal.audit.append(change(str(number)), 3)
    assert [(one.number, one.action) for one in journal.audit.newest(9)] == [
        (5, "4"),
        (4, "3"),
        (3, "2"),
    ]


def test_what_is_in_a_file_is_there_after_it_was_closed(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "segue.db")
    journal.accounts.save(account("ann"))
    journal.accounts.open_session(session(1), 5)
    journal.audit.append(change("one"), 5)
    journal.close()
    journal = SqliteJournal(tmp_path / "segue.db")
    assert journal.accounts.all() == [account("ann")]
    assert journal.accounts.find_session(b"hash 1") == session(1)
    assert [one.action for one in journal.audit.newest(5)] == ["one"]
    journal.close()
