"""Which users have an email address or a phone number.

The snapshot has it as of the last checkpoint, and memory who got an address since. Both only say
whom to look at: what counts is the address that the user's state has now. So an address that was
given up and a user who was erased need no care, and neither does a crash.
"""

from collections import defaultdict
from typing import Final

from msgspec import Struct, field

from segue.content.addresses import AddressedChannel, addresses_of
from segue.engine.profile import ADDRESS_ATTRIBUTES
from segue.model.log_records import AttributesReceived, Record
from segue.runtime.live_states import LiveStates
from segue.storage.ports import Snapshot

_USERS_READ_MAX: Final = 1_000  # at a time
_ATTRIBUTES: Final = frozenset(ADDRESS_ATTRIBUTES.values())


class _Noted(Struct):
    """Users whose addresses may have changed, and those who may have got an address."""

    users: set[str] = field(default_factory=set)
    by_address: defaultdict[tuple[AddressedChannel, str], set[str]] = field(
        default_factory=lambda: defaultdict(set)
    )


class AddressIndex:
    """Finds users by address. It costs nothing but at profile changes that name an address."""

    def __init__(self, snapshot: Snapshot, states: LiveStates) -> None:
        self._snapshot = snapshot
        self._states = states
        self._noted = _Noted()
        self._being_written = _Noted()

    def users_with(
        self, channel: AddressedChannel, address: str, after: str = "", limit: int = 100
    ) -> list[str]:
        """Return the ids of users behind `after` with an address, in order, the first `limit`.

        The address is spelled as `comparable_address` does.
        """
        layers = (self._noted, self._being_written)
        unwritten = {
            user for layer in layers for user in layer.by_address.get((channel, address), ())
        }
        found: list[str] = []
        while True:
            page = self._snapshot.users_at(channel, address, after, _USERS_READ_MAX)
            through = page[-1] if len(page) == _USERS_READ_MAX else None
            new = [u for u in unwritten if u > after and (through is None or u <= through)]
            candidates = sorted({*page, *new})
            self._states.prefetch(candidates)
            found += [one for one in candidates if self._has(one, channel, address)]
            if through is None or len(found) >= limit:
                return found[:limit]
            after = through

    def follow(self, record: Record) -> None:
        """Take in a record in its turn."""
        if not isinstance(record, AttributesReceived):
            return
        for change in record.changes:
            if not _ATTRIBUTES.isdisjoint(change.attributes):
                self._noted.users.add(change.user_id)
                for pair in addresses_of(change.attributes):
                    self._noted.by_address[pair].add(change.user_id)

    def begin_writing(self) -> list[str]:
        """Return the users whose addresses are to be written anew, with their states."""
        self._being_written, self._noted = self._noted, _Noted()
        return list(self._being_written.users)

    def end_writing(self, is_written: bool) -> None:
        """Let go of what was written; after a failure it is written again."""
        if not is_written:
            self._noted.users |= self._being_written.users
            for pair, users in self._being_written.by_address.items():
                self._noted.by_address[pair] |= users
        self._being_written = _Noted()

    def _has(self, user_id: str, channel: AddressedChannel, address: str) -> bool:
        state = self._states.find(user_id)
        return state is not None and (channel, address) in addresses_of(state.attributes)
