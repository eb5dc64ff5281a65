"""What short codes stand for: what both stores promise."""

import sqlite3
import threading
from pathlib import Path

import pytest
from msgspec.structs import replace

from segue.content.tokens import Tracked
from segue.errors import SegueError
from segue.model.limits import CODES_PRUNED_MAX
from segue.model.log_records import Block, UserErased
from segue.storage.memory_codes import MemoryCodes
from segue.storage.ports import Journal, StoredCode
from segue.storage.sqlite_codes import SqliteCodes
from segue.storage.sqlite_journal import SqliteJournal


def link(user_id: str = "ann", number: int = 1) -> Tracked:
    url = f"https://shop.test/{number}"
    return Tracked("short_link", user_id, "sale", "A", "s1", "sms", "link-1", url)


def row(code: str, user_id: str = "ann", number: int = 1, expires_at: int = 1_000) -> StoredCode:
    return StoredCode(code, link(user_id, number), expires_at)


def found(journal: Journal, *codes: str, now: int = 0) -> list[bool]:
    return [journal.codes.find(code, now) is not None for code in codes]


def limit_to(journal: Journal, count_max: int) -> None:
    """Let the journal keep no more codes than these."""
    codes = journal.codes
    assert isinstance(codes, SqliteCodes | MemoryCodes)
    codes._count_max = count_max


def test_a_code_stands_for_what_was_put_case_and_all(journal: Journal) -> None:
    bounce = replace(link("bob", 2), kind="open", channel="email", alias=None, link=None)
    assert journal.codes.put([row("abcdefgh"), StoredCode("B" * 32, bounce, 5)], 0) == []
    assert journal.codes.find("abcdefgh", 0) == link()
    assert journal.codes.find("B" * 32, 0) == bounce
    assert found(journal, "ABCDEFGH", "abcdefg", "", "unknown") == [False] * 4


def test_a_code_stands_for_it_until_it_expires(journal: Journal) -> None:
    journal.codes.put([row("a")], 0)
    assert journal.codes.find("a", 999) == link()
    assert journal.codes.find("a", 1_000) is None


def test_one_that_is_put_again_is_kept_once_as_it_was(journal: Journal) -> None:
    journal.codes.put([row("a")], 0)
    assert journal.codes.put([row("a", expires_at=9_000), row("b"), row("b")], 0) == []
    assert found(journal, "a", "b", now=1_000) == [False, False]
    limit_to(journal, 3)
    journal.codes.put([row("c")], 0)
    assert found(journal, "a", "b", "c") == [True] * 3


def test_one_that_stands_for_something_else_stays_and_is_told_of(journal: Journal) -> None:
    journal.codes.put([row("a")], 0)
    other = row("a", "bob")
    assert journal.codes.put([row("b"), other, row("c")], 0) == [other]
    assert journal.codes.find("a", 0) == link()
    assert found(journal, "b", "c") == [True, True]


def test_of_two_that_come_at_once_with_one_code_the_first_has_it(journal: Journal) -> None:
    other = row("a", "bob")
    assert journal.codes.put([row("a"), other], 0) == [other]
    assert journal.codes.find("a", 0) == link()


def test_what_expired_goes_with_the_next_puts_some_at_a_time(journal: Journal) -> None:
    names = [f"old-{number}" for number in range(CODES_PRUNED_MAX + 5)]
    journal.codes.put([row(name) for name in names], 0)
    journal.codes.put([row("young", expires_at=5_000)], 1_000)
    assert sum(found(journal, *names)) == 5
    journal.codes.put([row("younger", expires_at=5_000)], 1_000)
    assert not any(found(journal, *names))
    assert found(journal, "young", "younger") == [True, True]


def test_past_the_bound_those_go_that_came_first(journal: Journal) -> None:
    limit_to(journal, 3)
    journal.codes.put([row("a", expires_at=9_000), row("b"), row("c")], 0)
    journal.codes.put([row("d", expires_at=10)], 0)
    assert found(journal, "a", "b", "c", "d") == [False, True, True, True]
    journal.codes.put([row(name) for name in "efghi"], 0)
    assert found(journal, *"defghi") == [False, False, False, True, True, True]


def test_what_is_erased_or_expired_makes_room(journal: Journal) -> None:
    limit_to(journal, 3)
    journal.codes.put([row("a"), row("b", "bob"), row("c", expires_at=10)], 0)
    journal.append(Block(1, 0, [UserErased(5, "bob")]))
    journal.codes.put([row("d"), row("e")], 10)
    assert found(journal, *"abcde") == [True, False, False, True, True]


def test_a_users_erasure_takes_the_codes_along(journal: Journal) -> None:
    journal.codes.put([row("a"), row("b"), row("c", "bob")], 0)
    journal.append(Block(1, 0, [UserErased(5, "ann"), UserErased(5, "nobody")]))
    assert found(journal, "a", "b", "c") == [False, False, True]


def test_codes_of_a_file_are_there_after_it_was_closed_and_counted_on(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "segue.db")
    journal.codes.put([row("a"), row("b")], 0)
    journal.close()
    journal = SqliteJournal(tmp_path / "segue.db")
    assert journal.codes.find("b", 0) == link()
    limit_to(journal, 2)
    journal.codes.put([row("c")], 0)
    assert found(journal, "a", "b", "c") == [False, True, True]
    journal.close()


def test_an_erasure_that_fails_keeps_codes_and_log_as_they_were(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "segue.db")
    journal.codes.put([row("a")], 0)
    with sqlite3.connect(tmp_path / "segue.db") as other:
        other.execute(
            "CREATE TRIGGER no BEFORE UPDATE ON code_count BEGIN SELECT raise(ABORT, 'no'); END"
        )
    other.close()
    with pytest.raises(sqlite3.IntegrityError):
        journal.append(Block(1, 0, [UserErased(5, "ann")]))
    assert found(journal, "a") == [True]
    assert journal.log_end().seq == 0
    journal.close()


def test_a_file_of_the_format_before_gets_the_table(tmp_path: Path) -> None:
    SqliteJournal(tmp_path / "segue.db").close()
    with sqlite3.connect(tmp_path / "segue.db") as old:
        old.executescript("DROP TABLE codes; DROP TABLE code_count; PRAGMA user_version = 2;")
    old.close()
    journal = SqliteJournal(tmp_path / "segue.db")
    assert journal.codes.put([row("a")], 0) == []
    assert found(journal, "a") == [True]
    journal.close()


def test_a_damaged_code_says_which_and_what_to_do(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "segue.db")
    journal.codes.put([row("a")], 0)
    with sqlite3.connect(tmp_path / "segue.db") as other:
        other.execute("UPDATE codes SET tracked = x'ff'")
    other.close()
    with pytest.raises(SegueError, match=r"short code a in .*segue.db is damaged"):
        journal.codes.find("a", 0)
    journal.close()


def test_threads_may_put_at_the_same_time(journal: Journal) -> None:
    def put(start: int) -> None:
        for number in range(start, start + 20):
            journal.codes.put([row(f"{number}")], 0)

    threads = [threading.Thread(target=put, args=(start,)) for start in (0, 20, 40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(found(journal, *map(str, range(60))))
