"""Twilio's side of its calls to us: the signature, written from its documentation."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import urlencode


def signature_of(auth_token: str, url: str, fields: Mapping[str, str]) -> str:
    """Sign a form: the URL, then each name with its value, in the order of the names."""
    text = url
    for name in sorted(fields):
        text += name + fields[name]
    digest = hmac.digest(auth_token.encode(), text.encode(), hashlib.sha1)
    return base64.b64encode(digest).decode()


def signed_form(
    auth_token: str, url: str, fields: Mapping[str, str]
) -> tuple[bytes, dict[str, str]]:
    """Return the body and the headers of a call."""
    headers = {
        "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
        "X-Twilio-Signature": signature_of(auth_token, url, fields),
    }
    return urlencode(fields).encode(), headers
