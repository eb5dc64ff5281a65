"""Changes of a profile (semantics.md 3, step 1)."""

from typing import Any, Final

from msgspec.structs import replace

from segue.engine.audience import default_subscription
from segue.engine.draft import Draft
from segue.model.channels import CHANNELS, Channel
from segue.model.state import UserState

# Attributes that state a subscription rather than a fact, as the commercial original names them.
_SUBSCRIPTION_ATTRIBUTES: Final[dict[str, Channel]] = {
    "email_subscribe": "email",
    "push_subscribe": "push",
    "sms_subscribe": "sms",
}
# A subscription group to its state, of those that are to change.
_GROUPS_ATTRIBUTE: Final = "subscription_groups"
# The attribute that holds a channel's address; those of push are the user's devices.
ADDRESS_ATTRIBUTES: Final[dict[Channel, str]] = {"email": "email", "sms": "phone"}
_ADDRESSED_BY: Final = {name: channel for channel, name in ADDRESS_ATTRIBUTES.items()}
_STATES: Final = ("opted_in", "subscribed", "unsubscribed")


def set_attributes(draft: Draft, changes: dict[str, Any]) -> None:
    """Set attributes of the profile; a null takes one away.

    `email_subscribe` and its like set subscriptions, `subscription_groups` those to groups, and
    a new address is no longer a dead one.
    """
    attributes = dict(draft.state.attributes)
    for name, value in changes.items():
        if value is None:
            attributes.pop(name, None)
        else:
            attributes[name] = value
        if name in _ADDRESSED_BY:
            _revive_address(draft, _ADDRESSED_BY[name], value)
        if name in _SUBSCRIPTION_ATTRIBUTES and value in _STATES:
            subscribe(draft, _SUBSCRIPTION_ATTRIBUTES[name], value)
        if name == _GROUPS_ATTRIBUTE and isinstance(value, dict):
            for group, state in value.items():
                if group not in CHANNELS and state in _STATES:
                    subscribe(draft, group, state)
    draft.set_attributes(attributes)


def subscribe(draft: Draft, name: str, subscription: str) -> None:
    """Set the subscription to a channel or a group; that of those who said nothing is not kept."""
    subscriptions = dict(draft.state.subscriptions)
    if subscription == default_subscription(name):
        subscriptions.pop(name, None)
    else:
        subscriptions[name] = subscription
    draft.state = replace(draft.state, subscriptions=subscriptions)


def kill_address(draft: Draft, channel: Channel) -> None:
    """Remember that the channel's present address takes no messages any more."""
    draft.state = with_dead_address(draft.state, channel)


def with_dead_address(state: UserState, channel: Channel) -> UserState:
    """Return the state of a user whose present address takes no messages any more."""
    attribute = ADDRESS_ATTRIBUTES.get(channel)
    if attribute is None:
        return state
    address = str(state.attributes.get(attribute, ""))
    return replace(state, dead_addresses={**state.dead_addresses, channel: address})


def _revive_address(draft: Draft, channel: Channel, address: object) -> None:
    dead = draft.state.dead_addresses
    if channel in dead and dead[channel] != str(address if address is not None else ""):
        rest = {name: value for name, value in dead.items() if name != channel}
        draft.state = replace(draft.state, dead_addresses=rest)
