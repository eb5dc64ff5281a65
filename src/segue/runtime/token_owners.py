"""Whose each push token is: a token reaches one device, and a device is one user's at a time.

Who registers a token takes it from who had it, so that nobody's messages show up on a device that
somebody else signed in on. The taking stands in the log, as a removal of its own.
"""

from collections.abc import Sequence

from segue.model.devices import Device
from segue.model.events import DeviceChanged
from segue.model.log_records import DevicesChanged, Record, SendsSettled, UserErased
from segue.storage.ports import Snapshot


class TokenOwners:
    """The user who registered each token last; one who has lost it since does no harm."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._ahead: dict[str, str | None] = {}  # handed in, and not decided about yet
        self._changed: dict[str, str | None] = {}  # None: nobody's
        self._being_written: dict[str, str | None] = {}

    def owner_of(self, token: str) -> str | None:
        """Return who registered a token last."""
        return self._ahead[token] if token in self._ahead else self._logged_owner_of(token)

    def taken(self, changes: Sequence[DeviceChanged]) -> list[DeviceChanged]:
        """Return changes that are about to be logged, each after the taking that it needs."""
        logged: list[DeviceChanged] = []
        for changed in changes:
            device = changed.device
            owner = self.owner_of(device.token) if device.token else None
            if owner not in (None, changed.user_id) and not changed.is_removed:
                taken = Device(device.id, device.platform, device.token)
                logged.append(DeviceChanged(owner, taken, is_removed=True))
            if device.token and (not changed.is_removed or owner == changed.user_id):
                self._ahead[device.token] = None if changed.is_removed else changed.user_id
            logged.append(changed)
        return logged

    def give_back(self, changes: Sequence[DeviceChanged], before: Sequence[str | None]) -> None:
        """Take back changes that were not logged after all; `before` had their tokens."""
        for changed, owner in zip(changes, before, strict=True):
            token = changed.device.token
            if token in self._ahead:
                self._ahead[token] = owner
                self._come_level(token)

    def follow(self, record: Record) -> None:
        """Take in a record in its turn; only what the log has is ever written down."""
        match record:
            case DevicesChanged():
                for changed in record.changes:
                    self._note(changed)
            case SendsSettled():
                for settled in record.settled:
                    for token in settled.dead_tokens:
                        self._let_go(token, settled.user_id)
            case UserErased():
                # What is written down of them goes with everything else of theirs.
                for token, owner in list(self._changed.items()):
                    if owner == record.user_id:
                        self._changed[token] = None
            case _:
                return

    def begin_writing(self) -> list[tuple[str, str | None]]:
        """Return the tokens to write, each with its owner; None for nobody."""
        self._being_written, self._changed = self._changed, {}
        return list(self._being_written.items())

    def end_writing(self, is_written: bool) -> None:
        """Let go of what was written; after a failure it counts as changed again."""
        if not is_written:
            self._changed = {**self._being_written, **self._changed}
        self._being_written = {}

    def _note(self, changed: DeviceChanged) -> None:
        token = changed.device.token
        if token and changed.is_removed:
            self._let_go(token, changed.user_id)
        elif token:
            self._changed[token] = changed.user_id
        self._come_level(token)

    def _come_level(self, token: str) -> None:
        """Forget what is ahead of the log once the log has come to the same."""
        if token in self._ahead and self._ahead[token] == self._logged_owner_of(token):
            del self._ahead[token]

    def _let_go(self, token: str, user_id: str) -> None:
        if self._logged_owner_of(token) == user_id:
            self._changed[token] = None

    def _logged_owner_of(self, token: str) -> str | None:
        for layer in (self._changed, self._being_written):
            if token in layer:
                return layer[token]
        return self._snapshot.token_owner(token)
