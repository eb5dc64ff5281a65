"""What an older Segue wrote is read by this one."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from stored_things import checkpoint, outbox_item

from segue.storage.encoding import decode_outbox_item
from segue.storage.sqlite_snapshot import SqliteSnapshot

pytestmark = pytest.mark.slow


def test_a_message_of_the_outbox_from_before_retries_is_read() -> None:
    item = outbox_item("s1")
    fields: list[Any] = msgspec.msgpack.decode(msgspec.msgpack.encode(item))
    fields[0] = fields[0][:7]
    assert decode_outbox_item(msgspec.msgpack.encode(fields[:7]), "here") == item


def test_a_snapshot_without_dead_letters_gets_a_place_for_them(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    snapshot = SqliteSnapshot(path)
    snapshot.commit(checkpoint(outbox_put=[outbox_item("s1")]))
    with snapshot._db.writing() as connection:
        connection.execute("DROP TABLE dead_letters")
    with snapshot._db.reading() as connection:
        connection.execute("PRAGMA query_only = OFF")
        connection.execute("PRAGMA user_version = 3")
    snapshot.close()
    anew = SqliteSnapshot(path)
    assert anew.dead_letters() == []
    assert anew.outbox() == [outbox_item("s1")]
    anew.close()
