"""Virtual phones: who has one, what lies on it, what can be done with that."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from segue.channels.phone import PhoneSender
from segue.errors import NotFoundError
from segue.model.channels import DEVICE_CHANNELS, Channel
from segue.model.instants import format_instant
from segue.runtime.phones import TEST_USER, PhoneRule
from segue.runtime.runtime import Runtime
from segue.services.device_messages import shown
from segue.services.devices import Devices
from segue.services.phone_actions import Action, PhoneActions
from segue.services.phone_tokens import PhoneTokens
from segue.services.settling import wait_until_settled
from segue.storage.phones import ANY_PLACE, PhoneEntry, PhoneMessage

_NEWS_AT_ONCE_MAX: Final = 100  # messages a stream tells of between two looks
_ENTRIES_READ_MAX: Final = 100  # phones read at a time to find those that are still phones
_OF_ACTIONS: Final = ("token", "short_links")  # of the content: nobody sees them, they are acted by


class PhoneShown(Struct):
    """A phone that messages lie on."""

    user_id: str
    message_count: int
    newest_at: str
    cursor: str


class MessageShown(Struct, omit_defaults=True):
    """A message on a phone. `is_due` says of what devices show whether they still do."""

    id: str
    user_id: str
    channel: Channel
    at: str
    campaign: str
    variant: str
    send_id: str
    content: dict[str, Any]
    actions: list[Action]
    is_due: bool | None = None


class TokenIssued(Struct):
    """By which a phone speaks for its user at the routes of devices."""

    token: str
    user_id: str
    expires_at: str


class VirtualPhones:
    """The verbs on virtual phones."""

    def __init__(
        self,
        runtime: Runtime,
        sender: PhoneSender,
        devices: Devices,
        rule: PhoneRule,
        actions: PhoneActions,
        tokens: PhoneTokens,
    ) -> None:
        self._runtime = runtime
        self._sender = sender
        self._devices = devices
        self._rule = rule
        self._actions = actions
        self._tokens = tokens

    def has_phone(self, user_id: str) -> bool:
        """Return whether the user has a phone now."""
        return self._rule.has_phone(self._runtime.state_of(user_id))

    async def page(self, before: int = ANY_PLACE, limit: int = 100) -> list[PhoneShown]:
        """Return the phones that something came to, the newest message first."""
        found: list[PhoneEntry] = []
        while len(found) < limit:
            part = await asyncio.to_thread(self._sender.phones.entries, before, _ENTRIES_READ_MAX)
            found += [entry for entry in part if self.has_phone(entry.user_id)]
            if len(part) < _ENTRIES_READ_MAX:
                break
            before = part[-1].newest_place
        return [
            PhoneShown(
                entry.user_id,
                entry.message_count,
                format_instant(entry.newest_at),
                str(entry.newest_place),
            )
            for entry in found[:limit]
        ]

    async def messages(
        self,
        user_id: str,
        channel: Channel | None = None,
        before: int = ANY_PLACE,
        limit: int = 100,
    ) -> list[MessageShown]:
        """Return the messages on a user's phone, newest first.

        Raises:
            NotFoundError: the user has no phone.
        """
        self._check(user_id)
        read = self._sender.phones.of_user
        return await self._shown(await asyncio.to_thread(read, user_id, before, limit, channel))

    def issue_token(self, user_id: str) -> TokenIssued:
        """Return a token by which the user's phone speaks for the user.

        Raises:
            NotFoundError: the user has no phone.
        """
        self._check(user_id)
        token, expires_at = self._tokens.issue(user_id)
        return TokenIssued(token, user_id, format_instant(expires_at))

    def user_of(self, token: str) -> str | None:
        """Return for whom a token speaks; None where it is forged or has expired."""
        return self._tokens.user_of(token)

    def watch(self, user_id: str | None, after: int | None = None) -> "PhoneWatch":
        """Return a watch on what comes to a user's phone, or to all, from now on or from a place.

        Raises:
            NotFoundError: the user has no phone.
            BusyError: as many look on as are allowed.
        """
        if user_id is not None:
            self._check(user_id)
        self._sender.watchers.check_room()
        return PhoneWatch(self, self._sender, user_id, after)

    async def news(self, after: int, user_id: str | None) -> tuple[list[MessageShown], int]:
        """Return what came after a place, oldest first, and the place it reaches to."""
        read = self._sender.phones.after
        kept = await asyncio.to_thread(read, after, user_id, _NEWS_AT_ONCE_MAX)
        with_phone = [one for one in kept if self.has_phone(one.user_id)]
        return await self._shown(with_phone), kept[-1].place if kept else after

    async def _shown(self, kept: Sequence[PhoneMessage]) -> list[MessageShown]:
        """Return messages as they are shown, once what is done with them can be followed."""
        await wait_until_settled(self._runtime, [(one.send_id, one.channel) for one in kept])
        for_devices = {one.user_id for one in kept if one.channel in DEVICE_CHANNELS}
        screens = {user_id: await self._screen_of(user_id) for user_id in for_devices}
        return [self._one(message, screens.get(message.user_id)) for message in kept]

    def _one(self, message: PhoneMessage, screen: "_Screen | None") -> MessageShown:
        item, is_due = None, None
        if message.channel in DEVICE_CHANNELS and screen is not None:
            key = (message.channel, message.send_id)
            item, is_due = screen.items.get(key), key in screen.due
            if item is not None:
                message = replace(message, content=shown(item))
        actions = self._actions.of(message, item, is_due=bool(is_due))
        return MessageShown(
            str(message.place),
            message.user_id,
            message.channel,
            format_instant(message.at),
            message.campaign,
            message.variant,
            message.send_id,
            {name: value for name, value in message.content.items() if name not in _OF_ACTIONS},
            actions,
            is_due,
        )

    async def _screen_of(self, user_id: str) -> "_Screen":
        due = await self._devices.due(user_id)
        kept = await asyncio.to_thread(self._runtime.journal.inbox.of_user, user_id)
        return _Screen(
            {(item.channel, item.send_id): item for item in kept},
            {("in_app_message", one["send_id"]) for one in due.in_app_messages}
            | {("content_card", one["send_id"]) for one in due.content_cards},
        )

    def _check(self, user_id: str) -> None:
        if self.has_phone(user_id):
            return
        state = self._runtime.state_of(user_id)
        if state is None:
            message = f"there is no user {user_id!r}, and so no phone"
            raise NotFoundError(message)
        given = state.attributes.get(TEST_USER)
        message = (
            f"{user_id!r} has no virtual phone: the attribute {TEST_USER} is "
            f"{'not set' if given is None else repr(given)[:40]}; make it true, or set "
            'channels.to_phone = "everybody"'
        )
        raise NotFoundError(message)


class _Screen(Struct):
    """What one user's devices hold, and what of it they are to show, by channel and send."""

    items: dict[tuple[Channel, str], Any]
    due: set[tuple[Channel, str]]


class PhoneWatch:
    """Tells what comes to a phone; it looks on from `async with` to its end."""

    def __init__(
        self, phones: VirtualPhones, sender: PhoneSender, user_id: str | None, after: int | None
    ) -> None:
        self._phones = phones
        self._sender = sender
        self._user_id = user_id
        self._wished = after
        self._after = 0
        self._event = asyncio.Event()

    async def news(self, timeout_s: float) -> list[MessageShown]:
        """Return what came, oldest first; nothing where nothing came in time."""
        found, self._after = await self._phones.news(self._after, self._user_id)
        if found:
            return found
        try:
            await asyncio.wait_for(self._event.wait(), timeout_s)
        except TimeoutError:
            return []
        self._event.clear()
        found, self._after = await self._phones.news(self._after, self._user_id)
        return found

    async def __aenter__(self) -> "PhoneWatch":
        self._event = self._sender.watchers.watch(self._user_id)
        if self._wished is None:
            self._after = await asyncio.to_thread(self._sender.phones.last_place)
        else:
            self._after = self._wished
        return self

    async def __aexit__(self, *_: object) -> None:
        self._sender.watchers.unwatch(self._user_id, self._event)
