"""The snapshot in dictionaries; like the journal beside it (`segue.storage.memory`)."""

import threading
from bisect import bisect_right
from collections.abc import Collection, Iterator, Sequence
from typing import Final

from msgspec.structs import replace

from segue.model.log_records import PlanChange, ScheduleWalked
from segue.model.state import STATE_PARTS, StatePart, UserState
from segue.model.verdicts import Verdict
from segue.storage.address_rows import address_changes
from segue.storage.counter_sums import add_up, counter_order
from segue.storage.encoding import (
    decode_dead_letter,
    decode_outbox_item,
    decode_plan_change,
    decode_state,
    decode_verdicts,
    encode,
    encode_verdicts,
)
from segue.storage.memory_addresses import MemoryAddresses
from segue.storage.outbox_items import DeadLetter, OutboxItem
from segue.storage.ports import (
    Checkpoint,
    Counter,
    Position,
    Sums,
    TimerKey,
)

_PLACE: Final = "memory"


class _Encoded:
    """A checkpoint's values, encoded before anything is changed: one may turn out not to be."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.states = {user_id: encode(state) for user_id, state in checkpoint.states}
        self.outbox_put = {
            item.key: (item.deliver.decided_at, item.deliver.user_id, encode(item))
            for item in checkpoint.outbox_put
        }
        self.letters_put = {
            letter.key: (letter.settled_at, letter.item.deliver.user_id, encode(letter))
            for letter in checkpoint.letters_put
        }
        self.counts = [(counter, float(amount)) for counter, amount in checkpoint.counts]
        self.plan_changes = [encode(one) for one in checkpoint.plan_changes]
        self.verdict_blocks = encode_verdicts(checkpoint.verdicts)


class MemorySnapshot:
    """The snapshot in memory."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._position = Position()
        self._states: dict[str, bytes] = {}
        self._timers: set[TimerKey] = set()
        self._outbox: dict[str, tuple[int, str, bytes]] = {}  # decided_at, user_id, item
        self._letters: dict[str, tuple[int, str, bytes]] = {}  # settled_at, user_id, letter
        self._counters: dict[Counter, float] = {}
        self._plan_changes: list[bytes] = []
        self._walks: dict[str, ScheduleWalked] = {}
        self._token_owners: dict[str, str] = {}
        self._addresses = MemoryAddresses()
        self.users_at = self._addresses.users_at
        self._verdict_blocks: list[bytes] = []
        self._verdict_blocks_lost = 0

    def position(self) -> Position:
        """Return how far the snapshot reaches."""
        return self._position

    def commit(self, checkpoint: Checkpoint) -> None:
        """Write a checkpoint, as a whole or not at all."""
        encoded = _Encoded(checkpoint)
        addresses = address_changes(checkpoint, self.load_states)
        with self._lock:
            self._addresses.change(*addresses)
            self._erase(set(checkpoint.erased))
            self._timers.difference_update(checkpoint.timers_gone)
            self._timers.update(checkpoint.timers_set)
            for key in checkpoint.outbox_gone:
                self._outbox.pop(key, None)
            self._outbox.update(encoded.outbox_put)
            for key in checkpoint.letters_gone:
                self._letters.pop(key, None)
            self._letters.update(encoded.letters_put)
            self._states.update(encoded.states)
            for counter, amount in encoded.counts:
                self._counters[counter] = self._counters.get(counter, 0.0) + amount
            self._plan_changes += encoded.plan_changes
            self._walks.update({walk.campaign: walk for walk in checkpoint.walks})
            for token, owner in checkpoint.token_owners:
                self._token_owners.pop(token, None)
                if owner is not None:
                    self._token_owners[token] = owner
            self._verdict_blocks += encoded.verdict_blocks
            self._position = checkpoint.position

    def load_states(self, user_ids: Sequence[str]) -> dict[str, UserState]:
        """Return the states of those users that have one."""
        with self._lock:
            found = {user: self._states[user] for user in user_ids if user in self._states}
        return {user: decode_state(user, stored, _PLACE) for user, stored in found.items()}

    def list_users(self, after: str = "", limit: int = 100) -> list[tuple[str, UserState]]:
        """Return users with a state in the order of their ids, for paging."""
        with self._lock:
            users = sorted(user_id for user_id in self._states if user_id > after)[:limit]
        return list(self.load_states(users).items())

    def list_user_ids(self, after: str = "", limit: int = 100) -> list[str]:
        """Return the ids of users with a state, in order."""
        with self._lock:
            return sorted(user_id for user_id in self._states if user_id > after)[:limit]

    def scan_states(
        self, parts: Collection[StatePart] = STATE_PARTS
    ) -> Iterator[tuple[str, UserState]]:
        """Yield all users with a state, in no order; every part of it is read."""
        with self._lock:
            users = list(self._states)
        for user_id in users:
            yield from self.load_states([user_id]).items()

    def count_users(self) -> int:
        """Return how many users have a state."""
        return len(self._states)

    def timers_between(self, after: int, through: int, limit: int | None = None) -> list[TimerKey]:
        """Return the timers with after < due_at <= through, in order, the first `limit`."""
        with self._lock:
            return sorted(key for key in self._timers if after < key.due_at <= through)[:limit]

    def timers_of(
        self, campaign: str, limit: int | None = None, after: TimerKey | None = None
    ) -> list[TimerKey]:
        """Return the timers of a campaign in order, those behind `after`, the first `limit`."""
        with self._lock:
            found = sorted(key for key in self._timers if key.campaign == campaign)
        first = bisect_right(found, replace(after, campaign=campaign)) if after else 0
        return found[first:][:limit]

    def count_timers(self) -> int:
        """Return how many timers there are."""
        return len(self._timers)

    def outbox(self) -> list[OutboxItem]:
        """Return the outbox in order of decision."""
        with self._lock:
            ordered = sorted((at, key, stored) for key, (at, _, stored) in self._outbox.items())
        return [decode_outbox_item(stored, _PLACE) for _, _, stored in ordered]

    def dead_letters(self) -> list[DeadLetter]:
        """Return the messages that failed, in the order in which they did."""
        with self._lock:
            ordered = sorted((at, key, stored) for key, (at, _, stored) in self._letters.items())
        return [decode_dead_letter(stored, _PLACE) for _, _, stored in ordered]

    def plan_changes(self) -> list[PlanChange]:
        """Return every change of the plan, in the order of the log."""
        return [decode_plan_change(stored, _PLACE) for stored in list(self._plan_changes)]

    def walks(self) -> list[ScheduleWalked]:
        """Return how far each scheduled campaign has come."""
        return [walk for _, walk in sorted(self._walks.items())]

    def token_owner(self, token: str) -> str | None:
        """Return whose a push token is, if it is somebody's."""
        return self._token_owners.get(token)

    def counters(
        self, campaign: str, from_hour: int = 0, to_hour: int = 1 << 62
    ) -> list[tuple[Counter, float]]:
        """Return a campaign's counters of the hours from_hour <= hour < to_hour."""
        with self._lock:
            found = [
                (counter, amount)
                for counter, amount in self._counters.items()
                if counter.campaign == campaign and from_hour <= counter.hour < to_hour
            ]
        return sorted(found, key=counter_order)

    def sum_counters(self, campaign: str, sums: Sums) -> list[tuple[Counter, float]]:
        """Return a campaign's counters added up."""
        found = add_up(self.counters(campaign), sums)
        return sorted(found.items(), key=counter_order)

    def read_verdicts(self, limit_blocks: int | None = None) -> Iterator[Verdict]:
        """Yield the recorded verdicts in the order they were made."""
        blocks = list(self._verdict_blocks)
        newest = blocks if limit_blocks is None else blocks[max(len(blocks) - limit_blocks, 0) :]
        for stored in newest:
            yield from decode_verdicts(stored, _PLACE)

    def verdict_block(self, before: int | None = None) -> tuple[int, list[Verdict]] | None:
        """Return the newest block of verdicts and its number; with `before`, one below that."""
        with self._lock:
            lost, blocks = self._verdict_blocks_lost, self._verdict_blocks
            end = len(blocks) if before is None else min(before - 1 - lost, len(blocks))
            return (lost + end, decode_verdicts(blocks[end - 1], _PLACE)) if end > 0 else None

    def forget_verdicts(self, bytes_max: int) -> None:
        """Drop the oldest verdicts until the rest fit."""
        with self._lock:
            byte_count, first = sum(map(len, self._verdict_blocks)), 0
            while byte_count > bytes_max and first < len(self._verdict_blocks) - 1:
                byte_count -= len(self._verdict_blocks[first])
                first += 1
            self._verdict_blocks = self._verdict_blocks[first:]
            self._verdict_blocks_lost += first

    def has_lost_verdicts(self) -> bool:
        """Return whether the oldest verdicts were dropped."""
        return self._verdict_blocks_lost > 0

    def close(self) -> None:
        """There are no files to close."""

    def _erase(self, user_ids: set[str]) -> None:
        if not user_ids:
            return
        for user_id in user_ids:
            self._states.pop(user_id, None)
        self._timers = {key for key in self._timers if key.user_id not in user_ids}
        self._outbox = {key: kept for key, kept in self._outbox.items() if kept[1] not in user_ids}
        letters = self._letters.items()
        self._letters = {key: kept for key, kept in letters if kept[1] not in user_ids}
        self._token_owners = {
            token: owner for token, owner in self._token_owners.items() if owner not in user_ids
        }
