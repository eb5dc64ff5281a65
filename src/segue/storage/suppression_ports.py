"""The suppression list as a protocol: addresses that get nothing, whoever has them."""

from collections.abc import Sequence
from typing import Protocol

from segue.errors import ConflictError
from segue.model.suppressions import SuppressedChannel, Suppression


class Suppressions(Protocol):
    """A table of the journal, in the order of channel, address and reason. Writes are durable."""

    rows_max: int

    def find(self, channel: SuppressedChannel, address: str) -> list[Suppression]:
        """Return why an address gets nothing; an empty list for one that may get messages."""

    def page(
        self, channel: SuppressedChannel, after: tuple[str, str], limit: int, part: str = ""
    ) -> list[Suppression]:
        """Return those behind an address and a reason, whose address holds `part`."""

    def add(self, items: Sequence[Suppression]) -> int:
        """Put addresses on the list by hand; return how many rows are new.

        One that is there already, by channel, address and reason, stays as it is. Where the list
        is full, the oldest bounces go: their addresses come back by themselves if they bounce
        again.

        Raises:
            ConflictError: there are no bounces left that could go; nothing is added.
        """

    def follow(self, items: Sequence[Suppression], through_seq: int) -> int:
        """Put on the list what the log tells up to a block; return how many rows found no room.

        Where the list is full and has no bounces that could go, complaints find no room.
        """

    def followed_seq(self) -> int:
        """Return up to which block the log was followed."""

    def remove(self, channel: SuppressedChannel, address: str) -> bool:
        """Take an address off, whatever its reasons; return whether it was there."""


def no_room(rows_max: int) -> ConflictError:
    """Return what to say when a list is full of what must not go by itself."""
    return ConflictError(
        f"The suppression list is full: it holds {rows_max} entries, and none of them is a bounce "
        "that could make room. Take addresses off that no user has any more."
    )
