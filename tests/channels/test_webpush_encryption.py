"""Encryption of web push, byte for byte as RFC 8291's example, and as an independent reader."""

import base64
import os

import http_ece
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from segue.channels.webpush_encryption import (
    PLAINTEXT_BYTES_MAX,
    SEED_BYTES,
    KeysInvalidError,
    encrypt,
    point_of,
    private_key,
)


def raw(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def key_of(text: str) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(raw(text), "big"), ec.SECP256R1())


# RFC 8291, section 5 and appendix A
PLAINTEXT = b"When I grow up, I want to be a watermelon"
AS_PRIVATE = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
UA_PRIVATE = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"
UA_PUBLIC = (
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
)
AUTH = "BTBZMqHH6r4Tts7J_aSIgg"
SALT = "DGv6ra1nlYgDCS1FRnbzlw"
BODY = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8w"
    "EqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)


def test_the_example_of_the_rfc_comes_out_byte_for_byte() -> None:
    own = key_of(AS_PRIVATE)
    assert encrypt(PLAINTEXT, raw(UA_PUBLIC), raw(AUTH), raw(SALT), own) == raw(BODY)


def test_an_independent_implementation_reads_what_was_encrypted() -> None:
    for length in (0, 1, 1_000, PLAINTEXT_BYTES_MAX):
        plain = os.urandom(length)
        own = private_key(os.urandom(SEED_BYTES))
        body = encrypt(plain, raw(UA_PUBLIC), raw(AUTH), os.urandom(16), own)
        assert len(body) <= 4_096
        read = http_ece.decrypt(
            body, private_key=key_of(UA_PRIVATE), auth_secret=raw(AUTH), version="aes128gcm"
        )
        assert read == plain


@pytest.mark.parametrize("seed", [bytes(SEED_BYTES), b"\xff" * SEED_BYTES, bytes(range(40))])
def test_any_seed_gives_a_key_and_always_the_same_one(seed: bytes) -> None:
    assert point_of(private_key(seed)) == point_of(private_key(seed))
    assert point_of(private_key(seed)) != point_of(private_key(b"\1" * SEED_BYTES))


@pytest.mark.parametrize("point", [b"", b"\4" + bytes(64), b"\4" + b"\xff" * 64, bytes(65)])
def test_what_is_no_point_of_the_curve_is_said_to_be_none(point: bytes) -> None:
    with pytest.raises(KeysInvalidError):
        encrypt(b"x", point, bytes(16), bytes(16), private_key(bytes(SEED_BYTES)))
