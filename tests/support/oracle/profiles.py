"""Changes of a profile: attributes, and the subscriptions and addresses that lie in them."""

from typing import Any

from tests.support.oracle.memory import User

ADDRESSES = {"email": "email", "sms": "phone"}
SUBSCRIPTION_STATES = ("opted_in", "subscribed", "unsubscribed")


def set_attributes(user: User, attributes: dict[str, Any]) -> None:
    """Set attributes; a null takes one away."""
    before = {channel: user.attributes.get(name, "") for channel, name in ADDRESSES.items()}
    for name, value in attributes.items():
        if value is None:
            user.attributes.pop(name, None)
        else:
            user.attributes[name] = value
    for channel, name in ADDRESSES.items():
        if user.attributes.get(name, "") != before[channel]:
            user.dead_channels.discard(channel)
    for channel in ("email", "push", "sms"):
        _subscribe(user, channel, attributes.get(f"{channel}_subscribe"))
    groups = attributes.get("subscription_groups")
    for group, state in groups.items() if isinstance(groups, dict) else ():
        _subscribe(user, group, state)


def _subscribe(user: User, name: str, state: object) -> None:
    """Set a subscription; one that is as by default is nothing that is known of a user."""
    if state in SUBSCRIPTION_STATES:
        user.subscriptions.pop(name, None)
        if user.subscription(name) != state:
            user.subscriptions[name] = str(state)
