"""The hold on all sending in SQLite: a row of the journal, or none."""

from typing import Final

from msgspec.structs import asdict

from segue.storage.hold_ports import StoredHold
from segue.storage.named_sql import load_queries
from segue.storage.sqlite import Database

_SQL: Final = load_queries("hold.sql")


class SqliteHold:
    """A table of the journal."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def find(self) -> StoredHold | None:
        """Return the hold; None while messages are sent."""
        row = self._db.row(_SQL["find_hold"])
        return StoredHold(*row) if row else None

    def put(self, hold: StoredHold) -> None:
        """Hold everything back from now on; a hold that is there already stays as it is."""
        with self._db.writing() as connection:
            connection.execute(_SQL["put_hold"], asdict(hold))

    def end(self) -> None:
        """Let messages go again."""
        with self._db.writing() as connection:
            connection.execute(_SQL["delete_hold"])
