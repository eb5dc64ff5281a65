import sqlite3
from collections.abc import Callable
from operator import itemgetter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from stored_things import (
    checkpoint,
    dead_letter,
    outbox_item,
    published,
    state,
    timer,
    verdict,
)

from segue.errors import SegueError
from segue.model.log_records import CampaignStopped
from segue.storage.encoding import VERDICTS_PER_BLOCK_MAX
from segue.storage.memory_snapshot import MemorySnapshot
from segue.storage.named_sql import load_queries
from segue.storage.partial_states import is_empty
from segue.storage.ports import Checkpoint, Counter, Position, Snapshot, Sums
from segue.storage.sqlite_snapshot import SqliteSnapshot

pytestmark = pytest.mark.slow

HIGHEST_KEY = (1 << 63) - 1


def everything_in(snapshot: Snapshot) -> list[object]:
    users = ["ann", "bob", "cat", "dan", "eve"]
    return [
        snapshot.position(),
        snapshot.load_states(users),
        *[snapshot.load_states([user]) for user in users],
        snapshot.list_users(),
        snapshot.list_users("bob", 2),
        sorted(snapshot.scan_states(), key=itemgetter(0)),
        snapshot.count_users(),
        snapshot.timers_between(-1, 1 << 62),
        snapshot.timers_between(3, 6),
        snapshot.timers_of("welcome"),
        snapshot.timers_of("follow-up", 2),
        snapshot.timers_of("welcome", 2, timer(3, "cat")),
        snapshot.count_timers(),
        snapshot.outbox(),
        snapshot.dead_letters(),
        snapshot.plan_changes(),
        *[snapshot.token_owner(token) for token in ("t1", "t2", "t3")],
        snapshot.counters("welcome"),
        snapshot.counters("welcome", 2, 4),
        *[
            [(one, round(amount, 6)) for one, amount in snapshot.sum_counters("welcome", sums)]
            for sums in (Sums([0, 2, 3, 1 << 62]), Sums([1, 4], "A"), Sums([0, 9], by_metric=True))
        ],
        list(snapshot.read_verdicts()),
        list(snapshot.read_verdicts(2)),
    ]


def counter(hour: int = 1, metric: str = "sent", campaign: str = "welcome") -> Counter:
    return Counter(campaign, hour, "A", metric, "")


def test_a_new_snapshot_stands_before_the_first_block(snapshot: Snapshot) -> None:
    assert snapshot.position() == Position()
    assert snapshot.load_states(["ann"]) == {}
    assert snapshot.outbox() == []
    assert list(snapshot.read_verdicts()) == []
    snapshot.forget_verdicts(0)


def test_states_are_loaded_as_they_were_committed(snapshot: Snapshot) -> None:
    ann, bob = state({"deep": [1, None, "é"]}, "welcome"), state(2)
    snapshot.commit(checkpoint(3, states=[("ann", ann), ("bob", bob)]))
    assert snapshot.load_states(["ann", "eve", "bob", "ann"]) == {"ann": ann, "bob": bob}
    assert snapshot.load_states([]) == {}
    assert snapshot.count_users() == 2
    assert snapshot.position() == Position(3, 30, 300)


def test_a_token_is_whose_it_was_made_last_until_it_is_nobodys(snapshot: Snapshot) -> None:
    assert snapshot.token_owner("t1") is None
    snapshot.commit(checkpoint(token_owners=[("t1", "ann"), ("t2", "bob"), ("t3", "bob")]))
    snapshot.commit(checkpoint(2, token_owners=[("t1", "bob"), ("t2", None), ("gone", None)]))
    assert [snapshot.token_owner(token) for token in ("t1", "t2", "t3")] == ["bob", None, "bob"]
    snapshot.commit(checkpoint(3, erased=["bob"], token_owners=[("t3", "ann")]))
    assert [snapshot.token_owner(token) for token in ("t1", "t2", "t3")] == [None, None, "ann"]


def test_a_later_state_replaces_an_earlier_one(snapshot: Snapshot) -> None:
    snapshot.commit(checkpoint(states=[("ann", state(1))]))
    snapshot.commit(checkpoint(2, states=[("ann", state(2)), ("ann", state(3))]))
    assert snapshot.load_states(["ann"]) == {"ann": state(3)}
    assert snapshot.count_users() == 1


def test_a_changed_attribute_does_not_change_the_snapshot(snapshot: Snapshot) -> None:
    given_state = state(1)
    snapshot.commit(checkpoint(states=[("ann", given_state)]))
    given_state.attributes["value"] = 2
    loaded = snapshot.load_states(["ann"])
    loaded["ann"].attributes["value"] = 3
    assert snapshot.load_states(["ann"]) == {"ann": state(1)}


def test_many_states_are_written_and_read_at_once(snapshot: Snapshot) -> None:
    users = [f"user-{number:04}" for number in range(2_345)]
    snapshot.commit(checkpoint(states=[(user, state(user)) for user in users]))
    assert snapshot.load_states(users) == {user: state(user) for user in users}
    snapshot.commit(checkpoint(2, erased=users[:1_500]))
    assert snapshot.count_users() == 845


def test_a_scan_comes_to_every_user_once(snapshot: Snapshot) -> None:
    assert list(snapshot.scan_states()) == []
    states = [(f"user-{number:04}", state(number)) for number in range(5_001)]
    snapshot.commit(checkpoint(states=states))
    assert sorted(snapshot.scan_states(), key=itemgetter(0)) == states


def test_a_scan_tells_ids_of_any_characters_apart(snapshot: Snapshot) -> None:
    users = ["ann", "Zoë", "\U0001f600", "a,b", "a\0b", "a\0", "1"]
    states = [(user, state(number)) for number, user in enumerate(users)]
    snapshot.commit(checkpoint(states=states))
    assert dict(snapshot.scan_states()) == dict(states)


def test_a_scan_may_read_a_part_of_each_state(snapshot: Snapshot) -> None:
    kept = state(7, "welcome", "follow-up")
    snapshot.commit(checkpoint(states=[("ann", kept)]))
    [(user, read)] = snapshot.scan_states({"attributes"})
    assert (user, read.attributes) == ("ann", kept.attributes)
    assert (is_empty(read.memberships), is_empty(read.histories)) == (False, True)


def test_users_are_listed_in_pages_by_id(snapshot: Snapshot) -> None:
    users = ["bob", "Zoë", "ann", "zoë", "\U0001f600", "é"]
    snapshot.commit(checkpoint(states=[(user, state(user)) for user in users]))
    first = snapshot.list_users(limit=4)
    rest = snapshot.list_users(first[-1][0], limit=4)
    assert first + rest == [(user, state(user)) for user in sorted(users)]


def test_timers_come_in_the_order_they_fire(snapshot: Snapshot) -> None:
    early, late = timer(5, "bob"), timer(9, "ann", "follow-up")
    same = timer(5, "ann", "welcome")
    snapshot.commit(checkpoint(timers_set=[late, early, same, early]))
    assert snapshot.timers_between(0, 9) == [same, early, late]
    assert snapshot.timers_between(5, 9) == [late]
    assert snapshot.timers_between(4, 5) == [same, early]
    assert snapshot.timers_of("welcome") == [same, early]
    assert snapshot.timers_of("welcome", 1) == [same]
    assert snapshot.timers_of("welcome", after=same) == [early]
    assert snapshot.timers_of("welcome", after=early) == []
    assert snapshot.count_timers() == 3


def test_gone_timers_are_gone(snapshot: Snapshot) -> None:
    snapshot.commit(checkpoint(timers_set=[timer(due) for due in range(3_000)]))
    gone = [timer(due) for due in range(2_990)]
    snapshot.commit(checkpoint(2, timers_gone=[*gone, timer(5, "nobody")]))
    assert snapshot.timers_between(-1, 9_999) == [timer(due) for due in range(2_990, 3_000)]


def test_the_outbox_is_in_order_of_decision(snapshot: Snapshot) -> None:
    first, second = outbox_item("s2", decided_at=1), outbox_item("s1", decided_at=2)
    snapshot.commit(checkpoint(outbox_put=[second, first]))
    attempted = replace(first, attempts=1, first_attempt_at=3, is_attempted=True)
    snapshot.commit(checkpoint(2, outbox_put=[attempted]))
    assert snapshot.outbox() == [attempted, second]
    snapshot.commit(checkpoint(3, outbox_gone=[first.key, "never/email"]))
    assert snapshot.outbox() == [second]


def test_counts_are_added(snapshot: Snapshot) -> None:
    snapshot.commit(checkpoint(counts=[(counter(), 1), (counter(), 2), (counter(2), 1.5)]))
    snapshot.commit(checkpoint(2, counts=[(counter(), 4), (counter(1, "sent", "other"), 1)]))
    assert snapshot.counters("welcome") == [(counter(), 7), (counter(2), 1.5)]
    assert snapshot.counters("welcome", 2) == [(counter(2), 1.5)]
    assert snapshot.counters("welcome", 0, 2) == [(counter(), 7)]
    assert snapshot.counters("nothing") == []


def test_counters_are_added_up_over_spans(snapshot: Snapshot) -> None:
    by_b = Counter("welcome", 3, "B", "sent", "", "email")
    counts = [(counter(1), 1), (counter(2), 2), (counter(5), 4), (by_b, 8), (counter(9), 16)]
    other = (counter(1, campaign="other"), 32)
    snapshot.commit(checkpoint(counts=[*counts, other]))
    first, second = counter(1), counter(5)
    both = [(first, 3), (replace(by_b, hour=1), 8), (second, 4)]
    assert snapshot.sum_counters("welcome", Sums([1, 5, 9])) == both
    assert snapshot.sum_counters("welcome", Sums([1, 5, 9], "A")) == [(first, 3), (second, 4)]
    sent = Counter("welcome", 1, "", "sent", "")
    by_metric = [(sent, 11), (replace(sent, hour=5), 4)]
    assert snapshot.sum_counters("welcome", Sums([1, 5, 9], by_metric=True)) == by_metric
    assert snapshot.sum_counters("welcome", Sums([1, 1, 2, 2])) == [(first, 1)]
    for bounds in ([3], [3, 3], [100, 1 << 62]):
        assert snapshot.sum_counters("welcome", Sums(bounds)) == []
    assert snapshot.sum_counters("nothing", Sums([0, 99])) == []


def test_publications_come_in_the_order_of_the_log(snapshot: Snapshot) -> None:
    stopped = CampaignStopped(9, "welcome", is_archived=True)
    snapshot.commit(checkpoint(plan_changes=[published("welcome"), published("follow-up")]))
    snapshot.commit(checkpoint(2, plan_changes=[stopped]))
    assert snapshot.plan_changes() == [published("welcome"), published("follow-up"), stopped]


def test_verdicts_come_in_the_order_they_were_made(snapshot: Snapshot) -> None:
    for first in (0, 10, 20):
        verdicts = [verdict(number) for number in range(first, first + 10)]
        snapshot.commit(checkpoint(1 + first, verdicts=verdicts))
    assert list(snapshot.read_verdicts()) == [verdict(number) for number in range(30)]
    assert list(snapshot.read_verdicts(1)) == [verdict(number) for number in range(20, 30)]
    assert list(snapshot.read_verdicts(0)) == []


def test_blocks_of_verdicts_are_read_one_by_one_from_the_newest_back(snapshot: Snapshot) -> None:
    assert snapshot.verdict_block() is None
    for first in (0, 10, 20):
        verdicts = [verdict(number) for number in range(first, first + 10)]
        snapshot.commit(checkpoint(1 + first, verdicts=verdicts))
    assert snapshot.verdict_block() == (3, [verdict(number) for number in range(20, 30)])
    assert snapshot.verdict_block(3) == (2, [verdict(number) for number in range(10, 20)])
    assert snapshot.verdict_block(99) == snapshot.verdict_block()
    assert snapshot.verdict_block(1) is None
    snapshot.forget_verdicts(0)
    assert snapshot.verdict_block() == (3, [verdict(number) for number in range(20, 30)])
    assert snapshot.verdict_block(3) is None
    snapshot.commit(checkpoint(40, verdicts=[verdict(40)]))
    assert snapshot.verdict_block() == (4, [verdict(40)])


def test_many_verdicts_are_split_into_blocks(snapshot: Snapshot) -> None:
    verdicts = [verdict(number) for number in range(VERDICTS_PER_BLOCK_MAX + 5)]
    snapshot.commit(checkpoint(verdicts=verdicts))
    assert list(snapshot.read_verdicts()) == verdicts
    assert list(snapshot.read_verdicts(1)) == verdicts[-5:]


def test_the_oldest_verdicts_are_forgotten_until_the_rest_fit(snapshot: Snapshot) -> None:
    for number in range(10):
        snapshot.commit(checkpoint(1 + number, verdicts=[verdict(number)]))
    snapshot.forget_verdicts(1_000_000)
    assert len(list(snapshot.read_verdicts())) == 10
    snapshot.forget_verdicts(400)
    kept = list(snapshot.read_verdicts())
    assert kept == [verdict(number) for number in range(10 - len(kept), 10)]
    assert 0 < len(kept) < 10
    snapshot.forget_verdicts(0)
    assert list(snapshot.read_verdicts()) == [verdict(9)]
    snapshot.commit(checkpoint(20, verdicts=[verdict(99)]))
    assert list(snapshot.read_verdicts()) == [verdict(9), verdict(99)]


def test_it_is_known_whether_verdicts_were_lost(snapshot: Snapshot) -> None:
    assert not snapshot.has_lost_verdicts()
    snapshot.commit(checkpoint(verdicts=[verdict(1)]))
    snapshot.forget_verdicts(0)
    assert not snapshot.has_lost_verdicts()
    snapshot.commit(checkpoint(2, verdicts=[verdict(2)]))
    snapshot.forget_verdicts(0)
    assert snapshot.has_lost_verdicts()


def test_dead_letters_are_in_the_order_in_which_they_failed(snapshot: Snapshot) -> None:
    first, second = dead_letter("s2", settled_at=1), dead_letter("s1", settled_at=2)
    snapshot.commit(checkpoint(letters_put=[second, first]))
    assert snapshot.dead_letters() == [first, second]
    again = dead_letter("s2", settled_at=3)
    snapshot.commit(checkpoint(2, letters_gone=[first.key], letters_put=[again]))
    assert snapshot.dead_letters() == [second, again]
    snapshot.commit(checkpoint(3, letters_gone=[again.key, "never/email"]))
    assert snapshot.dead_letters() == [second]


def test_an_erased_user_leaves_no_state_timer_or_message(snapshot: Snapshot) -> None:
    snapshot.commit(
        checkpoint(
            states=[("ann", state(1)), ("bob", state(2))],
            timers_set=[timer(5, "ann"), timer(5, "bob")],
            outbox_put=[outbox_item("s1", "ann"), outbox_item("s2", "bob")],
            letters_put=[dead_letter("s3", "ann"), dead_letter("s4", "bob")],
        )
    )
    snapshot.commit(checkpoint(2, erased=["ann", "nobody"]))
    assert snapshot.dead_letters() == [dead_letter("s4", "bob")]
    assert snapshot.list_users() == [("bob", state(2))]
    assert snapshot.timers_between(0, 9) == [timer(5, "bob")]
    assert snapshot.outbox() == [outbox_item("s2", "bob")]


def test_an_erased_user_who_came_back_begins_anew(snapshot: Snapshot) -> None:
    snapshot.commit(checkpoint(states=[("ann", state(1))], timers_set=[timer(5)]))
    anew = checkpoint(
        2,
        erased=["ann"],
        states=[("ann", state(2))],
        timers_set=[timer(7)],
        outbox_put=[outbox_item("s1", "ann")],
    )
    snapshot.commit(anew)
    assert snapshot.load_states(["ann"]) == {"ann": state(2)}
    assert snapshot.timers_between(0, 9) == [timer(7)]
    assert snapshot.outbox() == [outbox_item("s1", "ann")]


FULL: dict[str, Any] = {
    "states": [("bob", state(9))],
    "erased": ["ann"],
    "timers_set": [timer(8, "bob")],
    "timers_gone": [timer(5, "cat")],
    "outbox_put": [outbox_item("s9", "bob")],
    "outbox_gone": [outbox_item("s2", "cat").key],
    "letters_put": [dead_letter("s8", "bob")],
    "letters_gone": [dead_letter("s3", "cat").key],
    "counts": [(counter(), 1.0)],
    "plan_changes": [published("follow-up")],
    "verdicts": [verdict(1)],
}


def fill(snapshot: Snapshot) -> None:
    snapshot.commit(
        checkpoint(
            states=[("ann", state(1)), ("cat", state(1))],
            timers_set=[timer(5, "ann"), timer(5, "cat")],
            outbox_put=[outbox_item("s1", "ann"), outbox_item("s2", "cat")],
            letters_put=[dead_letter("s3", "cat")],
            counts=[(counter(), 1)],
        )
    )


@pytest.mark.parametrize(
    "odd",
    [
        {"states": [("bob", state(9)), ("dan", state(object()))]},
        {"verdicts": [verdict(1), replace(verdict(2), detail=object())]},
        {"plan_changes": [published("a"), replace(published("b"), document=object())]},
    ],
)
def test_a_checkpoint_with_a_value_that_cannot_be_stored_changes_nothing(
    snapshot: Snapshot, odd: dict[str, Any]
) -> None:
    fill(snapshot)
    before = everything_in(snapshot)
    with pytest.raises(TypeError):
        snapshot.commit(checkpoint(2, **(FULL | odd)))
    assert everything_in(snapshot) == before
    snapshot.commit(checkpoint(2, **FULL))
    assert snapshot.position().seq == 2


# What only files can do


@pytest.mark.parametrize("table", ["counters", "plan_changes", "verdict_blocks", "position"])
def test_a_failure_in_the_middle_of_writing_changes_nothing(tmp_path: Path, table: str) -> None:
    snapshot = SqliteSnapshot(tmp_path / "state.db")
    fill(snapshot)
    before = everything_in(snapshot)
    with snapshot._db.writing() as connection:
        connection.execute(
            f"CREATE TRIGGER fault BEFORE INSERT ON {table} "
            "BEGIN SELECT raise(ABORT, 'the disk is on fire'); END"
        )
    with pytest.raises(sqlite3.IntegrityError, match="on fire"):
        snapshot.commit(checkpoint(2, **FULL))
    assert everything_in(snapshot) == before
    with snapshot._db.writing() as connection:
        connection.execute("DROP TRIGGER fault")
    snapshot.commit(checkpoint(2, **FULL))
    assert snapshot.load_states(["ann", "bob"]) == {"bob": state(9)}
    snapshot.close()


def test_everything_is_there_after_opening_again(tmp_path: Path) -> None:
    snapshot = SqliteSnapshot(tmp_path / "state.db")
    fill(snapshot)
    snapshot.commit(checkpoint(2, **FULL))
    before = everything_in(snapshot)
    snapshot.close()
    snapshot = SqliteSnapshot(tmp_path / "state.db")
    assert everything_in(snapshot) == before
    snapshot.close()


def test_a_damaged_state_is_named_with_what_to_do(tmp_path: Path) -> None:
    snapshot = SqliteSnapshot(tmp_path / "state.db")
    fill(snapshot)
    with snapshot._db.writing() as connection:
        connection.execute("UPDATE user_states SET state = x'c1' WHERE user_id = 'ann'")
    with pytest.raises(SegueError, match=r"user 'ann' in .*state\.db is damaged.* built anew"):
        snapshot.load_states(["ann"])
    snapshot.close()


def test_a_large_checkpoint_leaves_a_small_write_ahead_log(tmp_path: Path) -> None:
    snapshot = SqliteSnapshot(tmp_path / "state.db")
    big = state("x" * 4_000)
    for seq in (1, 2):
        states = [(f"user-{number}", big) for number in range(20_000)]
        snapshot.commit(checkpoint(seq, states=states))
    snapshot.commit(checkpoint(3, states=[("ann", state(1))]))
    assert (tmp_path / "state.db-wal").stat().st_size <= 65 * 1024 * 1024
    snapshot.close()


@pytest.mark.parametrize(
    ("trigger", "row"),
    [
        ("delete_gone_timer", {"due_at": 1, "user_id": "ann", "campaign": "welcome"}),
        ("delete_gone_address", {"key": 1, "user_id": "ann"}),
    ],
)
def test_timers_and_addresses_are_deleted_by_their_whole_key(
    tmp_path: Path, trigger: str, row: dict[str, Any]
) -> None:
    snapshot = SqliteSnapshot(tmp_path / "state.db")
    [(sql,)] = snapshot._db.rows("SELECT sql FROM sqlite_schema WHERE name = ?", (trigger,))
    delete = sql[sql.index("DELETE FROM") : sql.index(";")]
    for name in row:
        delete = delete.replace(f"new.{name}", "?")
    plan = snapshot._db.rows(f"EXPLAIN QUERY PLAN {delete}", tuple(row.values()))
    assert f"({' AND '.join(f'{name}=?' for name in row)})" in plan[0][3]
    snapshot.close()


def test_each_span_finds_its_counters_by_their_key(tmp_path: Path) -> None:
    snapshot = SqliteSnapshot(tmp_path / "state.db")
    query = load_queries("snapshot.sql")["sum_counters"]
    given = {"campaign": "welcome", "bounds": "[0, 5, 9]", "variant": None, "by_metric": False}
    plan = snapshot._db.rows(f"EXPLAIN QUERY PLAN {query}", given)
    assert any(
        "counters" in row[3] and "(campaign=? AND hour>? AND hour<?)" in row[3] for row in plan
    )
    snapshot.close()


# Users whose keys are equal


def crowded(user_id: str) -> int:
    """Give five users two neighbouring keys, at the end of the numbers."""
    return HIGHEST_KEY - (user_id in ("ann", "bob", "cat"))


def test_users_with_one_key_keep_states_of_their_own(tmp_path: Path) -> None:
    users = ["ann", "bob", "cat", "dan", "eve"]
    snapshot = SqliteSnapshot(tmp_path / "state.db", key_of=crowded)
    snapshot.commit(checkpoint(states=[(user, state(user)) for user in users]))
    assert snapshot.load_states(users) == {user: state(user) for user in users}
    snapshot.commit(checkpoint(2, erased=["ann", "dan"]))
    assert snapshot.load_states(users) == {user: state(user) for user in ("bob", "cat", "eve")}
    snapshot.commit(checkpoint(3, states=[("cat", state(1)), ("ann", state(2))]))
    assert snapshot.load_states(["cat"]) == {"cat": state(1)}
    assert [user for user, _ in snapshot.list_users()] == ["ann", "bob", "cat", "eve"]
    snapshot.close()


# Both are the same

USERS = st.sampled_from(["ann", "bob", "cat", "dan", "eve"])
SLUGS = st.sampled_from(["welcome", "follow-up"])
TIMERS = st.builds(timer, st.integers(0, 8), USERS, SLUGS)
ITEMS = st.builds(outbox_item, st.sampled_from(["s1", "s2", "s3"]), USERS, st.integers(0, 3))
LETTERS = st.builds(dead_letter, st.sampled_from(["s1", "s2", "s3"]), USERS, st.integers(0, 3))
AMOUNTS = st.integers(0, 3) | st.floats(0, 10)
COUNTERS = st.builds(counter, st.integers(0, 5), st.sampled_from(["sent", "opened"]), SLUGS)
CHECKPOINTS = st.builds(
    checkpoint,
    st.integers(0, 9),
    states=st.lists(st.tuples(USERS, st.builds(state, st.integers(0, 9))), max_size=6),
    erased=st.lists(USERS, max_size=2),
    timers_set=st.lists(TIMERS, max_size=6),
    timers_gone=st.lists(TIMERS, max_size=6),
    outbox_put=st.lists(ITEMS, max_size=3),
    outbox_gone=st.lists(ITEMS.map(lambda item: item.key), max_size=2),
    letters_put=st.lists(LETTERS, max_size=3),
    letters_gone=st.lists(LETTERS.map(lambda letter: letter.key), max_size=2),
    counts=st.lists(st.tuples(COUNTERS, AMOUNTS), max_size=4),
    plan_changes=st.lists(st.builds(published, SLUGS), max_size=1),
    verdicts=st.lists(st.builds(verdict, st.integers(0, 9)), max_size=3),
)


@pytest.mark.parametrize("key_of", [crowded, lambda user: ord(user[0])])
@given(operations=st.lists(CHECKPOINTS | st.integers(0, 300), max_size=8))
def test_memory_and_file_answer_alike(
    key_of: Callable[[str], int], operations: list[Checkpoint | int]
) -> None:
    with TemporaryDirectory() as folder:
        memory, file = MemorySnapshot(), SqliteSnapshot(Path(folder) / "state.db", key_of)
        try:
            for operation in operations:
                for snapshot in (memory, file):
                    if isinstance(operation, int):
                        snapshot.forget_verdicts(operation)
                    else:
                        snapshot.commit(operation)
                assert everything_in(memory) == everything_in(file)
        finally:
            file.close()
