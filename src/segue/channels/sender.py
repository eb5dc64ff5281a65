"""The one seam to the outside: a sender takes a rendered message and gives one of four answers."""

from typing import Protocol

from msgspec import Struct

from segue.model.devices import DevicesTried
from segue.model.rendered import Rendered


class Accepted(Struct, frozen=True):
    """The provider took the message; it is theirs now."""

    detail: str = ""
    tried: DevicesTried = DevicesTried()


class TryLater(Struct, frozen=True):
    """Not now. `retry_after_s` is the provider's own wish, if any.

    In an outage (`is_outage`) it would take nobody's message, not only not this one; and then it
    may not even have been asked (`was_asked`).
    """

    detail: str
    retry_after_s: float | None = None
    is_outage: bool = False
    was_asked: bool = True
    tried: DevicesTried = DevicesTried()


class Refused(Struct, frozen=True):
    """Never: trying again would not help. `is_address_dead` says that no message ever will."""

    detail: str
    is_address_dead: bool = False
    tried: DevicesTried = DevicesTried()


class Unknown(Struct, frozen=True):
    """Nobody can say whether it went out: the connection broke while the provider took it."""

    detail: str
    tried: DevicesTried = DevicesTried()


# What has become of a message; of a push, `tried` says it of each device.
Answer = Accepted | TryLater | Refused | Unknown


class Sender(Protocol):
    """Hands messages of one channel to one provider."""

    async def send(self, message: Rendered) -> Answer:
        """Hand over `message`, once; never raises for what the provider or the network does.

        The message's `send_id` is the idempotency key wherever the protocol has one.
        """

    async def close(self) -> None:
        """Give connections back."""
