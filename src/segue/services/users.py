"""Users: find, list, change, erase, and everything that happened to one."""

import asyncio
from datetime import datetime
from typing import Any

from msgspec import Struct, field

from segue.content.addresses import AddressedChannel, comparable_address
from segue.engine.profile import ADDRESS_ATTRIBUTES
from segue.errors import NotFoundError
from segue.model.devices import Platform
from segue.model.events import AttributeChange
from segue.model.instants import to_datetime
from segue.model.limits import ATTRIBUTES_PER_USER_MAX
from segue.model.log_records import UserErased
from segue.model.problems import InvalidError, Problem
from segue.model.reasons import REASONS
from segue.model.state import UserState
from segue.runtime.history import timeline_of
from segue.runtime.runtime import Runtime


class ShownDevice(Struct):
    """A device as the API shows one: without its token, which is its provider's."""

    id: str
    platform: Platform
    registered_at: datetime


class User(Struct, omit_defaults=True):
    """A user as the API shows one."""

    user_id: str
    attributes: dict[str, Any]
    subscriptions: dict[str, str]
    waiting: list[str]  # slugs of campaigns the user waits for
    devices: list[ShownDevice] = field(default_factory=list)


def shown(user_id: str, state: UserState) -> User:
    """Return a state as the API shows it."""
    waiting = [slug for slug, member in state.memberships.items() if member.wait is not None]
    devices = [
        ShownDevice(device.id, device.platform, to_datetime(device.registered_at))
        for device in state.devices
    ]
    return User(user_id, state.attributes, state.subscriptions, sorted(waiting), devices)


class Users:
    """The verbs on users."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def change(self, changes: list[AttributeChange]) -> None:
        """Set attributes of users, and wait until that has been taken in.

        Raises:
            InvalidError: a profile would be too large.
        """
        problems = [
            Problem(
                f"users[{index}].attributes",
                f"has {len(change.attributes)} attributes; "
                f"at most {ATTRIBUTES_PER_USER_MAX} are allowed",
            )
            for index, change in enumerate(changes)
            if len(change.attributes) > ATTRIBUTES_PER_USER_MAX
        ]
        if problems:
            raise InvalidError(problems, "The request")
        await self._runtime.ingest.take_attributes(changes)
        await self._runtime.processor.wait_for(self._runtime.commits.last_seq)

    def find(self, user_id: str) -> User:
        """Return a user.

        Raises:
            NotFoundError: nothing is remembered of one with this id.
        """
        state = self._runtime.state_of(user_id)
        if state is None:
            message = f"there is no user {user_id!r}"
            raise NotFoundError(message)
        return shown(user_id, state)

    def page(self, after: str, limit: int) -> list[User]:
        """Return users in the order of their ids, as of the last checkpoint."""
        return [shown(*pair) for pair in self._runtime.snapshot.list_users(after, limit)]

    def page_with(
        self, channel: AddressedChannel, given: str, after: str, limit: int
    ) -> list[User]:
        """Return the users who have an address now, in the order of their ids.

        Raises:
            InvalidError: what was given is no address.
        """
        address = comparable_address(channel, given)
        if address is None:
            how = {
                "email": "is no email address",
                "sms": "is no number with its country code, such as %2B32470123456 in a URL",
            }
            problem = Problem(ADDRESS_ATTRIBUTES[channel], f"{given!r:.100} {how[channel]}")
            raise InvalidError([problem], "The query")
        index = self._runtime.checkpoints.addresses
        found = index.users_with(channel, address, after, limit)
        return [self.find(user_id) for user_id in found]

    async def erase(self, user_id: str) -> None:
        """Forget a user: state, waits, and everything told of them so far."""
        self.find(user_id)
        committed = self._runtime.commits.hand_in(lambda at: UserErased(at, user_id))
        await self._runtime.decided(committed)

    async def timeline(self, user_id: str) -> list[dict[str, Any]]:
        """Return everything that happened to the user and what was decided, oldest first."""
        runtime = self._runtime
        now = runtime.processor.fold.now
        lines = await asyncio.to_thread(
            lambda: list(timeline_of(runtime.journal, runtime.snapshot, user_id, now))
        )
        for line in lines:
            if "decision" in line and "reason" in line:
                line["why"] = REASONS[line["reason"]]
        return lines
