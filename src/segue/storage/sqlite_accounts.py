"""Those who sign in, and the audit trail, in the journal's file."""

import sqlite3
from collections.abc import Sequence
from typing import Final

from msgspec.structs import asdict

from segue.storage.account_ports import StoredAccount, StoredChange, StoredLink, StoredSession
from segue.storage.conflicts import email_taken
from segue.storage.named_sql import load_queries
from segue.storage.sqlite import Database, Row

_SQL = load_queries("accounts.sql")
_BEYOND: Final = (1 << 63) - 1


class SqliteAccounts:
    """Tables of the journal."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def all(self) -> list[StoredAccount]:
        """Return all accounts by email."""
        return [_account(row) for row in self._db.rows(_SQL["list_accounts"])]

    def find(self, account_id: str) -> StoredAccount | None:
        """Return an account."""
        row = self._db.row(_SQL["find_account"], {"id": account_id})
        return _account(row) if row else None

    def find_by_email(self, email: str) -> StoredAccount | None:
        """Return the account with an address, which is in small letters."""
        row = self._db.row(_SQL["find_account_by_email"], {"email": email})
        return _account(row) if row else None

    def save(self, account: StoredAccount) -> None:
        """Insert an account, or replace the one with its id."""
        with self._db.writing() as connection:
            try:
                connection.execute(_SQL["save_account"], asdict(account))
            except sqlite3.IntegrityError as error:
                raise email_taken(account.email) from error

    def delete(self, account_id: str) -> None:
        """Delete an account with its sessions and links."""
        with self._db.writing() as connection:
            connection.execute(_SQL["delete_sessions_of"], {"account_id": account_id})
            connection.execute(_SQL["delete_links_of"], {"account_id": account_id})
            connection.execute(_SQL["delete_account"], {"id": account_id})

    def open_session(self, session: StoredSession, kept: int) -> None:
        """Keep a session; of its account the `kept` that were seen last stay."""
        surplus = {"account_id": session.account_id, "kept": kept}
        with self._db.writing() as connection:
            connection.execute(_SQL["put_session"], asdict(session))
            connection.execute(_SQL["delete_surplus_sessions"], surplus)

    def find_session(self, token_hash: bytes) -> StoredSession | None:
        """Return a session."""
        row = self._db.row(_SQL["find_session"], {"token_hash": token_hash})
        return StoredSession(*row) if row else None

    def sessions_of(self, account_id: str) -> list[StoredSession]:
        """Return an account's sessions, the one seen last first."""
        rows = self._db.rows(_SQL["list_sessions_of"], {"account_id": account_id})
        return [StoredSession(*row) for row in rows]

    def touch_session(self, session_id: str, seen_at: int) -> None:
        """Note that a session was seen."""
        with self._db.writing() as connection:
            connection.execute(_SQL["touch_session"], {"id": session_id, "seen_at": seen_at})

    def end_sessions(self, session_ids: Sequence[str]) -> None:
        """Forget sessions."""
        with self._db.writing() as connection:
            for session_id in session_ids:
                connection.execute(_SQL["delete_session"], {"id": session_id})

    def save_link(self, link: StoredLink) -> None:
        """Keep a link; an earlier one for the same purpose and account is forgotten."""
        with self._db.writing() as connection:
            connection.execute(
                _SQL["delete_earlier_links"],
                {"purpose": link.purpose, "account_id": link.account_id},
            )
            connection.execute(_SQL["put_link"], asdict(link))

    def find_link(self, token_hash: bytes) -> StoredLink | None:
        """Return a link."""
        row = self._db.row(_SQL["find_link"], {"token_hash": token_hash})
        return StoredLink(*row) if row else None

    def take_link(self, token_hash: bytes) -> bool:
        """Forget a link; return whether it was there."""
        with self._db.writing() as connection:
            cursor = connection.execute(_SQL["delete_link"], {"token_hash": token_hash})
            return cursor.rowcount == 1


class SqliteAudit:
    """A table of the journal."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def append(self, change: StoredChange, kept: int) -> None:
        """Keep a change under the next number; the newest `kept` stay."""
        with self._db.writing() as connection:
            connection.execute(_SQL["append_change"], asdict(change))
            connection.execute(_SQL["delete_surplus_changes"], {"kept": kept})

    def newest(self, limit: int, before: int | None = None) -> list[StoredChange]:
        """Return changes, the newest first; with `before`, those below that number."""
        wanted = {"before": _BEYOND if before is None else before, "limit": limit}
        return [StoredChange(*row) for row in self._db.rows(_SQL["list_newest_changes"], wanted)]


def _account(row: Row) -> StoredAccount:
    *columns, has_shortcuts = row
    return StoredAccount(*[*columns, bool(has_shortcuts)])
