"""Where the messages of a campaign stand that is being written, and in which variant each is."""

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from segue.model.channels import CHANNELS, Channel

Tree = dict[str, Any]


class MessagePlace(Struct, frozen=True):
    """One message: its place in the document, its variant's name, its channel, what is written."""

    place: str
    variant: str
    channel: Channel
    message: Tree

    @property
    def body(self) -> Tree:
        """What is written for the channel."""
        found = self.message.get(self.channel)
        return found if isinstance(found, dict) else {}


def message_places(tree: Tree) -> list[MessagePlace]:
    """Return the messages, in order."""
    variants = tree.get("variants")
    if not variants:
        return list(_in(tree.get("messages"), "messages", "A"))
    found: list[MessagePlace] = []
    for index, variant in enumerate(variants if isinstance(variants, list) else ()):
        if isinstance(variant, dict):
            name = variant.get("name")
            named = name if isinstance(name, str) and name else f"{index + 1}"
            found += _in(variant.get("messages"), f"variants[{index}].messages", named)
    return found


def channel_of(message: Any) -> Channel | None:
    """Return the channel that a message is written for; None where there is none."""
    written = message if isinstance(message, dict) else {}
    return next((one for one in CHANNELS if one in written), None)


def _in(messages: Any, place: str, variant: str) -> Iterator[MessagePlace]:
    for index, message in enumerate(messages if isinstance(messages, list) else ()):
        channel = channel_of(message)
        if channel is not None:
            yield MessagePlace(f"{place}[{index}]", variant, channel, message)
