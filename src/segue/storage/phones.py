"""Messages that lie on virtual phones, as a protocol with one contract suite."""

from collections.abc import Sequence
from typing import Any, Final, Protocol

from msgspec import Struct

from segue.model.channels import Channel

ANY_PLACE: Final = (1 << 63) - 1  # before it stands every message


class PhoneMessage(Struct, frozen=True):
    """A message as its user sees it. Its `place` is given where it is kept: the later, the higher.

    What is shown on devices lies in the inbox of devices as well, which knows what became of it.
    """

    user_id: str
    channel: Channel
    send_id: str
    campaign: str
    variant: str
    at: int
    content: dict[str, Any]
    place: int = 0


class PhoneEntry(Struct, frozen=True):
    """A phone that messages lie on: how many, and where and when the newest came."""

    user_id: str
    message_count: int
    newest_place: int
    newest_at: int


class Phones(Protocol):
    """Messages on virtual phones. What a user's erasure finds here goes with its append."""

    def put(self, messages: Sequence[PhoneMessage]) -> None:
        """Keep messages; one that is there already, by user, channel and send, stays as it is.

        Each user keeps the newest `PHONE_MESSAGES_MAX`. Of all users together the newest stay
        that are no more than `PHONES_MESSAGES_MAX`, and no larger than `PHONES_BYTES_MAX`.
        """

    def of_user(
        self,
        user_id: str,
        before: int = ANY_PLACE,
        limit: int = 100,
        channel: Channel | None = None,
    ) -> list[PhoneMessage]:
        """Return a user's messages before a place, newest first: all, or those of a channel."""

    def after(self, place: int, user_id: str | None = None, limit: int = 100) -> list[PhoneMessage]:
        """Return the messages after a place, oldest first: those of a user, or of all."""

    def last_place(self) -> int:
        """Return the place of the newest message; 0 where there is none."""

    def entries(self, before: int = ANY_PLACE, limit: int = 100) -> list[PhoneEntry]:
        """Return the phones whose newest message stands before a place, newest first."""
