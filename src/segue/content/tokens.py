"""Signed tokens: behind every public link, and in what providers report of a message.

What a token stands for travels inside it, so that a visit needs no look-up, and a redirect can
only lead to a URL that was in the message.
"""

from base64 import urlsafe_b64encode
from hashlib import blake2b
from typing import Final, Literal

from msgspec import DecodeError, Struct
from msgspec.msgpack import Decoder, Encoder

from segue.content.seals import Seal
from segue.model.channels import Channel

_DIGEST_BYTES: Final = 16  # 128 bits cannot be guessed over HTTP, and keep the URL short
_MARK_BYTES: Final = 4  # a user has had a few addresses, and each byte makes a token longer
_TEXT_LENGTH_MAX: Final = 8_192  # as the longest request line that common proxies let through
_PERSON: Final = b"segue.token/1"  # a key that is used elsewhere as well signs nothing for us


# What a visit to the token's URL means; "report" comes back with what became of a message. A short
# link has no room for a token: see `segue.content.codes`.
TokenKind = Literal["open", "click", "unsubscribe", "preferences", "report", "short_link"]
CountedByReport = Literal["open", "click"]


class Tracked(Struct, frozen=True, array_like=True):
    """What a token stands for: which send to whom, and for a click which link.

    `group` is the subscription group that an unsubscribe is from; without it, it is from email.
    """

    kind: TokenKind
    user_id: str
    campaign: str  # the slug
    variant: str
    send_id: str
    channel: Channel
    alias: str | None = None
    link: str | None = None
    # Of kind "report": what reports are to count, since the message itself does not tell us.
    reported: tuple[CountedByReport, ...] = ()
    address: str = ""  # of kind "report": the mark of the address that the message went to
    group: str | None = None


class TokenSigner:
    """Writes and reads tokens under one secret key."""

    def __init__(self, key: bytes) -> None:
        self._seal = Seal(key, _PERSON, _DIGEST_BYTES, _TEXT_LENGTH_MAX)
        self._encode = Encoder().encode
        self._decode = Decoder(Tracked).decode

    def sign(self, tracked: Tracked) -> str:
        """Return the token that stands for `tracked`; it is safe in a URL path."""
        return self._seal.close(self._encode(tracked))

    def read(self, text: str, kind: TokenKind) -> Tracked | None:
        """Return what `text` stands for; None if it is forged, malformed or of another kind."""
        payload = self._seal.open(text)
        if payload is None:
            return None
        try:
            tracked = self._decode(payload)
        except DecodeError:  # signed by a later version of the program
            return None
        return tracked if tracked.kind == kind else None


def address_mark(address: str) -> str:
    """Return what tells one user's addresses apart, without telling them."""
    digest = blake2b(address.strip().lower().encode(), digest_size=_MARK_BYTES).digest()
    return urlsafe_b64encode(digest).rstrip(b"=").decode()
