"""Segments as people handle them: list, show, save, delete. What is saved holds at once."""

from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct

from segue.engine.reference_checks import check_segment_references
from segue.engine.references import segments_in
from segue.engine.workspace_checks import decode_segment
from segue.errors import ConflictError, NotFoundError
from segue.model.decoding import did_you_mean, shown
from segue.model.filters import Filter
from segue.model.limits import SEGMENTS_MAX
from segue.model.log_records import SegmentDeleted, SegmentSet
from segue.model.problems import InvalidError, Problem
from segue.model.workspace import Segment
from segue.runtime.runtime import Runtime
from segue.services.campaigns import known_campaign
from segue.services.differences import fingerprint_of


class Referrer(Struct, frozen=True):
    """A campaign or another segment that refers to a segment."""

    kind: Literal["campaign", "segment"]
    slug: str
    name: str


class Segments:
    """The verbs on segments. Each change is a record of the log, in the plan when it is done."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def all(self) -> list[Segment]:
        """Return all segments, by slug."""
        return [segment for _, segment in sorted(self._segments.items())]

    def find(self, slug: str) -> Segment:
        """Return a segment.

        Raises:
            NotFoundError: there is none of this slug.
        """
        if slug not in self._segments:
            hint = did_you_mean(slug, [*self._segments])
            raise NotFoundError(f"there is no segment {shown(slug)}{hint}")
        return self._segments[slug]

    def referrers(self) -> dict[str, list[Referrer]]:
        """Return what refers to each segment: campaigns not archived, and other segments."""
        found: dict[str, list[Referrer]] = {}
        for campaign in self._runtime.journal.list_campaigns():
            if campaign.status != "archived":
                document = campaign.document
                one = Referrer("campaign", document.slug, document.name)
                _note(found, one, document.audience)
        for segment in self.all():
            _note(found, Referrer("segment", segment.slug, segment.name), segment.filter)
        return found

    def referrers_of(self, slug: str) -> list[Referrer]:
        """Return what refers to a segment."""
        return self.referrers().get(slug, [])

    def problems(self, raw: object) -> list[Problem]:
        """Return everything that is wrong with a document, which nobody saves yet."""
        try:
            return self._problems(decode_segment(raw))
        except InvalidError as error:
            return list(error.problems)

    async def create(self, raw: object) -> Segment:
        """Save a new segment.

        Raises:
            InvalidError: with every fault, those of its references included.
            ConflictError: its slug is taken.
        """
        segment = decode_segment(raw)
        async with self._runtime.changing([segment.filter]):
            if segment.slug in self._segments:
                message = f"the slug {shown(segment.slug)} is taken by another segment"
                raise ConflictError(message)
            return await self._save(segment)

    async def put(self, slug: str, raw: object) -> tuple[Segment, bool]:
        """Save a segment under a slug, new or in place of the one there; return which it was.

        Raises:
            InvalidError: with every fault, those of its references included.
            ConflictError: the document has another slug.
        """
        segment = decode_segment(with_slug(raw, slug))
        refuse_new_slug(slug, segment.slug, "segment")
        async with self._runtime.changing([segment.filter]):
            is_new = slug not in self._segments
            return await self._save(segment), is_new

    async def delete(self, slug: str) -> None:
        """Delete a segment that nothing refers to.

        Raises:
            ConflictError: something does; the message names it.
        """
        async with self._runtime.changing():
            self.find(slug)
            referrers = self.referrers_of(slug)
            if referrers:
                names = ", ".join(f"the {one.kind} {one.slug}" for one in referrers)
                message = f"{slug} is in use by {names}; change or archive those first"
                raise ConflictError(message)
            committed = self._runtime.commits.hand_in(lambda at: SegmentDeleted(at, slug))
            await self._runtime.decided(committed)

    @property
    def _segments(self) -> Mapping[str, Segment]:
        return self._runtime.plan.segments

    async def _save(self, segment: Segment) -> Segment:
        known = self._segments.get(segment.slug)
        if known is not None and fingerprint_of(known) == fingerprint_of(segment):
            return segment
        if problems := self._problems(segment):
            raise InvalidError(problems, "The segment")
        await self._runtime.decided(
            self._runtime.commits.hand_in(lambda at: SegmentSet(at, segment))
        )
        return segment

    def _problems(self, segment: Segment) -> list[Problem]:
        """Return what is wrong with a segment among everything else."""
        campaigns = self._runtime.journal.list_campaigns()
        others = {one.slug: known_campaign(one) for one in campaigns}
        workspace = self._runtime.plan.workspace
        found = check_segment_references(segment, others, self._segments, workspace)
        problems = [*found.errors]
        if len({*self._segments, segment.slug}) > SEGMENTS_MAX:
            message = f"would be one too many; there can be {SEGMENTS_MAX} segments"
            problems.append(Problem("", message))
        return problems


def _note(found: dict[str, list[Referrer]], referrer: Referrer, node: Filter | None) -> None:
    for slug in dict.fromkeys(name for name, _ in segments_in(node, "")):
        found.setdefault(slug, []).append(referrer)


def with_slug(raw: object, slug: str) -> Any:
    """Return a document with the slug it is saved under, where it does not say one itself."""
    return {"slug": slug, **raw} if isinstance(raw, dict) else raw


def refuse_new_slug(slug: str, written: str, what: str) -> None:
    """Refuse to give something another slug.

    Raises:
        ConflictError: the slug written in the document is another one.
    """
    if written != slug:
        message = (
            f"the document says {shown(written)}, not {shown(slug)}: a {what} keeps its slug, "
            "which others and the log refer to"
        )
        raise ConflictError(message)
