"""Reads back from the log what nobody followed so far, when a new filter asks about it.

A campaign or segment brings filters on events that may be as old as the log. Most of the reading
is done before it goes live, beside the engine; what came since is read when it does.
"""

from collections.abc import Callable, Iterable

from segue.engine.past import Tracker, follow
from segue.model.events import Occurrence
from segue.model.log_records import EventsReceived, UserErased, entry_count
from segue.model.state import History
from segue.storage.ports import Journal

Progress = Callable[[int, int], None]


def no_progress(_done: int, _total: int) -> None:
    """Show nothing."""


class LogReadBack:
    """Histories by user, as far as the log has been read for one set of trackers."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._prepared: _Reading | None = None

    def prepare(self, trackers: list[Tracker], progress: Progress = no_progress) -> None:
        """Read the log as it is now, for what is about to be published. May run in a thread."""
        reading = _Reading(trackers)
        reading.read(self._journal, None, progress)
        self._prepared = reading

    def histories(
        self, trackers: list[Tracker], before_ordinal: int
    ) -> Iterable[tuple[str, dict[str, History]]]:
        """Yield what the entries before one have for each user, by the trackers' keys."""
        reading, self._prepared = self._prepared, None
        if reading is None or not reading.serves(trackers, before_ordinal):
            reading = _Reading(trackers)
        reading.read(self._journal, before_ordinal, no_progress)
        return reading.histories.items()


class _Reading:
    def __init__(self, trackers: list[Tracker]) -> None:
        self.histories: dict[str, dict[str, History]] = {}
        self._keys = {tracker.key for tracker in trackers}
        self._by_name: dict[str, list[Tracker]] = {}
        for tracker in trackers:
            self._by_name.setdefault(tracker.name, []).append(tracker)
        self._seq = 0
        self._next_ordinal = 0

    def serves(self, trackers: list[Tracker], before_ordinal: int) -> bool:
        """Return whether what was read is of these trackers and not beyond that entry."""
        keys = {tracker.key for tracker in trackers}
        return keys == self._keys and self._next_ordinal <= before_ordinal

    def read(self, journal: Journal, before_ordinal: int | None, progress: Progress) -> None:
        """Read on, up to the log's end or up to an entry, which begins a record."""
        last = journal.log_end().seq
        for block in journal.read_log(self._seq):
            ordinal = block.first_ordinal
            for record in block.records:
                if before_ordinal is not None and ordinal >= before_ordinal:
                    return
                if isinstance(record, EventsReceived):
                    self._follow(record, ordinal)
                elif isinstance(record, UserErased):
                    self.histories.pop(record.user_id, None)
                ordinal += entry_count(record)
            self._seq, self._next_ordinal = block.seq, ordinal
            progress(block.seq, last)

    def _follow(self, record: EventsReceived, ordinal: int) -> None:
        for index, event in enumerate(record.events):
            trackers = self._by_name.get(event.name)
            if trackers is not None:
                happened_at = Occurrence(event, record.received_at, ordinal + index).happened_at
                known = self.histories.get(event.user_id, {})
                self.histories[event.user_id] = follow(known, trackers, event, happened_at)
