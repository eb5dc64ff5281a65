"""Amazon SNS: the envelope of what SES reports, and whether it is Amazon's (channel-facts.md 6.10).

A message is verified with a certificate whose address stands in the message itself, so that
address is looked at before anything is fetched.
"""

import asyncio
import re
from base64 import b64decode
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from msgspec import Struct

from segue.channels.email_hooks import ForgedError, decode
from segue.channels.http import HttpAnswer
from segue.clock import Clock
from segue.errors import BusyError, SegueError
from segue.model.limits import CERTIFICATE_LIFE, CERTIFICATES_MAX

# (url) -> what is there; raises SegueError where nobody answers
Fetch = Callable[[str], Awaitable[HttpAnswer]]

_HOST: Final = r"https://sns\.[a-z0-9-]{1,40}\.amazonaws\.com(?:\.cn)?"
_CERTIFICATE_URL: Final = re.compile(_HOST + r"/SimpleNotificationService-[A-Za-z0-9]{1,80}\.pem")
_SUBSCRIBE_URL: Final = re.compile(
    _HOST + r"/\?Action=ConfirmSubscription&[A-Za-z0-9_.%:&=~+-]{1,2000}"
)
_OK: Final = 200
_RETRY_AFTER_S: Final = 60
_HASHES: Final[dict[str, type[hashes.SHA1 | hashes.SHA256]]] = {
    "1": hashes.SHA1,
    "2": hashes.SHA256,
}


class Envelope(Struct, rename="pascal"):
    """What SNS posts; the fields of all its types."""

    type: str
    message_id: str
    topic_arn: str
    message: str
    timestamp: str
    signature_version: str
    signature: str
    signing_cert_url: str = msgspec.field(name="SigningCertURL")
    subject: str | None = None
    subscribe_url: str | None = msgspec.field(default=None, name="SubscribeURL")
    token: str | None = None


_ENVELOPE: Final = msgspec.json.Decoder(Envelope)


def read_envelope(body: bytes) -> Envelope:
    """Read what SNS posted; it may be anybody's still.

    Raises:
        UnreadableError: it is no such thing.
    """
    return decode(_ENVELOPE, body)


class SnsCertificates:
    """Amazon's certificates, fetched once and kept for a while."""

    def __init__(self, fetch: Fetch, clock: Clock) -> None:
        self._fetch = fetch
        self._clock = clock
        self._kept: OrderedDict[str, tuple[int, rsa.RSAPublicKey]] = OrderedDict()
        self._fetching = asyncio.Lock()

    async def verify(self, envelope: Envelope) -> None:
        """Refuse what Amazon has not signed.

        Raises:
            ForgedError: it is not Amazon's.
            BusyError: the certificate could not be fetched; the call may come again.
        """
        hash_ = _HASHES.get(envelope.signature_version)
        if hash_ is None:
            message = f"{envelope.signature_version!r:.20} is no version of a signature of SNS"
            raise ForgedError(message)
        key = await self._key_at(envelope.signing_cert_url)
        try:
            signature = b64decode(envelope.signature)
            key.verify(signature, _signed_part(envelope), padding.PKCS1v15(), hash_())
        except (InvalidSignature, ValueError):  # also: no base64, half a character
            raise ForgedError("the signature is not Amazon's") from None

    async def _key_at(self, url: str) -> rsa.RSAPublicKey:
        if not _CERTIFICATE_URL.fullmatch(url):
            message = f"{url!r:.200} is no address of a certificate of SNS"
            raise ForgedError(message)
        async with self._fetching:
            kept_until, key = self._kept.get(url, (0, None))
            if key is None or kept_until <= self._clock.now():
                key = await self._fetched(url)
                self._kept[url] = self._clock.now() + CERTIFICATE_LIFE, key
            self._kept.move_to_end(url)
            if len(self._kept) > CERTIFICATES_MAX:
                self._kept.popitem(last=False)
        return key

    async def _fetched(self, url: str) -> rsa.RSAPublicKey:
        answer = await fetched(self._fetch, url)
        try:
            key = x509.load_pem_x509_certificate(answer.body).public_key()
        except ValueError:
            key = None
        if answer.status != _OK or not isinstance(key, rsa.RSAPublicKey):
            message = f"there is no certificate of SNS at {url}"
            raise ForgedError(message)
        return key


async def confirm(fetch: Fetch, envelope: Envelope) -> None:
    """Tell SNS that we want a topic's messages; who asks must have been verified.

    Raises:
        ForgedError: the address to tell it at is not one of SNS.
        BusyError: SNS did not take it; it asks again.
    """
    url = envelope.subscribe_url or ""
    if not _SUBSCRIBE_URL.fullmatch(url):
        message = f"{url!r:.200} is no address to confirm a subscription of SNS at"
        raise ForgedError(message)
    answer = await fetched(fetch, url)
    if answer.status != _OK:
        message = f"SNS answered {answer.status} to the confirmation of {envelope.topic_arn}"
        raise BusyError(message, retry_after_s=_RETRY_AFTER_S)


async def fetched(fetch: Fetch, url: str) -> HttpAnswer:
    """Fetch something from Amazon.

    Raises:
        BusyError: it did not answer.
    """
    try:
        return await fetch(url)
    except SegueError as error:
        message = f"Amazon could not be asked: {error}"
        raise BusyError(message, retry_after_s=_RETRY_AFTER_S) from None


def _signed_part(envelope: Envelope) -> bytes:
    """Return what is signed: names and values, each on a line, in the order of the names."""
    fields = {
        "Message": envelope.message,
        "MessageId": envelope.message_id,
        "Subject": envelope.subject,
        "Timestamp": envelope.timestamp,
        "TopicArn": envelope.topic_arn,
        "Type": envelope.type,
    }
    if envelope.type != "Notification":
        del fields["Subject"]
        fields |= {"SubscribeURL": envelope.subscribe_url, "Token": envelope.token}
    lines = (f"{name}\n{value}\n" for name, value in sorted(fields.items()) if value is not None)
    return "".join(lines).encode()
