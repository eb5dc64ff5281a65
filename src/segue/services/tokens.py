"""Random tokens of cookies and links: long enough that their plain hash may be kept."""

import base64
from hashlib import sha256

from segue.clock import Clock

_BYTES = 32


def new_token(clock: Clock) -> str:
    """Return a token that nobody can guess."""
    return base64.urlsafe_b64encode(clock.token(_BYTES)).decode().rstrip("=")


def hash_token(token: str) -> bytes:
    """Return what is kept of a token."""
    return sha256(token.encode()).digest()
