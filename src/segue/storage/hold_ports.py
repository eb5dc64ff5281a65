"""Whether all sending is held: part of the journal, so that a restart keeps it."""

from typing import Protocol

from msgspec import Struct


class StoredHold(Struct, frozen=True):
    """Somebody stopped all sending: since when, and who."""

    since: int
    by: str  # as the audit trail calls them


class Hold(Protocol):
    """A row of the journal, or none. Every write is durable when it returns."""

    def find(self) -> StoredHold | None:
        """Return the hold; None while messages are sent."""

    def put(self, hold: StoredHold) -> None:
        """Hold everything back from now on; a hold that is there already stays as it is."""

    def end(self) -> None:
        """Let messages go again."""
