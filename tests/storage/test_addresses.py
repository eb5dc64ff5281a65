"""Which users have an address, as both stores tell it."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from stored_things import checkpoint

from segue.content.addresses import AddressedChannel
from segue.model.state import UserState
from segue.storage import sqlite_addresses
from segue.storage.ports import Snapshot
from segue.storage.sqlite_snapshot import SqliteSnapshot


def person(**attributes: Any) -> UserState:
    return UserState(attributes=attributes)


def at(snapshot: Snapshot, address: str, channel: AddressedChannel = "email") -> list[str]:
    return snapshot.users_at(channel, address)


def test_several_users_are_found_by_an_address_however_it_was_written(snapshot: Snapshot) -> None:
    states = [
        ("bob", person(email=" Both@People.test", phone="+32 470 12 34 56")),
        ("ann", person(email="both@people.test", phone="+32470123456")),
        ("cat", person(email="cat@people.test", phone="0470 12 34 56")),
        ("dan", person(email=["both@people.test"], phone=32470123456)),
    ]
    snapshot.commit(checkpoint(states=states, addressed=["ann", "bob", "cat", "dan"]))
    assert at(snapshot, "both@people.test") == ["ann", "bob"]
    assert at(snapshot, "+32470123456", "sms") == ["ann", "bob"]
    assert at(snapshot, "+32470123456", "email") == []
    assert snapshot.users_at("email", "both@people.test", "ann") == ["bob"]
    assert snapshot.users_at("email", "both@people.test", limit=1) == ["ann"]


def test_a_new_address_takes_the_place_of_the_old_one(snapshot: Snapshot) -> None:
    snapshot.commit(checkpoint(states=[("ann", person(email="a@b.test"))], addressed=["ann"]))
    moved = [("ann", person(email="c@d.test", phone="+32470123456"))]
    snapshot.commit(checkpoint(2, states=moved, addressed=["ann"]))
    assert [at(snapshot, "a@b.test"), at(snapshot, "c@d.test")] == [[], ["ann"]]
    snapshot.commit(checkpoint(3, states=[("ann", person())], addressed=["ann"]))
    assert [at(snapshot, "c@d.test"), at(snapshot, "+32470123456", "sms")] == [[], []]


def test_a_state_without_a_change_of_address_is_not_looked_at(snapshot: Snapshot) -> None:
    snapshot.commit(checkpoint(states=[("ann", person(email="a@b.test"))]))
    assert at(snapshot, "a@b.test") == []
    snapshot.commit(checkpoint(2, addressed=["ann", "nobody"]))
    assert at(snapshot, "a@b.test") == []


def test_nothing_is_kept_of_an_erased_user_but_what_came_afterwards(snapshot: Snapshot) -> None:
    states = [("ann", person(email="a@b.test")), ("bob", person(email="a@b.test"))]
    snapshot.commit(checkpoint(states=states, addressed=["ann", "bob"]))
    again = [("bob", person(email="new@b.test"))]
    snapshot.commit(checkpoint(2, erased=["ann", "bob"], states=again, addressed=["ann", "bob"]))
    assert [at(snapshot, "a@b.test"), at(snapshot, "new@b.test")] == [[], ["bob"]]


def before_there_was_an_index(path: Path) -> None:
    """Make a snapshot into what an older Segue wrote."""
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TRIGGER delete_gone_address")
        connection.execute("DROP VIEW gone_addresses")
        connection.execute("DROP TABLE addresses")
        connection.execute("DROP TABLE filled")
        connection.execute("PRAGMA user_version = 3")
    connection.close()


def snapshot_of_an_older_segue(path: Path, user_count: int) -> None:
    snapshot = SqliteSnapshot(path)
    states = [(f"u{n}", person(email=f"U{n}@people.test")) for n in range(user_count)]
    snapshot.commit(checkpoint(states=states))
    snapshot.close()
    before_there_was_an_index(path)


def test_the_addresses_of_an_older_snapshot_are_noted_once_when_it_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_addresses, "_USERS_FILLED_MAX", 10)
    snapshot_of_an_older_segue(tmp_path / "state.db", 25)
    snapshot = SqliteSnapshot(tmp_path / "state.db")
    assert [at(snapshot, f"u{n}@people.test") for n in range(25)] == [[f"u{n}"] for n in range(25)]
    snapshot.commit(checkpoint(2, states=[("u7", person(email="x@y.test"))], addressed=["u7"]))
    assert [at(snapshot, "u7@people.test"), at(snapshot, "x@y.test")] == [[], ["u7"]]
    snapshot.commit(checkpoint(3, states=[("later", person(email="l@y.test"))]))
    snapshot.close()
    snapshot = SqliteSnapshot(tmp_path / "state.db")
    assert at(snapshot, "l@y.test") == [], "the states are not read again at the next opening"
    snapshot.close()


def test_noting_them_that_was_cut_off_is_done_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_addresses, "_USERS_FILLED_MAX", 10)
    snapshot_of_an_older_segue(tmp_path / "state.db", 25)
    SqliteSnapshot(tmp_path / "state.db").close()
    with sqlite3.connect(tmp_path / "state.db") as connection:  # as after the first of three parts
        connection.execute("DELETE FROM filled")
        connection.execute(
            "DELETE FROM addresses WHERE user_id NOT IN (SELECT user_id FROM addresses LIMIT 10)"
        )
    connection.close()
    snapshot = SqliteSnapshot(tmp_path / "state.db")
    assert [at(snapshot, f"u{n}@people.test") for n in range(25)] == [[f"u{n}"] for n in range(25)]
    snapshot.close()
