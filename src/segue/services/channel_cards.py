"""How each channel's provider is set up, and how it does: what Settings, Channels shows.

Settings are shown as they show themselves, without their secrets.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final, Literal, Protocol

from msgspec import Struct

from segue.channels.records import ProviderRecord
from segue.channels.registry import Senders
from segue.model.channels import DEVICE_CHANNELS, Channel
from segue.model.devices import Platform
from segue.services.dns_texts import DnsRecord, dns_records
from segue.services.settings import Settings

SetUp = Literal["yes", "no", "always"]  # always: nothing needs to be set


class _Shows(Protocol):
    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Return names and values, secrets masked."""


class Fact(Struct, frozen=True):
    """A setting, and its value as it may be shown."""

    name: str
    value: str


class Callback(Struct, frozen=True):
    """An address that a provider is to be told, and whether its calls are taken."""

    title: str
    url: str
    is_set_up: bool
    setting: str


class Card(Struct, frozen=True):
    """A provider: whether it is set up, how that is done, how it does."""

    key: Channel | Platform
    title: str
    channel: Channel
    is_set_up: SetUp
    settings: Sequence[str]  # what sets it up, in segue.toml: one of these
    docs: str
    record: ProviderRecord
    prefix: str  # where the facts stand in segue.toml
    facts: list[Fact]
    resting: dict[str, float]  # services that are left alone, and for how many seconds still
    callbacks: Sequence[Callback] = ()
    dns: Sequence[DnsRecord] = ()
    has_trial: bool = False

    @property
    def has_trouble(self) -> bool:
        """Whether the last answer was no success."""
        failed_at, accepted_at = self.record.failed_at, self.record.accepted_at
        return failed_at is not None and failed_at > (accepted_at or 0)


def channel_cards(settings: Settings, senders: Senders) -> list[Card]:
    """Return a card for each provider, in the order of channels."""
    return [*_Cards(settings, senders).all()]


class _Place(Struct, frozen=True):
    """Where a card stands: what it is of, and where its settings are and are described."""

    key: Channel | Platform
    title: str
    channel: Channel
    prefix: str
    settings: Sequence[str]
    docs: str


class _Cards:
    def __init__(self, settings: Settings, senders: Senders) -> None:
        self._settings = settings
        self._senders = senders

    def all(self) -> Iterator[Card]:
        channels = self._settings.channels
        email, push, sms = channels.email, channels.push, channels.sms
        yield self._card(
            _EMAIL,
            email if email.smtp_url is not None else None,
            [*_email_callbacks(self._settings)],
            dns_records(email) if email.smtp_url is not None else [],
        )
        yield self._card(_ANDROID, push.fcm)
        yield self._card(_IOS, push.apns)
        yield self._card(_WEB, push.web)
        over_http = _SMS_OVER_HTTP if sms.http is not None else _SMS
        place = _TWILIO if sms.twilio is not None else over_http
        yield self._card(place, sms.twilio or sms.http, [*_sms_callbacks(self._settings)])
        yield self._card(_WEBHOOK, channels.webhook)
        for place in _FOR_DEVICES:
            yield self._card(place, self._settings.sdk)

    def _card(
        self,
        place: _Place,
        settings: _Shows | None,
        callbacks: Sequence[Callback] = (),
        dns: Sequence[DnsRecord] = (),
    ) -> Card:
        is_set_up: SetUp = "yes" if settings is not None else "no"
        if place.channel in ("webhook", *DEVICE_CHANNELS):
            is_set_up = "always"
        return Card(
            place.key,
            place.title,
            place.channel,
            is_set_up,
            place.settings,
            place.docs,
            self._senders.record_of(place.key),
            place.prefix,
            [*_facts(settings)] if settings is not None else [],
            self._senders.resting(place.key),
            callbacks,
            dns,
            has_trial=settings is not None and place.channel in ("email", "sms"),
        )


_PUSH_GUIDE: Final = "docs/howto/push.md"
_SMS_GUIDE: Final = "docs/howto/sms.md"
_SDK_GUIDE: Final = "docs/howto/web-sdk.md"
_SMS_SETTINGS: Final = ("channels.sms.twilio.account_sid", "channels.sms.http.url")
_EMAIL: Final = _Place(
    "email", "Email", "email", "channels.email", ("channels.email.smtp_url",), "docs/howto/email.md"
)
_ANDROID: Final = _Place(
    "android",
    "Push to Android: FCM",
    "push",
    "channels.push.fcm",
    ("channels.push.fcm.service_account_file",),
    _PUSH_GUIDE,
)
_IOS: Final = _Place(
    "ios",
    "Push to Apple devices: APNs",
    "push",
    "channels.push.apns",
    ("channels.push.apns.key_file",),
    _PUSH_GUIDE,
)
_WEB: Final = _Place(
    "web",
    "Push to browsers: Web Push",
    "push",
    "channels.push.web",
    ("channels.push.web.contact",),
    _PUSH_GUIDE,
)
_SMS: Final = _Place("sms", "SMS", "sms", "", _SMS_SETTINGS, _SMS_GUIDE)
_TWILIO: Final = _Place(
    "sms", "SMS: Twilio", "sms", "channels.sms.twilio", _SMS_SETTINGS, _SMS_GUIDE
)
_SMS_OVER_HTTP: Final = _Place(
    "sms", "SMS: a provider over HTTP", "sms", "channels.sms.http", _SMS_SETTINGS, _SMS_GUIDE
)
_WEBHOOK: Final = _Place(
    "webhook",
    "Webhooks",
    "webhook",
    "channels.webhook",
    ("channels.webhook.secret",),
    "docs/reference/settings.md",
)
_FOR_DEVICES: Final = (
    _Place(
        "in_app_message",
        "In-app messages",
        "in_app_message",
        "sdk",
        ("sdk.identity_secret",),
        _SDK_GUIDE,
    ),
    _Place(
        "content_card", "Content cards", "content_card", "sdk", ("sdk.identity_secret",), _SDK_GUIDE
    ),
)


def _facts(settings: _Shows) -> Iterator[Fact]:
    """Yield the settings that are set; those of a provider of reports stand elsewhere."""
    for name, value in settings.__rich_repr__():
        match value:
            case None | [] | {} | Struct():
                continue
            case bool():
                shown = "yes" if value else "no"
            case list():
                shown = ", ".join(map(str, value))
            case _:
                shown = f"{value:g}" if isinstance(value, float) else str(value)
        yield Fact(name, shown)


def _email_callbacks(settings: Settings) -> Iterator[Callback]:
    email = settings.channels.email
    for name, title, provider, setting in (
        ("sendgrid", "SendGrid", email.sendgrid, "verification_key"),
        ("ses", "Amazon SES", email.ses, "topic_arns"),
        ("mailgun", "Mailgun", email.mailgun, "signing_key"),
        ("postmark", "Postmark", email.postmark, "username"),
    ):
        yield Callback(
            title,
            f"{settings.base_url}/hooks/email/{name}",
            provider is not None,
            f"channels.email.{name}.{setting}",
        )


def _sms_callbacks(settings: Settings) -> Iterator[Callback]:
    sms = settings.channels.sms
    if sms.twilio is not None:
        url = f"{settings.base_url}/hooks/sms/twilio"
        yield Callback("Twilio", url, True, "channels.sms.twilio.auth_token")
    if sms.http is not None:
        yield Callback(
            "The provider",
            f"{settings.base_url}/hooks/sms/http",
            sms.http.callbacks is not None,
            "channels.sms.http.callbacks.secret",
        )
