"""Reads back from the log what nobody followed so far, when a new filter asks about it.

A campaign or segment brings filters on events that may be as old as the log. Most of the reading
is done before it goes live, beside the engine; what came since is read when it does.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager

from segue.engine.past import Tracker, follow
from segue.model.events import Occurrence
from segue.model.log_records import EventsReceived, UserErased, entry_count
from segue.model.state import History
from segue.runtime.log_reader import history_of
from segue.storage.ports import Journal

Progress = Callable[[int, int], None]


def no_progress(_done: int, _total: int) -> None:
    """Show nothing."""


class Reading:
    """Histories by user, as far as the log has been read for one set of trackers."""

    def __init__(self, trackers: Iterable[Tracker]) -> None:
        self.histories: dict[str, dict[str, History]] = {}
        self._by_name: dict[str, list[Tracker]] = {}
        self._keys: set[str] = set()
        for tracker in trackers:
            self._by_name.setdefault(tracker.name, []).append(tracker)
            self._keys.add(tracker.key)
        self._seq = 0
        self._next_ordinal = 0

    def serves(self, keys: Collection[str], before_ordinal: int) -> bool:
        """Return whether what was read is of these trackers and not beyond that entry."""
        return self._keys.issuperset(keys) and self._next_ordinal <= before_ordinal

    def read(
        self,
        journal: Journal,
        before_ordinal: int | None = None,
        progress: Progress = no_progress,
    ) -> None:
        """Read on, up to the log's end or up to an entry, which begins a record."""
        last = journal.log_end().seq
        for block in journal.read_log(self._seq):
            ordinal = block.first_ordinal
            for record in block.records:
                if before_ordinal is not None and ordinal >= before_ordinal:
                    return
                count = entry_count(record)
                # A block that was left in its middle is gone through again from its beginning.
                if ordinal >= self._next_ordinal:
                    self.take(record, ordinal)
                    self._next_ordinal = ordinal + count
                ordinal += count
            self._seq = block.seq
            progress(block.seq, last)

    def of(self, keys: Collection[str]) -> Iterator[tuple[str, dict[str, History]]]:
        """Yield what was read for each user, by the keys of these trackers."""
        for user_id, histories in self.histories.items():
            found = {key: history for key, history in histories.items() if key in keys}
            if found:
                yield user_id, found

    def take(self, record: object, ordinal: int) -> None:
        """Take in one record of the log."""
        if isinstance(record, EventsReceived):
            self._follow(record, ordinal)
        elif isinstance(record, UserErased):
            self.histories.pop(record.user_id, None)

    def _follow(self, record: EventsReceived, ordinal: int) -> None:
        for index, event in enumerate(record.events):
            trackers = self._by_name.get(event.name)
            if trackers is not None:
                happened_at = Occurrence(event, record.received_at, ordinal + index).happened_at
                known = self.histories.get(event.user_id, {})
                self.histories[event.user_id] = follow(known, trackers, event, happened_at)


def read_back_user(
    journal: Journal, user_id: str, trackers: Iterable[Tracker]
) -> dict[str, History]:
    """Return what the log has of one user for some trackers, by their keys."""
    reading = Reading(trackers)
    for record, ordinal in history_of(journal, user_id):
        reading.take(record, ordinal)
    return reading.histories.get(user_id, {})


class LogReadBack:
    """Reads the log for new filters; what was read ahead is used by every record it serves."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._offered: list[Reading] = []

    def read_ahead(self, trackers: list[Tracker], progress: Progress = no_progress) -> Reading:
        """Read the log as it is now, for what is about to be published. May run in a thread."""
        reading = Reading(trackers)
        reading.read(self._journal, progress=progress)
        return reading

    @contextmanager
    def offering(self, reading: Reading) -> Iterator[None]:
        """Use a reading for the records that come meanwhile."""
        self._offered.append(reading)
        try:
            yield
        finally:
            self._offered.remove(reading)

    def histories(
        self, trackers: list[Tracker], before_ordinal: int
    ) -> Iterable[tuple[str, dict[str, History]]]:
        """Return what the entries before one have for each user, by the trackers' keys."""
        keys = {tracker.key for tracker in trackers}
        fitting = (one for one in self._offered if one.serves(keys, before_ordinal))
        reading = next(fitting, None) or Reading(trackers)
        reading.read(self._journal, before_ordinal)
        return reading.of(keys)
