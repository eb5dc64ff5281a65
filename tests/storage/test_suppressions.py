"""The suppression list: what both stores promise."""

from pathlib import Path
from typing import Any

import pytest

from segue.errors import ConflictError
from segue.model.suppressions import SuppressedChannel, Suppression
from segue.storage.ports import Journal
from segue.storage.sqlite_journal import SqliteJournal
from segue.storage.sqlite_suppressions import _SQL

FIRST = ("", "")


def entry(address: str, since: int = 1, **more: Any) -> Suppression:
    return Suppression(
        **{"channel": "email", "reason": "bounce", "campaign": "news"}
        | more
        | {"address": address, "since": since}
    )


def listed(journal: Journal, channel: SuppressedChannel = "email") -> list[tuple[str, str]]:
    rows = journal.suppressions.page(channel, FIRST, 100)
    return [(row.address, row.reason) for row in rows]


def test_entries_are_found_by_channel_and_address(journal: Journal) -> None:
    bounced, texted = entry("a@b.test"), entry("+32470123456", channel="sms", campaign=None)
    assert journal.suppressions.add([bounced, texted]) == 2
    assert journal.suppressions.find("email", "a@b.test") == [bounced]
    assert journal.suppressions.find("sms", "+32470123456") == [texted]
    assert journal.suppressions.find("sms", "a@b.test") == []


def test_an_entry_that_is_there_stays_as_it_is_and_another_reason_is_another_entry(
    journal: Journal,
) -> None:
    first, reported = entry("a@b.test", 1), entry("a@b.test", 2, reason="complaint")
    assert journal.suppressions.add([first]) == 1
    assert journal.suppressions.add([entry("a@b.test", 9, campaign="other"), reported]) == 1
    assert journal.suppressions.find("email", "a@b.test") == [first, reported]


def test_pages_go_on_behind_an_address_and_a_reason_and_may_ask_for_a_part(
    journal: Journal,
) -> None:
    two = [entry("b@x.test"), entry("b@x.test", reason="manual")]
    journal.suppressions.add([entry("c@y.test"), *two, entry("a@x.test")])
    assert listed(journal) == [
        ("a@x.test", "bounce"),
        ("b@x.test", "bounce"),
        ("b@x.test", "manual"),
        ("c@y.test", "bounce"),
    ]
    page = journal.suppressions.page
    assert [row.key[1:] for row in page("email", ("b@x.test", "bounce"), 1)] == [
        ("b@x.test", "manual")
    ]
    assert [row.address for row in page("email", FIRST, 9, "y.t")] == ["c@y.test"]
    assert [row.address for row in page("email", FIRST, 9, "%")] == []
    assert page("sms", FIRST, 9) == []


def test_an_address_is_taken_off_with_all_its_reasons(journal: Journal) -> None:
    journal.suppressions.add([entry("a@b.test"), entry("a@b.test", reason="manual")])
    assert journal.suppressions.remove("email", "a@b.test")
    assert not journal.suppressions.remove("email", "a@b.test")
    assert listed(journal) == []


def test_a_full_list_lets_the_oldest_bounces_go(journal: Journal) -> None:
    journal.suppressions.rows_max = 3
    journal.suppressions.add([entry("new@b.test", 9), entry("old@b.test", 1)])
    journal.suppressions.add([entry("x@b.test", 2, reason="import"), entry("y@b.test", 5)])
    assert [address for address, _ in listed(journal)] == ["new@b.test", "x@b.test", "y@b.test"]
    assert journal.suppressions.follow([entry("z@b.test", 10)], 1) == 0
    assert [address for address, _ in listed(journal)] == ["new@b.test", "x@b.test", "z@b.test"]


def test_a_list_that_is_full_of_what_must_stay_refuses_what_is_added_by_hand(
    journal: Journal,
) -> None:
    journal.suppressions.rows_max = 2
    kept = [entry("a@b.test", reason="complaint"), entry("b@b.test", reason="manual")]
    journal.suppressions.add(kept)
    with pytest.raises(ConflictError, match="is full: it holds 2 entries"):
        journal.suppressions.add([entry("c@b.test", reason="import")])
    assert journal.suppressions.follow([entry("c@b.test", 9, reason="complaint")], 4) == 1
    assert journal.suppressions.follow([entry("d@b.test", 9)], 5) == 0  # a bounce made room itself
    assert listed(journal) == [("a@b.test", "complaint"), ("b@b.test", "manual")]
    assert journal.suppressions.followed_seq() == 5


def test_how_far_the_log_was_followed_goes_never_back(journal: Journal) -> None:
    assert journal.suppressions.followed_seq() == 0
    journal.suppressions.follow([], 7)
    journal.suppressions.follow([entry("a@b.test")], 3)
    assert journal.suppressions.followed_seq() == 7


def test_a_file_keeps_its_list(tmp_path: Path) -> None:
    first = SqliteJournal(tmp_path / "segue.db")
    first.suppressions.follow([entry("a@b.test")], 3)
    first.close()
    again = SqliteJournal(tmp_path / "segue.db")
    assert listed(again) == [("a@b.test", "bounce")]
    assert again.suppressions.followed_seq() == 3
    again.close()


def test_a_look_up_uses_the_key_and_the_oldest_bounces_are_found_by_their_index(
    tmp_path: Path,
) -> None:
    journal = SqliteJournal(tmp_path / "segue.db")
    bounds = {"channel": "email", "address": "a", "count": 1}
    with journal._db.reading() as connection:

        def plan(name: str) -> str:
            rows = connection.execute(f"EXPLAIN QUERY PLAN {_SQL[name]}", bounds)
            return " ".join(row[3] for row in rows)

        assert "USING PRIMARY KEY (channel=? AND address=?)" in plan("find_suppressions")
        assert "suppressions_by_age" in plan("delete_oldest_bounces")
        assert "TEMP B-TREE FOR ORDER" not in plan("find_suppressions")
    journal.close()


def test_what_was_put_twice_or_taken_off_takes_no_room(journal: Journal) -> None:
    journal.suppressions.rows_max = 2
    for number in range(9):
        journal.suppressions.add([entry("a@b.test", number), entry("b@b.test", number)])
        journal.suppressions.remove("email", "b@b.test")
        journal.suppressions.remove("email", "c@b.test")
    journal.suppressions.add([entry("c@b.test", 10)])
    assert [address for address, _ in listed(journal)] == ["a@b.test", "c@b.test"]
    journal.suppressions.add([entry("d@b.test", 11)])
    assert [address for address, _ in listed(journal)] == ["c@b.test", "d@b.test"]
