"""Push providers that check what they are sent as the real ones do, and show it as devices do."""

import base64
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import http_ece
import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from segue.clock import Clock
from segue.model.devices import RegisteredDevice, WebPushKeys
from segue.model.instants import SECOND
from tests.channels.fake_provider import Asked, FakeProvider, Reply

_NO_CLOCK = {"verify_exp": False, "verify_iat": False, "verify_nbf": False}


def pem_of(key: Any) -> bytes:
    return bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


class FakeApns(FakeProvider):
    """Apple's: only HTTP/2, a token of its team's key, and each collapse id shown once."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock = clock
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.shown: dict[tuple[str, str], dict[str, Any]] = {}
        self.alert_count = 0

    def answer(self, asked: Asked) -> Reply:
        token = asked.path.removeprefix("/3/device/")
        assert (asked.http_version, asked.method) == ("2", "POST")
        assert token == token.lower()
        assert asked.headers["apns-topic"] == "test.shop"
        assert asked.headers["apns-push-type"] == "alert"
        kind, signed = asked.headers["authorization"].split(" ")
        claims = jwt.decode(signed, self.key.public_key(), ["ES256"], options=_NO_CLOCK)
        assert (kind, claims["iss"]) == ("bearer", "TEAM")
        assert jwt.get_unverified_header(signed)["kid"] == "KEY"
        age_s = self.clock.now() // SECOND - claims["iat"]
        assert age_s >= 0
        if age_s > 3_600:
            return apns_error(403, "ExpiredProviderToken")
        reply = self.planned.pop(0) if self.planned else Reply()
        if reply.status == 200:
            self.alert_count += 1
            place = (token, asked.headers["apns-collapse-id"])
            self.shown[place] = json.loads(asked.body)
            reply.headers = {"apns-id": asked.headers["apns-id"]}
        return reply


def apns_error(status: int, reason: str, timestamp: int | None = None, **headers: str) -> Reply:
    body = {"reason": reason} | ({} if timestamp is None else {"timestamp": timestamp})
    return Reply(status, headers, json.dumps(body).encode())


class FakeFcm(FakeProvider):
    """Google's two: one gives access tokens for signed statements, the other sends."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock = clock
        self.key = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
        self.valid_tokens: list[str] = []
        self.shown: dict[tuple[str, str], dict[str, Any]] = {}
        self.planned_exchanges: list[Reply] = []

    def account(self) -> bytes:
        """Return the file of a service account."""
        return json.dumps(
            {
                "type": "service_account",
                "project_id": "shop-1",
                "private_key_id": "KEY",
                "private_key": pem_of(self.key).decode(),
                "client_email": "sender@shop-1.test",
                "token_uri": f"{self.url}/token",
            }
        ).encode()

    def asked_to_send(self) -> list[Asked]:
        return [asked for asked in self.asked if asked.path != "/token"]

    def answer(self, asked: Asked) -> Reply:
        return self._exchange(asked) if asked.path == "/token" else self._send(asked)

    def _exchange(self, asked: Asked) -> Reply:
        if self.planned_exchanges:
            return self.planned_exchanges.pop(0)
        form = parse_qs(asked.body.decode(), strict_parsing=True)
        assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
        statement = form["assertion"][0]
        claims = jwt.decode(
            statement,
            self.key.public_key(),
            ["RS256"],
            audience=f"{self.url}/token",
            options=_NO_CLOCK,
        )
        now_s = self.clock.now() // SECOND
        assert claims["iss"] == "sender@shop-1.test"
        assert claims["scope"] == "https://www.googleapis.com/auth/firebase.messaging"
        assert now_s - 2 <= claims["iat"] <= now_s
        assert claims["exp"] == claims["iat"] + 3_600
        assert jwt.get_unverified_header(statement)["kid"] == "KEY"
        self.valid_tokens.append(f"ya29.{len(self.asked)}")
        granted = {"access_token": self.valid_tokens[-1], "expires_in": 3_599}
        return Reply(200, {"content-type": "application/json"}, json.dumps(granted).encode())

    def _send(self, asked: Asked) -> Reply:
        assert asked.path == "/v1/projects/shop-1/messages:send"
        if asked.headers["authorization"].removeprefix("Bearer ") not in self.valid_tokens:
            return fcm_error(401, "UNAUTHENTICATED")
        message = json.loads(asked.body)["message"]
        assert all(isinstance(value, str) for value in message["data"].values())
        reply = self.planned.pop(0) if self.planned else Reply()
        if reply.status == 200:
            tag = message["android"].get("notification", {}).get("tag", "")
            self.shown[message["token"], tag] = message
            reply.body = json.dumps({"name": "projects/shop-1/messages/1"}).encode()
        return reply


def fcm_error(status: int, code: str, *fields: str, is_fcm: bool = False, **headers: str) -> Reply:
    """Return an error as Google's APIs give it; with `is_fcm`, with FCM's own code."""
    details: list[dict[str, Any]] = []
    if is_fcm:
        kind = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
        details.append({"@type": kind, "errorCode": code})
    if fields:
        kind = "type.googleapis.com/google.rpc.BadRequest"
        violations = [{"field": one, "description": "Invalid"} for one in fields]
        details.append({"@type": kind, "fieldViolations": violations})
    error = {"code": status, "message": "Said so.", "status": code, "details": details}
    return Reply(status, headers, json.dumps({"error": error}).encode())


class FakePushService(FakeProvider):
    """A browser and its push service: it decrypts, and a topic replaces what waits under it."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock = clock
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.auth = bytes(range(16))
        self.public_key = ""  # what the browser subscribed with; the first sender's, if empty
        self.shown: dict[tuple[str, str], dict[str, Any]] = {}

    def device(self, name: str = "browser", path: str = "/send/1") -> RegisteredDevice:
        point = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        keys = WebPushKeys(base64url(point), base64url(self.auth))
        return RegisteredDevice(name, "web", self.url + path, keys)

    def answer(self, asked: Asked) -> Reply:
        kind, rest = asked.headers["authorization"].split(" ", 1)
        parts = dict(part.strip().split("=", 1) for part in rest.split(","))
        point = base64.urlsafe_b64decode(parts["k"] + "=" * (-len(parts["k"]) % 4))
        sender = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
        claims = jwt.decode(
            parts["t"], sender, ["ES256"], audience=self.url, options={"verify_exp": False}
        )
        now_s = self.clock.now() // SECOND
        assert kind == "vapid"
        assert now_s < claims["exp"] <= now_s + 24 * 3_600
        assert claims["sub"] == "mailto:ops@shop.test"
        if (self.public_key or parts["k"]) != parts["k"]:
            return Reply(403, body=b"another key")
        assert asked.headers["content-encoding"] == "aes128gcm"
        assert 1 <= len(asked.headers["topic"]) <= 32
        assert int(asked.headers["ttl"]) >= 0
        assert len(asked.body) <= 4_096
        plain = http_ece.decrypt(
            asked.body, private_key=self.key, auth_secret=self.auth, version="aes128gcm"
        )
        reply = self.planned.pop(0) if self.planned else Reply(201)
        if reply.status == 201:
            self.shown[urlsplit(asked.path).path, asked.headers["topic"]] = json.loads(plain)
            reply.headers = {"location": f"{self.url}/message/1"}
        return reply
