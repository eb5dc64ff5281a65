"""Which users have an address: what a checkpoint changes about it.

A row is a key, which stands for channel and address, and a user. What goes is known from the
state that was stored before, which is read for those users alone whose addresses may have changed.
"""

from collections.abc import Callable, Sequence

from segue.content.addresses import AddressedChannel, addresses_of
from segue.model.state import UserState
from segue.storage.encoding import user_key
from segue.storage.ports import Checkpoint

AddressRow = tuple[int, str]
LoadStates = Callable[[Sequence[str]], dict[str, UserState]]


def address_key(channel: AddressedChannel, address: str) -> int:
    """Return the number an address goes by."""
    return user_key(f"{channel}:{address}")


def rows_of(user_id: str, state: UserState) -> set[AddressRow]:
    """Return the rows of a user's addresses."""
    return {(address_key(*pair), user_id) for pair in addresses_of(state.attributes)}


def address_changes(
    checkpoint: Checkpoint, load_states: LoadStates
) -> tuple[list[AddressRow], list[AddressRow]]:
    """Return the rows that go and those that come with a checkpoint, in the order of their keys.

    `load_states` gives what is stored before it.
    """
    newest = dict(checkpoint.states)
    changed = [user_id for user_id in checkpoint.addressed if user_id in newest]
    concerned = sorted({*checkpoint.erased, *changed})
    stored = load_states(concerned) if concerned else {}
    before: set[AddressRow] = set()
    after: set[AddressRow] = set()
    for user_id in concerned:
        if user_id in stored:
            before |= rows_of(user_id, stored[user_id])
        if user_id in newest:
            after |= rows_of(user_id, newest[user_id])
    return sorted(before - after), sorted(after - before)
