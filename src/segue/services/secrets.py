"""Secrets of an installation: made when they are first asked for, and kept in its journal."""

from collections.abc import Callable
from typing import Final

from segue.clock import Clock
from segue.storage.ports import Journal

_BYTES: Final = 40  # enough for a key of any kind here; half of them could not be guessed either


def installation_secret(journal: Journal, clock: Clock, name: str) -> bytes:
    """Return the secret of a name; at first use it is made."""
    if journal.secret(name) is None:
        journal.save_secret(name, clock.token(_BYTES))
    secret = journal.secret(name)
    assert secret is not None  # noqa: S101 - it was just saved
    return secret


def secrets_of(journal: Journal, clock: Clock) -> Callable[[str], bytes]:
    """Return what gives the secrets of an installation by their names."""
    return lambda name: installation_secret(journal, clock, name)
