"""Messages that may be tried, in turn from each campaign: a large one does not stand before all."""

import heapq
from collections import deque
from collections.abc import Callable, Container


class FairQueue:
    """Keys of messages by campaign, each with the instant from which it may be tried.

    What is no longer so is put in once more; `is_current` tells the newest from those before.
    """

    def __init__(self, is_current: Callable[[str, int], bool]) -> None:
        self._is_current = is_current
        self._by_campaign: dict[str, list[tuple[int, int, str]]] = {}  # the next in turn first
        self._counter = 0

    def put(self, campaign: str, key: str, at: int) -> None:
        """Add a message; of those of an instant, what comes first goes first."""
        self._counter += 1
        heapq.heappush(self._by_campaign.setdefault(campaign, []), (at, self._counter, key))

    def take(self, now: int, may_take: Callable[[str], bool]) -> list[str]:
        """Take messages that may be tried by `now`, one of each campaign after the other.

        `may_take` is asked before each whether one more of its campaign may go, and counts it.
        """
        taken: dict[str, None] = {}  # in order; one may stand in the queue twice at an instant
        turns = deque(self._by_campaign)
        while turns:
            campaign = turns.popleft()
            at = self._first_at(campaign, taken)
            if at is None or at > now or not may_take(campaign):
                continue
            queue = self._by_campaign.pop(campaign)
            taken[heapq.heappop(queue)[2]] = None
            if queue:
                self._by_campaign[campaign] = queue  # behind the others now
                turns.append(campaign)
        return list(taken)

    def next_at(self) -> int | None:
        """Return when the next message may be tried."""
        return min((queue[0][0] for queue in self._by_campaign.values()), default=None)

    def _first_at(self, campaign: str, taken: Container[str]) -> int | None:
        """Return when a campaign's first may be tried, after letting go of what is outdated."""
        queue = self._by_campaign[campaign]
        while queue:
            at, _, key = queue[0]
            if key not in taken and self._is_current(key, at):
                break
            heapq.heappop(queue)
        if not queue:
            del self._by_campaign[campaign]
            return None
        return queue[0][0]
