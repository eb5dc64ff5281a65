"""Email providers, played by tests: they sign their calls with keys of their own."""

import hmac
import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from secrets import token_hex
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from segue.channels.email_hooks import HookCall
from segue.channels.settings import (
    EmailSettings,
    MailgunSettings,
    PostmarkSettings,
    SendGridSettings,
    SesSettings,
)

TOPIC: Final = "arn:aws:sns:eu-west-1:123456789012:mail-events"
MAILGUN_KEY: Final = "key-0123456789abcdef"
POSTMARK_LOGIN: Final = ("postmark", "a long password of the hook")
CERTIFICATE_PATH: Final = "/SimpleNotificationService-0123456789abcdef.pem"
CERTIFICATE_URL: Final = f"https://sns.eu-west-1.amazonaws.com{CERTIFICATE_PATH}"


class SendGrid:
    """Signs arrays of events."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())

    @property
    def verification_key(self) -> str:
        der = self._key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return b64encode(der).decode()

    def headers(self, body: bytes, at_s: int) -> dict[str, str]:
        signature = self._key.sign(str(at_s).encode() + body, ec.ECDSA(hashes.SHA256()))
        return {
            "x-twilio-email-event-webhook-signature": b64encode(signature).decode(),
            "x-twilio-email-event-webhook-timestamp": str(at_s),
        }

    def call(self, events: Any, at_s: int) -> HookCall:
        body = events if isinstance(events, bytes) else json.dumps(events).encode()
        return HookCall(self.headers(body, at_s), body)


class Mailgun:
    """Signs a timestamp and a token, which is another one for each call."""

    def __init__(self, key: str = MAILGUN_KEY) -> None:
        self._key = key

    def signature(self, at_s: int) -> dict[str, str]:
        token = token_hex(25)
        digest = hmac.digest(self._key.encode(), f"{at_s}{token}".encode(), "sha256").hex()
        return {"timestamp": str(at_s), "token": token, "signature": digest}

    def call(self, event: dict[str, Any], at_s: int) -> HookCall:
        body = {"signature": self.signature(at_s), "event-data": event}
        return HookCall({}, json.dumps(body).encode())


class Postmark:
    """Signs in."""

    def __init__(self, user: str = POSTMARK_LOGIN[0], password: str = POSTMARK_LOGIN[1]) -> None:
        login = b64encode(f"{user}:{password}".encode()).decode()
        self.headers = {"authorization": f"Basic {login}"}

    def call(self, record: dict[str, Any]) -> HookCall:
        return HookCall(self.headers, json.dumps(record).encode())


class Sns:
    """Signs what SES publishes, by a certificate that it made itself."""

    def __init__(self, topic: str = TOPIC) -> None:
        self._topic = topic
        self._key = rsa.generate_private_key(65_537, 2_048)
        self._count = 0

    def certificate(self) -> bytes:
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sns.amazonaws.com")])
        begin = datetime.now(UTC) - timedelta(days=1)
        made = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self._key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(begin + timedelta(days=365))
            .sign(self._key, hashes.SHA256())
        )
        return made.public_bytes(serialization.Encoding.PEM)

    def envelope(self, message: Any, at: datetime, **more: str) -> dict[str, str]:
        """Return a signed message; `more` replaces fields before it is signed."""
        self._count += 1
        made = {
            "Type": "Notification",
            "MessageId": f"sns-{self._count}",
            "TopicArn": self._topic,
            "Message": message if isinstance(message, str) else json.dumps(message),
            "Timestamp": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "SignatureVersion": "2",
            "SigningCertURL": CERTIFICATE_URL,
            **more,
        }
        return {**made, "Signature": self._signature(made)}

    def subscription(self, at: datetime, **more: str) -> dict[str, str]:
        asked = {
            "Type": "SubscriptionConfirmation",
            "Token": "0123abc",
            "SubscribeURL": "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription"
            f"&TopicArn={self._topic}&Token=0123abc",
        }
        return self.envelope("You have chosen to subscribe", at, **{**asked, **more})

    def call(self, message: Any, at: datetime, **more: str) -> HookCall:
        return posted(self.envelope(message, at, **more))

    def _signature(self, made: dict[str, str]) -> str:
        names = ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"]
        if made["Type"] != "Notification":
            names = [
                *("Message", "MessageId", "SubscribeURL", "Timestamp"),
                *("Token", "TopicArn", "Type"),
            ]
        text = "".join(f"{name}\n{made[name]}\n" for name in names if name in made)
        algorithm = hashes.SHA1() if made["SignatureVersion"] == "1" else hashes.SHA256()
        signature = self._key.sign(text.encode(), padding.PKCS1v15(), algorithm)
        return b64encode(signature).decode()


def posted(envelope: dict[str, str]) -> HookCall:
    """Return a message of SNS as it is posted: JSON under the name of plain text."""
    return HookCall({"content-type": "text/plain; charset=UTF-8"}, json.dumps(envelope).encode())


def all_providers(sendgrid: SendGrid, **more: Any) -> EmailSettings:
    """Return settings with every provider's webhook."""
    return EmailSettings(
        sendgrid=SendGridSettings(sendgrid.verification_key),
        ses=SesSettings([TOPIC]),
        mailgun=MailgunSettings(MAILGUN_KEY),
        postmark=PostmarkSettings(*POSTMARK_LOGIN),
        **more,
    )
