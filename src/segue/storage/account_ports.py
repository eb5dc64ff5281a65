"""What is remembered of those who sign in, and of what was changed: part of the journal."""

from collections.abc import Sequence
from typing import Literal, Protocol

from msgspec import Struct

from segue.model.accounts import Role, Theme

LinkPurpose = Literal["first_account", "set_password"]
ActorKind = Literal["account", "key", "command"]


class StoredAccount(Struct, frozen=True):
    """Somebody who signs in. Without a password, a link lets them set one."""

    id: str
    email: str  # in small letters
    name: str
    role: Role
    created_at: int
    password_hash: str | None = None
    theme: Theme = "system"
    has_shortcuts: bool = True


class StoredSession(Struct, frozen=True):
    """A browser that is signed in: only the hash of its cookie is kept."""

    id: str
    token_hash: bytes
    account_id: str
    created_at: int
    seen_at: int
    address: str
    agent: str


class StoredLink(Struct, frozen=True):
    """A link that works once: only the hash of its token is kept."""

    token_hash: bytes
    purpose: LinkPurpose
    account_id: str | None
    expires_at: int


class Accounts(Protocol):
    """Accounts, their sessions and their links. Every write is durable when it returns."""

    def all(self) -> list[StoredAccount]:
        """Return all accounts by email."""

    def find(self, account_id: str) -> StoredAccount | None:
        """Return an account."""

    def find_by_email(self, email: str) -> StoredAccount | None:
        """Return the account with an address, which is in small letters."""

    def save(self, account: StoredAccount) -> None:
        """Insert an account, or replace the one with its id.

        Raises:
            ConflictError: another account has the address.
        """

    def delete(self, account_id: str) -> None:
        """Delete an account with its sessions and links."""

    def open_session(self, session: StoredSession, kept: int) -> None:
        """Keep a session; of its account the `kept` that were seen last stay."""

    def find_session(self, token_hash: bytes) -> StoredSession | None:
        """Return a session."""

    def sessions_of(self, account_id: str) -> list[StoredSession]:
        """Return an account's sessions, the one seen last first."""

    def touch_session(self, session_id: str, seen_at: int) -> None:
        """Note that a session was seen."""

    def end_sessions(self, session_ids: Sequence[str]) -> None:
        """Forget sessions."""

    def save_link(self, link: StoredLink) -> None:
        """Keep a link; an earlier one for the same purpose and account is forgotten."""

    def find_link(self, token_hash: bytes) -> StoredLink | None:
        """Return a link."""

    def take_link(self, token_hash: bytes) -> bool:
        """Forget a link; return whether it was there: so of two who use it one gets through."""


class StoredChange(Struct, frozen=True):
    """An entry of the audit trail: who changed what, and when."""

    at: int
    actor: ActorKind
    actor_id: str
    actor_name: str
    action: str
    target: str = ""
    detail: str = ""
    number: int = 0  # given when it is stored; rises with time


class Audit(Protocol):
    """What was changed by accounts, keys and commands."""

    def append(self, change: StoredChange, kept: int) -> None:
        """Keep a change under the next number; the newest `kept` stay."""

    def newest(self, limit: int, before: int | None = None) -> list[StoredChange]:
        """Return changes, the newest first; with `before`, those below that number."""
