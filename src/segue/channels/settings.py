"""Settings of the channels; what is secret is not shown."""

from urllib.parse import urlsplit, urlunsplit

from msgspec import Struct, field


class EmailSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Email out: `smtp_url` is smtp://, smtp+starttls:// or smtps://user:pass@host:port."""

    smtp_url: str | None = None
    from_: str | None = field(default=None, name="from")
    timeout_s: float = 30.0
    connections_max: int = 4

    def __repr__(self) -> str:
        """Show the settings without the password."""
        shown = None if self.smtp_url is None else without_password(self.smtp_url)
        return f"EmailSettings(smtp_url={shown!r}, from={self.from_!r})"


class WebhookSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Webhooks out: a Standard Webhooks secret, and private networks that may be called."""

    secret: str | None = None
    allow_private_addresses: list[str] = field(default_factory=list)
    timeout_s: float = 30.0

    def __repr__(self) -> str:
        """Show the settings without the secret."""
        secret = None if self.secret is None else "***"
        return f"WebhookSettings(secret={secret!r}, allow={self.allow_private_addresses!r})"


class ChannelSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Settings of every channel."""

    email: EmailSettings = field(default_factory=EmailSettings)
    webhook: WebhookSettings = field(default_factory=WebhookSettings)


def without_password(url: str) -> str:
    """Return a URL with its password masked."""
    parts = urlsplit(url)
    if parts.password is None:
        return url
    host = parts.netloc.rsplit("@", 1)[-1]
    return urlunsplit(parts._replace(netloc=f"{parts.username}:***@{host}"))
