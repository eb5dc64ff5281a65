"""Messages on virtual phones, in the journal's file."""

import sqlite3
from collections.abc import Sequence

from segue.model.channels import Channel
from segue.model.limits import PHONE_MESSAGES_MAX, PHONES_BYTES_MAX, PHONES_MESSAGES_MAX
from segue.storage.encoding import decode_content, encode
from segue.storage.named_sql import load_queries
from segue.storage.phones import ANY_PLACE, PhoneEntry, PhoneMessage
from segue.storage.sqlite import Database, Row

_SQL = load_queries("phones.sql")


class SqlitePhones:
    """A table of the journal."""

    def __init__(self, database: Database, place: str) -> None:
        self._db = database
        self._place = place

    def put(self, messages: Sequence[PhoneMessage]) -> None:
        """Keep messages in one transaction; the oldest go, of each user and of all."""
        rows = [_row(message) for message in messages]
        with self._db.writing() as connection:
            for row in rows:
                connection.execute(_SQL["put_phone_message"], row)
            for user_id in sorted({message.user_id for message in messages}):
                surplus = {"user_id": user_id, "kept": PHONE_MESSAGES_MAX}
                connection.execute(_SQL["delete_surplus_of_phone"], surplus)
            count, byte_count = connection.execute(_SQL["measure_phones"]).fetchone()
            if count > PHONES_MESSAGES_MAX or byte_count > PHONES_BYTES_MAX:
                most = {"count_max": PHONES_MESSAGES_MAX, "bytes_max": PHONES_BYTES_MAX}
                connection.execute(_SQL["delete_surplus_of_phones"], most)

    def of_user(
        self,
        user_id: str,
        before: int = ANY_PLACE,
        limit: int = 100,
        channel: Channel | None = None,
    ) -> list[PhoneMessage]:
        """Return a user's messages before a place, newest first: all, or those of a channel."""
        wanted = {"user_id": user_id, "before": before, "limit": limit, "channel": channel}
        rows = self._db.rows(_SQL["list_messages_of_phone"], wanted)
        return [self._message(row) for row in rows]

    def after(self, place: int, user_id: str | None = None, limit: int = 100) -> list[PhoneMessage]:
        """Return the messages after a place, oldest first: those of a user, or of all."""
        wanted = {"place": place, "user_id": user_id, "limit": limit}
        return [self._message(row) for row in self._db.rows(_SQL["list_messages_after"], wanted)]

    def last_place(self) -> int:
        """Return the place of the newest message; 0 where there is none."""
        return self._db.number(_SQL["find_last_place"])

    def entries(self, before: int = ANY_PLACE, limit: int = 100) -> list[PhoneEntry]:
        """Return the phones whose newest message stands before a place, newest first."""
        rows = self._db.rows(_SQL["list_phones"], {"before": before, "limit": limit})
        return [PhoneEntry(*row) for row in rows]

    def erase(self, connection: sqlite3.Connection, user_id: str) -> None:
        """Forget a user's messages, in the transaction that erases the user."""
        connection.execute(_SQL["delete_phone"], {"user_id": user_id})

    def _message(self, row: Row) -> PhoneMessage:
        user_id, channel, send_id, campaign, variant, at, place, content = row
        seen = decode_content(send_id, content, self._place)
        return PhoneMessage(user_id, channel, send_id, campaign, variant, at, seen, place)


def _row(message: PhoneMessage) -> dict[str, object]:
    content = encode(message.content)
    return {
        "user_id": message.user_id,
        "channel": message.channel,
        "send_id": message.send_id,
        "campaign": message.campaign,
        "variant": message.variant,
        "at": message.at,
        "byte_count": len(content),
        "content": content,
    }
