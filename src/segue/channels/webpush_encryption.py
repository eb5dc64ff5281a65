"""Encryption of a push to a browser, which only the browser undoes (RFC 8291 over RFC 8188)."""

from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

PLAINTEXT_BYTES_MAX: Final = 3_993  # what 4,096 bytes leave room for
SALT_BYTES: Final = 16
SEED_BYTES: Final = 40  # 64 bits more than the order: the remainder is even enough (FIPS 186-5)

_RECORD_SIZE: Final = 4_096
_LAST_RECORD: Final = b"\x02"
_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class KeysInvalidError(ValueError):
    """A subscription's keys are none."""


def encrypt(
    plaintext: bytes, p256dh: bytes, auth: bytes, salt: bytes, own: ec.EllipticCurvePrivateKey
) -> bytes:
    """Return the body of a push; `own` is a key for this push alone.

    Raises:
        KeysInvalidError: `p256dh` is no point of the curve.
    """
    try:
        theirs = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), p256dh)
    except ValueError as error:
        raise KeysInvalidError(str(error)) from None
    own_point = point_of(own)
    info = b"WebPush: info\x00" + p256dh + own_point
    secret = _derived(own.exchange(ec.ECDH(), theirs), auth, info, 32)
    key = _derived(secret, salt, b"Content-Encoding: aes128gcm\x00", 16)
    nonce = _derived(secret, salt, b"Content-Encoding: nonce\x00", 12)
    sealed = AESGCM(key).encrypt(nonce, plaintext + _LAST_RECORD, None)
    head = salt + _RECORD_SIZE.to_bytes(4, "big") + len(own_point).to_bytes(1, "big")
    return head + own_point + sealed


def private_key(seed: bytes) -> ec.EllipticCurvePrivateKey:
    """Return the key of the curve P-256 that belongs to `SEED_BYTES` random bytes."""
    return ec.derive_private_key(int.from_bytes(seed, "big") % (_ORDER - 1) + 1, ec.SECP256R1())


def point_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return the public half of a key, uncompressed."""
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _derived(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=salt, info=info).derive(secret)
