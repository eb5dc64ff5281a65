"""The journal in SQLite (segue.db): one row per block of the log, and what people set up."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from segue.model.log_records import Block, UserErased
from segue.storage.conflicts import not_next, slug_taken
from segue.storage.encoding import (
    decode_block,
    decode_campaign,
    decode_scopes,
    encode,
    encode_block,
    end_of,
    user_key,
)
from segue.storage.named_sql import load_queries
from segue.storage.ports import LogEnd, StoredCampaign, StoredKey
from segue.storage.sqlite import Database, FileKind, Row, run_rows
from segue.storage.sqlite_accounts import SqliteAccounts, SqliteAudit
from segue.storage.sqlite_codes import SqliteCodes
from segue.storage.sqlite_compositions import SqliteCompositions
from segue.storage.sqlite_hold import SqliteHold
from segue.storage.sqlite_inbox import SqliteInbox
from segue.storage.sqlite_phones import SqlitePhones
from segue.storage.sqlite_suppressions import SqliteSuppressions

FILE: Final = FileKind(
    schema="journal_schema.sql",
    schema_version=8,
    page_size=4096,  # larger ones append hardly faster, and write more for a block of one event
    wal_pages=1_000,  # 4 MB: copying more would make the append that does it wait longer
)
_BLOCKS_READ_MAX: Final = 16  # at a time: a few megabytes when decoded
_BLOCKS_DROPPED_MAX: Final = 256  # in one transaction, so that an append never waits long
_INDEX_ROWS_DROPPED_MAX: Final = 200_000  # in one call, for the same reason; the rest next time
_BLOCKS_PER_PART: Final = 1_024  # some two million rows of the index at most events per block

_SQL = load_queries("journal.sql")


class SqliteJournal:
    """The journal in one file."""

    def __init__(self, path: Path, is_read_only: bool = False) -> None:
        self._db = Database(path, FILE, is_read_only)
        self._place = str(path)
        self.faults = self._db.faults
        self.inbox = SqliteInbox(self._db, self._place)
        self.accounts = SqliteAccounts(self._db)
        self.audit = SqliteAudit(self._db)
        self.codes = SqliteCodes(self._db, self._place)
        self.suppressions = SqliteSuppressions(self._db)
        self.phones = SqlitePhones(self._db, self._place)
        self.compositions = SqliteCompositions(self._db, self._place)
        self.hold = SqliteHold(self._db)

    def append(self, block: Block, campaigns: Sequence[StoredCampaign] = ()) -> None:
        """Append a block, and save the campaigns it is about, in one transaction."""
        end = end_of(block)
        row = {
            "seq": block.seq,
            "first_ordinal": block.first_ordinal,
            "first_received_at": block.records[0].received_at,
            "last_received_at": end.received_at,
            "count": end.next_ordinal - block.first_ordinal,
            "bytes": encode_block(block),
        }
        with self._db.writing() as connection:
            if connection.execute(_SQL["append_block"], row).rowcount != 1:
                raise not_next(block.seq, self._place)
            for campaign in campaigns:
                _save_campaign(connection, campaign)
            for record in block.records:
                if isinstance(record, UserErased):
                    self.inbox.erase(connection, record.user_id)
                    self.codes.erase(connection, record.user_id)
                    self.phones.erase(connection, record.user_id)

    def log_end(self) -> LogEnd:
        """Return where the log ends."""
        row = self._db.row(_SQL["read_log_end"])
        return LogEnd(*row) if row else LogEnd()

    def read_log(self, after_seq: int = 0) -> Iterator[Block]:
        """Yield the blocks after `after_seq` in order, a few at a time in memory."""
        limits = {"seq": after_seq, "limit": _BLOCKS_READ_MAX}
        # A query per few blocks: a reader that stays open would keep the WAL from being reset.
        while rows := self._db.rows(_SQL["list_blocks_after"], limits):
            for row in rows:
                yield self._block(row)
            limits["seq"] = rows[-1][0]

    def read_blocks(self, seqs: Iterable[int]) -> Iterator[Block]:
        """Yield the named blocks in order, passing over those that are gone."""
        for seq in sorted(set(seqs)):
            row = self._db.row(_SQL["find_block"], {"seq": seq})
            if row:
                yield self._block(row)

    def first_seq(self) -> int:
        """Return the oldest block's number; 0 when the log is empty."""
        return self._db.number(_SQL["find_first_seq"])

    def log_bytes(self) -> int:
        """Return how many bytes the blocks take."""
        return self._db.number(_SQL["count_log_bytes"])

    def forget_log(self, bytes_max: int, before_seq: int) -> int:
        """Drop the oldest blocks below `before_seq` until the rest fit; return how many.

        Their pages are used again by blocks to come, so that the file stays as large as it is.
        """
        if self.log_bytes() <= bytes_max:
            return 0
        surplus = self._db.number(_SQL["find_last_surplus_block"], {"bytes_max": bytes_max})
        first_kept = min(surplus + 1, before_seq, self.log_end().seq)
        seq, dropped = self.first_seq(), 0
        while seq < first_kept:
            seq = min(seq + _BLOCKS_DROPPED_MAX, first_kept)
            with self._db.writing() as connection:
                dropped += connection.execute(_SQL["delete_blocks_before"], {"seq": seq}).rowcount
        parts = {"part": self.first_seq() // _BLOCKS_PER_PART, "limit": _INDEX_ROWS_DROPPED_MAX}
        with self._db.writing() as connection:
            connection.execute(_SQL["delete_parts_before"], parts)
        return dropped

    def index_users(self, through_seq: int, pairs: Iterable[tuple[str, int]]) -> None:
        """Note that users occur in blocks, up to and including block `through_seq`."""
        rows = sorted((seq // _BLOCKS_PER_PART, user_key(user_id), seq) for user_id, seq in pairs)
        with self._db.writing() as connection:
            run_rows(connection, _SQL["put_user_blocks"], rows)
            connection.execute(_SQL["save_indexed_seq"], {"seq": through_seq})

    def indexed_seq(self) -> int:
        """Return the last block whose users are noted."""
        return self._db.number(_SQL["find_indexed_seq"])

    def blocks_of_user(self, user_id: str) -> list[int]:
        """Return the noted blocks in which the user occurs, in order.

        Users whose hashes are equal share their blocks: the reader looks at the ids inside.
        """
        first_seq = self.first_seq()
        bounds = {
            "user_key": user_key(user_id),
            "first_seq": first_seq,
            "first_part": first_seq // _BLOCKS_PER_PART,
            "last_part": self.indexed_seq() // _BLOCKS_PER_PART,
        }
        return [seq for (seq,) in self._db.rows(_SQL["list_blocks_of_user"], bounds)]

    def list_campaigns(self) -> list[StoredCampaign]:
        """Return all campaigns by slug."""
        return [self._campaign(row) for row in self._db.rows(_SQL["list_campaigns"])]

    def find_campaign(self, reference: str) -> StoredCampaign | None:
        """Return a campaign by slug or id."""
        row = self._db.row(_SQL["find_campaign"], {"reference": reference})
        return self._campaign(row) if row else None

    def save_campaign(self, campaign: StoredCampaign) -> None:
        """Insert a campaign, or replace the one with its id."""
        with self._db.writing() as connection:
            _save_campaign(connection, campaign)

    def delete_campaign(self, campaign_id: str) -> None:
        """Delete a draft."""
        with self._db.writing() as connection:
            connection.execute(_SQL["delete_campaign"], {"id": campaign_id})

    def list_keys(self) -> list[StoredKey]:
        """Return all API keys, oldest first."""
        return [
            StoredKey(key_id, secret_hash, decode_scopes(scopes, self._place), *rest)
            for key_id, secret_hash, scopes, *rest in self._db.rows(_SQL["list_keys"])
        ]

    def save_key(self, key: StoredKey) -> None:
        """Insert or replace an API key."""
        row = {
            "id": key.id,
            "secret_hash": key.secret_hash,
            "scopes": encode(key.scopes),
            "created_at": key.created_at,
            "name": key.name,
            "revoked_at": key.revoked_at,
        }
        with self._db.writing() as connection:
            connection.execute(_SQL["save_key"], row)

    def secret(self, name: str) -> bytes | None:
        """Return a secret of this installation, such as the one that signs links."""
        row = self._db.row(_SQL["find_secret"], {"name": name})
        return row[0] if row else None

    def save_secret(self, name: str, value: bytes) -> None:
        """Keep a secret; an existing one of that name stays."""
        with self._db.writing() as connection:
            connection.execute(_SQL["save_secret"], {"name": name, "value": value})

    def close(self) -> None:
        """Close files."""
        self._db.close()

    def _block(self, row: Row) -> Block:
        seq, first_ordinal, stored = row
        return decode_block(seq, first_ordinal, stored, self._place)

    def _campaign(self, row: Row) -> StoredCampaign:
        campaign_id, document, *rest = row
        return StoredCampaign(
            campaign_id, decode_campaign(campaign_id, document, self._place), *rest
        )


def _save_campaign(connection: sqlite3.Connection, campaign: StoredCampaign) -> None:
    row = {
        "id": campaign.id,
        "slug": campaign.slug,
        "document": encode(campaign.document),
        "status": campaign.status,
        "version": campaign.version,
        "created_at": campaign.created_at,
        "updated_at": campaign.updated_at,
        "published_at": campaign.published_at,
    }
    try:
        connection.execute(_SQL["save_campaign"], row)
    except sqlite3.IntegrityError as error:
        raise slug_taken(campaign.slug) from error
