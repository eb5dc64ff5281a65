import sqlite3
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stored_things import append_blocks, block, campaign, published

from segue.errors import ConflictError, SegueError
from segue.model.events import AttributeChange, Event, SendSettled
from segue.model.log_records import (
    AttributesReceived,
    Block,
    CampaignStopped,
    EventsReceived,
    SendsAttempted,
    SendsDeferred,
    SendsSettled,
    TimeAdvanced,
    UserErased,
)
from segue.storage.memory import MemoryJournal
from segue.storage.ports import Journal, LogEnd, StoredKey
from segue.storage.sqlite_journal import SqliteJournal

# The log


def test_an_empty_log_ends_at_nothing(journal: Journal) -> None:
    assert journal.log_end() == LogEnd()
    assert journal.first_seq() == 0
    assert journal.log_bytes() == 0
    assert list(journal.read_log()) == []
    assert journal.forget_log(0, 1_000) == 0


def test_a_block_comes_back_as_it_was_appended(journal: Journal) -> None:
    time = datetime(2026, 3, 1, 12, 0, 0, 5, tzinfo=UTC)
    settled = SendSettled("ann", "welcome", "s1", "email", "refused", "bounced", "550 no such user")
    properties = {"n": None, "list": [1, 2.5, "é"], "at": time, "b": True}
    appended = Block(
        1,
        0,
        [
            EventsReceived(5, [Event("ann", "viewed", time, "e1", properties), Event("bob", "x")]),
            AttributesReceived(6, [AttributeChange("ann", {"email": "ann@shop.example"})]),
            published("welcome"),
            SendsAttempted(7, [("s1", "email"), ("s1", "push")]),
            SendsSettled(8, [settled]),
            SendsDeferred(8, [("s1", "push", 99, "later")]),
            CampaignStopped(9, "welcome", is_archived=True),
            UserErased(10, "ann"),
            TimeAdvanced(11),
        ],
    )
    journal.append(appended)
    assert list(journal.read_log()) == [appended]
    # Two events, one change, and one entry for each of the seven other records.
    assert journal.log_end() == LogEnd(1, 10, 11)


def test_a_changed_event_does_not_change_the_log(journal: Journal) -> None:
    event = Event("ann", "viewed", properties={"price": 1})
    journal.append(Block(1, 0, [EventsReceived(5, [event])]))
    event.properties["price"] = 2
    [read] = journal.read_log()
    assert read.records == [EventsReceived(5, [Event("ann", "viewed", properties={"price": 1})])]


@pytest.mark.parametrize("seq", [0, 2, 4, 5])
def test_a_block_that_is_not_the_next_is_refused(journal: Journal, seq: int) -> None:
    append_blocks(journal, 2)
    with pytest.raises(ConflictError, match=f"Block {seq} is not the next"):
        journal.append(block(seq, 2))
    assert journal.log_end().seq == 2


def test_a_block_that_cannot_be_encoded_leaves_the_log_as_it_was(journal: Journal) -> None:
    append_blocks(journal, 1)
    odd = Event("ann", "viewed", properties={"odd": object()})
    with pytest.raises(TypeError):
        journal.append(Block(2, 1, [EventsReceived(5, [odd])]), [campaign("welcome")])
    assert journal.log_end().seq == 1
    assert journal.list_campaigns() == []
    append_blocks(journal, 1)
    assert [one.seq for one in journal.read_log()] == [1, 2]


def test_a_block_without_records_is_refused(journal: Journal) -> None:
    with pytest.raises(ValueError, match="no records"):
        journal.append(Block(1, 0, []))


def test_reading_begins_behind_a_block(journal: Journal) -> None:
    append_blocks(journal, 40)
    assert [one.seq for one in journal.read_log()] == list(range(1, 41))
    assert [one.seq for one in journal.read_log(37)] == [38, 39, 40]
    assert list(journal.read_log(40)) == []


def test_reading_goes_on_over_what_is_appended_meanwhile(journal: Journal) -> None:
    append_blocks(journal, 20)
    reading = journal.read_log()
    assert next(reading).seq == 1
    append_blocks(journal, 20)
    assert [one.seq for one in reading] == list(range(2, 41))


def test_named_blocks_are_read_in_order_and_gone_ones_passed_over(journal: Journal) -> None:
    append_blocks(journal, 5)
    assert [one.seq for one in journal.read_blocks([4, 2, 2, 9])] == [2, 4]


def test_the_oldest_blocks_are_forgotten_until_the_rest_fit(journal: Journal) -> None:
    append_blocks(journal, 10)
    whole = journal.log_bytes()
    assert journal.forget_log(whole, 100) == 0
    dropped = journal.forget_log(whole // 2, 100)
    assert 4 <= dropped <= 6
    assert journal.log_bytes() <= whole // 2
    assert journal.first_seq() == dropped + 1
    assert [one.seq for one in journal.read_log()] == list(range(dropped + 1, 11))
    assert journal.log_end().seq == 10


def test_blocks_that_are_still_needed_are_not_forgotten(journal: Journal) -> None:
    append_blocks(journal, 10)
    assert journal.forget_log(0, 4) == 3
    assert journal.first_seq() == 4


def test_the_newest_block_stays_so_that_numbers_go_on(journal: Journal) -> None:
    append_blocks(journal, 3, entries=2)
    assert journal.forget_log(0, 1_000) == 2
    assert journal.log_end() == LogEnd(3, 6, 1_002)
    append_blocks(journal, 1)
    assert journal.log_end().seq == 4
    assert [one.seq for one in journal.read_log()] == [3, 4]


# The index of users


def test_the_blocks_of_a_user_are_found(journal: Journal) -> None:
    append_blocks(journal, 3)
    assert journal.indexed_seq() == 0
    journal.index_users(2, [("ann", 1), ("bob", 1), ("ann", 2), ("ann", 2)])
    journal.index_users(3, [("bob", 3), ("", 3)])
    assert journal.indexed_seq() == 3
    assert journal.blocks_of_user("ann") == [1, 2]
    assert journal.blocks_of_user("bob") == [1, 3]
    assert journal.blocks_of_user("") == [3]
    assert journal.blocks_of_user("eve") == []


def test_forgotten_blocks_are_no_blocks_of_a_user(journal: Journal) -> None:
    append_blocks(journal, 4)
    journal.index_users(4, [("ann", seq) for seq in (1, 2, 3, 4)])
    journal.forget_log(0, 3)
    assert journal.blocks_of_user("ann") == [3, 4]


def test_the_index_lasts_over_many_parts(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "segue.db")
    for seq in range(1, 3_001):
        journal.append(block(seq, seq - 1))
    journal.index_users(3_000, [("ann", seq) for seq in range(500, 3_001, 500)])
    assert journal.blocks_of_user("ann") == [500, 1_000, 1_500, 2_000, 2_500, 3_000]
    journal.forget_log(0, 2_100)
    assert journal.blocks_of_user("ann") == [2_500, 3_000]
    journal.close()
    with sqlite3.connect(tmp_path / "segue.db") as connection:
        rows = connection.execute("SELECT seq FROM user_blocks ORDER BY seq").fetchall()
    connection.close()
    assert rows == [(2_500,), (3_000,)]


# Campaigns, keys and secrets


def test_a_campaign_is_found_by_slug_and_by_id(journal: Journal) -> None:
    welcome, follow_up = campaign("welcome", 1), campaign("follow-up", 2)
    journal.save_campaign(welcome)
    journal.save_campaign(follow_up)
    assert journal.find_campaign("welcome") == welcome
    assert journal.find_campaign("id-1") == welcome
    assert journal.find_campaign("nothing") is None
    assert journal.list_campaigns() == [follow_up, welcome]


def test_a_slug_is_preferred_to_an_id(journal: Journal) -> None:
    journal.save_campaign(campaign("welcome", 2))
    journal.save_campaign(campaign("id-2", 1))
    found = journal.find_campaign("id-2")
    assert found is not None
    assert found.id == "id-1"


def test_a_saved_campaign_replaces_the_one_with_its_id(journal: Journal) -> None:
    journal.save_campaign(campaign("welcome", 1))
    journal.save_campaign(campaign("hello", 1, version=2))
    assert journal.list_campaigns() == [campaign("hello", 1, version=2)]
    assert journal.find_campaign("welcome") is None


def test_a_slug_belongs_to_one_campaign(journal: Journal) -> None:
    journal.save_campaign(campaign("welcome", 1))
    with pytest.raises(ConflictError, match="'welcome'"):
        journal.save_campaign(campaign("welcome", 2))
    assert journal.list_campaigns() == [campaign("welcome", 1)]


def test_a_block_and_its_campaigns_are_saved_together(journal: Journal) -> None:
    first, second = campaign("welcome", 1, version=1), campaign("follow-up", 2, version=1)
    journal.append(block(1, 0), [first, second])
    assert journal.list_campaigns() == [second, first]


def test_a_block_is_not_appended_if_its_campaigns_cannot_be_saved(journal: Journal) -> None:
    journal.save_campaign(campaign("welcome", 1))
    with pytest.raises(ConflictError, match="'welcome'"):
        journal.append(block(1, 0), [campaign("follow-up", 2), campaign("welcome", 3)])
    assert journal.log_end() == LogEnd()
    assert journal.list_campaigns() == [campaign("welcome", 1)]


def test_a_deleted_campaign_is_gone(journal: Journal) -> None:
    journal.save_campaign(campaign("welcome", 1))
    journal.delete_campaign("id-1")
    journal.delete_campaign("id-1")
    assert journal.list_campaigns() == []


def test_keys_are_listed_oldest_first(journal: Journal) -> None:
    newer = StoredKey("key-a", b"\x01" * 32, ["ingest"], 20, "app")
    older = StoredKey("key-b", b"\x02" * 32, ["admin", "ingest"], 10)
    journal.save_key(newer)
    journal.save_key(older)
    assert journal.list_keys() == [older, newer]
    revoked = StoredKey("key-a", b"\x01" * 32, ["ingest"], 20, "app", revoked_at=30)
    journal.save_key(revoked)
    assert journal.list_keys() == [older, revoked]


def test_a_secret_once_kept_stays(journal: Journal) -> None:
    assert journal.secret("links") is None
    journal.save_secret("links", b"first")
    journal.save_secret("links", b"second")
    assert journal.secret("links") == b"first"


# What only files can do


def test_everything_is_there_after_opening_again(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "segue.db")
    journal.append(block(1, 0, "ann"), [campaign("welcome")])
    journal.index_users(1, [("ann", 1)])
    journal.save_secret("links", b"secret")
    journal.close()
    journal = SqliteJournal(tmp_path / "segue.db")
    assert list(journal.read_log()) == [block(1, 0, "ann")]
    assert journal.list_campaigns() == [campaign("welcome")]
    assert journal.blocks_of_user("ann") == [1]
    assert journal.secret("links") == b"secret"
    journal.close()


@pytest.mark.parametrize("damage", ["zeroblob(20)", "substr(bytes, 1, length(bytes) - 9)", "x''"])
def test_a_damaged_block_is_named_with_what_to_do(tmp_path: Path, damage: str) -> None:
    journal = SqliteJournal(tmp_path / "segue.db")
    append_blocks(journal, 3)
    with journal._db.writing() as connection:
        connection.execute(f"UPDATE log SET bytes = {damage} WHERE seq = 2")
    reading = journal.read_log()
    assert next(reading).seq == 1
    with pytest.raises(SegueError, match=r"Block 2 of the log in .*segue\.db .* from a backup"):
        next(reading)
    journal.close()


def test_a_second_writer_is_noticed(tmp_path: Path) -> None:
    here, there = SqliteJournal(tmp_path / "segue.db"), SqliteJournal(tmp_path / "segue.db")
    here.append(block(1, 0))
    with pytest.raises(ConflictError, match="somebody else writes"):
        there.append(block(1, 0))
    here.close()
    there.close()


def test_any_thread_may_read_while_one_writes(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "segue.db")
    append_blocks(journal, 1)
    faults: list[object] = []
    is_done = threading.Event()

    def read() -> None:
        last = 0
        while not is_done.is_set():
            seqs = [one.seq for one in journal.read_log()]
            if seqs != list(range(1, len(seqs) + 1)) or len(seqs) < last:
                faults.append(seqs)
            last = len(seqs)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    append_blocks(journal, 60)
    is_done.set()
    for reader in readers:
        reader.join()
    assert not faults
    journal.close()


def test_a_forgotten_log_leaves_room_for_the_next_blocks(tmp_path: Path) -> None:
    path = tmp_path / "segue.db"
    journal = SqliteJournal(path)
    pages = []
    for _ in range(6):
        append_blocks(journal, 30, entries=300)
        journal.forget_log(0, 1_000_000)
        pages.append(journal._db.number("PRAGMA page_count"))
    journal.close()
    assert pages[-1] <= pages[0] * 1.2


def test_a_closed_journal_says_so(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "segue.db")
    journal.close()
    with pytest.raises(ConflictError, match=r"segue\.db has been closed"):
        journal.log_end()
    with pytest.raises(ConflictError, match=r"segue\.db has been closed"):
        journal.append(block(1, 0))
    journal.close()


# Both are the same

USERS = st.sampled_from(["ann", "bob", "eve", ""])
SMALL = st.integers(0, 12)
OPERATIONS = st.one_of(
    st.tuples(st.just("append"), st.lists(USERS.filter(bool), max_size=3), st.booleans(), SMALL),
    st.tuples(st.just("forget"), st.integers(0, 400), SMALL),
    st.tuples(st.just("index"), st.lists(st.tuples(USERS, SMALL), max_size=4), SMALL),
    st.tuples(st.just("save"), st.sampled_from(["a", "b", "id-1"]), st.integers(1, 3)),
    st.tuples(st.just("delete"), st.integers(1, 3)),
)


def perform(journal: Journal, operation: tuple[Any, ...]) -> object:
    """Perform an operation; return its answer or how it was refused."""
    end = journal.log_end()
    match operation:
        case "append", users, is_next, number:
            new = block(end.seq + (1 if is_next else number), end.next_ordinal, *users, at=number)
            saved = [campaign(f"c{number % 3}", number % 5)]
            return answer_of(lambda: journal.append(new, saved if number % 2 else ()))
        case "forget", bytes_max, before_seq:
            return journal.forget_log(bytes_max, before_seq)
        case "index", pairs, through_seq:
            return journal.index_users(through_seq, pairs)
        case "save", slug, number:
            return answer_of(lambda: journal.save_campaign(campaign(slug, number)))
        case "delete", number:
            return journal.delete_campaign(f"id-{number}")
    raise AssertionError(operation)


def answer_of(action: Callable[[], object]) -> object:
    try:
        return action()
    except ConflictError:
        return "conflict"


def everything_in(journal: Journal) -> list[object]:
    return [
        journal.log_end(),
        journal.first_seq(),
        journal.log_bytes(),
        list(journal.read_log()),
        list(journal.read_log(3)),
        list(journal.read_blocks([5, 1, 2])),
        journal.indexed_seq(),
        [journal.list_campaigns(), journal.find_campaign("id-1"), journal.find_campaign("a")],
    ]


def blocks_by_user(journal: Journal) -> list[list[int]]:
    """What is noted beyond `indexed_seq` may or may not be told."""
    indexed = journal.indexed_seq()
    users = ["ann", "bob", "eve", ""]
    return [[seq for seq in journal.blocks_of_user(user) if seq <= indexed] for user in users]


@given(operations=st.lists(OPERATIONS, max_size=15))
def test_memory_and_file_answer_alike(operations: list[tuple[Any, ...]]) -> None:
    with TemporaryDirectory() as folder:
        memory, file = MemoryJournal(), SqliteJournal(Path(folder) / "segue.db")
        try:
            for operation in operations:
                assert perform(memory, operation) == perform(file, operation)
                assert everything_in(memory) == everything_in(file)
                assert blocks_by_user(memory) == blocks_by_user(file)
        finally:
            file.close()
