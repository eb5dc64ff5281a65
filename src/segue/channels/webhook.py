"""Webhooks: an HTTP call per message, signed as Standard Webhooks 1.0 asks."""

import base64
import hmac
from email.utils import parsedate_to_datetime
from hashlib import sha256
from typing import Final

from segue.channels.http import ForbiddenAddressError, HttpAnswer, HttpClient, UnreachableError
from segue.channels.sender import Accepted, Answer, Refused, TryLater
from segue.channels.settings import WebhookSettings
from segue.clock import Clock
from segue.errors import SegueError
from segue.model.instants import SECOND, from_datetime
from segue.model.rendered import Rendered, RenderedWebhook

_TRY_LATER: Final = frozenset((408, 429))
_BODY_SHOWN_MAX: Final = 200
_SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - how a secret begins, not one


class WebhookSender:
    """Makes the calls."""

    def __init__(self, settings: WebhookSettings, clock: Clock) -> None:
        self._http = HttpClient(settings.timeout_s, settings.allow_private_addresses)
        self._secret = _read_secret(settings.secret) if settings.secret is not None else None
        self._clock = clock

    async def send(self, message: Rendered) -> Answer:
        """Make a call; repeated with the same `webhook-id`, so that a receiver can tell."""
        if not isinstance(message, RenderedWebhook):
            return Refused("this sender takes webhooks only")
        headers = {**message.headers, **self._own_headers(message)}
        try:
            answer = await self._http.call(message.method, message.url, headers, message.body)
        except ForbiddenAddressError as error:
            return Refused(str(error))
        except UnreachableError as error:
            return TryLater(str(error))
        return self._read(answer)

    async def close(self) -> None:
        """Close connections."""
        await self._http.close()

    def _own_headers(self, message: RenderedWebhook) -> dict[str, str]:
        timestamp = str(self._clock.now() // SECOND)
        headers = {
            "User-Agent": "Segue",
            "Idempotency-Key": message.send_id,
            "webhook-id": message.send_id,
            "webhook-timestamp": timestamp,
        }
        if self._secret is not None:
            signed = f"{message.send_id}.{timestamp}.".encode() + (message.body or b"")
            digest = hmac.new(self._secret, signed, sha256).digest()
            headers["webhook-signature"] = "v1," + base64.b64encode(digest).decode()
        return headers

    def _read(self, answer: HttpAnswer) -> Answer:
        """Sort an answer (channel-facts.md 1.6)."""
        status = answer.status
        shown = answer.body[:_BODY_SHOWN_MAX].decode("utf-8", "replace")
        detail = f"HTTP {status} {shown}".strip()
        if 200 <= status < 300:  # noqa: PLR2004
            return Accepted(detail)
        if status in _TRY_LATER or status >= 500:  # noqa: PLR2004
            return TryLater(detail, self._retry_after_s(answer.headers.get("retry-after")))
        return Refused(detail)

    def _retry_after_s(self, text: str | None) -> float | None:
        """Read a Retry-After: seconds, or a date."""
        if text is None:
            return None
        if text.strip().isdigit():
            return float(text)
        try:
            at = from_datetime(parsedate_to_datetime(text))
        except ValueError:
            return None
        return max(0.0, (at - self._clock.now()) / SECOND)


def _read_secret(text: str) -> bytes:
    try:
        return base64.b64decode(text.removeprefix(_SECRET_PREFIX), validate=True)
    except ValueError:
        message = "channels.webhook.secret must be whsec_ and base64, as Standard Webhooks has it"
        raise SegueError(message) from None
