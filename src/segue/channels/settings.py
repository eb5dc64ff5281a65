"""Settings of the channels; what is secret is not shown."""

import re
from typing import Annotated, Any, ClassVar, Final, Literal

from msgspec import Meta, Struct, field, structs

from segue.model.limits import SMS_REPLY_LENGTH_MAX
from segue.model.scalars import Duration

Timeout = Annotated[float, Meta(gt=0, le=600)]
# Plain, since they stand in an envelope and in a mailto: link as they are. To the local part of
# a return path comes what names the message, in 64 characters all in all (RFC 5321 4.5.3.1.1).
PlainAddress = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]{1,64}@[A-Za-z0-9.-]{1,255}$")]
ReturnPath = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]{1,40}@[A-Za-z0-9.-]{1,255}$")]
ReplyText = Annotated[str, Meta(max_length=SMS_REPLY_LENGTH_MAX)]
ToPhone = Literal["test_users", "everybody"]
Rate = Annotated[float, Meta(gt=0)]
TopicArn = Annotated[
    str, Meta(pattern=r"^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}(\.fifo)?$")
]
# Up to the last @ of the host part and beyond: a password may hold / ? # and @ unescaped.
_CREDENTIALS: Final = re.compile(r"(?<=://).*@", re.DOTALL)
_BEHIND_HOST: Final = re.compile(r"(?<!:)(?<!/)[/?#].*", re.DOTALL)
_HIDDEN: Final = "***"


class _Shown(Struct, frozen=True, forbid_unknown_fields=True):
    """Settings that are shown without their secrets, here and by rich."""

    secrets: ClassVar[tuple[str, ...]] = ()
    logins: ClassVar[tuple[str, ...]] = ()  # URLs with a user and a password
    keyed: ClassVar[tuple[str, ...]] = ()  # URLs that may hold a key anywhere behind the host

    def __repr__(self) -> str:
        """Show the settings without the secrets."""
        fields = ", ".join(f"{name}={value!r}" for name, value in self.__rich_repr__())
        return f"{type(self).__name__}({fields})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Return the fields without the secrets, for rich."""
        return [
            (one.encode_name, self._shown(one.name, getattr(self, one.name)))
            for one in structs.fields(type(self))
        ]

    def _shown(self, name: str, value: Any) -> Any:
        if value and name in self.secrets:
            return _HIDDEN
        if value and name in self.logins + self.keyed:
            value = without_credentials(value)
        return _BEHIND_HOST.sub(f"/{_HIDDEN}", value) if value and name in self.keyed else value


class SendGridSettings(_Shown, frozen=True):
    """SendGrid's event webhook: the key that its signed calls are verified with (base64)."""

    verification_key: str


class SesSettings(_Shown, frozen=True):
    """Amazon SES: the SNS topics that it publishes to."""

    topic_arns: Annotated[list[TopicArn], Meta(min_length=1, max_length=100)]


class MailgunSettings(_Shown, frozen=True):
    """Mailgun's webhooks: the account's HTTP webhook signing key."""

    secrets = ("signing_key",)

    signing_key: Annotated[str, Meta(min_length=16)]


class PostmarkSettings(_Shown, frozen=True):
    """Postmark's webhooks: the user and password that they sign in with."""

    secrets = ("password",)

    username: Annotated[str, Meta(pattern="^[^:]+$")]
    password: Annotated[str, Meta(min_length=16)]


class MailboxSettings(_Shown, frozen=True):
    """Where bounces and complaints arrive: the folder of a Maildir, or one on an IMAP server."""

    logins = ("imap_url",)

    maildir: str | None = None
    imap_url: str | None = None  # imaps:// or imap+starttls://user:pass@host:port/INBOX
    delete_taken: bool = False


class EmailSettings(_Shown, frozen=True):
    """Email out: `smtp_url` is smtp://, smtp+starttls:// or smtps://user:pass@host:port.

    The providers are those whose webhooks are taken.
    """

    logins = ("smtp_url",)

    smtp_url: str | None = None
    from_: str | None = field(default=None, name="from")
    timeout_s: Timeout = 30.0
    connections_max: Annotated[int, Meta(ge=1, le=100)] = 4
    provider_opens_and_clicks: bool = False
    sendgrid: SendGridSettings | None = None
    ses: SesSettings | None = None
    mailgun: MailgunSettings | None = None
    postmark: PostmarkSettings | None = None
    return_path: ReturnPath | None = None  # bounces go there; default: to the From address
    unsubscribe_address: PlainAddress | None = None
    mailbox: MailboxSettings | None = None


class WebhookSettings(_Shown, frozen=True):
    """Webhooks out: a Standard Webhooks secret, and private networks that may be called."""

    secrets = ("secret",)

    secret: str | None = None
    allow_private_addresses: list[str] = field(default_factory=list)
    timeout_s: Timeout = 30.0


class FcmSettings(_Shown, frozen=True):
    """Push to Android devices: the file of a service account, as Google's console gives it."""

    service_account_file: str
    url: str = "https://fcm.googleapis.com"
    timeout_s: Timeout = 30.0
    sends_per_second_max: Rate | None = None


class ApnsSettings(_Shown, frozen=True):
    """Push to Apple devices: a key for tokens (.p8), as Apple's console gives it, and the app."""

    key_file: str
    key_id: str
    team_id: str
    topic: str  # the app's bundle id
    url: str = "https://api.push.apple.com"
    timeout_s: Timeout = 30.0
    sends_per_second_max: Rate | None = None


class WebPushSettings(_Shown, frozen=True):
    """Push to browsers: whom their push services may turn to, mailto: or https:."""

    contact: Annotated[str, Meta(pattern=r"^(mailto:[^@\s]+@\S+|https://\S+)$")]
    allow_private_addresses: list[str] = field(default_factory=list)
    timeout_s: Timeout = 10.0  # the address is a user's word, and may lead to one who never answers
    sends_per_second_max: Rate | None = None


class PushSettings(_Shown, frozen=True):
    """Push: how long a provider keeps one for a device that is switched off, and the providers."""

    keep_for: Duration = "4w"
    fcm: FcmSettings | None = None
    apns: ApnsSettings | None = None
    web: WebPushSettings | None = None

    @property
    def has_provider(self) -> bool:
        """Whether push can go anywhere."""
        return not (self.fcm is None and self.apns is None and self.web is None)


class TwilioSettings(_Shown, frozen=True, kw_only=True):
    """SMS by Twilio: an account, its token or an API key's, and a number or a service."""

    secrets = ("auth_token", "webhook_auth_token")

    account_sid: str
    auth_token: str  # the account's, or the secret of `api_key`
    webhook_auth_token: str | None = None  # the account's, where `auth_token` is not
    api_key: str | None = None
    from_: str | None = field(default=None, name="from")
    messaging_service_sid: str | None = None
    url: str = "https://api.twilio.com"
    timeout_s: Timeout = 30.0
    sends_per_second_max: Rate | None = None


class HttpSmsCallbackSettings(_Shown, frozen=True, kw_only=True):
    """What that provider calls back with: how it proves that it is it, and where what stands.

    Fields are dotted paths in JSON, or names in a form or in the query.
    """

    secrets = ("secret",)

    secret: Annotated[str, Meta(min_length=16)]
    proof: Literal["bearer", "query", "hmac"] = "bearer"
    proof_name: str | None = None  # of the query's parameter, or of the header with the HMAC
    message_field: str = "m"
    status_field: str = "status"
    id_field: str = "id"
    from_field: str = "from"
    text_field: str = "text"
    delivered: list[str] = field(default_factory=lambda: ["delivered"])
    failed: list[str] = field(default_factory=lambda: ["undelivered", "failed"])


class HttpSmsSettings(_Shown, frozen=True, kw_only=True):
    """SMS by any provider that takes one HTTP call: the call as templates."""

    secrets = ("headers", "body")
    keyed = ("url",)

    url: str
    method: Literal["POST", "PUT", "GET"] = "POST"
    headers: dict[str, str] = field(default_factory=dict)
    body: str | None = None
    from_: str | None = field(default=None, name="from")
    timeout_s: Timeout = 30.0
    sends_per_second_max: Rate | None = None
    callbacks: HttpSmsCallbackSettings | None = None


class SmsReplySettings(_Shown, frozen=True):
    """What is answered to the words that stop and start; an empty text answers nothing."""

    stop: ReplyText = "You get no more messages from us. Reply START to get them again."
    start: ReplyText = "You get our messages again. Reply STOP to get no more."
    help: ReplyText = "Reply STOP to get no more messages, or START to get them again."


class SmsSettings(_Shown, frozen=True):
    """SMS: one provider, and what is answered over it."""

    twilio: TwilioSettings | None = None
    http: HttpSmsSettings | None = None
    replies: SmsReplySettings = field(default_factory=SmsReplySettings)


class ChannelSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Settings of every channel; and whose messages go to a virtual phone instead."""

    email: EmailSettings = field(default_factory=EmailSettings)
    webhook: WebhookSettings = field(default_factory=WebhookSettings)
    push: PushSettings = field(default_factory=PushSettings)
    sms: SmsSettings = field(default_factory=SmsSettings)
    to_phone: ToPhone = "test_users"


def without_credentials(url: str) -> str:
    """Return a URL with user and password masked: with some providers the user is a token too."""
    return _CREDENTIALS.sub(f"{_HIDDEN}@", url, count=1)
