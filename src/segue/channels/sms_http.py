"""SMS over any provider that takes one HTTP call: the operator writes the call as templates."""

from typing import Any, Final
from urllib.parse import quote, urlsplit

from segue.channels.guard import ANYWHERE
from segue.channels.http import HttpAnswer, HttpClient
from segue.channels.provider import ask, retry_after_s, status_and_body
from segue.channels.sender import Accepted, Answer, Refused, TryLater, Unknown
from segue.channels.settings import HttpSmsSettings
from segue.channels.sms_http_callbacks import HttpSmsCallbacks
from segue.clock import Clock
from segue.content.liquid import Liquid, LiquidAborted, LiquidError
from segue.errors import SegueError
from segue.model.rendered import RenderedSms

_SETTING: Final = "channels.sms.http"
_OUR_LOGIN: Final = (401, 403)
_TRY_LATER: Final = (408, 429)
_GATEWAY_TIMEOUT: Final = 504  # it may have been passed on


class HttpSmsProvider:
    """Makes the call; its `Idempotency-Key` is the send's id, for providers that look at it."""

    def __init__(
        self, settings: HttpSmsSettings, clock: Clock, public_url: str | None = None
    ) -> None:
        """Read the settings.

        Raises:
            SegueError: a template or the URL is none.
        """
        self._settings = settings
        self._liquid = Liquid(clock)
        self._clock = clock
        self.name = _host_of(settings.url)
        for part, template in (("url", settings.url), ("body", settings.body or "")):
            problem = self._liquid.check(template, f"{_SETTING}.{part}")
            if problem is not None:
                raise SegueError(f"{problem.path}: {problem.message}")
        self._http = HttpClient(settings.timeout_s, ANYWHERE)
        self._public_url = public_url
        self._callbacks = HttpSmsCallbacks(settings.callbacks) if settings.callbacks else None

    async def send(self, message: RenderedSms) -> Answer:
        """Send a text message."""
        values = {
            "to": message.to,
            "from": message.from_ or self._settings.from_ or "",
            "body": message.body,
            "media_urls": message.media_urls,
            "send_id": message.send_id,
            "user_id": message.user_id,
            "campaign": message.campaign,
            "callback_url": self._callback_url(message),
        }
        try:
            url = self._liquid.render(self._settings.url, _encoded(values), f"{_SETTING}.url")
            body = self._body(values)
        except (LiquidError, LiquidAborted) as error:
            return Refused(str(error))
        headers = self._headers(message, body)
        payload = None if body is None else body.encode()
        answer = await ask(self._http, self._settings.method, url, headers, payload)
        return self._sort(answer) if isinstance(answer, HttpAnswer) else answer

    async def close(self) -> None:
        """Close connections."""
        await self._http.close()

    def _callback_url(self, message: RenderedSms) -> str:
        """Return where to report on the message to; empty where that is not set up."""
        if self._callbacks is None or self._public_url is None or not message.token:
            return ""
        return self._callbacks.url_for(self._public_url, message.token)

    def _body(self, values: dict[str, Any]) -> str | None:
        template = self._settings.body
        if template is None:
            return None
        return self._liquid.render(template, values, f"{_SETTING}.body")

    def _headers(self, message: RenderedSms, body: str | None) -> dict[str, str]:
        given = self._settings.headers
        defaults = {"Idempotency-Key": message.send_id, "User-Agent": "Segue"}
        if body is not None:
            is_json = body.lstrip().startswith(("{", "["))
            form = "application/x-www-form-urlencoded"
            defaults["Content-Type"] = "application/json" if is_json else form
        names = {name.lower() for name in given}
        return {**given, **{n: v for n, v in defaults.items() if n.lower() not in names}}

    def _sort(self, answer: HttpAnswer) -> Answer:
        status, detail = answer.status, status_and_body(answer)
        if 200 <= status < 300:  # noqa: PLR2004
            return Accepted(detail)
        if status == _GATEWAY_TIMEOUT:
            return Unknown(detail)
        if status in _OUR_LOGIN:
            detail = f"{detail}; look at the credentials under {_SETTING}"
        if status in _OUR_LOGIN + _TRY_LATER or status >= 500:  # noqa: PLR2004
            return TryLater(detail, retry_after_s(answer, self._clock), is_outage=True)
        return Refused(detail)


def _host_of(url: str) -> str:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        host = ""
    if not host or parts.scheme not in ("http", "https") or "{" in parts.netloc:
        message = f"{_SETTING}.url must begin with http:// or https:// and a host without templates"
        raise SegueError(message)
    return host


def _encoded(values: dict[str, Any]) -> dict[str, Any]:
    """Return values for a URL, in which none can begin another part of it."""
    return {
        name: [quote(one, safe="") for one in value]
        if isinstance(value, list)
        else quote(value, safe="")
        for name, value in values.items()
    }
