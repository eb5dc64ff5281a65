"""The suppression list, in the journal's file."""

import sqlite3
from collections.abc import Mapping, Sequence

from segue.model.limits import SUPPRESSIONS_MAX
from segue.model.suppressions import SuppressedChannel, Suppression
from segue.storage.named_sql import load_queries
from segue.storage.sqlite import Database, run_rows
from segue.storage.suppression_ports import no_room

_SQL = load_queries("suppressions.sql")


class SqliteSuppressions:
    """A table of the journal."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self.rows_max = SUPPRESSIONS_MAX

    def find(self, channel: SuppressedChannel, address: str) -> list[Suppression]:
        """Return why an address gets nothing."""
        key = {"channel": channel, "address": address}
        return [Suppression(*row) for row in self._db.rows(_SQL["find_suppressions"], key)]

    def page(
        self, channel: SuppressedChannel, after: tuple[str, str], limit: int, part: str = ""
    ) -> list[Suppression]:
        """Return those behind an address and a reason, whose address holds `part`."""
        address, reason = after
        bounds = {
            "channel": channel,
            "address": address,
            "reason": reason,
            "part": part,
            "limit": limit,
        }
        return [Suppression(*row) for row in self._db.rows(_SQL["list_suppressions"], bounds)]

    def add(self, items: Sequence[Suppression]) -> int:
        """Put addresses on the list by hand, all or none; return how many rows are new."""
        with self._db.writing() as connection:
            added = _put(connection, items)
            if self._make_room(connection):
                raise no_room(self.rows_max)
        return added

    def follow(self, items: Sequence[Suppression], through_seq: int) -> int:
        """Put on the list what the log tells; return how many rows found no room."""
        with self._db.writing() as connection:
            _put(connection, items)
            left_out = self._make_room(connection)
            if left_out:
                _delete(connection, "delete_newest_complaints", {"count": left_out})
            connection.execute(_SQL["save_suppressed_seq"], {"seq": through_seq})
        return left_out

    def followed_seq(self) -> int:
        """Return up to which block the log was followed."""
        return self._db.number(_SQL["find_suppressed_seq"])

    def remove(self, channel: SuppressedChannel, address: str) -> bool:
        """Take an address off; return whether it was there."""
        key = {"channel": channel, "address": address}
        with self._db.writing() as connection:
            return _delete(connection, "delete_suppressions", key) > 0

    def _make_room(self, connection: sqlite3.Connection) -> int:
        """Let the oldest bounces go; return how many rows there still are too many."""
        [count] = connection.execute(_SQL["count_suppressions"]).fetchone()
        surplus = max(int(count) - self.rows_max, 0)
        if not surplus:
            return 0
        return surplus - _delete(connection, "delete_oldest_bounces", {"count": surplus})


def _put(connection: sqlite3.Connection, items: Sequence[Suppression]) -> int:
    rows = [(one.channel, one.address, one.reason, one.since, one.campaign) for one in items]
    added = run_rows(connection, _SQL["put_suppression"], rows)
    connection.execute(_SQL["adjust_suppression_count"], {"added": added})
    return added


def _delete(connection: sqlite3.Connection, name: str, bounds: Mapping[str, object]) -> int:
    gone = connection.execute(_SQL[name], bounds).rowcount
    connection.execute(_SQL["adjust_suppression_count"], {"added": -gone})
    return gone
