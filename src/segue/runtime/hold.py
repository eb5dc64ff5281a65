"""The emergency brake: while it is on, nothing is handed over, and everything else goes on.

It stands in the journal, not in the log: it decides nothing, it only makes messages wait.
"""

from segue.clock import Clock
from segue.storage.hold_ports import Hold, StoredHold


class SendingHold:
    """Whether all sending is held; a restart changes nothing about it."""

    def __init__(self, stored: Hold, clock: Clock) -> None:
        self._stored = stored
        self._clock = clock
        self.state: StoredHold | None = stored.find()

    @property
    def is_on(self) -> bool:
        """Whether messages have to wait."""
        return self.state is not None

    def begin(self, by: str) -> StoredHold:
        """Hold all sending; whoever did so first stays named."""
        self._stored.put(StoredHold(self._clock.now(), by))
        found = self._stored.find()
        assert found is not None  # noqa: S101 - it was put a moment ago
        self.state = found
        return found

    def end(self) -> StoredHold | None:
        """Let messages go; return the hold that was, if there was one."""
        before = self.state
        self._stored.end()
        self.state = None
        return before
