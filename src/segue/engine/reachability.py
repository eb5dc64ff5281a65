"""Which channels a user can be reached by, as far as their profile tells."""

from functools import cache
from typing import Final

from segue.engine.audience import subscription_to
from segue.engine.profile import ADDRESS_ATTRIBUTES
from segue.model.channels import CHANNELS, Channel
from segue.model.state import StatePart, UserState

PARTS_READ: Final[frozenset[StatePart]] = frozenset(
    {"attributes", "subscriptions", "dead_addresses", "devices"}
)


def channels_that_reach(state: UserState) -> tuple[Channel, ...]:
    """Return the channels that the user has not unsubscribed from and has a live address for."""
    attributes = state.attributes
    has_addresses = [bool(attributes.get(name)) for name in ADDRESS_ATTRIBUTES.values()]
    channels = _addressed((*has_addresses, bool(state.devices)))
    if not (state.subscriptions or state.dead_addresses):
        return channels
    return tuple(
        channel
        for channel in channels
        if channel not in state.dead_addresses and subscription_to(state, channel) != "unsubscribed"
    )


@cache
def _addressed(has_addresses: tuple[bool, ...]) -> tuple[Channel, ...]:
    """Return the channels that need no address, or have it; those of push are devices."""
    pairs = zip((*ADDRESS_ATTRIBUTES, "push"), has_addresses, strict=True)
    missing = {channel for channel, has_address in pairs if not has_address}
    return tuple(channel for channel in CHANNELS if channel not in missing)
