"""Letting missed users in at publication: found beside the engine, completed when it is alone."""

import asyncio
from collections.abc import Sequence

from segue.model.campaigns import Campaign
from segue.model.events import Event
from segue.model.limits import BACKFILL_PART_EVENTS
from segue.model.log_records import Backfilled
from segue.runtime.backfill import Backfill
from segue.runtime.group_commit import MakeRecords
from segue.runtime.recorded import RecordedLog
from segue.runtime.runtime import Runtime


class Backfilling:
    """What a publication lets in of what its followers have missed."""

    def __init__(self, runtime: Runtime, followers: Sequence[Campaign]) -> None:
        self._runtime = runtime
        self._followers = followers
        self._found: dict[str, Backfill] = {}

    async def read(self) -> dict[str, int]:
        """Read the log as it is now, and return how many interactions there are by follower.

        Raises:
            ConflictError: they are too many.
        """
        if self._followers:
            await asyncio.to_thread(self._read)
        return {slug: len(found.events()) for slug, found in self._found.items()}

    def parts(self) -> list[MakeRecords]:
        """Return the records of all that was missed until now; nothing may be committed meanwhile.

        Raises:
            ConflictError: they are too many.
        """
        last = self._runtime.journal.log_end().seq
        parts: list[MakeRecords] = []
        for slug, found in self._found.items():
            found.read_on(last)
            parts += _parts_of(slug, found.events())
        return parts

    def _read(self) -> None:
        for follower in self._followers:
            log = RecordedLog(self._runtime.journal, self._runtime.snapshot)
            found = Backfill(log, follower)
            found.read_on()
            self._found[follower.slug] = found


def _parts_of(slug: str, events: list[Event]) -> list[MakeRecords]:
    chunks = [
        events[start : start + BACKFILL_PART_EVENTS]
        for start in range(0, len(events), BACKFILL_PART_EVENTS)
    ]
    return [_part(slug, chunk) for chunk in chunks]


def _part(slug: str, events: list[Event]) -> MakeRecords:
    return lambda at: [Backfilled(at, slug, events)]
