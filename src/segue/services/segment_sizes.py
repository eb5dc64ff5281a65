"""How large each segment was when it was last counted, as long as the server runs."""

from msgspec import Struct

from segue.runtime.runtime import Runtime
from segue.services.counts import AudienceSize, Counts
from segue.services.differences import fingerprint_of
from segue.services.segments import Segments


class SegmentSize(Struct, frozen=True):
    """The end of a count. It is told of no other filter than the one that was counted."""

    count: int
    users: int
    at: int
    fingerprint: bytes


class SegmentSizes:
    """Counts segments, and remembers what came of it. There are no more than segments."""

    def __init__(self, runtime: Runtime, segments: Segments, counts: Counts) -> None:
        self._runtime = runtime
        self._segments = segments
        self._counts = counts
        self._known: dict[str, SegmentSize] = {}

    def of(self, slug: str) -> SegmentSize | None:
        """Return a segment's size; None if it was not counted as it is now."""
        known = self._known.get(slug)
        if known is None or known.fingerprint != fingerprint_of(self._segments.find(slug)):
            return None
        return known

    async def begin(self, slug: str) -> AudienceSize:
        """Begin to count a segment.

        Raises:
            NotFoundError: there is no such segment.
            BusyError: too many counts are going on.
        """
        fingerprint = fingerprint_of(self._segments.find(slug))

        def note(size: AudienceSize) -> None:
            if size.is_exact and size.count is not None and size.users is not None:
                self._forget_deleted()
                now = self._runtime.clock.now()
                self._known[slug] = SegmentSize(size.count, size.users, now, fingerprint)

        return await self._counts.begin({"filter": {"segment": slug}}, note)

    def _forget_deleted(self) -> None:
        slugs = {one.slug for one in self._segments.all()}
        self._known = {slug: size for slug, size in self._known.items() if slug in slugs}
