"""What senders to providers over HTTP have in common: the call, its failures, keys from files."""

from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from segue.channels.guard import literal_address
from segue.channels.http import (
    ForbiddenAddressError,
    HttpAnswer,
    HttpClient,
    InvalidCallError,
    UnreachableError,
)
from segue.channels.sender import Refused, TryLater, Unknown
from segue.clock import Clock
from segue.errors import SegueError
from segue.model.instants import SECOND, from_datetime

_BODY_SHOWN_MAX: Final = 200
_RETRY_AFTER_DIGITS_MAX: Final = 9  # longer is no wish but a mistake
_KEY_FILE_BYTES_MAX: Final = 64 * 1024  # a key takes two or three thousand


async def ask(
    http: HttpClient, method: str, url: str, headers: dict[str, str], body: bytes | None
) -> HttpAnswer | Refused | TryLater | Unknown:
    """Make a call that must not be made twice; return what was answered, or why nothing was."""
    try:
        return await http.call(method, url, headers, body)
    except (ForbiddenAddressError, InvalidCallError) as error:
        return Refused(str(error))
    except UnreachableError as error:
        if error.was_sent:
            return Unknown(f"{error}; it may have arrived")
        return TryLater(str(error), is_outage=True)


def status_and_body(answer: HttpAnswer) -> str:
    """Return an answer in one line."""
    shown = " ".join(answer.body[:_BODY_SHOWN_MAX].decode("utf-8", "replace").split())
    return f"HTTP {answer.status} {shown}".strip()


def retry_after_s(answer: HttpAnswer, clock: Clock) -> float | None:
    """Return when the other side wants to be asked again: Retry-After, in seconds or as a date."""
    text = answer.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit() and len(text) <= _RETRY_AFTER_DIGITS_MAX:
        return float(text)
    try:
        at = from_datetime(parsedate_to_datetime(text))
    except (ValueError, OverflowError):
        return None
    return max(0.0, (at - clock.now()) / SECOND)


def base_url(url: str, setting: str) -> str:
    """Return a provider's URL without a slash at its end.

    Raises:
        SegueError: it is no URL, or would send credentials in the clear.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        host = ""
    address = literal_address(host)
    is_here = host == "localhost" or (address is not None and address.is_loopback)
    if not host or not (parts.scheme == "https" or (parts.scheme == "http" and is_here)):
        message = f"{setting}: {url!r} must begin with https://; http:// is for this machine only"
        raise SegueError(message)
    return url.rstrip("/")


def read_file(path: str, setting: str) -> bytes:
    """Return a file that a setting names.

    Raises:
        SegueError: it cannot be read, or is larger than any key.
    """
    try:
        with Path(path).open("rb") as file:
            content = file.read(_KEY_FILE_BYTES_MAX + 1)
    except OSError as error:
        message = f"{setting}: {path} cannot be read: {error.strerror}"
        raise SegueError(message) from None
    if len(content) > _KEY_FILE_BYTES_MAX:
        message = f"{setting}: {path} is larger than {_KEY_FILE_BYTES_MAX} bytes, and so no key"
        raise SegueError(message)
    return content


def read_rsa_key(pem: bytes, setting: str) -> RSAPrivateKey:
    """Return an RSA key; messages never repeat it.

    Raises:
        SegueError: it is none.
    """
    key = _read_key(pem)
    if not isinstance(key, RSAPrivateKey):
        message = f"{setting} holds no RSA key in PEM"
        raise SegueError(message)
    return key


def read_p256_key(pem: bytes, setting: str) -> EllipticCurvePrivateKey:
    """Return a key of the curve P-256; messages never repeat it.

    Raises:
        SegueError: it is none.
    """
    key = _read_key(pem)
    if not isinstance(key, EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
        message = f"{setting} holds no key of the curve P-256 in PEM"
        raise SegueError(message)
    return key


def _read_key(pem: bytes) -> object:
    try:
        return load_pem_private_key(pem, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
