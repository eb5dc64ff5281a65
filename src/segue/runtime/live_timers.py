"""Timers of a running server: the next minutes in a heap, the rest in the snapshot."""

import asyncio
from typing import Final

from segue.model.instants import FOREVER
from segue.model.limits import TIMER_HORIZON
from segue.runtime.waits import TimerHeap
from segue.storage.ports import Snapshot, TimerKey

_READ_MAX: Final = 50_000  # timers read into memory at a time: a few megabytes
_LOOKS_MAX: Final = 3  # at a snapshot that is written meanwhile; then everybody waits


class LiveTimers:
    """Adding and cancelling touch memory only; a checkpoint writes both down."""

    def __init__(self, snapshot: Snapshot, now: int) -> None:
        self._snapshot = snapshot
        self._heap = TimerHeap()
        self._horizon = -1
        self._set: set[TimerKey] = set()
        self._gone: set[TimerKey] = set()
        self._set_being_written: set[TimerKey] = set()
        self._gone_being_written: set[TimerKey] = set()
        self._forgotten: set[str] = set()  # users, of whom the snapshot may yet have timers
        self._forgotten_being_written: set[str] = set()
        self._writing_number = 0  # what was read of the snapshot fits memory while it stays
        self._extend(now + TIMER_HORIZON)

    def add(self, key: TimerKey) -> None:
        """Add a timer."""
        self._gone.discard(key)
        self._set.add(key)
        if key.due_at <= self._horizon:
            self._heap.add(key)

    def cancel(self, key: TimerKey) -> None:
        """Take a timer away."""
        self._heap.cancel(key)
        self._forget(key)

    def forget_user(self, user_id: str) -> None:
        """Take all timers of a user away; the snapshot does so with everything else of theirs."""
        for key in [*self._heap, *self._set, *self._set_being_written]:
            if key.user_id == user_id:
                self.cancel(key)
        self._forgotten.add(user_id)

    def pop_due(self, through: int) -> TimerKey | None:
        """Take and return the first timer due at or before `through`, if there is one."""
        while (key := self._heap.pop_due(min(through, self._horizon))) is None:
            if through <= self._horizon:
                return None
            self._extend(through + TIMER_HORIZON)
        self._forget(key)
        return key

    def first_unfired(self, now: int) -> TimerKey | None:
        """Return the first timer that is due by an instant; some of one may have fired before."""
        return min((key for key in self._heap if key.due_at <= now), default=None)

    def next_due(self) -> int:
        """Return when to look again: the first timer in memory, or the end of the horizon."""
        due_at = self._heap.next_due()
        return self._horizon if due_at is None else min(due_at, self._horizon)

    def first(self) -> TimerKey | None:
        """Return the timer that is due first, however far ahead."""
        asked = 1 + len(self._gone) + len(self._gone_being_written)
        stored = self._snapshot.timers_between(-1, FOREVER, asked)
        return min(self._overlay(set(stored)), default=None)

    def of_campaign(self, campaign: str) -> list[TimerKey]:
        """Return the timers of a campaign, in order."""
        stored = set(self._snapshot.timers_of(campaign))
        return sorted(key for key in self._overlay(stored) if key.campaign == campaign)

    async def page_of(
        self, campaign: str, limit: int, after: TimerKey | None
    ) -> tuple[list[TimerKey], TimerKey | None]:
        """Return the first timers of a campaign behind `after`, and what the next are behind.

        The snapshot has no index by campaign: finding a few among ten million takes a second or
        more, and so a thread. A page may be short of `limit` though more follow.
        """
        asked = limit + len(self._gone) + len(self._gone_being_written)
        for _ in range(_LOOKS_MAX):
            writing = self._writing_number
            stored = await asyncio.to_thread(self._snapshot.timers_of, campaign, asked, after)
            if writing == self._writing_number:
                break
        else:
            stored = self._snapshot.timers_of(campaign, asked, after)
        found = sorted(key for key in self._overlay(set(stored)) if key.campaign == campaign)
        last = stored[-1] if len(stored) == asked else None
        page = [
            key for key in found if (after is None or key > after) and (last is None or key <= last)
        ]
        return page[:limit], page[limit - 1] if len(page) > limit else last

    def begin_writing(self) -> tuple[list[TimerKey], list[TimerKey]]:
        """Return the timers to write and those to delete; until `end_writing` both stay here."""
        self._set_being_written, self._set = self._set, set()
        self._gone_being_written, self._gone = self._gone, set()
        self._forgotten_being_written, self._forgotten = self._forgotten, set()
        return sorted(self._set_being_written), sorted(self._gone_being_written)

    def end_writing(self, is_written: bool) -> None:
        """Let go of what was written; after a failure it is written again."""
        if not is_written:
            self._set |= self._set_being_written - self._gone
            self._gone |= self._gone_being_written - self._set
            self._forgotten |= self._forgotten_being_written
        self._set_being_written, self._gone_being_written = set(), set()
        self._forgotten_being_written = set()
        self._writing_number += 1

    def _forget(self, key: TimerKey) -> None:
        # Deleted even if it was never written: whether the snapshot has it is not known here.
        self._set.discard(key)
        self._gone.add(key)

    def _extend(self, horizon: int) -> None:
        """Read timers up to `horizon`, or, after a long pause, as many as memory should hold."""
        stored = self._snapshot.timers_between(self._horizon, horizon, _READ_MAX)
        if len(stored) == _READ_MAX:
            # Some of the last instant may be missing: stop before it, unless it is all there is.
            horizon = stored[-1].due_at - (stored[0].due_at < stored[-1].due_at)
            stored = self._snapshot.timers_between(self._horizon, horizon)
        for key in self._overlay(set(stored)):
            if self._horizon < key.due_at <= horizon:
                self._heap.add(key)
        self._horizon = horizon

    def _overlay(self, stored: set[TimerKey]) -> set[TimerKey]:
        """Return timers of the snapshot, corrected by what it does not know yet."""
        stored = _without(stored, self._forgotten_being_written)
        older = (stored - self._gone_being_written) | self._set_being_written
        return (_without(older, self._forgotten) - self._gone) | self._set


def _without(keys: set[TimerKey], user_ids: set[str]) -> set[TimerKey]:
    """Return the timers of all other users."""
    return {key for key in keys if key.user_id not in user_ids} if user_ids else keys
