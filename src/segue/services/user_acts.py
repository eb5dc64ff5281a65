"""What is done for one user by hand: an event, an attribute, subscriptions."""

import json
from collections.abc import Mapping
from typing import Any, Final

from segue.model.channels import Channel
from segue.model.decoding import decode_document
from segue.model.events import AttributeChange, Event
from segue.model.problems import InvalidError, Problem
from segue.runtime.runtime import Runtime
from segue.services.users import Users

# Those that an attribute sets; the others are asked for by no message.
SUBSCRIBED_CHANNELS: Final[tuple[Channel, ...]] = ("email", "push", "sms")
SUBSCRIPTIONS: Final = ("opted_in", "subscribed", "unsubscribed")


class UserActs:
    """The verbs of somebody who looks after a user."""

    def __init__(self, runtime: Runtime, users: Users) -> None:
        self._runtime = runtime
        self._users = users

    async def send_event(self, user_id: str, name: str, properties: Mapping[str, Any]) -> None:
        """Take an event, as if a program had sent it, and wait until it has been decided about.

        Raises:
            InvalidError: it is none that may be sent.
        """
        if not name:
            raise InvalidError([Problem("name", "Say what the event is called.")], "The event")
        written = {"user_id": user_id, "name": name, "properties": dict(properties) or None}
        taken = await self._runtime.ingest.take_events([decode_document(written, Event)])
        if taken.rejected:
            raise InvalidError([Problem("name", taken.rejected[0].message)], "The event")
        await self._runtime.processor.wait_for(self._runtime.commits.last_seq)

    async def set_attribute(self, user_id: str, name: str, value: Any) -> None:
        """Set an attribute; None takes it away.

        Raises:
            InvalidError: no attribute has such a name.
        """
        if not name:
            problem = Problem("attribute", "Say which attribute.")
            raise InvalidError([problem], "The attribute")
        change = decode_document({"user_id": user_id, "attributes": {name: value}}, AttributeChange)
        await self._users.change([change])

    async def subscribe(
        self, user_id: str, channels: Mapping[str, str], groups: Mapping[str, str]
    ) -> None:
        """Set subscriptions to channels and groups, each one of `SUBSCRIPTIONS`.

        Raises:
            InvalidError: one is none of them, or to nothing that there is.
        """
        known = {one.slug for one in self._runtime.plan.workspace.subscription_groups}
        problems = [
            Problem(name, f"{value!r:.50} is none of {', '.join(SUBSCRIPTIONS)}")
            for name, value in [*channels.items(), *groups.items()]
            if value not in SUBSCRIPTIONS
        ]
        strangers = [*(set(channels) - set(SUBSCRIBED_CHANNELS)), *(set(groups) - known)]
        problems += [Problem(name, "there is no such channel or group") for name in strangers]
        if problems:
            raise InvalidError(problems, "The subscriptions")
        attributes: dict[str, Any] = {f"{one}_subscribe": to for one, to in channels.items()}
        if groups:
            attributes["subscription_groups"] = dict(groups)
        if attributes:
            await self._users.change([AttributeChange(user_id, attributes)])


def value_of(text: str) -> Any:
    """Return what was typed as a value: a number, true, false, a text in quotes; else a text."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    is_plain = isinstance(value, str | bool | int) or (
        isinstance(value, float) and abs(value) < _FLOAT_MAX
    )
    return value if is_plain else text


_FLOAT_MAX: Final = 1e300  # "Infinity" is no JSON, although Python reads it
