"""Users' states in memory in front of the snapshot: bounded when clean, kept when changed."""

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from segue.model.limits import STATE_CACHE_MAX
from segue.model.state import EMPTY_STATE, UserState
from segue.storage.ports import Snapshot

_IDS_READ_MAX: Final = 5_000  # at a time

# Users whose state at one moment is not, or may no longer be, what the snapshot has for them.
View = dict[str, UserState | None]


class LiveStates:
    """The newest states. Changed ones stay until a checkpoint has written them."""

    def __init__(self, snapshot: Snapshot, cache_max: int = STATE_CACHE_MAX) -> None:
        self._snapshot = snapshot
        self.cache_max = cache_max
        self._clean: OrderedDict[str, UserState] = OrderedDict()
        self._changed: dict[str, UserState | None] = {}  # None: erased
        self._being_written: dict[str, UserState | None] = {}
        self._erased: set[str] = set()  # also those who have come back since
        self._erased_being_written: set[str] = set()
        self._absent: set[str] = set()  # of the users last prefetched, those without a state
        self._views: list[View] = []

    @property
    def changed_count(self) -> int:
        """How many states the next checkpoint has to write."""
        return len(self._changed)

    @property
    def clean_count(self) -> int:
        """How many states are kept that the snapshot has as well."""
        return len(self._clean)

    def get(self, user_id: str) -> UserState:
        """Return the user's state, an empty one for a user never seen."""
        found = self.find(user_id)
        return EMPTY_STATE if found is None else found

    def find(self, user_id: str) -> UserState | None:
        """Return the user's state, or None for a user never seen or erased."""
        for layer in (self._changed, self._being_written):
            if user_id in layer:
                return layer[user_id]
        state = self._clean.get(user_id)
        if state is None and user_id not in self._absent:
            state = self._snapshot.load_states([user_id]).get(user_id)
            if state is not None:
                self._keep(user_id, state)
        return state

    def prefetch(self, user_ids: Iterable[str]) -> None:
        """Read the states of many users at once, because they are about to be needed."""
        layers = (self._changed, self._being_written, self._clean)
        missing = {user for user in user_ids if not any(user in layer for layer in layers)}
        self._absent = set()
        if len(missing) > 1:
            found = self._snapshot.load_states(sorted(missing))
            self._absent = missing - found.keys()
            for user_id, state in found.items():
                self._keep(user_id, state)

    @contextmanager
    def held(self) -> Iterator[View]:
        """Give what the snapshot needs to be read as all states are now, while they change on.

        It holds those not written yet, and, from now on, each that is about to change.
        """
        view: View = {**self._being_written, **self._changed}
        self._views.append(view)
        try:
            yield view
        finally:
            self._views = [one for one in self._views if one is not view]

    def put(self, user_id: str, state: UserState) -> None:
        """Keep the user's new state."""
        self._hold(user_id)
        self._changed[user_id] = state
        self._clean.pop(user_id, None)
        self._absent.discard(user_id)

    def erase(self, user_id: str) -> None:
        """Forget the user."""
        self._hold(user_id)
        self._changed[user_id] = None
        self._erased.add(user_id)
        self._clean.pop(user_id, None)

    def ids_between(self, after: str, through: str | None) -> list[str]:
        """Return the ids of users with a state with after < id <= through (None: all), in order."""
        found: list[str] = []
        while page := self.ids_after(found[-1] if found else after, _IDS_READ_MAX):
            inside = [user for user in page if through is None or user <= through]
            found += inside
            if len(inside) < len(page):
                break
        return found

    def ids_after(self, after: str, limit: int) -> list[str]:
        """Return the ids of the first users with a state behind an id, in order."""
        changes = {**self._being_written, **self._changed}
        found = {user for user, state in changes.items() if state is not None and user > after}
        stored_count, last = 0, after
        while stored_count < limit and (page := self._snapshot.list_user_ids(last, limit)):
            there = [user for user in page if changes.get(user, EMPTY_STATE) is not None]
            found.update(there)
            stored_count += len(there)
            last = page[-1]
        return sorted(found)[:limit]

    def begin_writing(self) -> tuple[list[tuple[str, UserState]], list[str]]:
        """Return the changed states and the erased users; until `end_writing` both stay here.

        Who was erased and has come back is among both: what was kept of them before goes.
        """
        self._being_written, self._changed = self._changed, {}
        self._erased_being_written, self._erased = self._erased, set()
        written = [(user, state) for user, state in self._being_written.items() if state]
        return written, sorted(self._erased_being_written)

    def end_writing(self, is_written: bool) -> None:
        """Let go of what was written; after a failure it counts as changed again."""
        if not is_written:
            self._changed = {**self._being_written, **self._changed}
            self._erased |= self._erased_being_written
        for user_id, state in self._being_written.items():
            if is_written and state is not None and user_id not in self._changed:
                self._keep(user_id, state)
        self._being_written = {}

    def _hold(self, user_id: str) -> None:
        for view in self._views:
            if user_id not in view:
                view[user_id] = self.find(user_id)

    def _keep(self, user_id: str, state: UserState) -> None:
        self._clean[user_id] = state
        while len(self._clean) > self.cache_max:
            self._clean.popitem(last=False)
