"""Who a device may speak for: a user id, signed by the shop's own server."""

import hmac
from hashlib import sha256
from typing import Final

# A visitor nobody has named yet. The device draws the rest at random, so nobody can guess it.
ANONYMOUS_PREFIX: Final = "anonymous:"


def identity_of(secret: str, user_id: str) -> str:
    """Return the identity of a user: HMAC-SHA-256 over the id, in hexadecimal."""
    return hmac.new(secret.encode(), user_id.encode(), sha256).hexdigest()


def may_speak(secret: str | None, user_id: str, identity: str | None) -> bool:
    """Return whether a device that shows `identity` may act as the user."""
    if secret is None or user_id.startswith(ANONYMOUS_PREFIX):
        return True
    shown = (identity or "").encode()  # as bytes: text beyond ASCII cannot be compared safely
    return hmac.compare_digest(identity_of(secret, user_id).encode(), shown)
