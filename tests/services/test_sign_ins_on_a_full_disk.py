"""Who is signed in stays so while nothing can be written: they are to see what is wrong."""

from pathlib import Path

import pytest

from segue.clock import FixedClock
from segue.model.limits import SESSION_IDLE_MAX, SESSION_SEEN_EVERY
from segue.services.passwords import Passwords
from segue.services.sign_ins import SignIns
from segue.storage.account_ports import StoredAccount
from segue.storage.sqlite_journal import SqliteJournal

START = 1_700_000_000_000_000


@pytest.mark.parametrize(
    ("later", "is_in"), [(SESSION_SEEN_EVERY, True), (SESSION_IDLE_MAX, False)]
)
def test_a_session_is_found_though_it_cannot_be_touched(
    tmp_path: Path, later: int, is_in: bool
) -> None:
    clock = FixedClock(START)
    journal = SqliteJournal(tmp_path / "segue.db")
    account = StoredAccount("id-1", "ann@shop.test", "Ann", "admin", START)
    journal.accounts.save(account)
    sign_ins = SignIns(journal, clock, Passwords(clock))
    _, token = sign_ins.open(account, "127.0.0.1", "browser")
    journal._db._writer.execute("PRAGMA query_only = ON")
    clock.advance(later)
    assert (sign_ins.find(token) is not None) == is_in
    journal.close()
