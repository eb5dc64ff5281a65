"""API keys: made, shown once, found by the hash of their secret, revoked."""

import base64
from hashlib import sha256
from typing import Final

from msgspec import Struct

from segue.clock import Clock
from segue.errors import ConflictError, NotFoundError, SegueError
from segue.model.ids import random_id
from segue.model.limits import KEY_NAME_LENGTH_MAX, KEYS_MAX
from segue.storage.ports import Journal, StoredKey

# What `admin` includes.
SECRET_SCOPES: Final = ("ingest", "read", "campaigns", "send", "admin")
# A key of devices stands in pages for anybody to read; it opens the routes of devices alone.
DEVICE_SCOPE: Final = "sdk"
SCOPES: Final = (*SECRET_SCOPES, DEVICE_SCOPE)
_KNOWN_FOR_S: Final = 1.0  # so soon a key that a command revoked is worthless
_UNKNOWN_FOR_S: Final = 0.01  # a key works when the command has printed it; guesses cost little


def create_key(journal: Journal, clock: Clock, scopes: list[str], name: str = "") -> str:
    """Make a key and return its text, which is kept nowhere.

    Raises:
        SegueError: a scope is unknown, there is none, or "sdk" is not the only one.
    """
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown or not scopes:
        message = f"unknown scopes {unknown}; " if unknown else "a key needs a scope; "
        raise SegueError(f"{message}there are: {', '.join(SCOPES)}")
    is_public = DEVICE_SCOPE in scopes
    if is_public and len(set(scopes)) > 1:
        message = 'a key with the scope "sdk" stands in pages, so it can have no other scope'
        raise SegueError(message)
    token = base64.urlsafe_b64encode(clock.token(24)).decode().rstrip("=")
    text = f"{'pk' if is_public else 'sk'}_{token}"
    key = StoredKey(
        id=random_id(clock.now(), clock.token(10)),
        secret_hash=hash_key(text),
        scopes=sorted(set(scopes), key=SCOPES.index),
        created_at=clock.now(),
        name=name,
    )
    journal.save_key(key)
    return text


def revoke_key(journal: Journal, clock: Clock, key_id: str) -> None:
    """Make a key worthless.

    Raises:
        NotFoundError: there is no key with this id.
    """
    for key in journal.list_keys():
        if key.id == key_id:
            journal.save_key(
                StoredKey(
                    key.id, key.secret_hash, key.scopes, key.created_at, key.name, clock.now()
                )
            )
            return
    message = f"there is no key {key_id!r}; `segue key list` shows them"
    raise NotFoundError(message)


def hash_key(text: str) -> bytes:
    """Return what is kept of a key. Keys are long and random, so a plain hash is enough."""
    return sha256(text.encode()).digest()


class ValidKey(Struct, frozen=True):
    """A key that opens something: its id, what it is called, and the scopes it stands for."""

    id: str
    name: str
    scopes: frozenset[str]


class Keyring:
    """The valid keys, read anew from time to time: a command may make or revoke one."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock
        self._keys: dict[bytes, ValidKey] = {}
        self._read_at = float("-inf")

    def find(self, text: str) -> ValidKey | None:
        """Return a key; None for one that is unknown or revoked."""
        secret_hash = hash_key(text)
        age_s = self._clock.monotonic() - self._read_at
        if age_s >= (_KNOWN_FOR_S if secret_hash in self._keys else _UNKNOWN_FOR_S):
            self._read()
        return self._keys.get(secret_hash)

    def all(self) -> list[StoredKey]:
        """Return all keys, oldest first."""
        return self._journal.list_keys()

    def create(self, scopes: list[str], name: str) -> str:
        """Make a key and return its text, which is kept nowhere; it works at once.

        Raises:
            SegueError: a scope is unknown, there is none, or "sdk" is not the only one.
            ConflictError: there are too many keys.
        """
        valid_count = sum(one.revoked_at is None for one in self.all())
        if valid_count >= KEYS_MAX:
            raise ConflictError(f"{KEYS_MAX} keys are in use already; revoke one first.")
        text = create_key(self._journal, self._clock, scopes, name[:KEY_NAME_LENGTH_MAX])
        self._read()
        return text

    def revoke(self, key_id: str) -> StoredKey:
        """Make a key worthless, at once, and return it.

        Raises:
            NotFoundError: there is no key with this id.
        """
        revoke_key(self._journal, self._clock, key_id)
        self._read()
        return next(one for one in self.all() if one.id == key_id)

    def _read(self) -> None:
        self._read_at = self._clock.monotonic()
        self._keys = {
            key.secret_hash: ValidKey(
                key.id,
                key.name,
                frozenset(SECRET_SCOPES if "admin" in key.scopes else key.scopes),
            )
            for key in self._journal.list_keys()
            if key.revoked_at is None
        }
