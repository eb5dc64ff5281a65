"""API keys that a command makes and revokes while a server runs."""

from segue.clock import FixedClock
from segue.services.keys import Keyring, create_key, revoke_key
from segue.storage.memory import MemoryJournal

SECOND = 1_000_000


def test_a_key_works_as_soon_as_a_command_has_printed_it() -> None:
    journal, clock = MemoryJournal(), FixedClock()
    keyring = Keyring(journal, clock)
    assert keyring.find("sk_guessed") is None
    clock.advance(SECOND // 50)
    text = create_key(journal, clock, ["read"])
    found = keyring.find(text)
    assert found is not None
    assert found.scopes == {"read"}


def test_a_key_that_a_command_revoked_is_worthless_within_a_second() -> None:
    journal, clock = MemoryJournal(), FixedClock()
    keyring = Keyring(journal, clock)
    text = create_key(journal, clock, ["read"])
    assert keyring.find(text) is not None
    revoke_key(journal, clock, journal.list_keys()[0].id)
    clock.advance(SECOND)
    assert keyring.find(text) is None
