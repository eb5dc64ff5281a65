"""What users choose for themselves, on the page behind `preferences_url` in a message."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from msgspec import Struct

from segue.clock import Clock
from segue.content.addresses import AddressedChannel
from segue.content.headers import read_address
from segue.content.phones import read_phone
from segue.content.tokens import Tracked
from segue.engine.audience import subscription_to
from segue.errors import NotFoundError
from segue.model.events import AttributeChange, Event
from segue.model.ids import random_id
from segue.model.log_records import AttributesReceived, EventsReceived, Record
from segue.model.state import UserState
from segue.model.workspace import Workspace
from segue.runtime.runtime import Runtime

# Channels whose end is an interaction of its own, which campaigns count.
_COUNTED: Final[tuple[AddressedChannel, ...]] = ("email", "sms")
_PHONE_SHOWN: Final = 3, 2  # characters at its beginning and at its end


class Choice(Struct, frozen=True):
    """Something a user may want or not: a channel, or a subscription group by its slug."""

    name: str
    label: str
    is_on: bool
    description: str = ""


class Preferences(Struct, frozen=True):
    """What one user can choose, and has chosen. `sender` is empty where nobody has named it."""

    sender: str
    channels: list[Choice]
    groups: list[Choice]

    def choices(self) -> list[Choice]:
        """Return everything that can be chosen."""
        return [*self.channels, *self.groups]


class PreferencePages:
    """The verbs of users on what they get. A token of a message of theirs is what lets them."""

    def __init__(self, runtime: Runtime, clock: Clock) -> None:
        self._runtime = runtime
        self._clock = clock

    def of(self, tracked: Tracked) -> Preferences:
        """Return what the user can choose.

        Raises:
            NotFoundError: nothing is known of the user any more.
        """
        state = self._runtime.state_of(tracked.user_id)
        if state is None:
            raise NotFoundError("the user of this link was erased")
        return preferences_of(state, self._runtime.plan.workspace)

    def sender(self) -> str:
        """Return who the messages are from, if somebody has said so."""
        return self._runtime.plan.workspace.name

    def group_name(self, slug: str) -> str:
        """Return what people call a subscription group; one that is gone has its slug alone."""
        groups = self._runtime.plan.workspace.subscription_groups
        return next((group.name for group in groups if group.slug == slug), slug)

    async def choose(self, tracked: Tracked, wanted: Mapping[str, bool]) -> list[Choice]:
        """Keep what the user wants of what is named; return the choices that are new.

        Who switches something on by their own hand has opted in to it.

        Raises:
            NotFoundError: nothing is known of the user any more.
        """
        before = {one.name: one.is_on for one in self.of(tracked).choices()}
        changed = {
            name: is_on
            for name, is_on in wanted.items()
            if name in before and before[name] != is_on
        }
        if changed:
            await self._keep(tracked, changed)
        return [one for one in self.of(tracked).choices() if one.name in changed]

    async def choose_nothing(self, tracked: Tracked) -> list[Choice]:
        """Unsubscribe from every channel and every group; return what was on before."""
        everything = [one.name for one in self.of(tracked).choices()]
        return await self.choose(tracked, dict.fromkeys(everything, False))

    async def unsubscribe(self, tracked: Tracked) -> None:
        """Unsubscribe from the token's group, else from email; harmless when repeated."""
        await self._log([_unsubscribed(tracked, "email", self._event_id(), tracked.group)])

    async def subscribe_again(self, tracked: Tracked) -> None:
        """Undo an unsubscribe; what somebody had opted in to, they are subscribed to now."""
        back: dict[str, Any] = (
            {"email_subscribe": "subscribed"}
            if tracked.group is None
            else {"subscription_groups": {tracked.group: "subscribed"}}
        )
        await self._log([AttributeChange(tracked.user_id, back)])

    async def _keep(self, tracked: Tracked, changed: Mapping[str, bool]) -> None:
        """Write changes down: an end of a channel is the campaign's, and counted as its own."""
        states = {name: "opted_in" if is_on else "unsubscribed" for name, is_on in changed.items()}
        attributes: dict[str, Any] = {}
        entries: list[AttributeChange | Event] = []
        for counted in _COUNTED:
            if states.get(counted) == "unsubscribed":
                entries.append(_unsubscribed(tracked, counted, self._event_id()))
                del states[counted]
        for channel in ("email", "sms", "push"):
            if channel in states:
                attributes[f"{channel}_subscribe"] = states.pop(channel)
        if states:
            attributes["subscription_groups"] = states
        if attributes:
            entries.append(AttributeChange(tracked.user_id, attributes))
        await self._log(entries)

    async def _log(self, entries: Iterable[AttributeChange | Event]) -> None:
        """Append entries of one instant, together or not at all, and wait until they hold."""
        runtime = self._runtime
        runtime.ingest.refuse_when_busy()

        def records(at: int) -> list[Record]:
            return [
                EventsReceived(at, [one])
                if isinstance(one, Event)
                else AttributesReceived(at, [one])
                for one in entries
            ]

        await runtime.decided(runtime.commits.hand_in_all(records))

    def _event_id(self) -> str:
        return random_id(self._clock.now(), self._clock.token(10))


def preferences_of(state: UserState, workspace: Workspace) -> Preferences:
    """Return what a user can choose: the channels they have an address for, and all groups."""
    channels = [
        Choice(channel, label, subscription_to(state, channel) != "unsubscribed", address)
        for channel, label, address in _addresses(state)
    ]
    groups = [
        Choice(
            group.slug,
            group.name,
            subscription_to(state, group.slug) != "unsubscribed",
            group.description,
        )
        for group in workspace.subscription_groups
    ]
    return Preferences(workspace.name, channels, groups)


def _addresses(state: UserState) -> Iterable[tuple[str, str, str]]:
    """Yield the channels a user has an address for, with their names, and as much of it as shows.

    Whoever has the link sees the page, and it may have been passed on.
    """
    address = read_address(state.attributes.get("email"))
    if address is not None:
        name, _, domain = address.rpartition("@")
        yield "email", "Email", f"{name[:1]}…@{domain}"
    number = read_phone(state.attributes.get("phone"))
    if number is not None:
        first, last = _PHONE_SHOWN
        yield "sms", "Text messages", f"{number[:first]}…{number[-last:]}"
    count = len(state.devices)
    if count:
        yield "push", "Notifications", "1 device" if count == 1 else f"{count} devices"


def _unsubscribed(
    tracked: Tracked, channel: AddressedChannel, event_id: str, group: str | None = None
) -> Event:
    return Event(
        tracked.user_id,
        f"{channel}_unsubscribe",
        id=event_id,
        campaign=tracked.campaign,
        channel=channel,
        variant=tracked.variant,
        send_id=tracked.send_id,
        subscription_group=group,
    )
