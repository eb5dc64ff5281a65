"""Webhooks: an HTTP call per message, signed as Standard Webhooks 1.0 asks."""

import base64
import hmac
from hashlib import sha256
from typing import Final

from segue.channels.http import (
    ForbiddenAddressError,
    HttpAnswer,
    HttpClient,
    InvalidCallError,
    UnreachableError,
)
from segue.channels.provider import retry_after_s, status_and_body
from segue.channels.sender import Accepted, Answer, Refused, TryLater
from segue.channels.settings import WebhookSettings
from segue.clock import Clock
from segue.errors import SegueError
from segue.model.instants import SECOND
from segue.model.rendered import Rendered, RenderedWebhook

_TRY_LATER: Final = frozenset((408, 429))
_SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - how a secret begins, not one
_SECRET_BYTES_MIN: Final = 24  # Standard Webhooks 1.0
_SECRET_BYTES_MAX: Final = 64


class WebhookSender:
    """Makes the calls."""

    def __init__(
        self, settings: WebhookSettings, clock: Clock, http: HttpClient | None = None
    ) -> None:
        """Read the settings.

        Raises:
            SegueError: the secret or an allowed network is none.
        """
        self._secret = _read_secret(settings.secret) if settings.secret is not None else None
        self._clock = clock
        self._http = http or HttpClient(settings.timeout_s, settings.allow_private_addresses)

    async def send(self, message: Rendered) -> Answer:
        """Make a call; repeated with the same `webhook-id`, so that a receiver can tell.

        So a call that broke off is simply to be made again: there is no unknown outcome here.
        """
        if not isinstance(message, RenderedWebhook):
            return Refused("this sender takes webhooks only")
        headers = self._headers(message)
        try:
            answer = await self._http.call(message.method, message.url, headers, message.body)
        except (ForbiddenAddressError, InvalidCallError) as error:
            return Refused(str(error))
        except UnreachableError as error:
            return TryLater(f"{error}; it may have arrived" if error.was_sent else str(error))
        return self._read(answer)

    async def close(self) -> None:
        """Close connections."""
        await self._http.close()

    def _headers(self, message: RenderedWebhook) -> dict[str, str]:
        """Return the author's headers and ours.

        An author may name another agent or key, as some APIs ask; the signature is ours alone.
        """
        given = {
            name: value
            for name, value in message.headers.items()
            if not name.lower().startswith("webhook-")
        }
        names = {name.lower() for name in given}
        defaults = {"User-Agent": "Segue", "Idempotency-Key": message.send_id}
        missing = {name: value for name, value in defaults.items() if name.lower() not in names}
        return {**given, **missing, **self._signature(message)}

    def _signature(self, message: RenderedWebhook) -> dict[str, str]:
        timestamp = str(self._clock.now() // SECOND)
        headers = {"webhook-id": message.send_id, "webhook-timestamp": timestamp}
        if self._secret is not None:
            signed = f"{message.send_id}.{timestamp}.".encode() + (message.body or b"")
            digest = hmac.new(self._secret, signed, sha256).digest()
            headers["webhook-signature"] = "v1," + base64.b64encode(digest).decode()
        return headers

    def _read(self, answer: HttpAnswer) -> Answer:
        """Sort an answer (channel-facts.md 1.6)."""
        status, detail = answer.status, status_and_body(answer)
        if 200 <= status < 300:  # noqa: PLR2004
            return Accepted(detail)
        if status in _TRY_LATER or status >= 500:  # noqa: PLR2004
            return TryLater(detail, retry_after_s(answer, self._clock))
        if 300 <= status < 400:  # noqa: PLR2004
            detail = f"HTTP {status}: redirects are not followed; give the address it leads to"
        return Refused(detail)


def _read_secret(text: str) -> bytes:
    try:
        secret = base64.b64decode(text.removeprefix(_SECRET_PREFIX), validate=True)
    except ValueError:
        secret = b""
    if not _SECRET_BYTES_MIN <= len(secret) <= _SECRET_BYTES_MAX:
        message = (
            f"channels.webhook.secret must be whsec_ and {_SECRET_BYTES_MIN} to "
            f"{_SECRET_BYTES_MAX} bytes in base64, as Standard Webhooks has it"
        )
        raise SegueError(message)
    return secret
