"""How fast a campaign's messages may go: so many a minute, evenly (a ceiling, not a promise)."""

from segue.model.instants import MINUTE


class Pace:
    """Gives each message of a slowed campaign its instant, in the order they ask."""

    def __init__(self) -> None:
        self._next: dict[str, int] = {}

    def slot(self, slug: str, sends_per_minute_max: int, now: int) -> int:
        """Return when the campaign's next message may go, and keep that instant for it."""
        at = max(now, self._next.get(slug, 0))
        self._next[slug] = at + max(MINUTE // sends_per_minute_max, 1)
        return at
