"""Those who sign in, and the audit trail, in dictionaries; gone with the process."""

import threading
from collections.abc import Sequence

from msgspec.structs import replace

from segue.storage.account_ports import StoredAccount, StoredChange, StoredLink, StoredSession
from segue.storage.conflicts import email_taken


class MemoryAccounts:
    """Accounts, sessions and links in memory."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._accounts: dict[str, StoredAccount] = {}
        self._sessions: dict[str, StoredSession] = {}
        self._links: dict[bytes, StoredLink] = {}

    def all(self) -> list[StoredAccount]:
        """Return all accounts by email."""
        return sorted(self._accounts.values(), key=lambda one: one.email)

    def find(self, account_id: str) -> StoredAccount | None:
        """Return an account."""
        return self._accounts.get(account_id)

    def find_by_email(self, email: str) -> StoredAccount | None:
        """Return the account with an address, which is in small letters."""
        return next((one for one in self.all() if one.email == email), None)

    def save(self, account: StoredAccount) -> None:
        """Insert an account, or replace the one with its id."""
        with self._lock:
            other = self.find_by_email(account.email)
            if other is not None and other.id != account.id:
                raise email_taken(account.email)
            self._accounts[account.id] = account

    def delete(self, account_id: str) -> None:
        """Delete an account with its sessions and links."""
        with self._lock:
            self._accounts.pop(account_id, None)
            self._sessions = {
                key: one for key, one in self._sessions.items() if one.account_id != account_id
            }
            self._links = {
                key: one for key, one in self._links.items() if one.account_id != account_id
            }

    def open_session(self, session: StoredSession, kept: int) -> None:
        """Keep a session; of its account the `kept` that were seen last stay."""
        with self._lock:
            self._sessions[session.id] = session
            for surplus in self.sessions_of(session.account_id)[kept:]:
                del self._sessions[surplus.id]

    def find_session(self, token_hash: bytes) -> StoredSession | None:
        """Return a session."""
        found = (one for one in list(self._sessions.values()) if one.token_hash == token_hash)
        return next(found, None)

    def sessions_of(self, account_id: str) -> list[StoredSession]:
        """Return an account's sessions, the one seen last first."""
        found = [one for one in list(self._sessions.values()) if one.account_id == account_id]
        return sorted(found, key=lambda one: (one.seen_at, one.id), reverse=True)

    def touch_session(self, session_id: str, seen_at: int) -> None:
        """Note that a session was seen."""
        with self._lock:
            if session_id in self._sessions:
                self._sessions[session_id] = replace(self._sessions[session_id], seen_at=seen_at)

    def end_sessions(self, session_ids: Sequence[str]) -> None:
        """Forget sessions."""
        with self._lock:
            for session_id in session_ids:
                self._sessions.pop(session_id, None)

    def save_link(self, link: StoredLink) -> None:
        """Keep a link; an earlier one for the same purpose and account is forgotten."""
        key = (link.purpose, link.account_id)
        with self._lock:
            self._links = {
                token_hash: one
                for token_hash, one in self._links.items()
                if (one.purpose, one.account_id) != key
            }
            self._links[link.token_hash] = link

    def find_link(self, token_hash: bytes) -> StoredLink | None:
        """Return a link."""
        return self._links.get(token_hash)

    def take_link(self, token_hash: bytes) -> bool:
        """Forget a link; return whether it was there."""
        with self._lock:
            return self._links.pop(token_hash, None) is not None


class MemoryAudit:
    """The audit trail in memory."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._changes: list[StoredChange] = []
        self._number = 0

    def append(self, change: StoredChange, kept: int) -> None:
        """Keep a change under the next number; the newest `kept` stay."""
        with self._lock:
            self._number += 1
            self._changes.append(replace(change, number=self._number))
            self._changes = self._changes[-kept:]

    def newest(self, limit: int, before: int | None = None) -> list[StoredChange]:
        """Return changes, the newest first; with `before`, those below that number."""
        found = [one for one in self._changes if before is None or one.number < before]
        return found[::-1][:limit]
