"""The hold on all sending: what both stores promise."""

from pathlib import Path

from segue.storage.hold_ports import StoredHold
from segue.storage.ports import Journal
from segue.storage.sqlite_journal import SqliteJournal

FIRST, SECOND = StoredHold(5, "ann@shop.test"), StoredHold(9, "bob@shop.test")


def test_nothing_is_held_at_first_nor_after_the_end(journal: Journal) -> None:
    assert journal.hold.find() is None
    journal.hold.put(FIRST)
    assert journal.hold.find() == FIRST
    journal.hold.end()
    assert journal.hold.find() is None
    journal.hold.end()
    assert journal.hold.find() is None


def test_a_hold_that_is_there_stays_as_it_is(journal: Journal) -> None:
    journal.hold.put(FIRST)
    journal.hold.put(SECOND)
    assert journal.hold.find() == FIRST
    journal.hold.end()
    journal.hold.put(SECOND)
    assert journal.hold.find() == SECOND


def test_a_hold_is_still_there_when_the_file_is_opened_again(tmp_path: Path) -> None:
    opened = SqliteJournal(tmp_path / "segue.db")
    opened.hold.put(FIRST)
    opened.close()
    opened = SqliteJournal(tmp_path / "segue.db")
    assert opened.hold.find() == FIRST
    opened.close()
