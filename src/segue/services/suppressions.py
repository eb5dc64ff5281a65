"""The suppression list, as people handle it: look, put addresses on it, take them off."""

import asyncio
from datetime import datetime
from typing import Annotated, Final, get_args

from msgspec import Meta, Struct

from segue.content.addresses import sendable_address
from segue.engine.profile import ADDRESS_ATTRIBUTES
from segue.errors import NotFoundError
from segue.model.decoding import decode_document, did_you_mean, shown
from segue.model.events import AttributeChange
from segue.model.instants import to_datetime
from segue.model.limits import SUPPRESSIONS_PER_CALL_MAX, USERS_PER_CALL_MAX
from segue.model.problems import InvalidError, Problem
from segue.model.suppressions import SuppressedChannel, Suppression, SuppressionReason
from segue.runtime.runtime import Runtime

_CHANNELS: Final[tuple[SuppressedChannel, ...]] = get_args(SuppressedChannel)
_FORMS: Final[dict[SuppressedChannel, str]] = {
    "email": "an email address",
    "sms": "a phone number with a country code, such as +32470123456",
}


class SuppressionWish(Struct, forbid_unknown_fields=True):
    """Addresses that are to get nothing from now on."""

    channel: SuppressedChannel
    addresses: Annotated[list[str], Meta(min_length=1, max_length=SUPPRESSIONS_PER_CALL_MAX)]
    reason: SuppressionReason = "manual"


class ShownSuppression(Struct, omit_defaults=True):
    """An entry of the list, as the API shows it."""

    channel: SuppressedChannel
    address: str
    reason: SuppressionReason
    since: datetime
    campaign: str | None = None


class SuppressionsAdded(Struct):
    """How many entries are new; the others were there already."""

    added: int
    known: int


class SuppressionDesk:
    """The verbs on the list."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._stored = runtime.suppressions.stored

    def page(
        self, channel: str | None, cursor: str, limit: int, part: str
    ) -> list[ShownSuppression]:
        """Return entries behind a cursor, by channel, address and reason.

        Raises:
            NotFoundError: there are no addresses of such a channel.
        """
        only = _channel(channel) if channel is not None else None
        begin, _, rest = cursor.partition(" ")
        address, _, reason = rest.partition(" ")
        found: list[Suppression] = []
        for one in _CHANNELS:
            if one < begin or only not in (None, one):
                continue
            after = (address, reason) if one == begin else ("", "")
            found += self._stored.page(one, after, limit - len(found), part.strip().lower())
            if len(found) >= limit:
                break
        return [_shown(one) for one in found]

    def entries_of(self, channel: str, given: str) -> list[ShownSuppression]:
        """Return the entries of an address, one for each reason.

        Raises:
            NotFoundError: it is not on the list.
        """
        suppressed = _channel(channel)
        address = sendable_address(suppressed, given)
        found = self._stored.find(suppressed, address) if address is not None else []
        if not found:
            raise NotFoundError(f"{shown(given)} is not on the suppression list of {channel}")
        return [_shown(one) for one in found]

    async def add(self, raw: object) -> SuppressionsAdded:
        """Put addresses on the list, all or none.

        Raises:
            InvalidError: with every fault; an address that is none is one.
            ConflictError: the list is full.
        """
        wish = decode_document(raw, SuppressionWish, "The request")
        now = self._runtime.clock.now()
        items: dict[str, Suppression] = {}
        problems: list[Problem] = []
        for index, given in enumerate(wish.addresses):
            address = sendable_address(wish.channel, given)
            if address is None:
                message = f"{shown(given)} is not {_FORMS[wish.channel]}"
                problems.append(Problem(f"addresses[{index}]", message))
            else:
                items[address] = Suppression(wish.channel, address, wish.reason, now)
        if problems:
            raise InvalidError(problems, "The request")
        added = await asyncio.to_thread(self._stored.add, list(items.values()))
        return SuppressionsAdded(added, len(wish.addresses) - added)

    async def remove(self, channel: str, given: str) -> None:
        """Take an address off, and let users have messages at it again to whom they came back.

        Raises:
            NotFoundError: it is not on the list.
        """
        suppressed = _channel(channel)
        address = sendable_address(suppressed, given)
        if address is None or not await self._take_off(suppressed, address):
            raise NotFoundError(f"{shown(given)} is not on the suppression list of {channel}")
        await self._revive(suppressed, address)

    async def _take_off(self, channel: SuppressedChannel, address: str) -> bool:
        """Take an address off, also if it was noted only just now."""
        runtime = self._runtime

        def write_and_remove() -> bool:
            runtime.suppressions.write()
            return self._stored.remove(channel, address)

        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(runtime.checkpoints.thread, write_and_remove)

    async def _revive(self, channel: SuppressedChannel, address: str) -> None:
        """Let the address no longer be dead for users, by entries that set it anew.

        The engine knows it as dead until the profile has another one; so it is taken away, and set
        again in the same breath.
        """
        runtime, attribute = self._runtime, ADDRESS_ATTRIBUTES[channel]
        after = ""
        while users := runtime.checkpoints.addresses.users_with(
            channel, address, after, USERS_PER_CALL_MAX
        ):
            changes: list[AttributeChange] = []
            for user_id in users:
                state = runtime.state_of(user_id)
                if state is not None and channel in state.dead_addresses:
                    value = state.attributes[attribute]
                    changes.append(AttributeChange(user_id, {attribute: None}))
                    changes.append(AttributeChange(user_id, {attribute: value}))
            if changes:
                await runtime.ingest.take_attributes(changes)
            after = users[-1]
        await runtime.processor.wait_for(runtime.commits.last_seq)


def cursor_of(one: ShownSuppression) -> str:
    """Return the cursor behind an entry. Addresses hold no blanks."""
    return f"{one.channel} {one.address} {one.reason}"


def _shown(one: Suppression) -> ShownSuppression:
    since = to_datetime(one.since)
    return ShownSuppression(one.channel, one.address, one.reason, since, one.campaign)


def _channel(name: str) -> SuppressedChannel:
    found = next((one for one in _CHANNELS if one == name), None)
    if found is None:
        hint = did_you_mean(name, [*_CHANNELS])
        raise NotFoundError(f"there is no suppression list of {shown(name)}{hint}")
    return found
