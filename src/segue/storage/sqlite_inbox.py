"""Messages that wait for their users' devices, in the journal's file."""

import sqlite3
from collections.abc import Sequence

from msgspec.structs import asdict

from segue.model.channels import Channel
from segue.model.limits import INBOX_PRUNED_MAX
from segue.storage.encoding import decode_content, encode
from segue.storage.inbox_bounds import INBOX_MAX
from segue.storage.named_sql import load_queries
from segue.storage.ports import InboxItem
from segue.storage.sqlite import Database, Row

_SQL = load_queries("inbox.sql")


class SqliteInbox:
    """A table of the journal."""

    def __init__(self, database: Database, place: str) -> None:
        self._db = database
        self._place = place

    def put(self, items: Sequence[InboxItem], expired_before: int) -> None:
        """Keep messages in one transaction; the oldest of a user go, and some that expired."""
        rows = [{**asdict(item), "content": encode(item.content)} for item in items]
        feeds = {(item.user_id, item.channel) for item in items}
        with self._db.writing() as connection:
            for row in rows:
                connection.execute(_SQL["put_inbox_item"], row)
            for user_id, channel in sorted(feeds):
                feed = {"user_id": user_id, "channel": channel, "kept": INBOX_MAX[channel]}
                connection.execute(_SQL["delete_surplus_inbox_items"], feed)
            old = {"instant": expired_before, "limit": INBOX_PRUNED_MAX}
            connection.execute(_SQL["delete_expired_inbox_items"], old)

    def of_user(self, user_id: str) -> list[InboxItem]:
        """Return all messages kept for a user, newest first."""
        rows = self._db.rows(_SQL["list_inbox_of_user"], {"user_id": user_id})
        return [self._item(row) for row in rows]

    def end(self, user_id: str, keys: Sequence[tuple[Channel, str]], at: int) -> None:
        """Note that messages, by channel and send, are not to be shown again."""
        with self._db.writing() as connection:
            for channel, send_id in keys:
                key = {"user_id": user_id, "channel": channel, "send_id": send_id, "at": at}
                connection.execute(_SQL["end_inbox_item"], key)

    def erase(self, connection: sqlite3.Connection, user_id: str) -> None:
        """Forget a user's messages, in the transaction that erases the user."""
        connection.execute(_SQL["delete_inbox_of_user"], {"user_id": user_id})

    def _item(self, row: Row) -> InboxItem:
        user_id, channel, send_id, campaign, variant, available_at, expires_at, *rest = row
        content, ended_at = rest
        return InboxItem(
            user_id,
            channel,
            send_id,
            campaign,
            variant,
            available_at,
            expires_at,
            decode_content(send_id, content, self._place),
            ended_at,
        )
