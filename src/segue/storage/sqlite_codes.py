"""What short codes stand for, in the journal's file."""

import sqlite3
from collections.abc import Sequence

from segue.content.tokens import Tracked
from segue.model.limits import CODES_MAX, CODES_PRUNED_MAX
from segue.storage.encoding import decode_tracked, encode
from segue.storage.named_sql import load_queries
from segue.storage.ports import StoredCode
from segue.storage.sqlite import Database, run_rows, select_rows

_SQL = load_queries("codes.sql")


class SqliteCodes:
    """A table of the journal, and the number of its rows."""

    def __init__(self, database: Database, place: str, count_max: int = CODES_MAX) -> None:
        self._db = database
        self._place = place
        self._count_max = count_max

    def put(self, codes: Sequence[StoredCode], now: int) -> list[StoredCode]:
        """Keep codes in one transaction; return those that stand for something else already."""
        packed = [encode(one.tracked) for one in codes]
        rows = [
            (one.code, one.tracked.user_id, one.expires_at, tracked)
            for one, tracked in zip(codes, packed, strict=True)
        ]
        kept: dict[str, bytes] = {}
        with self._db.writing() as connection:
            added = run_rows(connection, _SQL["put_codes"], rows)
            if added < len(rows):
                names = [one.code for one in codes]
                kept = dict(select_rows(connection, _SQL["list_codes_among"], names))
            self._prune(connection, added, now)
        return [
            one
            for one, tracked in zip(codes, packed, strict=True)
            if kept.get(one.code, tracked) != tracked
        ]

    def find(self, code: str, now: int) -> Tracked | None:
        """Return what a code stands for at an instant; None: nothing, or no longer."""
        row = self._db.row(_SQL["find_live_code"], {"code": code, "now": now})
        return None if row is None else decode_tracked(code, row[0], self._place)

    def erase(self, connection: sqlite3.Connection, user_id: str) -> None:
        """Forget a user's codes, in the transaction that erases the user."""
        gone = connection.execute(_SQL["delete_codes_of_user"], {"user_id": user_id}).rowcount
        self._count(connection, -gone)

    def _prune(self, connection: sqlite3.Connection, added: int, now: int) -> None:
        old = {"now": now, "limit": CODES_PRUNED_MAX}
        gone = connection.execute(_SQL["delete_expired_codes"], old).rowcount
        surplus = self._count(connection, added - gone) - self._count_max
        if surplus > 0:
            # As many as came, and some more: a bound that was lowered is reached step by step.
            oldest = {"limit": min(surplus, added + CODES_PRUNED_MAX)}
            gone = connection.execute(_SQL["delete_oldest_codes"], oldest).rowcount
            self._count(connection, -gone)

    def _count(self, connection: sqlite3.Connection, change: int) -> int:
        """Note that rows came or went; return how many there are now."""
        [count] = connection.execute(_SQL["add_to_count"], {"change": change}).fetchone()
        return int(count)
