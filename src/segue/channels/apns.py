"""Push to Apple devices over APNs: HTTP/2 with tokens that a key signs (channel-facts.md 6.8)."""

from typing import Any, Final

import jwt
from msgspec import DecodeError, Struct
from msgspec.json import Decoder

from segue.channels.guard import ANYWHERE
from segue.channels.http import HttpAnswer, HttpClient
from segue.channels.provider import (
    ask,
    base_url,
    read_file,
    read_p256_key,
    retry_after_s,
    status_and_body,
)
from segue.channels.push_payload import NAME, encoded, payload_of
from segue.channels.sender import Accepted, Answer, Refused, TryLater
from segue.channels.settings import ApnsSettings
from segue.clock import Clock
from segue.model.devices import RegisteredDevice
from segue.model.ids import derive_id
from segue.model.instants import MINUTE, SECOND
from segue.model.rendered import RenderedPush

_SETTING: Final = "channels.push.apns"
# Apple takes a token for an hour, and a new one every twenty minutes at the most.
_TOKEN_RENEWED_AFTER: Final = 40 * MINUTE
_TOKEN_KEPT_MIN: Final = 20 * MINUTE
_AT_ONCE: Final = "10"
_MILLISECOND: Final = 1_000

_OK: Final = 200
_FORBIDDEN: Final = 403
_GONE: Final = 410
_TOO_MANY: Final = 429
_DEAD: Final = ("BadDeviceToken", "DeviceTokenNotForTopic")
_EXPIRED: Final = "ExpiredProviderToken"
_OF_ONE_DEVICE: Final = "TooManyRequests"


class _Error(Struct, frozen=True):
    reason: str = ""
    timestamp: int | None = None  # milliseconds: since when the token is dead


_decoder = Decoder(_Error)


class ApnsProvider:
    """Sends to one app's devices."""

    def __init__(self, settings: ApnsSettings, keep_for_s: int, clock: Clock) -> None:
        """Read the settings and the file they name.

        Raises:
            SegueError: one of them is unusable.
        """
        self._token = _ProviderToken(settings, clock)
        self._http = HttpClient(settings.timeout_s, ANYWHERE, http2=True)
        self._url = base_url(settings.url, f"{_SETTING}.url")
        self._topic = settings.topic
        self._keep_for_s = keep_for_s
        self._clock = clock

    def service_of(self, _device: RegisteredDevice) -> str:
        """Return the name of who takes pushes for a device."""
        return "APNs"

    async def push(self, message: RenderedPush, device: RegisteredDevice) -> Answer:
        """Send to a device; a repeat has the same id, and replaces the first on the device."""
        body = encoded(_document(message))
        if isinstance(body, str):
            return Refused(body)
        answer = await self._call(message, device, body)
        if self._is_expired(answer) and self._token.renew():
            answer = await self._call(message, device, body)
        return self._sort(answer, device) if isinstance(answer, HttpAnswer) else answer

    async def close(self) -> None:
        """Close connections."""
        await self._http.close()

    async def _call(
        self, message: RenderedPush, device: RegisteredDevice, body: bytes
    ) -> HttpAnswer | Answer:
        headers = {
            "authorization": f"bearer {self._token.text()}",
            "apns-topic": self._topic,
            "apns-push-type": "alert",
            "apns-priority": _AT_ONCE,
            "apns-expiration": str(self._clock.now() // SECOND + self._keep_for_s),
            "apns-id": derive_id(0, "apns", message.send_id, device.token),
            "apns-collapse-id": message.send_id,
            "content-type": "application/json",
        }
        url = f"{self._url}/3/device/{device.token.lower()}"
        return await ask(self._http, "POST", url, headers, body)

    def _is_expired(self, answer: HttpAnswer | Answer) -> bool:
        return (
            isinstance(answer, HttpAnswer)
            and answer.status == _FORBIDDEN
            and _read(answer).reason == _EXPIRED
        )

    def _sort(self, answer: HttpAnswer, device: RegisteredDevice) -> Answer:
        status = answer.status
        if status == _OK:
            return Accepted(answer.headers.get("apns-id", ""))
        error = _read(answer)
        detail = f"HTTP {status} {error.reason}" if error.reason else status_and_body(answer)
        if status == _GONE or error.reason in _DEAD:
            return Refused(detail, is_address_dead=_is_dead(error, device))
        if status not in (_FORBIDDEN, _TOO_MANY) and status < 500:  # noqa: PLR2004
            return Refused(detail)
        if status == _FORBIDDEN:
            detail = f"{detail}; look at key_id, team_id and key_file under {_SETTING}"
        wish_s = retry_after_s(answer, self._clock)
        return TryLater(detail, wish_s, is_outage=error.reason != _OF_ONE_DEVICE)


class _ProviderToken:
    """The token that shows Apple who we are."""

    def __init__(self, settings: ApnsSettings, clock: Clock) -> None:
        setting = f"{_SETTING}.key_file"
        self._key = read_p256_key(read_file(settings.key_file, setting), setting)
        self._key_id = settings.key_id
        self._team_id = settings.team_id
        self._clock = clock
        self._text = ""
        self._made_at = 0

    def text(self) -> str:
        """Return the token, a new one where it has become old."""
        if not self._text or self._clock.now() - self._made_at >= _TOKEN_RENEWED_AFTER:
            self._make()
        return self._text

    def renew(self) -> bool:
        """Make a new token if Apple takes one already."""
        if self._clock.now() - self._made_at < _TOKEN_KEPT_MIN:
            return False
        self._make()
        return True

    def _make(self) -> None:
        self._made_at = self._clock.now()
        claims = {"iss": self._team_id, "iat": self._made_at // SECOND}
        headers = {"kid": self._key_id}
        self._text = jwt.encode(claims, self._key, algorithm="ES256", headers=headers)


def _document(message: RenderedPush) -> dict[str, Any]:
    """Return what APNs takes. An app draws images, buttons and pages; it may change the alert."""
    aps: dict[str, Any] = {
        "alert": {"title": message.title, "body": message.body},
        "sound": "default",
    }
    if message.image_url or message.buttons or message.pages:
        aps["mutable-content"] = 1
    if message.buttons:
        aps["category"] = ".".join([NAME, *(button.id for button in message.buttons)])
    return {**message.extra, "aps": aps, NAME: payload_of(message)}


def _is_dead(error: _Error, device: RegisteredDevice) -> bool:
    """Return whether the token died after it was last given to us."""
    return error.timestamp is None or error.timestamp * _MILLISECOND >= device.registered_at


def _read(answer: HttpAnswer) -> _Error:
    try:
        return _decoder.decode(answer.body)
    except (DecodeError, UnicodeDecodeError):
        return _Error()
