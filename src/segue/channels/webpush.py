"""Push to browsers: encrypted for them, and signed with the key that they subscribed with.

RFC 8030 with RFC 8291 and 8292 (channel-facts.md 6.6).
"""

import base64
from collections import OrderedDict
from collections.abc import Callable
from hashlib import blake2b
from typing import Any, Final
from urllib.parse import urlsplit

import jwt
from msgspec import Struct

from segue.channels.http import HttpAnswer, HttpClient
from segue.channels.provider import ask, retry_after_s, status_and_body
from segue.channels.push_payload import NAME, encoded, payload_of
from segue.channels.sender import Accepted, Answer, Refused, TryLater
from segue.channels.settings import WebPushSettings
from segue.channels.webpush_encryption import (
    PLAINTEXT_BYTES_MAX,
    SALT_BYTES,
    SEED_BYTES,
    KeysInvalidError,
    encrypt,
    point_of,
    private_key,
)
from segue.clock import Clock
from segue.engine.devices import fault_of_device, from_base64url
from segue.model.devices import RegisteredDevice
from segue.model.events import DeviceChanged
from segue.model.instants import HOUR, SECOND
from segue.model.rendered import RenderedPush

VAPID_SECRET: Final = "web-push-key"  # noqa: S105 - its name, not the key

_TOPIC_BYTES: Final = 24  # 32 characters in base64, which is as long as a topic may be
_TOKEN_VALID: Final = 12 * HOUR  # a push service takes a day at the most
_TOKEN_RENEWED_AFTER: Final = 6 * HOUR
_TOKENS_KEPT_MAX: Final = 64  # browsers come with a handful of push services

_OK: Final = (200, 201, 202, 204)
_GONE: Final = (404, 410)
_TOO_MANY: Final = 429


class WebPushProvider:
    """Sends to the push services of browsers, of which each subscription names one."""

    def __init__(
        self,
        settings: WebPushSettings,
        keep_for_s: int,
        clock: Clock,
        secret: Callable[[str], bytes],
    ) -> None:
        """Read the settings; `secret` gives the installation's own secret of a name.

        Raises:
            SegueError: an allowed network is none.
        """
        self._http = HttpClient(
            settings.timeout_s,
            settings.allow_private_addresses,
            setting="channels.push.web.allow_private_addresses",
            http2=True,
        )
        self._vapid = _Vapid(secret(VAPID_SECRET), settings.contact, clock)
        self._keep_for_s = keep_for_s
        self._clock = clock

    @property
    def public_key(self) -> str:
        """What a page gives its browser to subscribe with (`applicationServerKey`)."""
        return self._vapid.public_key

    def service_of(self, device: RegisteredDevice) -> str:
        """Return the name of who takes pushes for a device: the host of its subscription."""
        return urlsplit(device.token).netloc

    async def push(self, message: RenderedPush, device: RegisteredDevice) -> Answer:
        """Send to a browser; a repeat replaces the first, wherever that has come to."""
        fault = fault_of_device(DeviceChanged(message.user_id, device))
        if fault is not None:
            return Refused(fault, is_address_dead=True)
        plain = encoded(_document(message), PLAINTEXT_BYTES_MAX)
        if isinstance(plain, str):
            return Refused(plain)
        try:
            body = self._sealed(plain, device)
        except KeysInvalidError as error:
            return Refused(f"keys.p256dh is no key: {error}", is_address_dead=True)
        topic = blake2b(message.send_id.encode(), digest_size=_TOPIC_BYTES).digest()
        headers = {
            "TTL": str(self._keep_for_s),
            "Urgency": "normal",
            "Topic": _base64url(topic),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "Authorization": self._vapid.authorization(device.token),
        }
        answer = await ask(self._http, "POST", device.token, headers, body)
        return self._sort(answer) if isinstance(answer, HttpAnswer) else answer

    async def close(self) -> None:
        """Close connections."""
        await self._http.close()

    def _sealed(self, plain: bytes, device: RegisteredDevice) -> bytes:
        keys = device.keys
        p256dh = from_base64url(keys.p256dh) if keys is not None else None
        auth = from_base64url(keys.auth) if keys is not None else None
        if p256dh is None or auth is None:
            raise KeysInvalidError("there is none")
        own = private_key(self._clock.token(SEED_BYTES))
        return encrypt(plain, p256dh, auth, self._clock.token(SALT_BYTES), own)

    def _sort(self, answer: HttpAnswer) -> Answer:
        status, detail = answer.status, status_and_body(answer)
        if status in _OK:
            return Accepted(answer.headers.get("location", detail))
        if status in _GONE:
            return Refused(detail, is_address_dead=True)
        if status == _TOO_MANY or status >= 500:  # noqa: PLR2004
            # A push service may count per subscription, which must not hold up the others.
            wish_s = retry_after_s(answer, self._clock)
            return TryLater(detail, wish_s, is_outage=status != _TOO_MANY)
        return Refused(detail)


class _Signed(Struct, frozen=True):
    text: str
    made_at: int


class _Vapid:
    """Shows push services who we are; each gets a token of its own, which it cannot pass on."""

    def __init__(self, seed: bytes, contact: str, clock: Clock) -> None:
        self._key = private_key(seed)
        self.public_key = _base64url(point_of(self._key))
        self._contact = contact
        self._clock = clock
        self._tokens: OrderedDict[str, _Signed] = OrderedDict()

    def authorization(self, endpoint: str) -> str:
        """Return the header for a subscription's endpoint."""
        parts = urlsplit(endpoint)
        return f"vapid t={self._token(f'{parts.scheme}://{parts.netloc}')}, k={self.public_key}"

    def _token(self, audience: str) -> str:
        now = self._clock.now()
        kept = self._tokens.get(audience)
        if kept is None or now - kept.made_at >= _TOKEN_RENEWED_AFTER:
            claims = {
                "aud": audience,
                "exp": (now + _TOKEN_VALID) // SECOND,
                "sub": self._contact,
            }
            kept = self._tokens[audience] = _Signed(jwt.encode(claims, self._key, "ES256"), now)
        self._tokens.move_to_end(audience)
        while len(self._tokens) > _TOKENS_KEPT_MAX:
            self._tokens.popitem(last=False)
        return kept.text


def _document(message: RenderedPush) -> dict[str, Any]:
    shown = {"title": message.title, "body": message.body}
    return {**message.extra, **shown, NAME: payload_of(message)}


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
