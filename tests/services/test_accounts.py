"""Accounts, links, sessions and passwords."""

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from segue.clock import FixedClock
from segue.errors import ConflictError, NotFoundError
from segue.model.instants import DAY, MINUTE
from segue.model.limits import (
    FIRST_LINK_LIFE,
    INVITATION_LIFE,
    PASSWORD_LENGTH_MAX,
    SESSION_IDLE_MAX,
    SESSION_LIFE_MAX,
    SESSION_SEEN_EVERY,
    SESSIONS_PER_ACCOUNT_MAX,
)
from segue.model.problems import InvalidError
from segue.services.accounts import Accounts
from segue.services.passwords import Passwords, password_fault
from segue.services.sign_ins import SignIns
from segue.services.tokens import hash_token
from segue.storage.account_ports import StoredAccount
from segue.storage.memory import MemoryJournal

PASSWORD = "four words that rhyme"
OTHER = "another four words here"


class Desk:
    """Accounts on a journal in memory, and a clock that stands still."""

    def __init__(self) -> None:
        self.clock = FixedClock(100 * DAY)
        self.journal = MemoryJournal()
        passwords = Passwords(self.clock)
        self.accounts = Accounts(self.journal, self.clock, passwords)
        self.sign_ins = SignIns(self.journal, self.clock, passwords)

    async def admin(self, email: str = "ann@shop.test") -> StoredAccount:
        return await self.accounts.add_admin(email, PASSWORD)

    def open(self, account: StoredAccount) -> str:
        return self.sign_ins.open(account, "127.0.0.1", "Firefox")[1]


@pytest.fixture
def desk() -> Desk:
    return Desk()


def paths(error: pytest.ExceptionInfo[InvalidError]) -> list[str]:
    return [problem.path for problem in error.value.problems]


# Links


async def test_the_first_link_makes_one_admin_and_then_no_more(desk: Desk) -> None:
    token = desk.accounts.first_link()
    assert token is not None
    made = await desk.accounts.create_first(token, " Ann@Shop.test ", "Ann", PASSWORD)
    assert (made.email, made.role) == ("ann@shop.test", "admin")
    assert desk.accounts.first_link() is None
    with pytest.raises(NotFoundError, match="used already"):
        await desk.accounts.create_first(token, "bob@shop.test", "", PASSWORD)
    assert await desk.sign_ins.check("ANN@shop.test", PASSWORD) == made


async def test_a_fault_does_not_use_the_link_up(desk: Desk) -> None:
    token = desk.accounts.first_link() or ""
    with pytest.raises(InvalidError) as error:
        await desk.accounts.create_first(token, "nowhere", "x" * 101, "short")
    assert paths(error) == ["email", "name", "password"]
    await desk.accounts.create_first(token, "ann@shop.test", "", PASSWORD)


async def test_of_two_who_use_the_first_link_at_once_one_gets_in(desk: Desk) -> None:
    token = desk.accounts.first_link() or ""
    tries = [
        desk.accounts.create_first(token, f"{name}@shop.test", "", PASSWORD)
        for name in ("ann", "bob")
    ]
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert sorted(type(one).__name__ for one in results) == ["NotFoundError", "StoredAccount"]
    assert len(desk.accounts.all()) == 1


def test_a_link_ends_after_its_time(desk: Desk) -> None:
    first = desk.accounts.first_link() or ""
    desk.clock.advance(FIRST_LINK_LIFE - 1)
    assert desk.accounts.link_of(first).purpose == "first_account"
    desk.clock.advance(1)
    with pytest.raises(NotFoundError, match="too old"):
        desk.accounts.link_of(first)


def test_the_first_link_is_worth_nothing_once_there_is_an_account(desk: Desk) -> None:
    first = desk.accounts.first_link() or ""
    desk.accounts.invite("bob@shop.test", "viewer")
    with pytest.raises(NotFoundError):
        desk.accounts.link_of(first)


async def test_an_invitation_sets_a_password_and_cannot_make_an_account(desk: Desk) -> None:
    await desk.admin()
    invited, token = desk.accounts.invite("bob@shop.test", "author", "Bob")
    assert await desk.sign_ins.check("bob@shop.test", "") is None
    with pytest.raises(NotFoundError, match="sets a password"):
        await desk.accounts.create_first(token, "eve@shop.test", "", PASSWORD)
    desk.clock.advance(INVITATION_LIFE - 1)
    await desk.accounts.set_password_by_link(token, PASSWORD)
    found = await desk.sign_ins.check("bob@shop.test", PASSWORD)
    assert found is not None
    assert (found.id, found.role) == (invited.id, "author")
    with pytest.raises(NotFoundError):
        await desk.accounts.set_password_by_link(token, OTHER)


async def test_a_new_link_makes_the_earlier_one_worthless(desk: Desk) -> None:
    account = await desk.admin()
    first, second = desk.accounts.new_link(account.id), desk.accounts.new_link(account.id)
    with pytest.raises(NotFoundError):
        desk.accounts.link_of(first)
    assert desk.accounts.link_of(second).account_id == account.id


def test_of_a_token_only_its_hash_is_kept(desk: Desk) -> None:
    token = desk.accounts.first_link() or ""
    assert desk.accounts.link_of(token).token_hash == hash_token(token) != token.encode()


# Accounts


@pytest.mark.parametrize(
    ("email", "role", "path"),
    [
        ("bob", "viewer", "email"),
        ("bob@", "viewer", "email"),
        ("b b@shop.test", "viewer", "email"),
        ("x" * 250 + "@shop.test", "viewer", "email"),
        ("bob@shop.test", "owner", "role"),
    ],
)
def test_an_account_that_cannot_be_is_refused_with_the_field(
    desk: Desk, email: str, role: str, path: str
) -> None:
    with pytest.raises(InvalidError) as error:
        desk.accounts.invite(email, role)
    assert paths(error) == [path]
    assert desk.accounts.all() == []


async def test_there_is_always_an_admin(desk: Desk) -> None:
    ann, bob = await desk.admin(), await desk.admin("bob@shop.test")
    desk.accounts.change_role(bob.id, "viewer")
    with pytest.raises(ConflictError, match="only admin"):
        desk.accounts.change_role(ann.id, "publisher")
    with pytest.raises(ConflictError, match="only admin"):
        desk.accounts.remove(ann.id)
    assert desk.accounts.change_role(ann.id, "admin").role == "admin"
    desk.accounts.remove(bob.id)


async def test_a_removed_account_is_signed_out(desk: Desk) -> None:
    await desk.admin()
    bob = await desk.admin("bob@shop.test")
    token = desk.open(bob)
    desk.accounts.remove(bob.id)
    assert desk.sign_ins.find(token) is None


async def test_a_role_holds_from_the_next_request_on(desk: Desk) -> None:
    await desk.admin()
    bob = await desk.admin("bob@shop.test")
    token = desk.open(bob)
    desk.accounts.change_role(bob.id, "viewer")
    found = desk.sign_ins.find(token)
    assert found is not None
    assert not found.actor.may("draft")


# Passwords


@pytest.mark.parametrize("email", ["ann@shop.test", "nobody@shop.test", ""])
async def test_another_password_or_address_signs_nobody_in(desk: Desk, email: str) -> None:
    await desk.admin()
    assert await desk.sign_ins.check(email, OTHER) is None


async def test_an_unknown_address_costs_as_much_work_as_a_known_one(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.admin()
    await desk.sign_ins.check("ann@shop.test", OTHER)
    checked: list[str] = []
    passwords: Any = desk.sign_ins._passwords
    matches = passwords._matches
    monkeypatch.setattr(passwords, "_matches", lambda *a: (checked.append(a[0]), matches(*a))[1])
    for email in ("ann@shop.test", "nobody@shop.test"):
        await desk.sign_ins.check(email, OTHER)
    known, unknown = checked
    assert known.rsplit("$", 2)[0] == unknown.rsplit("$", 2)[0]  # the same parameters of argon2
    assert known != unknown


async def test_a_new_password_ends_all_sessions_but_this_one(desk: Desk) -> None:
    ann = await desk.admin()
    found, here = desk.sign_ins.open(ann, "127.0.0.1", "Firefox")
    elsewhere = desk.open(ann)
    with pytest.raises(InvalidError) as error:
        await desk.accounts.change_password(ann.id, found.session.id, OTHER, OTHER)
    assert paths(error) == ["current"]
    await desk.accounts.change_password(ann.id, found.session.id, PASSWORD, OTHER)
    assert desk.sign_ins.find(here) is not None
    assert desk.sign_ins.find(elsewhere) is None
    assert await desk.sign_ins.check("ann@shop.test", PASSWORD) is None
    assert await desk.sign_ins.check("ann@shop.test", OTHER) is not None


async def test_a_password_by_link_ends_all_sessions(desk: Desk) -> None:
    ann = await desk.admin()
    token = desk.open(ann)
    await desk.accounts.set_password_by_link(desk.accounts.new_link(ann.id), OTHER)
    assert desk.sign_ins.find(token) is None


async def test_a_hash_of_weaker_parameters_is_renewed_at_sign_in(desk: Desk) -> None:
    from argon2 import PasswordHasher  # noqa: PLC0415 - of this test alone

    ann = await desk.admin()
    weak = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)
    desk.journal.accounts.save(replace(ann, password_hash=weak))
    assert await desk.sign_ins.check(ann.email, PASSWORD) is not None
    renewed = desk.accounts.find(ann.id).password_hash
    assert renewed not in (None, weak)
    assert await desk.sign_ins.check(ann.email, PASSWORD) is not None


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("", "at least"),
        ("elevenchars", "11 characters"),
        ("Ann.Long@shop.test", "your address"),
        ("x" * (PASSWORD_LENGTH_MAX + 1), "at most"),
        (PASSWORD, None),
    ],
)
def test_a_password_is_long_and_not_the_address(password: str, words: str | None) -> None:
    fault = password_fault(password, "ann.long@shop.test")
    assert fault is None if words is None else words in (fault or "")


# Sessions


async def test_a_session_ends_when_nobody_comes_and_after_its_life(desk: Desk) -> None:
    ann = await desk.admin()
    idle, busy = desk.open(ann), desk.open(ann)
    began_at = desk.clock.now()
    desk.clock.advance(SESSION_IDLE_MAX - MINUTE)
    assert desk.sign_ins.find(busy) is not None
    desk.clock.advance(MINUTE)
    assert desk.sign_ins.find(idle) is None
    while desk.clock.now() < began_at + SESSION_LIFE_MAX - DAY:
        assert desk.sign_ins.find(busy) is not None
        desk.clock.advance(DAY)
    desk.clock.advance(DAY)
    assert desk.sign_ins.find(busy) is None
    assert desk.journal.accounts.sessions_of(ann.id) == []


async def test_that_a_session_was_seen_is_noted_now_and_then(desk: Desk) -> None:
    ann = await desk.admin()
    token = desk.open(ann)
    began_at = desk.clock.now()
    desk.clock.advance(SESSION_SEEN_EVERY - 1)
    desk.sign_ins.find(token)
    assert [one.seen_at for one in desk.sign_ins.of(ann.id)] == [began_at]
    desk.clock.advance(1)
    desk.sign_ins.find(token)
    assert [one.seen_at for one in desk.sign_ins.of(ann.id)] == [desk.clock.now()]


async def test_an_account_has_only_so_many_sessions(desk: Desk) -> None:
    ann = await desk.admin()
    tokens = []
    for _ in range(SESSIONS_PER_ACCOUNT_MAX + 1):
        desk.clock.advance(1)
        tokens.append(desk.open(ann))
    assert desk.sign_ins.find(tokens[0]) is None
    assert desk.sign_ins.find(tokens[1]) is not None
    assert len(desk.sign_ins.of(ann.id)) == SESSIONS_PER_ACCOUNT_MAX


async def test_nobody_ends_the_session_of_another_account(desk: Desk) -> None:
    ann, bob = await desk.admin(), await desk.admin("bob@shop.test")
    found, token = desk.sign_ins.open(ann, "127.0.0.1", "Firefox")
    desk.sign_ins.end(bob.id, found.session.id)
    assert desk.sign_ins.find(token) is not None
    desk.sign_ins.end(ann.id, found.session.id)
    assert desk.sign_ins.find(token) is None
