"""Signing in: sessions that end by themselves, and can be ended from elsewhere."""

from contextlib import suppress

from msgspec import Struct
from msgspec.structs import replace

from segue.clock import Clock
from segue.errors import StorageError
from segue.model.accounts import ROLE_PERMISSIONS
from segue.model.ids import random_id
from segue.model.limits import (
    AGENT_LENGTH_MAX,
    SESSION_IDLE_MAX,
    SESSION_LIFE_MAX,
    SESSION_SEEN_EVERY,
    SESSIONS_PER_ACCOUNT_MAX,
)
from segue.services.accounts import canonical
from segue.services.actors import Actor
from segue.services.passwords import Passwords
from segue.services.tokens import hash_token, new_token
from segue.storage.account_ports import StoredAccount, StoredSession
from segue.storage.ports import Journal


class SignedIn(Struct, frozen=True):
    """An account and the session it is signed in with."""

    account: StoredAccount
    session: StoredSession

    @property
    def actor(self) -> Actor:
        """Who they are to services and the audit trail."""
        account = self.account
        return Actor("account", account.id, account.email, ROLE_PERMISSIONS[account.role])


class SignIns:
    """The verbs on sessions."""

    def __init__(self, journal: Journal, clock: Clock, passwords: Passwords) -> None:
        self._kept = journal.accounts
        self._clock = clock
        self._passwords = passwords

    async def check(self, email: str, password: str) -> StoredAccount | None:
        """Return the account of an address and a password; None if they are not a pair."""
        account = self._kept.find_by_email(canonical(email))
        stored = account.password_hash if account is not None else None
        if not await self._passwords.verify(stored, password) or account is None:
            return None
        if stored is not None and self._passwords.is_outdated(stored):
            hashed = await self._passwords.hash(password)
            current = self._kept.find(account.id)
            if current is not None and current.password_hash == stored:
                self._kept.save(replace(current, password_hash=hashed))
        return account

    def open(self, account: StoredAccount, address: str, agent: str) -> tuple[SignedIn, str]:
        """Open a session; return it with the token of its cookie."""
        now, token = self._clock.now(), new_token(self._clock)
        session = StoredSession(
            id=random_id(now, self._clock.token(10)),
            token_hash=hash_token(token),
            account_id=account.id,
            created_at=now,
            seen_at=now,
            address=address,
            agent=agent[:AGENT_LENGTH_MAX],
        )
        self._kept.open_session(session, SESSIONS_PER_ACCOUNT_MAX)
        return SignedIn(account, session), token

    def find(self, token: str) -> SignedIn | None:
        """Return who is signed in with a cookie; None if nobody is, or no longer."""
        session = self._kept.find_session(hash_token(token))
        if session is None:
            return None
        now = self._clock.now()
        account = self._kept.find(session.account_id)
        is_over = account is None or self._is_over(session, now)
        with suppress(StorageError):  # on a full disk, people look at what is wrong
            if is_over:
                self._kept.end_sessions([session.id])
            elif now - session.seen_at >= SESSION_SEEN_EVERY:
                self._kept.touch_session(session.id, now)
        return None if account is None or is_over else SignedIn(account, session)

    def of(self, account_id: str) -> list[StoredSession]:
        """Return an account's sessions that are not over, the one seen last first."""
        now = self._clock.now()
        return [one for one in self._kept.sessions_of(account_id) if not self._is_over(one, now)]

    def end(self, account_id: str, session_id: str) -> None:
        """End a session of an account."""
        if any(one.id == session_id for one in self._kept.sessions_of(account_id)):
            self._kept.end_sessions([session_id])

    def _is_over(self, session: StoredSession, now: int) -> bool:
        is_idle = now - session.seen_at >= SESSION_IDLE_MAX
        return is_idle or now - session.created_at >= SESSION_LIFE_MAX
