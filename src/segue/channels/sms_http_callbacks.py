"""Calls of any provider of text messages to us, read as the settings describe them."""

import hmac
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

import msgspec

from segue.channels.settings import HttpSmsCallbackSettings
from segue.channels.sms_callbacks import (
    ForgedCallbackError,
    InboundSms,
    Outcome,
    SmsCallback,
    SmsReport,
)

_PROVIDER: Final = "http"
_BEARER: Final = "Bearer "
_PARAMETER: Final = "secret"
_SIGNATURE_HEADER: Final = "x-signature"
_HOW_TO_PROVE: Final = {
    "bearer": "the call needs `Authorization: Bearer` and channels.sms.http.callbacks.secret",
    "query": "the call's query needs channels.sms.http.callbacks.secret",
    "hmac": "the call needs the body's HMAC-SHA256, under channels.sms.http.callbacks.secret",
}


class HttpSmsCallbacks:
    """Reads what one provider calls back with."""

    def __init__(self, settings: HttpSmsCallbackSettings) -> None:
        self._settings = settings
        self._delivered = {one.lower() for one in settings.delivered}
        self._failed = {one.lower() for one in settings.failed}

    def url_for(self, root: str, token: str) -> str:
        """Return where the provider is to report on one message to."""
        settings = self._settings
        query = {settings.message_field: token}
        if settings.proof == "query":
            query[settings.proof_name or _PARAMETER] = settings.secret
        return f"{root.rstrip('/')}/hooks/sms/http?{urlencode(query)}"

    def read(self, headers: Mapping[str, str], query: str, body: bytes) -> SmsCallback | None:
        """Return what a call says; None if that is nothing for us.

        Raises:
            ForgedCallbackError: it does not prove that it is the provider's.
        """
        asked = dict(parse_qsl(query, keep_blank_values=True))
        if not self._is_genuine(headers, asked, body):
            raise ForgedCallbackError(_HOW_TO_PROVE[self._settings.proof])
        content = _content_of(body)
        # The body alone is signed; what stands beside it anybody could have added. The token
        # is signed by ourselves.
        beside: Mapping[str, str] = {} if self._settings.proof == "hmac" else asked

        def field(path: str) -> str:
            found = _look_up(content, path)
            return beside.get(path, "") if found is None else found

        settings = self._settings
        message_id = field(settings.id_field)
        token = field(settings.message_field) or asked.get(settings.message_field, "")
        if token:
            outcome = self._outcome_of(field(settings.status_field))
            return SmsReport(_PROVIDER, token, message_id, outcome)
        from_, text = field(settings.from_field), field(settings.text_field)
        return InboundSms(_PROVIDER, message_id, from_, text) if from_ and text else None

    def _outcome_of(self, status: str) -> Outcome | None:
        if status.lower() in self._delivered:
            return "delivered"
        return "failed" if status.lower() in self._failed else None

    def _is_genuine(
        self, headers: Mapping[str, str], asked: Mapping[str, str], body: bytes
    ) -> bool:
        settings, secret = self._settings, self._settings.secret
        match settings.proof:
            case "bearer":
                given = headers.get("authorization", "")
                wanted = _BEARER + secret
            case "query":
                given, wanted = asked.get(settings.proof_name or _PARAMETER, ""), secret
            case "hmac":
                name = (settings.proof_name or _SIGNATURE_HEADER).lower()
                given = headers.get(name, "").lower().removeprefix("sha256=")
                wanted = hmac.new(secret.encode(), body, sha256).hexdigest()
        return hmac.compare_digest(given.encode(), wanted.encode())


def _content_of(body: bytes) -> Any:
    """Return a body's JSON, or its form as an object."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))


def _look_up(content: Any, path: str) -> str | None:
    """Return the text or number at a dotted path; a number in it counts into a list."""
    if isinstance(content, dict) and path in content:
        return _text(content[path])
    for part in path.split("."):
        if isinstance(content, dict):
            content = content.get(part)
        elif isinstance(content, list) and part.isdecimal() and int(part) < len(content):
            content = content[int(part)]
        else:
            return None
    return _text(content)


def _text(value: Any) -> str | None:
    return str(value) if isinstance(value, str | int | float) else None
