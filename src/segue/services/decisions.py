"""What was decided about a campaign, the newest first, a page at a time.

Decisions are recorded in blocks. A page reads blocks back from the newest until it is full, or
until it has read enough: then it says how far it came, and the next page goes on there.
"""

import asyncio
import re
from collections.abc import Collection, Iterator
from typing import Final

from msgspec import Struct

from segue.model.limits import DECISION_BLOCKS_MAX, DECISIONS_READ_MAX
from segue.model.problems import InvalidError, Problem
from segue.model.verdicts import Verdict, VerdictKind
from segue.runtime.runtime import Runtime
from segue.storage.ports import Position, Snapshot

_BLOCKS_SINCE_MAX: Final = 20  # which what was not written then can be spread over
_CURSOR: Final = re.compile(r"([0-9]{1,15})\.([0-9]{1,15})")
_Key = tuple[str, str]  # user and cause: what a send and its skip have in common


class DecisionPage(Struct, frozen=True):
    """Some decisions, the newest first; `next_cursor` asks for what came before.

    A send that came to nothing soon, since no provider took it, is told as the skip that it became.
    `read_back_to` is the instant of the oldest decision that was looked at, of any campaign.
    """

    data: list[Verdict]
    read_back_to: int | None
    next_cursor: str | None


class _Place(Struct, frozen=True):
    """Everything before an index of a block; the block behind the last is what is not written."""

    block: int
    index: int


class _Record(Struct, frozen=True):
    """All decisions as of one moment: written blocks up to `newest`, and those to come."""

    snapshot: Snapshot
    newest: int
    pending: list[Verdict]

    def block(self, number: int) -> tuple[int, list[Verdict]] | None:
        """Return a block, or the nearest before it that is kept."""
        if number > self.newest:
            return self.newest + 1, self.pending
        return self.snapshot.verdict_block(number + 1)

    def end(self) -> _Place:
        """Return the place behind everything."""
        return _Place(self.newest + 1, len(self.pending))

    def settled(self, place: _Place) -> _Place:
        """Return where a place is now: what was not written then stands in blocks since."""
        block, index = place.block, place.index
        for _ in range(_BLOCKS_SINCE_MAX):
            found = self.block(block)
            if found is None or found[0] != block or index <= len(found[1]):
                break
            index -= len(found[1])
            block += 1
        return _Place(block, index)

    def skipped_behind(self, place: _Place, slug: str) -> set[_Key]:
        """Return which sends came to nothing in the block of a place, behind it."""
        found = self.block(place.block)
        behind = found[1][place.index :] if found is not None and found[0] == place.block else []
        return {_key_of(one) for one in behind if one.campaign == slug and one.decision == "skip"}

    def back_from(self, place: _Place) -> Iterator[tuple[_Place, Verdict]]:
        """Yield decisions from a place back, each with the place before it."""
        end: int | None = place.index
        number, read, looked_at = place.block, 0, 0
        while read < DECISION_BLOCKS_MAX and looked_at < DECISIONS_READ_MAX:
            found = self.block(number)
            if found is None:
                return
            if found[0] < number <= self.newest:
                end = None  # the block is kept no more: all of the one before it is older
            number, verdicts = found
            for index in reversed(range(len(verdicts[:end]))):
                looked_at += 1
                yield _Place(number, index), verdicts[index]
            number, read, end = number - 1, read + 1, None


async def decisions_of(
    runtime: Runtime, slug: str, kinds: Collection[VerdictKind], limit: int, cursor: str = ""
) -> DecisionPage:
    """Return the newest decisions about a campaign behind a cursor.

    Raises:
        InvalidError: the cursor is none of ours.
    """
    place = _read_cursor(cursor) if cursor else None
    record = await _record_of(runtime)
    return await asyncio.to_thread(_page, record, slug, kinds, limit, place)


def _page(
    record: _Record, slug: str, kinds: Collection[VerdictKind], limit: int, place: _Place | None
) -> DecisionPage:
    found: list[Verdict] = []
    begin = record.settled(place) if place is not None else record.end()
    undone = record.skipped_behind(begin, slug)
    last, oldest = begin, None
    for before, verdict in record.back_from(begin):
        last, oldest = before, verdict.at
        if verdict.campaign != slug:
            continue
        if verdict.decision == "skip":
            undone.add(_key_of(verdict))
        is_undone = verdict.decision == "send" and _key_of(verdict) in undone
        if verdict.decision in kinds and not is_undone:
            found.append(verdict)
            if len(found) == limit:
                break
    has_more = last.index > 0 or record.block(last.block - 1) is not None
    return DecisionPage(found, oldest, f"{last.block}.{last.index}" if has_more else None)


def _key_of(verdict: Verdict) -> _Key:
    return verdict.user_id, verdict.cause


async def _record_of(runtime: Runtime) -> _Record:
    """Return the record as of one moment, whatever checkpoint is being written."""
    checkpoints = runtime.checkpoints
    while True:
        position, newest = await asyncio.to_thread(_newest_of, runtime.snapshot)
        is_written = position == checkpoints.position_being_written
        if is_written or position == checkpoints.written_position:
            pending = runtime.outcomes.pending_verdicts(are_written=is_written)
            return _Record(runtime.snapshot, newest, pending)


def _newest_of(snapshot: Snapshot) -> tuple[Position, int]:
    while True:
        position, found = snapshot.position(), snapshot.verdict_block()
        if snapshot.position() == position:
            return position, found[0] if found is not None else 0


def _read_cursor(cursor: str) -> _Place:
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        problem = Problem("cursor", f"{cursor!r} is none; take next_cursor of the page before")
        raise InvalidError([problem], "The request")
    return _Place(int(found[1]), int(found[2]))
