"""Campaigns that are being written, in the journal's file."""

from typing import Any, Final

from msgspec.structs import asdict

from segue.storage.composition_ports import CompositionHead, StoredComposition
from segue.storage.encoding import decode_tree, encode
from segue.storage.named_sql import load_queries
from segue.storage.sqlite import Database, Row

_SQL = load_queries("compositions.sql")
_COLUMNS: Final = (
    "id",
    "name",
    "created_at",
    "changed_at",
    "changed_by",
    "campaign",
    "base_version",
    "base_updated_at",
    "is_slug_own",
    "visited",
)


class SqliteCompositions:
    """A table of the journal."""

    def __init__(self, database: Database, place: str) -> None:
        self._db = database
        self._place = place

    def all(self) -> list[CompositionHead]:
        """Return them, what was changed last first."""
        return [CompositionHead(**_fields(row)) for row in self._db.rows(_SQL["list_compositions"])]

    def find(self, composition_id: str) -> StoredComposition | None:
        """Return one."""
        row = self._db.row(_SQL["find_composition"], {"id": composition_id})
        if row is None:
            return None
        *columns, stored = row
        tree = decode_tree(composition_id, stored, self._place)
        return StoredComposition(**_fields(tuple(columns)), tree=tree)

    def save(self, composition: StoredComposition, kept: int) -> None:
        """Insert one, or replace the one with its id; the `kept` that were changed last stay."""
        row = asdict(composition)
        row |= {"visited": " ".join(composition.visited), "tree": encode(composition.tree)}
        with self._db.writing() as connection:
            connection.execute(_SQL["save_composition"], row)
            connection.execute(_SQL["delete_surplus_compositions"], {"kept": kept})

    def delete(self, composition_id: str) -> None:
        """Forget one."""
        with self._db.writing() as connection:
            connection.execute(_SQL["delete_composition"], {"id": composition_id})


def _fields(row: Row) -> dict[str, Any]:
    fields = dict(zip(_COLUMNS, row, strict=True))
    visited = tuple(fields["visited"].split())
    return {**fields, "is_slug_own": bool(fields["is_slug_own"]), "visited": visited}
