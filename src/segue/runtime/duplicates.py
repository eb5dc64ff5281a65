"""Which event ids were seen in the last 24 hours, so that each is applied once (semantics.md 8).

Ids are kept in generations of an hour. Both the window and the number of ids are bounded: past
`RECENT_IDS_MAX` the oldest generation goes, which shortens the window and is counted.
"""

from segue.model.instants import HOUR
from segue.model.limits import DUPLICATE_WINDOW, RECENT_IDS_MAX


class RecentIds:
    """Ids by the user they came from. Asking for one also notes it."""

    def __init__(self, ids_max: int = RECENT_IDS_MAX) -> None:
        self.ids_max = ids_max
        self.shortened_count = 0
        # (start of the hour, id -> when it was accepted), oldest first
        self.generations: list[tuple[int, dict[tuple[str, str], int]]] = []

    def is_duplicate(self, user_id: str, event_id: str, now: int) -> bool:
        """Return whether this id of this user was accepted less than 24 hours before `now`."""
        key = (user_id, event_id)
        for _, ids in reversed(self.generations):
            seen_at = ids.get(key)
            if seen_at is not None and now - seen_at < DUPLICATE_WINDOW:
                return True
        self._newest(now)[key] = now
        return False

    def forget(self, user_id: str, event_id: str) -> None:
        """Take an id back, because its event was not accepted after all."""
        for _, ids in self.generations:
            ids.pop((user_id, event_id), None)

    def _newest(self, now: int) -> dict[tuple[str, str], int]:
        hour = now - now % HOUR
        if not self.generations or self.generations[-1][0] != hour:
            self.generations.append((hour, {}))
            self._forget(now)
        elif self.count() >= self.ids_max:
            self.shortened_count += 1
            del self.generations[0]
            return self._newest(now)
        return self.generations[-1][1]

    def _forget(self, now: int) -> None:
        oldest_kept = now - DUPLICATE_WINDOW - HOUR
        self.generations = [pair for pair in self.generations if pair[0] > oldest_kept]

    def count(self) -> int:
        """Return how many ids are kept."""
        return sum(len(ids) for _, ids in self.generations)
