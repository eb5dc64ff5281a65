"""Settings of the channels; what is secret is not shown."""

import re
from typing import Annotated, Any, Final

from msgspec import Meta, Struct, field

Timeout = Annotated[float, Meta(gt=0, le=600)]
# Up to the last @ of the host part and beyond: a password may hold / ? # and @ unescaped.
_CREDENTIALS: Final = re.compile(r"(?<=://).*@", re.DOTALL)
_HIDDEN: Final = "***"


class EmailSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Email out: `smtp_url` is smtp://, smtp+starttls:// or smtps://user:pass@host:port."""

    smtp_url: str | None = None
    from_: str | None = field(default=None, name="from")
    timeout_s: Timeout = 30.0
    connections_max: Annotated[int, Meta(ge=1, le=100)] = 4

    def __repr__(self) -> str:
        """Show the settings without the credentials."""
        return _shown(self)

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Return the fields without the credentials, for rich."""
        return [
            ("smtp_url", None if self.smtp_url is None else without_credentials(self.smtp_url)),
            ("from", self.from_),
            ("timeout_s", self.timeout_s),
            ("connections_max", self.connections_max),
        ]


class WebhookSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Webhooks out: a Standard Webhooks secret, and private networks that may be called."""

    secret: str | None = None
    allow_private_addresses: list[str] = field(default_factory=list)
    timeout_s: Timeout = 30.0

    def __repr__(self) -> str:
        """Show the settings without the secret."""
        return _shown(self)

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Return the fields without the secret, for rich."""
        return [
            ("secret", None if self.secret is None else _HIDDEN),
            ("allow_private_addresses", self.allow_private_addresses),
            ("timeout_s", self.timeout_s),
        ]


class ChannelSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Settings of every channel."""

    email: EmailSettings = field(default_factory=EmailSettings)
    webhook: WebhookSettings = field(default_factory=WebhookSettings)


def without_credentials(url: str) -> str:
    """Return a URL with user and password masked: with some providers the user is a token too."""
    return _CREDENTIALS.sub(f"{_HIDDEN}@", url, count=1)


def _shown(settings: EmailSettings | WebhookSettings) -> str:
    fields = ", ".join(f"{name}={value!r}" for name, value in settings.__rich_repr__())
    return f"{type(settings).__name__}({fields})"
