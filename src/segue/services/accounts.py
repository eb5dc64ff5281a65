"""Accounts: made, invited by a link that works once, given roles, removed."""

from msgspec.structs import replace

from segue.clock import Clock
from segue.errors import ConflictError, NotFoundError
from segue.model.accounts import ROLES, Role, Theme
from segue.model.ids import random_id
from segue.model.limits import (
    ACCOUNT_NAME_LENGTH_MAX,
    ACCOUNTS_MAX,
    EMAIL_LENGTH_MAX,
    FIRST_LINK_LIFE,
    INVITATION_LIFE,
)
from segue.model.problems import InvalidError, Problem
from segue.services.passwords import Passwords, password_fault
from segue.services.tokens import hash_token, new_token
from segue.storage.account_ports import LinkPurpose, StoredAccount, StoredLink
from segue.storage.ports import Journal

_WHAT = "The account"


class Accounts:
    """The verbs on accounts. There is always an admin, once there is an account."""

    def __init__(self, journal: Journal, clock: Clock, passwords: Passwords) -> None:
        self._kept = journal.accounts
        self._clock = clock
        self._passwords = passwords

    def all(self) -> list[StoredAccount]:
        """Return all accounts, by address."""
        return self._kept.all()

    def find(self, account_id: str) -> StoredAccount:
        """Return an account.

        Raises:
            NotFoundError: there is none with this id.
        """
        found = self._kept.find(account_id)
        if found is None:
            raise NotFoundError(f"There is no account {account_id!r}; it may have been removed.")
        return found

    def invite(self, email: str, role: str, name: str = "") -> tuple[StoredAccount, str]:
        """Make an account, and return it with the token of a link that sets its password.

        Raises:
            InvalidError: the address, the name or the role is no good.
            ConflictError: the address is taken, or there are too many accounts.
        """
        account = self._new(email, name, role)
        if len(self.all()) >= ACCOUNTS_MAX:
            raise ConflictError(f"There are {ACCOUNTS_MAX} accounts already; remove one first.")
        self._kept.save(account)
        return account, self._link("set_password", account.id, INVITATION_LIFE)

    def new_link(self, account_id: str) -> str:
        """Return the token of a link with which an account sets its password anew."""
        return self._link("set_password", self.find(account_id).id, INVITATION_LIFE)

    def first_link(self) -> str | None:
        """Return the token of the link to the first account; None when there is an account."""
        return None if self.all() else self._link("first_account", None, FIRST_LINK_LIFE)

    def link_of(self, token: str) -> StoredLink:
        """Return a link that can still be used.

        Raises:
            NotFoundError: it was used, is too old, or never was.
        """
        found = self._kept.find_link(hash_token(token))
        is_late = found is not None and found.purpose == "first_account" and bool(self.all())
        if found is None or found.expires_at <= self._clock.now() or is_late:
            raise NotFoundError(
                "This link does not work: it was used already, or is too old. Ask an admin for a "
                "new one; before there is any account, start the server again and it prints one."
            )
        return found

    async def create_first(self, token: str, email: str, name: str, password: str) -> StoredAccount:
        """Make the first account, an admin, by the link that the server printed.

        Raises:
            InvalidError: with every fault of what was typed; the link can be used again.
            NotFoundError: the link does not work.
        """
        if self.link_of(token).purpose != "first_account":
            raise NotFoundError("This link does not make an account; it sets a password.")
        problems = _faults(email, name, "admin")
        if fault := password_fault(password, email):
            problems.append(Problem("password", fault))
        if problems:
            raise InvalidError(problems, _WHAT)
        account = replace(
            self._new(email, name, "admin"), password_hash=await self._passwords.hash(password)
        )
        self._take(token)
        self._kept.save(account)
        return account

    async def set_password_by_link(self, token: str, password: str) -> StoredAccount:
        """Set the password of the account that a link is for; its sessions end.

        Raises:
            InvalidError: the password is no good; the link can be used again.
            NotFoundError: the link does not work.
        """
        account = self.find(self.link_of(token).account_id or "")
        hashed = await self._checked_hash(account, password)
        self._take(token)
        return self._with_password(account.id, hashed, keep_session=None)

    async def change_password(
        self, account_id: str, session_id: str, current: str, password: str
    ) -> None:
        """Change an account's password; all its sessions but this one end.

        Raises:
            InvalidError: the current password is another, or the new one is no good.
        """
        account = self.find(account_id)
        if not await self._passwords.verify(account.password_hash, current):
            problem = Problem("current", "This is not your current password.")
            raise InvalidError([problem], "The password")
        hashed = await self._checked_hash(account, password)
        self._with_password(account_id, hashed, keep_session=session_id)

    async def add_admin(self, email: str, password: str) -> StoredAccount:
        """Make an admin with a password; for set-ups that nobody signs in to by a link.

        Raises:
            InvalidError: the address or the password is no good.
            ConflictError: the address is taken.
        """
        if fault := password_fault(password, email):
            raise InvalidError([Problem("password", fault)], _WHAT)
        hashed = await self._passwords.hash(password)
        account = replace(self._new(email, "", "admin"), password_hash=hashed)
        self._kept.save(account)
        return account

    def change_role(self, account_id: str, role: str) -> StoredAccount:
        """Give an account another role; it holds from its next request on.

        Raises:
            InvalidError: there is no such role.
            ConflictError: nobody would be an admin any more.
        """
        account = self.find(account_id)
        changed = replace(account, role=_role(role))
        if changed.role != "admin":
            self._refuse_last_admin(account)
        self._kept.save(changed)
        return changed

    def change_name(self, account_id: str, name: str) -> None:
        """Give an account another name.

        Raises:
            InvalidError: it is too long.
        """
        account = self.find(account_id)
        if problems := _faults(account.email, name, account.role):
            raise InvalidError(problems, _WHAT)
        self._kept.save(replace(account, name=name.strip()))

    def change_looks(self, account_id: str, theme: Theme, *, has_shortcuts: bool) -> None:
        """Keep how an account wants pages to look and to listen to keys."""
        changed = replace(self.find(account_id), theme=theme, has_shortcuts=has_shortcuts)
        self._kept.save(changed)

    def remove(self, account_id: str) -> StoredAccount:
        """Remove an account with its sessions and links.

        Raises:
            ConflictError: nobody would be an admin any more.
        """
        account = self.find(account_id)
        self._refuse_last_admin(account)
        self._kept.delete(account_id)
        return account

    def _new(self, email: str, name: str, role: str) -> StoredAccount:
        if problems := _faults(email, name, role):
            raise InvalidError(problems, _WHAT)
        now = self._clock.now()
        account_id = random_id(now, self._clock.token(10))
        return StoredAccount(account_id, canonical(email), name.strip(), _role(role), now)

    def _link(self, purpose: LinkPurpose, account_id: str | None, life: int) -> str:
        token = new_token(self._clock)
        expires_at = self._clock.now() + life
        self._kept.save_link(StoredLink(hash_token(token), purpose, account_id, expires_at))
        return token

    def _take(self, token: str) -> None:
        """Use a link up; of two who use it at once, one gets through."""
        self.link_of(token)
        if not self._kept.take_link(hash_token(token)):
            self.link_of(token)

    async def _checked_hash(self, account: StoredAccount, password: str) -> str:
        if fault := password_fault(password, account.email):
            raise InvalidError([Problem("password", fault)], "The password")
        return await self._passwords.hash(password)

    def _with_password(
        self, account_id: str, hashed: str, keep_session: str | None
    ) -> StoredAccount:
        changed = replace(self.find(account_id), password_hash=hashed)
        self._kept.save(changed)
        sessions = [one.id for one in self._kept.sessions_of(account_id)]
        self._kept.end_sessions([one for one in sessions if one != keep_session])
        return changed

    def _refuse_last_admin(self, account: StoredAccount) -> None:
        admins = [one for one in self.all() if one.role == "admin"]
        if [one.id for one in admins] == [account.id]:
            raise ConflictError(
                f"{account.email} is the only admin; make somebody else an admin first."
            )


def link_url(base_url: str, token: str) -> str:
    """Return the address of a link that works once."""
    return f"{base_url}/link/{token}"


def canonical(email: str) -> str:
    """Return an address as it is kept and compared."""
    return email.strip().lower()


def _faults(email: str, name: str, role: str) -> list[Problem]:
    problems = []
    local, _, domain = canonical(email).rpartition("@")
    if not local or not domain or any(one.isspace() for one in canonical(email)):
        message = f"{email!r} is no address; write it as ann@shop.test."
        problems.append(Problem("email", message))
    if len(email) > EMAIL_LENGTH_MAX:
        message = f"This has {len(email)} characters; an address has at most {EMAIL_LENGTH_MAX}."
        problems.append(Problem("email", message))
    if len(name.strip()) > ACCOUNT_NAME_LENGTH_MAX:
        message = f"This has {len(name)} characters; take at most {ACCOUNT_NAME_LENGTH_MAX}."
        problems.append(Problem("name", message))
    if role not in ROLES:
        problems.append(_no_role(role))
    return problems


def _role(text: str) -> Role:
    for role in ROLES:
        if role == text:
            return role
    raise InvalidError([_no_role(text)], _WHAT)


def _no_role(text: str) -> Problem:
    return Problem("role", f"{text!r} is none; there are: {', '.join(ROLES)}.")
