"""Timers in memory: when to look at which user's waiting send again."""

import heapq
from collections.abc import Iterator
from typing import Protocol

from segue.storage.ports import TimerKey


class Timers(Protocol):
    """Timers by due instant. Adding and cancelling cost the same however many there are."""

    def add(self, key: TimerKey) -> None:
        """Add a timer."""

    def cancel(self, key: TimerKey) -> None:
        """Take a timer away."""

    def pop_due(self, through: int) -> TimerKey | None:
        """Take and return the first timer due at or before `through`, if there is one."""

    def of_campaign(self, campaign: str) -> list[TimerKey]:
        """Return the timers of a campaign, in order."""

    def forget_user(self, user_id: str) -> None:
        """Take all timers of a user away."""


class TimerHeap:
    """All timers in one heap; a cancelled one is passed over when its turn comes."""

    def __init__(self) -> None:
        self._heap: list[TimerKey] = []
        self._live: set[TimerKey] = set()

    def __len__(self) -> int:
        return len(self._live)

    def __iter__(self) -> Iterator[TimerKey]:
        return iter(self._live)

    def add(self, key: TimerKey) -> None:
        """Add a timer."""
        if key not in self._live:
            self._live.add(key)
            heapq.heappush(self._heap, key)

    def cancel(self, key: TimerKey) -> None:
        """Take a timer away; the heap is made anew when most of it is gone."""
        self._live.discard(key)
        if len(self._heap) > 2 * len(self._live) + 1024:
            self._heap = sorted(self._live)

    def next_due(self) -> int | None:
        """Return when the first timer is due."""
        while self._heap and self._heap[0] not in self._live:
            heapq.heappop(self._heap)
        return self._heap[0].due_at if self._heap else None

    def pop_due(self, through: int) -> TimerKey | None:
        """Take and return the first timer due at or before `through`, if there is one."""
        due_at = self.next_due()
        if due_at is None or due_at > through:
            return None
        key = heapq.heappop(self._heap)
        self._live.discard(key)
        return key

    def of_campaign(self, campaign: str) -> list[TimerKey]:
        """Return the timers of a campaign, in order."""
        return sorted(key for key in self._live if key.campaign == campaign)

    def forget_user(self, user_id: str) -> None:
        """Take all timers of a user away."""
        for key in [key for key in self._live if key.user_id == user_id]:
            self.cancel(key)
