"""A user's devices: where a push goes, and what became of one at each of them."""

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from segue.model.limits import DEVICE_TOKEN_LENGTH_MAX, NAME_LENGTH_MAX

Platform = Literal["ios", "android", "web"]
DeviceId = Annotated[str, Meta(min_length=1, max_length=NAME_LENGTH_MAX)]
Token = Annotated[str, Meta(max_length=DEVICE_TOKEN_LENGTH_MAX)]
Key = Annotated[str, Meta(max_length=NAME_LENGTH_MAX)]


class WebPushKeys(Struct, frozen=True, forbid_unknown_fields=True):
    """The keys of a browser's push subscription, in base64url, as the browser gives them."""

    p256dh: Key
    auth: Key


class Device(Struct, frozen=True, gc=False, omit_defaults=True, forbid_unknown_fields=True):
    """A device that takes push notifications.

    `id` is what its app calls it; `token` what its push provider does. A browser's token is the
    endpoint of its subscription, and goes with `keys`.
    """

    id: DeviceId
    platform: Platform
    token: Token = ""
    keys: WebPushKeys | None = None


class RegisteredDevice(
    Device, frozen=True, gc=False, omit_defaults=True, forbid_unknown_fields=True
):
    """A device as a user's state keeps it."""

    registered_at: int = 0  # when its token was last given


class DevicesTried(Struct, frozen=True, array_like=True, gc=False):
    """What became of a push at devices, by their tokens; those not named are yet to be tried.

    The provider took it, said that the token is dead, or broke off before it said anything.
    """

    accepted: list[str] = field(default_factory=list)
    dead: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        """Whether any device was tried."""
        return bool(self.accepted or self.dead or self.unknown)

    def __add__(self, later: "DevicesTried") -> "DevicesTried":
        """Return what became of it at the devices of both."""
        return DevicesTried(
            self.accepted + later.accepted, self.dead + later.dead, self.unknown + later.unknown
        )

    def has(self, token: str) -> bool:
        """Return whether a device was tried."""
        return token in self.accepted or token in self.dead or token in self.unknown
