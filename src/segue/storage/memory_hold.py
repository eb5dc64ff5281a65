"""The hold on all sending in memory; gone with the process."""

from segue.storage.hold_ports import StoredHold


class MemoryHold:
    """A hold, or none."""

    def __init__(self) -> None:
        self._hold: StoredHold | None = None

    def find(self) -> StoredHold | None:
        """Return the hold; None while messages are sent."""
        return self._hold

    def put(self, hold: StoredHold) -> None:
        """Hold everything back from now on; a hold that is there already stays as it is."""
        self._hold = self._hold or hold

    def end(self) -> None:
        """Let messages go again."""
        self._hold = None
