"""SMS over Twilio's Messages API (channel-facts.md 6.9)."""

import base64
from typing import Final
from urllib.parse import quote, urlencode

from msgspec import DecodeError, Struct
from msgspec.json import Decoder

from segue.channels.guard import ANYWHERE
from segue.channels.http import HttpAnswer, HttpClient
from segue.channels.provider import ask, base_url, retry_after_s, status_and_body
from segue.channels.sender import Accepted, Answer, Refused, TryLater, Unknown
from segue.channels.settings import TwilioSettings
from segue.channels.twilio_callbacks import callback_url, with_token
from segue.clock import Clock
from segue.errors import SegueError
from segue.model.rendered import RenderedSms

_SETTING: Final = "channels.sms.twilio"
# Error codes: no number, or none of a mobile phone; too much at once, of all or of one sender.
_DEAD_NUMBER: Final = (21211, 21614)
_SENDER_QUEUE_FULL: Final = (21611, 30001)

_OK: Final = (200, 201)
_OUR_LOGIN: Final = (401, 403)
_TOO_MANY: Final = 429
_GATEWAY_TIMEOUT: Final = 504  # it may have been passed on


class _Answered(Struct, frozen=True):
    sid: str = ""
    code: int = 0  # of an error, as is the message
    message: str = ""


_decoder = Decoder(_Answered)


class TwilioProvider:
    """Sends from one account. Twilio has no idempotency key: what broke off is not known."""

    name = "Twilio"

    def __init__(
        self, settings: TwilioSettings, clock: Clock, public_url: str | None = None
    ) -> None:
        """Read the settings.

        Raises:
            SegueError: one of them is unusable, or nothing says from whom.
        """
        if settings.from_ is None and settings.messaging_service_sid is None:
            raise SegueError(f"{_SETTING}: set from, or messaging_service_sid")
        root = base_url(settings.url, f"{_SETTING}.url")
        account = quote(settings.account_sid, safe="")
        self._url = f"{root}/2010-04-01/Accounts/{account}/Messages.json"
        login = f"{settings.api_key or settings.account_sid}:{settings.auth_token}".encode()
        self._headers = {
            "Authorization": f"Basic {base64.b64encode(login).decode()}",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        self._from = settings.from_
        self._service = settings.messaging_service_sid
        self._callback_url = callback_url(settings, public_url)
        self._http = HttpClient(settings.timeout_s, ANYWHERE)
        self._clock = clock

    async def send(self, message: RenderedSms) -> Answer:
        """Send a text message."""
        fields = [("To", message.to), ("Body", message.body)]
        if message.from_ is None and self._service is not None:
            fields.append(("MessagingServiceSid", self._service))
        else:
            fields.append(("From", message.from_ or self._from or ""))
        fields += [("MediaUrl", url) for url in message.media_urls]
        if self._callback_url is not None and message.token:
            fields.append(("StatusCallback", with_token(self._callback_url, message.token)))
        body = urlencode(fields).encode()
        answer = await ask(self._http, "POST", self._url, self._headers, body)
        return self._sort(answer) if isinstance(answer, HttpAnswer) else answer

    async def close(self) -> None:
        """Close connections."""
        await self._http.close()

    def _sort(self, answer: HttpAnswer) -> Answer:
        status = answer.status
        if status in _OK:
            return Accepted(_read(answer).sid)
        if status == _GATEWAY_TIMEOUT:
            return Unknown(status_and_body(answer))
        error = _read(answer)
        detail = f"HTTP {status} {error.code} {error.message}"
        if not error.code:
            detail = status_and_body(answer)
        wish_s = retry_after_s(answer, self._clock)
        if error.code in _SENDER_QUEUE_FULL:
            return TryLater(detail, wish_s)
        if status in _OUR_LOGIN:
            detail = f"{detail}; look at account_sid, auth_token and api_key under {_SETTING}"
        if status in _OUR_LOGIN or status == _TOO_MANY or status >= 500:  # noqa: PLR2004
            return TryLater(detail, wish_s, is_outage=True)
        return Refused(detail, is_address_dead=error.code in _DEAD_NUMBER)


def _read(answer: HttpAnswer) -> _Answered:
    try:
        return _decoder.decode(answer.body)
    except (DecodeError, UnicodeDecodeError):
        return _Answered()
