"""Access tokens for Google's APIs: a signed statement is exchanged for one, and kept for its hour.

The exchange is RFC 7523 with the key of a service account.
"""

import asyncio
from typing import Final
from urllib.parse import urlencode

import jwt
from msgspec import DecodeError, Struct
from msgspec.json import Decoder

from segue.channels.http import HttpAnswer, HttpClient
from segue.channels.provider import (
    ask,
    base_url,
    read_file,
    read_rsa_key,
    retry_after_s,
    status_and_body,
)
from segue.channels.sender import TryLater
from segue.clock import Clock
from segue.errors import SegueError
from segue.model.instants import SECOND

_GRANT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_STATEMENT_S: Final = 3_600  # Google takes no longer-lived one
_RENEWED_BEFORE_S: Final = 120.0  # its end: a call under way must not outlive its token
_FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}


class ServiceAccount(Struct, frozen=True):
    """The file that Google's console gives; the other fields in it are not needed."""

    project_id: str
    client_email: str
    private_key: str
    private_key_id: str = ""
    token_uri: str = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address

    def __repr__(self) -> str:
        """Show whose it is, without the key."""
        return f"ServiceAccount({self.client_email})"


class _Granted(Struct, frozen=True):
    access_token: str
    expires_in: float


_account_decoder = Decoder(ServiceAccount)
_granted_decoder = Decoder(_Granted)


def read_service_account(path: str, setting: str) -> ServiceAccount:
    """Read the file of a service account.

    Raises:
        SegueError: there is none, or something else is in it.
    """
    try:
        return _account_decoder.decode(read_file(path, setting))
    except (DecodeError, UnicodeDecodeError) as error:
        message = f"{setting}: {path} is no key file of a service account in JSON: {error}"
        raise SegueError(message) from None


class AccessTokens:
    """Gets access tokens of a scope, one at a time however many ask."""

    def __init__(
        self, account: ServiceAccount, scope: str, setting: str, http: HttpClient, clock: Clock
    ) -> None:
        """Read the account's key.

        Raises:
            SegueError: it is none.
        """
        self._account = account
        self._uri = base_url(account.token_uri, f"{setting}: token_uri")
        self._key = read_rsa_key(account.private_key.encode(), f"{setting}: private_key")
        self._scope = scope
        self._http = http
        self._clock = clock
        self._turn = asyncio.Lock()
        self._token = ""
        self._ends_at_s = 0.0

    async def get(self) -> str | TryLater:
        """Return a token that is good for a while; or why there is none now."""
        async with self._turn:
            if self._clock.monotonic() < self._ends_at_s - _RENEWED_BEFORE_S:
                return self._token
            return await self._exchange()

    def drop(self, token: str) -> None:
        """Do not use a token any more: it was not taken."""
        if token == self._token:
            self._ends_at_s = 0.0

    async def _exchange(self) -> str | TryLater:
        body = urlencode({"grant_type": _GRANT, "assertion": self._statement()}).encode()
        answer = await ask(self._http, "POST", self._uri, _FORM, body)
        if not isinstance(answer, HttpAnswer):
            # Whether the exchange arrived does not matter: nothing was sent to anybody yet.
            return TryLater(f"no access token: {answer.detail}", is_outage=True)
        try:
            granted = _granted_decoder.decode(answer.body)
        except (DecodeError, UnicodeDecodeError):
            detail = f"no access token: {status_and_body(answer)}"
            return TryLater(detail, retry_after_s(answer, self._clock), is_outage=True)
        self._token = granted.access_token
        self._ends_at_s = self._clock.monotonic() + granted.expires_in
        return self._token

    def _statement(self) -> str:
        now_s = self._clock.now() // SECOND
        claims = {
            "iss": self._account.client_email,
            "scope": self._scope,
            "aud": self._account.token_uri,
            "iat": now_s,
            "exp": now_s + _STATEMENT_S,
        }
        headers = {"kid": self._account.private_key_id}
        return jwt.encode(claims, self._key, algorithm="RS256", headers=headers)
