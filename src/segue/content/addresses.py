"""A profile's addresses in the one spelling in which they are compared and looked up."""

from collections.abc import Mapping
from typing import Any, Final, Literal

from segue.content.headers import read_address
from segue.content.phones import read_phone
from segue.engine.profile import ADDRESS_ATTRIBUTES

AddressedChannel = Literal["email", "sms"]

ADDRESSED_CHANNELS: Final[tuple[AddressedChannel, ...]] = ("email", "sms")

_EMAIL_LENGTH_MAX: Final = 320  # RFC 5321: 64 before the @, 255 after it


def comparable_address(channel: AddressedChannel, value: object) -> str | None:
    """Return the address that `value` is, as it is compared; None if it is none.

    Numbers lose what is between their digits, and email addresses their capitals: hardly any
    mailbox tells those apart, and people type them as they like.
    """
    if channel == "sms":
        return read_phone(value)
    if not isinstance(value, str) or len(value) > _EMAIL_LENGTH_MAX or "@" not in value:
        return None
    return value.strip().lower()


def addresses_of(attributes: Mapping[str, Any]) -> list[tuple[AddressedChannel, str]]:
    """Return the addresses in a profile, by channel."""
    found: list[tuple[AddressedChannel, str]] = []
    for channel in ADDRESSED_CHANNELS:
        address = comparable_address(channel, attributes.get(ADDRESS_ATTRIBUTES[channel]))
        if address is not None:
            found.append((channel, address))
    return found


def sendable_address(channel: AddressedChannel, value: object) -> str | None:
    """Return the address that `value` is, as it is compared; None if no message could go to it."""
    if channel == "email" and read_address(value) is None:
        return None
    return comparable_address(channel, value)
