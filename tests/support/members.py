"""People with accounts on a real server, signed in as a browser would be."""

from typing import Any
from urllib.parse import urlencode

import httpx2

from segue.clock import SystemClock
from segue.model.accounts import Role
from segue.services.accounts import Accounts
from segue.services.passwords import Passwords
from segue.storage.open import open_journal
from tests.support.servers import SegueServer

PASSWORD = "four words that rhyme"
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin", "Accept": "text/html"}


_CLOSING = httpx2.Limits(max_keepalive_connections=0)  # so that nobody has to close a client


class Member:
    """An account and its browser: cookies are kept, redirects are told and not followed."""

    def __init__(self, server: SegueServer, email: str) -> None:
        self.server = server
        self.email = email
        self.client = httpx2.Client(
            base_url=server.url, headers=SAME_ORIGIN, limits=_CLOSING, timeout=30
        )

    def get(self, path: str, **options: Any) -> httpx2.Response:
        return self.client.get(path, **options)

    def post(
        self, path: str, form: dict[str, Any] | None = None, **options: Any
    ) -> httpx2.Response:
        return self.client.post(path, data=form or {"nothing": ""}, **options)

    def send(self, path: str, pairs: list[tuple[str, str]], **options: Any) -> httpx2.Response:
        """Send a form, in which a field may stand several times."""
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            **options.pop("headers", {}),
        }
        return self.client.post(path, content=urlencode(pairs), headers=headers, **options)

    def page(self, path: str) -> str:
        """Return a page that is there."""
        answer = self.get(path)
        assert answer.status_code == 200, (path, answer.status_code, answer.text[:500])
        return answer.text

    def sign_in(self, password: str = PASSWORD) -> httpx2.Response:
        return self.post("/sign-in", {"email": self.email, "password": password})


Team = dict[Role, Member]


def add_user(server: SegueServer, email: str, role: Role) -> str:
    """Make an account, as the command does beside a server; return its link."""
    journal, clock = open_journal(server.data), SystemClock()
    try:
        _, token = Accounts(journal, clock, Passwords(clock)).invite(email, role)
    finally:
        journal.close()
    return f"/link/{token}"


def member(server: SegueServer, role: Role, name: str = "") -> Member:
    """Make an account, set its password by its link, and be signed in with it."""
    made = Member(server, f"{name or role}@shop.test")
    link = add_user(server, made.email, role)
    answer = made.post(link, {"password": PASSWORD})
    assert answer.status_code == 303, answer.text
    return made
