"""Passwords: what they must be like, and argon2 in threads, so that nothing waits for it."""

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from segue.clock import Clock
from segue.model.limits import (
    PASSWORD_HASHES_AT_ONCE_MAX,
    PASSWORD_LENGTH_MAX,
    PASSWORD_LENGTH_MIN,
)

_SALT_BYTES = 16


class Passwords:
    """Makes and checks hashes, a few at a time: each takes 64 MB and a core for a moment."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._hasher = PasswordHasher()
        self._turns = asyncio.Semaphore(PASSWORD_HASHES_AT_ONCE_MAX)
        self._decoy: str | None = None

    async def hash(self, password: str) -> str:
        """Return what is kept of a password."""
        salt = self._clock.token(_SALT_BYTES)
        async with self._turns:
            return await asyncio.to_thread(self._hasher.hash, password, salt=salt)

    async def verify(self, stored: str | None, password: str) -> bool:
        """Return whether a password is the one that was kept.

        Where nothing was kept, as much is computed: how long it takes tells nobody who exists.
        """
        if self._decoy is None:
            self._decoy = await self.hash("nobody's password")
        async with self._turns:
            is_right = await asyncio.to_thread(self._matches, stored or self._decoy, password)
        return is_right and stored is not None

    def is_outdated(self, stored: str) -> bool:
        """Return whether a hash was made with weaker parameters than are used now."""
        return self._hasher.check_needs_rehash(stored)

    def _matches(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (Argon2Error, InvalidHashError):
            return False


def password_fault(password: str, email: str) -> str | None:
    """Return what is wrong with a new password, or None."""
    if len(password) < PASSWORD_LENGTH_MIN:
        return (
            f"This has {len(password)} characters; take at least {PASSWORD_LENGTH_MIN}, "
            "such as four words that do not belong together."
        )
    if len(password) > PASSWORD_LENGTH_MAX:
        return f"This has {len(password)} characters; take at most {PASSWORD_LENGTH_MAX}."
    if password.casefold() == email.casefold():
        return "This is your address; take something that nobody else knows."
    return None
