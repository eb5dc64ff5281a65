"""Push to Android devices over Firebase Cloud Messaging, HTTP v1 (channel-facts.md 6.7)."""

from typing import Any, Final

from msgspec import DecodeError, Struct, field
from msgspec.json import Decoder, encode

from segue.channels.google_token import AccessTokens, read_service_account
from segue.channels.guard import ANYWHERE
from segue.channels.http import HttpAnswer, HttpClient
from segue.channels.provider import ask, base_url, retry_after_s, status_and_body
from segue.channels.push_payload import NAME, encoded, payload_of
from segue.channels.sender import Accepted, Answer, Refused, TryLater
from segue.channels.settings import FcmSettings
from segue.clock import Clock
from segue.model.devices import RegisteredDevice
from segue.model.rendered import RenderedPush

_SETTING: Final = "channels.push.fcm"
_SCOPE: Final = "https://www.googleapis.com/auth/firebase.messaging"
_QUOTA_PAUSE_S: Final = 60.0  # the shortest that Google asks for
_OK: Final = 200
_UNAUTHENTICATED: Final = 401
_FORBIDDEN: Final = 403
_TOO_MANY: Final = 429
_DEAD: Final = ("UNREGISTERED", "SENDER_ID_MISMATCH")


class _Violation(Struct, frozen=True):
    field: str = ""


class _Detail(Struct, frozen=True, rename="camel"):
    error_code: str | None = None
    field_violations: list[_Violation] = field(default_factory=list)


class _Error(Struct, frozen=True):
    message: str = ""
    details: list[_Detail] = field(default_factory=list)


class _Answered(Struct, frozen=True):
    name: str = ""
    error: _Error | None = None


_decoder = Decoder(_Answered)


class FcmProvider:
    """Sends to one project's devices."""

    def __init__(self, settings: FcmSettings, keep_for_s: int, clock: Clock) -> None:
        """Read the settings and the file they name.

        Raises:
            SegueError: one of them is unusable.
        """
        setting = f"{_SETTING}.service_account_file"
        account = read_service_account(settings.service_account_file, setting)
        self._http = HttpClient(settings.timeout_s, ANYWHERE, http2=True)
        self._tokens = AccessTokens(account, _SCOPE, setting, self._http, clock)
        root = base_url(settings.url, f"{_SETTING}.url")
        self._url = f"{root}/v1/projects/{account.project_id}/messages:send"
        self._keep_for_s = keep_for_s
        self._clock = clock

    def service_of(self, _device: RegisteredDevice) -> str:
        """Return the name of who takes pushes for a device."""
        return "FCM"

    async def push(self, message: RenderedPush, device: RegisteredDevice) -> Answer:
        """Send to a device. FCM has no idempotency key; the device knows a repeat by its tag."""
        shown = _shown(message)
        if isinstance(fault := encoded(shown), str):
            return Refused(fault)
        body = encode({"message": {"token": device.token, **shown, **self._handling(message)}})
        answer = await self._call(body)
        if isinstance(answer, HttpAnswer) and _is_token_refused(answer):
            answer = await self._call(body)  # the token was dropped: with a new one, once
        return self._sort(answer) if isinstance(answer, HttpAnswer) else answer

    async def close(self) -> None:
        """Close connections."""
        await self._http.close()

    async def _call(self, body: bytes) -> HttpAnswer | Answer:
        token = await self._tokens.get()
        if isinstance(token, TryLater):
            return token
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        answer = await ask(self._http, "POST", self._url, headers, body)
        if isinstance(answer, HttpAnswer) and _is_token_refused(answer):
            self._tokens.drop(token)
        return answer

    def _handling(self, message: RenderedPush) -> dict[str, Any]:
        android: dict[str, Any] = {"priority": "HIGH", "ttl": f"{self._keep_for_s}s"}
        if not _is_drawn_by_app(message):
            android["notification"] = {"tag": message.send_id}
        return {"android": android}

    def _sort(self, answer: HttpAnswer) -> Answer:
        answered = _read(answer)
        if answer.status == _OK:
            return Accepted(answered.name)
        details = answered.error.details if answered.error is not None else []
        code = next((one.error_code for one in details if one.error_code), None)
        detail = status_and_body(answer)
        if answered.error is not None:
            words = (f"HTTP {answer.status}", code, answered.error.message)
            detail = " ".join(word for word in words if word)
        wish_s = retry_after_s(answer, self._clock)
        if answer.status == _TOO_MANY:
            # The quota may be this one device's, which must not hold up the others.
            return TryLater(detail, max(wish_s or 0.0, _QUOTA_PAUSE_S), is_outage=code is None)
        if code in _DEAD or (code == "INVALID_ARGUMENT" and _is_token_meant(details)):
            return Refused(detail, is_address_dead=True)
        if answer.status in (_UNAUTHENTICATED, _FORBIDDEN):
            hint = "look at the service account and at Firebase's keys for other providers"
            return TryLater(f"{detail}; {hint}", wish_s, is_outage=True)
        if answer.status >= 500 or code == "UNSPECIFIED_ERROR":  # noqa: PLR2004
            return TryLater(detail, wish_s, is_outage=True)
        return Refused(detail)


def _shown(message: RenderedPush) -> dict[str, Any]:
    """Return what is counted of a message: what is shown, and what its app is told.

    Android draws no buttons and no pages: the app does, and so must be given all of it as data.
    """
    payload, data = payload_of(message), dict(message.extra)
    if _is_drawn_by_app(message):
        data |= {"title": message.title, "body": message.body}
        return {"data": {**data, NAME: encode(payload).decode()}}
    notification = {"title": message.title, "body": message.body, "image": message.image_url}
    return {
        "notification": {name: value for name, value in notification.items() if value},
        "data": {**data, NAME: encode(payload).decode()},
    }


def _is_drawn_by_app(message: RenderedPush) -> bool:
    return bool(message.buttons or message.pages)


def _is_token_refused(answer: HttpAnswer) -> bool:
    """Return whether our access token is at fault, and not a key that Firebase has of us."""
    if answer.status != _UNAUTHENTICATED:
        return False
    error = _read(answer).error
    return not any(one.error_code for one in error.details) if error is not None else True


def _is_token_meant(details: list[_Detail]) -> bool:
    """Return whether an invalid argument is the device's token, and nothing of our message."""
    fields = {violation.field for one in details for violation in one.field_violations}
    return fields <= {"message.token"}


def _read(answer: HttpAnswer) -> _Answered:
    try:
        return _decoder.decode(answer.body)
    except (DecodeError, UnicodeDecodeError):
        return _Answered()
