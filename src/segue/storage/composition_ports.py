"""What is remembered of campaigns that are being written: part of the journal."""

from typing import Any, Protocol

from msgspec import Struct


class CompositionHead(Struct, frozen=True, kw_only=True):
    """A campaign that is being written, without what is written.

    `campaign` is the id of the campaign that it edits, as it was at `base_version` and
    `base_updated_at`; None for a new one. The slug follows from the name until it `is_slug_own`.
    """

    id: str
    name: str
    created_at: int
    changed_at: int
    changed_by: str
    campaign: str | None = None
    base_version: int = 0
    base_updated_at: int = 0
    is_slug_own: bool = False
    visited: tuple[str, ...] = ()  # steps that somebody has gone on from


class StoredComposition(CompositionHead, frozen=True, kw_only=True):
    """A campaign that is being written: `tree` is its document as far as it has come."""

    tree: dict[str, Any]


class Compositions(Protocol):
    """Campaigns that are being written. Every write is durable when it returns."""

    def all(self) -> list[CompositionHead]:
        """Return them, what was changed last first."""

    def find(self, composition_id: str) -> StoredComposition | None:
        """Return one."""

    def save(self, composition: StoredComposition, kept: int) -> None:
        """Insert one, or replace the one with its id; the `kept` that were changed last stay."""

    def delete(self, composition_id: str) -> None:
        """Forget one."""
