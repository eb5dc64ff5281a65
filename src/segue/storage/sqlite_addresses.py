"""Which users have an address, in the snapshot's file."""

import sqlite3
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from segue.content.addresses import AddressedChannel
from segue.model.state import UserState
from segue.storage.address_rows import AddressRow, address_key, rows_of
from segue.storage.named_sql import load_queries
from segue.storage.sqlite import Database, run_rows

_NAME: Final = "addresses"  # under which it is noted that old states' addresses are there
_USERS_FILLED_MAX: Final = 10_000  # in one transaction: their rows take some megabytes

_SQL = load_queries("addresses.sql")


class SqliteAddresses:
    """Rows of address and user, written with each checkpoint."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def change(
        self,
        connection: sqlite3.Connection,
        gone: Sequence[AddressRow],
        come: Sequence[AddressRow],
    ) -> None:
        """Take rows out and in, within the caller's transaction."""
        run_rows(connection, _SQL["delete_addresses"], gone)
        run_rows(connection, _SQL["put_addresses"], come)

    def users_at(
        self, channel: AddressedChannel, address: str, after: str = "", limit: int = 100
    ) -> list[str]:
        """Return the ids of users behind `after` with an address, in order, the first `limit`."""
        wanted = {"key": address_key(channel, address), "after": after, "limit": limit}
        return [user_id for (user_id,) in self._db.rows(_SQL["list_users_at"], wanted)]

    def fill(self, states: Iterator[tuple[str, UserState]]) -> None:
        """Note the addresses of states that were written before there was this index, once.

        What a crash cut off is done again from its beginning: rows that are there already stay.
        """
        if self._db.row(_SQL["find_filled"], {"name": _NAME}) is not None:
            return
        while some := list(islice(states, _USERS_FILLED_MAX)):
            rows = sorted({row for user_id, state in some for row in rows_of(user_id, state)})
            with self._db.writing() as connection:
                run_rows(connection, _SQL["put_addresses"], rows)
        with self._db.writing() as connection:
            connection.execute(_SQL["put_filled"], {"name": _NAME})
