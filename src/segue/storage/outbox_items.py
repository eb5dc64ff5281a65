"""What the outbox holds, and what it leaves when a message has failed."""

from msgspec import Struct

from segue.model.channels import Channel
from segue.model.devices import DevicesTried
from segue.model.effects import Deliver
from segue.model.reasons import Mendable


class OutboxItem(Struct, frozen=True, array_like=True):
    """A message to hand over: one channel of a send, and how far it has come."""

    deliver: Deliver
    channel: Channel
    attempts: int = 0
    first_attempt_at: int | None = None
    next_attempt_at: int = 0
    is_attempted: bool = False  # an attempt is in the log, and no outcome of it
    tried: DevicesTried = DevicesTried()  # of a push: devices that need not get it again
    last_attempt_at: int | None = None
    followed_seq: int = 0  # the block of the last record that was taken in

    @property
    def key(self) -> str:
        """Its name in the outbox."""
        return f"{self.deliver.send_id}/{self.channel}"


class DeadLetter(Struct, frozen=True, array_like=True):
    """A message that came to its end without going out, for a reason that a person can mend."""

    item: OutboxItem  # as it was at its end
    settled_at: int
    reason: Mendable
    detail: str = ""

    @property
    def key(self) -> str:
        """Its name in the list, which it had in the outbox too."""
        return self.item.key
