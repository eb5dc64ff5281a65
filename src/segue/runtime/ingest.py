"""Taking events in: what is wrong is rejected by index, what is double is dropped, the rest is
appended and acknowledged once it is durable (semantics.md 8).
"""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from segue.errors import BusyError
from segue.model.events import PURCHASE, AttributeChange, DeviceChanged, Event
from segue.model.interactions import ACTS, DERIVED_ACTS
from segue.model.limits import (
    BODIES_BYTES_MAX,
    INGEST_BACKLOG_BYTES_MAX,
    INGEST_BACKLOG_EVENTS_MAX,
)
from segue.model.log_records import AttributesReceived, DevicesChanged, EventsReceived
from segue.runtime.duplicates import RecentIds
from segue.runtime.group_commit import GroupCommit
from segue.runtime.processor import Processor
from segue.runtime.token_owners import TokenOwners

_TOO_LARGE: Final = "holds a whole number beyond 64 bits; send it as text"


class Rejected(Struct, frozen=True):
    """An entry that was not taken: its place in the call, and why."""

    index: int
    message: str


class Taken(Struct, frozen=True):
    """What became of a call's entries; all accepted ones are durable."""

    accepted: int
    duplicates: int
    rejected: list[Rejected]


class Ingest:
    """The door for events and profile changes."""

    def __init__(
        self,
        commits: GroupCommit,
        processor: Processor,
        recent_ids: RecentIds,
        token_owners: TokenOwners,
    ) -> None:
        self._commits = commits
        self._token_owners = token_owners
        self._processor = processor
        self._recent_ids = recent_ids
        self._under_way: dict[tuple[str, str], asyncio.Future[int]] = {}  # ids not yet durable
        self._tokens_under_way: dict[str, asyncio.Future[int]] = {}
        self.backlog_max = INGEST_BACKLOG_EVENTS_MAX
        self.event_count = 0
        self._body_bytes = 0

    async def take_events(
        self,
        events: Sequence[Event | Rejected],
        is_trusted: bool = False,
        *,
        is_urgent: bool = False,
    ) -> Taken:
        """Append events; entries that could not be decoded come along as `Rejected`.

        Only Segue itself (`is_trusted`) may report what it derives, such as a receipt. What is
        few and nobody would send again (`is_urgent`) is taken however much is waiting.

        Raises:
            BusyError: more is waiting to be decided than memory should hold.
        """
        if not is_urgent:
            self.refuse_when_busy()
        rejected = [entry for entry in events if isinstance(entry, Rejected)]
        taken: list[Event] = []
        noted: list[tuple[str, str]] = []
        duplicates: list[Event] = []
        now = self._commits.stamp()
        for index, event in enumerate(events):
            if isinstance(event, Rejected):
                continue
            if (message := self._fault_of(event, is_trusted)) is not None:
                rejected.append(Rejected(index, message))
            elif event.id is None:
                taken.append(self._with_slug(event))
            elif self._recent_ids.is_duplicate(event.user_id, event.id, now):
                duplicates.append(event)
            else:
                noted.append((event.user_id, event.id))
                taken.append(self._with_slug(event))
        if taken:
            try:
                await self._append(taken, noted)
            except OverflowError:
                kept = _without_unkept(events)
                if kept == list(events):
                    raise
                return await self.take_events(kept, is_trusted, is_urgent=is_urgent)
        again = await self._take_doubles_of_lost(duplicates, is_trusted)
        rejected.sort(key=lambda one: one.index)
        self.event_count += len(taken)
        return Taken(len(taken) + again, len(duplicates) - again, rejected)

    async def take_attributes(
        self, changes: Sequence[AttributeChange], *, is_urgent: bool = False
    ) -> None:
        """Append profile changes; those that are urgent however much is waiting.

        Raises:
            BusyError: more is waiting to be decided than memory should hold.
        """
        if not is_urgent:
            self.refuse_when_busy()
        await self._commits.hand_in(lambda at: AttributesReceived(at, list(changes)))

    async def take_devices(self, changes: Sequence[DeviceChanged]) -> None:
        """Append devices that were registered or removed; a token is taken from who had it.

        Raises:
            BusyError: more is waiting to be decided than memory should hold.
        """
        self.refuse_when_busy()
        owners, under_way = self._token_owners, self._tokens_under_way
        tokens = [one.device.token for one in changes]
        # Whom a token is taken from is known once what came before is durable, or is lost.
        while earlier := {under_way[token] for token in tokens if token in under_way}:
            await asyncio.wait(earlier)
        before = [owners.owner_of(token) for token in tokens]
        committed = self._commits.hand_in(lambda at: DevicesChanged(at, owners.taken(changes)))
        under_way.update(dict.fromkeys(tokens, committed))

        def ended(committed: "asyncio.Future[int]") -> None:
            for token in set(tokens):
                del under_way[token]
            if _is_lost(committed):
                owners.give_back(changes, before)  # who had the tokens has them still

        committed.add_done_callback(ended)
        await asyncio.shield(committed)

    def refuse_when_busy(self) -> None:
        """Keep more from coming in than can be decided about.

        Raises:
            BusyError: more is waiting to be written or decided than memory should hold.
        """
        entries = self._commits.waiting_entries + self._processor.backlog_entries
        size = self._commits.waiting_bytes + self._processor.backlog_bytes
        if entries > self.backlog_max or size > INGEST_BACKLOG_BYTES_MAX:
            message = (
                f"{entries} events of {size} bytes are waiting to be decided; try again in a moment"
            )
            raise BusyError(message)

    @contextmanager
    def room_for(self, byte_count: int) -> Iterator[None]:
        """Keep memory for a body while it is read, decoded and written.

        Raises:
            BusyError: bodies of other calls take it, or more is waiting than can be decided about.
        """
        self.refuse_when_busy()
        if self._body_bytes and self._body_bytes + byte_count > BODIES_BYTES_MAX:
            message = (
                f"{self._body_bytes} bytes of other calls are being read; try again in a moment"
            )
            raise BusyError(message)
        self._body_bytes += byte_count
        try:
            yield
        finally:
            self._body_bytes -= byte_count

    async def _append(self, taken: list[Event], noted: list[tuple[str, str]]) -> None:
        committed = self._commits.hand_in(lambda at: EventsReceived(at, taken))
        self._under_way.update(dict.fromkeys(noted, committed))
        committed.add_done_callback(lambda done: self._ended(noted, done))
        await asyncio.shield(committed)  # who asked may go away: what is written stays written

    def _ended(self, noted: list[tuple[str, str]], committed: "asyncio.Future[int]") -> None:
        is_lost = _is_lost(committed)
        for user_id, event_id in noted:
            del self._under_way[user_id, event_id]
            if is_lost:
                # The sender will try again, and must not be taken for a double then.
                self._recent_ids.forget(user_id, event_id)

    async def _take_doubles_of_lost(self, duplicates: list[Event], is_trusted: bool) -> int:
        """Wait until the events that these are doubles of are durable: only then are these.

        Take in those whose first could not be written, and return how many.
        """
        waited: dict[asyncio.Future[int], list[Event]] = {}
        for event in duplicates:
            first = self._under_way.get((event.user_id, event.id or ""))
            if first is not None:
                waited.setdefault(first, []).append(event)
        if not waited:
            return 0
        await asyncio.wait(waited)
        lost = [event for first, events in waited.items() if _is_lost(first) for event in events]
        if not lost:
            return 0
        return (await self.take_events(lost, is_trusted, is_urgent=True)).accepted

    def _fault_of(self, event: Event, is_trusted: bool) -> str | None:
        if event.name in DERIVED_ACTS and not is_trusted:
            return f'"{event.name}" is recorded by Segue itself and cannot be sent'
        if event.name in ACTS and event.campaign is None:
            return f'"{event.name}" is an interaction and needs the "campaign" it was with'
        if event.name == PURCHASE and event.product_id is None:
            return 'a "purchase" needs a "product_id"'
        return None

    def _with_slug(self, event: Event) -> Event:
        """Return the event with its campaign's slug, which the log and the engine go by."""
        if event.campaign is None:
            return event
        campaign = self._processor.fold.plan.find(event.campaign)
        if campaign is None or campaign.slug == event.campaign:
            return event
        return replace(event, campaign=campaign.slug)


def _is_lost(committed: "asyncio.Future[int]") -> bool:
    """Return whether what was handed in could not be written."""
    return committed.cancelled() or committed.exception() is not None


def _without_unkept(events: Sequence[Event | Rejected]) -> list[Event | Rejected]:
    """Return a call's entries, those rejected that hold a number the log cannot.

    Looked for only when the log has refused them all: to try each would cost every call.
    """
    return [
        Rejected(index, _TOO_LARGE) if isinstance(event, Event) and not _is_kept(event) else event
        for index, event in enumerate(events)
    ]


def _is_kept(event: Event) -> bool:
    try:
        msgspec.msgpack.encode(event)
    except OverflowError:
        return False
    return True
