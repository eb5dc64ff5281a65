"""Senders of tests that keep every message: nothing is sent, and everything can be looked at."""

from msgspec import Struct

from segue.channels.registry import Senders
from segue.channels.sender import Accepted, Answer
from segue.channels.settings import ChannelSettings
from segue.clock import Clock, FixedClock
from segue.model.rendered import Rendered


class Delivered(Struct, frozen=True):
    """A message, and when it was handed over."""

    at: int
    message: Rendered


class KeptMessages(Senders):
    """Takes the messages of every channel."""

    def __init__(self, clock: Clock | None = None) -> None:
        clock = clock or FixedClock()
        super().__init__(ChannelSettings(), clock, lambda _name: bytes(40))
        self.delivered: list[Delivered] = []
        self._clock = clock

    @property
    def count(self) -> int:
        return len(self.delivered)

    async def send(self, message: Rendered) -> Answer:
        self.delivered.append(Delivered(self._clock.now(), message))
        return Accepted("kept")

    def of_user(self, user_id: str) -> list[Delivered]:
        """Return the messages of a user, oldest first."""
        return [one for one in self.delivered if one.message.user_id == user_id]
