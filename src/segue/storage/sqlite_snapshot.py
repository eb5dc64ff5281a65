"""The snapshot in SQLite (state.db): states, timers, outbox, counters, written at checkpoints."""

import sqlite3
from collections.abc import Callable, Collection, Iterator, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import DecodeError, Struct

from segue.model.log_records import PlanChange, ScheduleWalked
from segue.model.state import STATE_PARTS, StatePart, UserState
from segue.model.verdicts import Verdict
from segue.storage.address_rows import AddressRow, address_changes
from segue.storage.encoding import (
    decode_dead_letter,
    decode_outbox_item,
    decode_plan_change,
    decode_state,
    decode_verdicts,
    decode_walk,
    encode,
    encode_verdicts,
    user_key,
)
from segue.storage.named_sql import load_queries
from segue.storage.outbox_items import DeadLetter, OutboxItem
from segue.storage.partial_states import decoder_of_parts
from segue.storage.ports import (
    Checkpoint,
    Counter,
    Position,
    Sums,
    TimerKey,
)
from segue.storage.sqlite import Database, FileKind, Row, run_rows, select_rows
from segue.storage.sqlite_addresses import SqliteAddresses

# A state is some hundred bytes, and the next one to write lies in another page: 50,000 of a
# million were rewritten at 41 k/s with pages of 1 kB, 39 k/s with 2 kB, 33 k/s with 4 kB.
FILE: Final = FileKind(
    schema="snapshot_schema.sql",
    schema_version=5,
    page_size=1024,
    wal_pages=16_000,  # 16 MB: small checkpoints, half as fast again when each is not copied
)
_KEY_MIN: Final = -1 << 63
_KEY_MAX: Final = (1 << 63) - 1
_SQLITE_NO_LIMIT: Final = -1
_NUMBER_MAX: Final = (1 << 63) - 1
_STATES_SCANNED_MAX: Final = 1_000  # at a time: a megabyte, which the processor's cache holds

_SQL = load_queries("snapshot.sql")


class _Rows(Struct):
    """A checkpoint as rows; made before the transaction, which must not wait for encoding."""

    states: list[Row]
    timers_set: list[Row]
    timers_gone: list[Row]
    outbox_put: list[Row]
    letters_put: list[Row]
    counts: list[Row]
    plan_changes: list[Row]
    walks: list[Row]
    tokens_gone: list[Row]
    token_owners: list[Row]
    addresses_gone: list[AddressRow]
    addresses: list[AddressRow]
    verdict_blocks: list[bytes]


class SqliteSnapshot:
    """The snapshot in one file. `key_of` gives a user's number, and is another one in tests."""

    def __init__(
        self, path: Path, key_of: Callable[[str], int] = user_key, is_read_only: bool = False
    ) -> None:
        self._db = Database(path, FILE, is_read_only)
        self._place = str(path)
        self.faults = self._db.faults
        self._key_of = key_of
        self._addresses = SqliteAddresses(self._db)
        self.users_at = self._addresses.users_at
        if not is_read_only:
            self._addresses.fill(self.scan_states({"attributes"}))

    def position(self) -> Position:
        """Return how far the snapshot reaches."""
        row = self._db.row(_SQL["find_position"])
        return Position(*row) if row else Position()

    def commit(self, checkpoint: Checkpoint) -> None:
        """Write a checkpoint in one transaction; it is durable when this returns."""
        rows = self._rows_of(checkpoint)
        position = checkpoint.position
        with self._db.writing() as connection:
            self._erase(connection, checkpoint.erased)
            run_rows(connection, _SQL["delete_timers"], rows.timers_gone)
            run_rows(connection, _SQL["put_timers"], rows.timers_set)
            run_rows(connection, _SQL["delete_outbox"], _column(checkpoint.outbox_gone))
            run_rows(connection, _SQL["put_outbox"], rows.outbox_put)
            run_rows(connection, _SQL["delete_letters"], _column(checkpoint.letters_gone))
            run_rows(connection, _SQL["put_letters"], rows.letters_put)
            self._put_states(connection, rows.states)
            run_rows(connection, _SQL["add_counts"], rows.counts)
            run_rows(connection, _SQL["put_plan_changes"], rows.plan_changes)
            run_rows(connection, _SQL["put_walks"], rows.walks)
            run_rows(connection, _SQL["delete_token_owners"], rows.tokens_gone)
            run_rows(connection, _SQL["put_token_owners"], rows.token_owners)
            self._addresses.change(connection, rows.addresses_gone, rows.addresses)
            for stored in rows.verdict_blocks:
                connection.execute(_SQL["append_verdict_block"], {"bytes": stored})
            connection.execute(
                _SQL["save_position"],
                {"seq": position.seq, "next_ordinal": position.next_ordinal, "now": position.now},
            )

    def load_states(self, user_ids: Sequence[str]) -> dict[str, UserState]:
        """Return the states of those users that have one."""
        homes: dict[int, str] = {}
        crowded: list[str] = []  # users whose key another one has
        for user_id in user_ids:
            if homes.setdefault(self._key_of(user_id), user_id) != user_id:
                crowded.append(user_id)
        states: dict[str, UserState] = {}
        with self._db.reading() as connection:
            for key, owner, stored in select_rows(
                connection, _SQL["list_states_by_key"], sorted(homes)
            ):
                if owner == homes[key]:
                    states[owner] = decode_state(owner, stored, self._place)
                else:
                    crowded.append(homes[key])
            for user_id in crowded:
                _, found = self._find(connection, user_id)
                if found is not None:
                    states[user_id] = decode_state(user_id, found, self._place)
        return states

    def list_users(self, after: str = "", limit: int = 100) -> list[tuple[str, UserState]]:
        """Return users with a state in the order of their ids, for paging."""
        rows = self._db.rows(_SQL["list_users_after"], {"after": after, "limit": limit})
        return [(user_id, decode_state(user_id, stored, self._place)) for user_id, stored in rows]

    def list_user_ids(self, after: str = "", limit: int = 100) -> list[str]:
        """Return the ids of users with a state, in order."""
        rows = self._db.rows(_SQL["list_user_ids_after"], {"after": after, "limit": limit})
        return [user_id for (user_id,) in rows]

    def scan_states(
        self, parts: Collection[StatePart] = STATE_PARTS
    ) -> Iterator[tuple[str, UserState]]:
        """Yield all users with a state, a few at a time in memory.

        They come in the order of their keys, which are hashes: the first are a fair sample.
        """
        decode = decoder_of_parts(parts).decode
        first: int | None = _KEY_MIN
        while first is not None:
            bounds = {"first": first, "limit": _STATES_SCANNED_MAX}
            [(last, *joined)] = self._db.rows(_SQL["scan_states_from"], bounds)
            for user_id, stored in _parted(*joined) if last is not None else ():
                try:
                    state = decode(stored)
                except (DecodeError, UnicodeDecodeError):
                    state = decode_state(user_id, bytes(stored), self._place)  # says whose it is
                yield user_id, state
            first = last + 1 if last not in (None, _KEY_MAX) else None

    def count_users(self) -> int:
        """Return how many users have a state."""
        return self._db.number(_SQL["count_users"])

    def timers_between(self, after: int, through: int, limit: int | None = None) -> list[TimerKey]:
        """Return the timers with after < due_at <= through, in order, the first `limit`."""
        bounds = {
            "after": after,
            "through": through,
            "limit": _SQLITE_NO_LIMIT if limit is None else limit,
        }
        return [TimerKey(*row) for row in self._db.rows(_SQL["list_timers_between"], bounds)]

    def timers_of(
        self, campaign: str, limit: int | None = None, after: TimerKey | None = None
    ) -> list[TimerKey]:
        """Return the timers of a campaign in order, those behind `after`, the first `limit`."""
        bounds = {
            "campaign": campaign,
            "limit": _SQLITE_NO_LIMIT if limit is None else limit,
            "due_at": _KEY_MIN if after is None else after.due_at,
            "user_id": "" if after is None else after.user_id,
        }
        return [TimerKey(*row) for row in self._db.rows(_SQL["list_timers_of_campaign"], bounds)]

    def count_timers(self) -> int:
        """Return how many timers there are."""
        return self._db.number(_SQL["count_timers"])

    def outbox(self) -> list[OutboxItem]:
        """Return the outbox in order of decision."""
        rows = self._db.rows(_SQL["list_outbox"])
        return [decode_outbox_item(stored, self._place) for (stored,) in rows]

    def dead_letters(self) -> list[DeadLetter]:
        """Return the messages that failed, in the order in which they did."""
        rows = self._db.rows(_SQL["list_letters"])
        return [decode_dead_letter(stored, self._place) for (stored,) in rows]

    def plan_changes(self) -> list[PlanChange]:
        """Return every change of the plan, in the order of the log."""
        rows = self._db.rows(_SQL["list_plan_changes"])
        return [decode_plan_change(stored, self._place) for (stored,) in rows]

    def walks(self) -> list[ScheduleWalked]:
        """Return how far each scheduled campaign has come: its newest walk."""
        rows = self._db.rows(_SQL["list_walks"])
        return [decode_walk(stored, self._place) for (stored,) in rows]

    def token_owner(self, token: str) -> str | None:
        """Return whose a push token is, if it is somebody's."""
        row = self._db.row(_SQL["find_token_owner"], {"key": user_key(token)})
        return row[0] if row else None

    def counters(
        self, campaign: str, from_hour: int = 0, to_hour: int = 1 << 62
    ) -> list[tuple[Counter, float]]:
        """Return a campaign's counters of the hours from_hour <= hour < to_hour."""
        bounds = {"campaign": campaign, "from_hour": from_hour, "to_hour": to_hour}
        rows = self._db.rows(_SQL["list_counters"], bounds)
        return [(Counter(*names), amount) for *names, amount in rows]

    def sum_counters(self, campaign: str, sums: Sums) -> list[tuple[Counter, float]]:
        """Return a campaign's counters added up, in order; `hour` is the bound of the span."""
        wanted = {
            "campaign": campaign,
            "bounds": msgspec.json.encode(sums.bounds).decode(),
            "variant": sums.variant,
            "by_metric": sums.by_metric,
        }
        rows = self._db.rows(_SQL["sum_counters"], wanted)
        return [(Counter(campaign, *names), amount) for *names, amount in rows]

    def read_verdicts(self, limit_blocks: int | None = None) -> Iterator[Verdict]:
        """Yield the recorded verdicts in the order they were made."""
        limit = _SQLITE_NO_LIMIT if limit_blocks is None else limit_blocks
        first = self._db.number(_SQL["find_first_verdict_block"], {"limit": limit})
        number = first - 1
        while first and (row := self._db.row(_SQL["find_next_verdict_block"], {"number": number})):
            number, stored = row
            yield from decode_verdicts(stored, self._place)

    def verdict_block(self, before: int | None = None) -> tuple[int, list[Verdict]] | None:
        """Return the newest block of verdicts and its number; with `before`, one below that."""
        bound = _NUMBER_MAX if before is None else before
        row = self._db.row(_SQL["find_verdict_block_before"], {"number": bound})
        return (row[0], decode_verdicts(row[1], self._place)) if row else None

    def forget_verdicts(self, bytes_max: int) -> None:
        """Drop the oldest verdicts until the rest fit."""
        row = self._db.row(_SQL["find_last_surplus_verdict_block"], {"bytes_max": bytes_max})
        if row:
            with self._db.writing() as connection:
                connection.execute(_SQL["delete_verdict_blocks_through"], {"number": row[0]})

    def has_lost_verdicts(self) -> bool:
        """Return whether the oldest verdicts were dropped."""
        return self._db.number(_SQL["count_verdict_bytes_lost"]) > 0

    def close(self) -> None:
        """Close files."""
        self._db.close()

    def _rows_of(self, checkpoint: Checkpoint) -> _Rows:
        states = [
            (self._key_of(user_id), user_id, encode(state)) for user_id, state in checkpoint.states
        ]
        # By key alone: of two states of one user the later one must stay the later one.
        states.sort(key=itemgetter(0))
        addresses_gone, addresses = address_changes(checkpoint, self.load_states)
        return _Rows(
            states=states,
            timers_set=_timer_rows(checkpoint.timers_set),
            timers_gone=_timer_rows(checkpoint.timers_gone),
            outbox_put=[
                (item.key, item.deliver.decided_at, item.deliver.user_id, encode(item))
                for item in checkpoint.outbox_put
            ],
            letters_put=[
                (letter.key, letter.settled_at, letter.item.deliver.user_id, encode(letter))
                for letter in checkpoint.letters_put
            ],
            counts=[(*msgspec.structs.astuple(one), amount) for one, amount in checkpoint.counts],
            plan_changes=_column([encode(one) for one in checkpoint.plan_changes]),
            walks=[(walk.campaign, encode(walk)) for walk in checkpoint.walks],
            tokens_gone=_column(
                [user_key(token) for token, owner in checkpoint.token_owners if owner is None]
            ),
            token_owners=[
                (user_key(token), owner) for token, owner in checkpoint.token_owners if owner
            ],
            addresses_gone=addresses_gone,
            addresses=addresses,
            verdict_blocks=encode_verdicts(checkpoint.verdicts),
        )

    def _put_states(self, connection: sqlite3.Connection, rows: list[Row]) -> None:
        if run_rows(connection, _SQL["put_states"], rows) == len(rows):
            return
        for key, user_id, stored in rows:
            found = connection.execute(_SQL["find_state_by_key"], {"key": key}).fetchone()
            if found[0] != user_id:
                self._put_elsewhere(connection, user_id, stored)

    def _put_elsewhere(self, connection: sqlite3.Connection, user_id: str, stored: bytes) -> None:
        key, _ = self._find(connection, user_id)
        run_rows(connection, _SQL["put_states"], [(key, user_id, stored)])

    def _find(self, connection: sqlite3.Connection, user_id: str) -> tuple[int, bytes | None]:
        """Return the user's key and state; without a state, the free key it would get."""
        key = self._key_of(user_id)
        while row := connection.execute(_SQL["find_state_by_key"], {"key": key}).fetchone():
            if row[0] == user_id:
                return key, row[1]
            key = _next(key)
        return key, None

    def _erase(self, connection: sqlite3.Connection, user_ids: list[str]) -> None:
        for user_id in user_ids:
            key, stored = self._find(connection, user_id)
            if stored is not None:
                connection.execute(_SQL["delete_state_by_key"], {"key": key})
                self._close_gap(connection, key)
        run_rows(connection, _SQL["delete_timers_of_users"], _column(user_ids))
        run_rows(connection, _SQL["delete_outbox_of_users"], _column(user_ids))
        run_rows(connection, _SQL["delete_letters_of_users"], _column(user_ids))
        run_rows(connection, _SQL["delete_token_owners_of_users"], _column(user_ids))

    def _close_gap(self, connection: sqlite3.Connection, gap: int) -> None:
        """Put those behind a freed key where looking for them, up to a free key, finds them."""
        key = _next(gap)
        while row := connection.execute(_SQL["find_state_by_key"], {"key": key}).fetchone():
            connection.execute(_SQL["delete_state_by_key"], {"key": key})
            self._put_elsewhere(connection, *row)
            key = _next(key)


def _next(key: int) -> int:
    return key + 1 if key < _KEY_MAX else _KEY_MIN


def _timer_rows(keys: Sequence[TimerKey]) -> list[Row]:
    return [(key.due_at, key.user_id, key.campaign) for key in keys]


def _parted(
    users: bytes, user_lengths: str, states: bytes, state_lengths: str
) -> Iterator[tuple[str, memoryview]]:
    """Yield ids and states that a query joined, by their lengths."""
    user_at = state_at = 0
    view = memoryview(states)
    lengths = zip(user_lengths.split(","), state_lengths.split(","), strict=True)
    for user_length, state_length in lengths:
        user_end, state_end = user_at + int(user_length), state_at + int(state_length)
        yield users[user_at:user_end].decode(), view[state_at:state_end]
        user_at, state_at = user_end, state_end


def _column(values: Sequence[Any]) -> list[Row]:
    return [(value,) for value in values]
