"""The outbox: messages decided and not yet handed over, in the order they may be tried."""

from collections.abc import Callable, Iterable
from typing import assert_never

from msgspec.structs import replace

from segue.model.channels import CHANNELS
from segue.model.devices import DevicesTried
from segue.model.effects import Deliver
from segue.model.events import SendSettled
from segue.model.log_records import (
    HandOver,
    LettersDismissed,
    SendsAttempted,
    SendsDeferred,
    SendsSettled,
)
from segue.runtime.dead_letters import DeadLetters
from segue.runtime.fair_queue import FairQueue
from segue.runtime.kept import Kept
from segue.storage.outbox_items import DeadLetter, OutboxItem


class Outbox:
    """What the log has made of the sends; it follows the log's records, whoever wrote them.

    Messages that fail go on to the `letters`.
    """

    def __init__(
        self, items: Iterable[OutboxItem] = (), letters: Iterable[DeadLetter] = ()
    ) -> None:
        self._kept: Kept[OutboxItem] = Kept()
        self.letters = DeadLetters(letters)
        self.seq = 0  # the block whose records come now
        self._ready = FairQueue(self._is_ready_at)
        for item in items:
            self.items[item.key] = item
            self._queue(item)

    def __len__(self) -> int:
        return len(self.items)

    @property
    def items(self) -> dict[str, OutboxItem]:
        """The messages by their keys."""
        return self._kept.items

    def add(self, deliver: Deliver) -> None:
        """Add the messages of a send; or one of them once more, which is no dead letter then."""
        for channel in deliver.channels:
            item = OutboxItem(
                deliver, channel, next_attempt_at=deliver.decided_at, tried=deliver.tried
            )
            self.letters.remove(item.key)
            self._kept.put(item.key, item)
            self._queue(item)

    def follow(self, record: HandOver) -> None:
        """Take in what the log says of hand-overs.

        It may be ahead of the fold, and be written down so: what a message has taken in already
        is passed over when the log is replayed.
        """
        match record:
            case SendsAttempted():
                for send_id, channel in record.attempts:
                    self._attempted(f"{send_id}/{channel}", record.received_at)
            case SendsDeferred():
                pushes = dict(record.tried)
                for send_id, channel, again_at, _detail in record.deferred:
                    tried = pushes.get(send_id) if channel == "push" else None
                    self._deferred(f"{send_id}/{channel}", again_at, tried)
            case SendsSettled():
                for settled in record.settled:
                    self._settled(settled, record.received_at)
            case LettersDismissed():
                for send_id, channel in record.letters:
                    self.letters.remove(f"{send_id}/{channel}")
            case _:
                assert_never(record)

    def retry(self, key: str, again_at: int) -> None:
        """Let a message be tried again at an instant."""
        item = self.items.get(key)
        if item is not None:
            item = replace(item, is_attempted=False, next_attempt_at=again_at)
            self._kept.put(key, item)
            self._queue(item)

    def forget(self, user_id: str) -> None:
        """Take out everything of a user who was erased."""
        for item in list(self.items.values()):
            if item.deliver.user_id == user_id:
                self._kept.remove(item.key)
        self.letters.forget(user_id)

    def take_ready(self, now: int, may_take: Callable[[str], bool]) -> list[OutboxItem]:
        """Return messages that may be tried by `now`, in turn from each campaign; each only once.

        `may_take` says whether one more of a campaign may go. Of a campaign, what may go first
        goes first. Not those that were cut off by a crash: after a replay they stand in the queue
        still.
        """
        return [self.items[key] for key in self._ready.take(now, may_take)]

    def next_ready_at(self) -> int | None:
        """Return when the next message may be tried."""
        return self._ready.next_at()

    def cut_off(self) -> list[OutboxItem]:
        """Return the messages whose attempt is in the log without an outcome."""
        return [item for item in self.items.values() if item.is_attempted]

    def begin_writing(self) -> tuple[list[OutboxItem], list[str]]:
        """Return the messages to write and the keys to delete."""
        return self._kept.begin_writing()

    def end_writing(self, is_written: bool) -> None:
        """Forget what was written; after a failure it is written again."""
        self._kept.end_writing(is_written)

    def _attempted(self, key: str, at: int) -> None:
        item = self._behind(key)
        if item is not None:
            first = item.first_attempt_at if item.first_attempt_at is not None else at
            item = replace(
                item,
                is_attempted=True,
                attempts=item.attempts + 1,
                first_attempt_at=first,
                last_attempt_at=at,
                followed_seq=self.seq,
            )
            self._kept.put(key, item)

    def _deferred(self, key: str, again_at: int, tried: DevicesTried | None) -> None:
        item = self._behind(key)
        if item is not None:
            tried = item.tried + tried if tried is not None else item.tried
            self._kept.put(key, replace(item, tried=tried, followed_seq=self.seq))
            self.retry(key, again_at)

    def _behind(self, key: str) -> OutboxItem | None:
        """Return a message, unless it has taken in the present block already.

        No block has two records about one: each waits until that before it is durable.
        """
        item = self.items.get(key)
        return None if item is not None and 0 < self.seq <= item.followed_seq else item

    def _settled(self, settled: SendSettled, now: int) -> None:
        """Take a message out: it came to an end."""
        item = self._kept.remove(f"{settled.send_id}/{settled.channel}")
        if item is None:
            return
        self.letters.settled(item, settled, now)
        if settled.settled_as == "accepted":
            self._accepted(settled)

    def _accepted(self, settled: SendSettled) -> None:
        """Note it with the other messages of the send: one that fails is the rest of it."""
        for channel in CHANNELS:
            key = f"{settled.send_id}/{channel}"
            item = self.items.get(key)
            if item is not None:
                self._kept.put(key, _with_accepted(item, settled))
            letter = self.letters.find(key)
            if letter is not None:
                self.letters.put(replace(letter, item=_with_accepted(letter.item, settled)))

    def _queue(self, item: OutboxItem) -> None:
        if not item.is_attempted:
            self._ready.put(item.deliver.campaign, item.key, item.next_attempt_at)

    def _is_ready_at(self, key: str, at: int) -> bool:
        item = self.items.get(key)
        return item is not None and not item.is_attempted and item.next_attempt_at == at


def _with_accepted(item: OutboxItem, settled: SendSettled) -> OutboxItem:
    deliver = item.deliver
    return replace(item, deliver=replace(deliver, accepted=[*deliver.accepted, settled.channel]))
