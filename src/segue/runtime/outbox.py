"""The outbox: messages decided and not yet handed over, in the order they may be tried."""

import heapq
from collections.abc import Iterable

from msgspec.structs import replace

from segue.model.devices import DevicesTried
from segue.model.effects import Deliver
from segue.model.log_records import SendsAttempted, SendsDeferred, SendsSettled
from segue.storage.ports import OutboxItem


class Outbox:
    """What the log has made of the sends; it follows the log's records, whoever wrote them."""

    def __init__(self, items: Iterable[OutboxItem] = ()) -> None:
        self.items: dict[str, OutboxItem] = {}
        self._ready: list[tuple[int, int, str]] = []
        self._counter = 0
        self._changed: set[str] = set()
        self._gone: set[str] = set()
        self._begun_writing: tuple[set[str], set[str]] = (set(), set())
        for item in items:
            self.items[item.key] = item
            self._queue(item)

    def __len__(self) -> int:
        return len(self.items)

    def add(self, deliver: Deliver) -> None:
        """Add the messages of a send."""
        for channel in deliver.channels:
            item = OutboxItem(deliver, channel, next_attempt_at=deliver.decided_at)
            self._store(item)
            self._queue(item)

    def follow(self, record: SendsAttempted | SendsDeferred | SendsSettled) -> None:
        """Take in what the log says of hand-overs."""
        match record:
            case SendsAttempted():
                for send_id, channel in record.attempts:
                    self._attempted(f"{send_id}/{channel}", record.received_at)
            case SendsDeferred():
                for send_id, tried in record.tried:
                    self._tried(f"{send_id}/push", tried)
                for send_id, channel, again_at, _detail in record.deferred:
                    self.retry(f"{send_id}/{channel}", again_at)
            case SendsSettled():
                for settled in record.settled:
                    self.remove(f"{settled.send_id}/{settled.channel}")

    def retry(self, key: str, again_at: int) -> None:
        """Let a message be tried again at an instant."""
        item = self.items.get(key)
        if item is not None:
            item = replace(item, is_attempted=False, next_attempt_at=again_at)
            self._store(item)
            self._queue(item)

    def remove(self, key: str) -> None:
        """Take a message out: it came to an end."""
        if self.items.pop(key, None) is not None:
            self._changed.discard(key)
            self._gone.add(key)

    def take_ready(self, now: int, count_max: int) -> list[OutboxItem]:
        """Return messages that may be tried by `now`, first decided first; each only once.

        Not those that were cut off by a crash: after a replay they stand in the queue still.
        """
        ready: list[OutboxItem] = []
        while self._ready and len(ready) < count_max and self._ready[0][0] <= now:
            next_attempt_at, _, key = heapq.heappop(self._ready)
            item = self.items.get(key)
            if item is None or item.is_attempted:
                continue
            if item.next_attempt_at == next_attempt_at:
                ready.append(item)
        return ready

    def next_ready_at(self) -> int | None:
        """Return when the next message may be tried."""
        return self._ready[0][0] if self._ready else None

    def cut_off(self) -> list[OutboxItem]:
        """Return the messages whose attempt is in the log without an outcome."""
        return [item for item in self.items.values() if item.is_attempted]

    def begin_writing(self) -> tuple[list[OutboxItem], list[str]]:
        """Return the messages to write and the keys to delete."""
        self._begun_writing = (self._changed, self._gone)
        written = [self.items[key] for key in self._changed]
        gone = sorted(self._gone)
        self._changed, self._gone = set(), set()
        return written, gone

    def end_writing(self, is_written: bool) -> None:
        """Forget what was written; after a failure it is written again."""
        if not is_written:
            changed, gone = self._begun_writing
            self._gone |= gone
            self._changed |= {key for key in changed if key in self.items}
        self._begun_writing = (set(), set())

    def _attempted(self, key: str, at: int) -> None:
        item = self.items.get(key)
        if item is not None:
            first = item.first_attempt_at if item.first_attempt_at is not None else at
            self._store(
                replace(item, is_attempted=True, attempts=item.attempts + 1, first_attempt_at=first)
            )

    def _tried(self, key: str, tried: DevicesTried) -> None:
        item = self.items.get(key)
        if item is not None:
            self._store(replace(item, tried=item.tried + tried))

    def _store(self, item: OutboxItem) -> None:
        self.items[item.key] = item
        self._changed.add(item.key)

    def _queue(self, item: OutboxItem) -> None:
        if item.is_attempted:
            return
        self._counter += 1
        heapq.heappush(self._ready, (item.next_attempt_at, self._counter, item.key))
