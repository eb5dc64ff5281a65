"""Twilio's calls to us: whether they are Twilio's, and what they say (channel-facts.md 6.9)."""

import base64
import hmac
from collections.abc import Iterator
from hashlib import sha1, sha256
from typing import Any, Final
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit, urlunsplit

import msgspec

from segue.channels.settings import TwilioSettings
from segue.channels.sms_callbacks import (
    ForgedCallbackError,
    InboundSms,
    Keyword,
    Outcome,
    SmsCallback,
    SmsReport,
)

TOKEN_PARAMETER: Final = "m"  # noqa: S105 - where the token stands, not one

_PROVIDER: Final = "twilio"
_BODY_HASH: Final = "bodySHA256"
_DEFAULT_PORTS: Final = {"https": 443, "http": 80}
_RECEIVED: Final = "received"  # of a text that came in; most do not say so
_JSON: Final = "application/json"
# Codes of a number that is none, is no mobile phone's, is unknown, or is a landline. The others
# may pass: a phone that is switched off (30003), a carrier that filters (30004, 30007).
_DEAD_NUMBER: Final = frozenset(("21211", "21614", "30005", "30006"))
_OPTED_OUT: Final = "21610"
_KEYWORDS: Final[dict[str, Keyword]] = {"STOP": "stop", "START": "start", "HELP": "help"}


def callback_url(settings: TwilioSettings, public_url: str | None) -> str | None:
    """Return where Twilio is to report to; None where it could not, or not be believed."""
    if public_url is None or auth_token_of(settings) is None:
        return None
    return f"{public_url.rstrip('/')}/hooks/sms/twilio"


def with_token(url: str, token: str) -> str:
    """Return the URL to which one message's reports go."""
    return f"{url}?{urlencode({TOKEN_PARAMETER: token})}"


def auth_token_of(settings: TwilioSettings) -> str | None:
    """Return the account's token, which signs; an API key's secret does not."""
    if settings.webhook_auth_token is not None:
        return settings.webhook_auth_token
    return settings.auth_token if settings.api_key is None else None


class TwilioCallbacks:
    """Reads what is called back for one account."""

    def __init__(self, auth_token: str) -> None:
        self._key = auth_token.encode()

    def read(self, url: str, content_type: str, signature: str, body: bytes) -> SmsCallback | None:
        """Return what a call says; None if that is nothing for us.

        `url` is the one that Twilio was given, with its query.

        Raises:
            ForgedCallbackError: the signature is not that of the URL and the body.
        """
        is_json = content_type.lower().startswith(_JSON)
        if not self._is_genuine(url, signature, body, is_json=is_json):
            raise ForgedCallbackError(
                "X-Twilio-Signature is not that of this URL and body; public_url and the "
                "account's auth token must be those that Twilio has"
            )
        return _read(_json_fields(body) if is_json else dict(_form_fields(body)), url)

    def _is_genuine(self, url: str, signature: str, body: bytes, *, is_json: bool) -> bool:
        """Return whether the signature is that of the URL and the body.

        Twilio signs the URL sometimes with the port that goes without saying, and sometimes
        without one that is said. Of JSON the URL has the hash.
        """
        signed = ""
        if is_json:
            told = parse_qs(urlsplit(url).query).get(_BODY_HASH, [""])[-1]
            if not hmac.compare_digest(told.encode(), sha256(body).hexdigest().encode()):
                return False
        else:
            signed = "".join(f"{name}{value}" for name, value in sorted({*_form_fields(body)}))
        given = signature.encode()
        return any(hmac.compare_digest(given, self._sign(one + signed)) for one in _spellings(url))

    def _sign(self, text: str) -> bytes:
        return base64.b64encode(hmac.new(self._key, text.encode(), sha1).digest())


def _spellings(url: str) -> Iterator[str]:
    yield url
    parts = urlsplit(url)
    userinfo, at, host = parts.netloc.rpartition("@")
    if parts.port is not None:
        host = host.removesuffix(f":{parts.port}")
    yield urlunsplit(parts._replace(netloc=f"{userinfo}{at}{host}"))
    if parts.port is None and parts.scheme in _DEFAULT_PORTS:
        port = _DEFAULT_PORTS[parts.scheme]
        yield urlunsplit(parts._replace(netloc=f"{userinfo}{at}{host}:{port}"))


def _form_fields(body: bytes) -> list[tuple[str, str]]:
    """Return names and values of a form, in the order in which they came."""
    return parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)


def _json_fields(body: bytes) -> dict[str, str]:
    try:
        given = msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
    return {name: str(value) for name, value in given.items() if isinstance(value, str | int)}


def _read(fields: dict[str, str], url: str) -> SmsCallback | None:
    message_id = fields.get("MessageSid") or fields.get("SmsSid") or ""
    if not message_id:
        return None
    status = fields.get("MessageStatus", _RECEIVED)
    if status != _RECEIVED:
        token = dict(parse_qsl(urlsplit(url).query)).get(TOKEN_PARAMETER, "")
        code = fields.get("ErrorCode", "")
        return SmsReport(
            _PROVIDER, token, message_id, _outcome_of(status, code), fields.get("To", ""), code
        )
    if "Body" not in fields:
        return None
    keyword = _KEYWORDS.get(fields.get("OptOutType", "").upper())
    return InboundSms(_PROVIDER, message_id, fields.get("From", ""), fields["Body"], keyword)


def _outcome_of(status: str, code: str) -> Outcome | None:
    match status.lower():
        case "delivered" | "read":
            return "delivered"
        case "undelivered" | "failed":
            if code == _OPTED_OUT:
                return "stopped"
            return "dead" if code in _DEAD_NUMBER else "failed"
        case _:  # accepted, queued, sending, sent: it is on its way
            return None
