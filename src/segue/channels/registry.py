"""All senders behind one face: a message goes to the sender of its channel."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final, assert_never

from segue.channels.push import PushSender
from segue.channels.records import ProviderRecord, ProviderRecords
from segue.channels.sender import Answer, Refused, Sender
from segue.channels.settings import ChannelSettings, SmsSettings
from segue.channels.sms import SmsSender
from segue.channels.smtp import SmtpSender
from segue.channels.webhook import WebhookSender
from segue.clock import Clock
from segue.model.channels import DEVICE_CHANNELS, Channel
from segue.model.devices import Platform
from segue.model.rendered import (
    Rendered,
    RenderedEmail,
    RenderedNote,
    RenderedPush,
    RenderedSms,
    RenderedWebhook,
)

_HOW_TO: Final[Mapping[Channel, str]] = {
    "email": "set SEGUE_CHANNELS__EMAIL__SMTP_URL, or smtp_url under [channels.email]",
    "push": "set [channels.push.fcm], [channels.push.apns] or [channels.push.web]",
    "sms": "set [channels.sms.twilio] or [channels.sms.http]",
}
_NO_WAY: Final = "this version sends email, push, SMS and webhooks"


class Senders:
    """The senders that the settings give."""

    def __init__(
        self,
        settings: ChannelSettings,
        clock: Clock,
        secret: Callable[[str], bytes],
        public_url: str | None = None,
    ) -> None:
        """Set the senders up; nothing is connected yet.

        `secret` gives the installation's own secret of a name; `public_url` is where providers
        can call us, if they can.

        Raises:
            SegueError: a setting is unusable.
        """
        self._records = ProviderRecords(clock)
        self._senders: dict[Channel, Sender] = {"webhook": WebhookSender(settings.webhook, clock)}
        self._phone: Sender | None = None
        self._push: PushSender | None = None
        self._sms: SmsSender | None = None
        if settings.email.smtp_url is not None:
            self._senders["email"] = SmtpSender(settings.email, clock)
        if settings.push.has_provider:
            self._senders["push"] = self._push = PushSender(
                settings.push, clock, secret, self._records
            )
        if settings.sms != SmsSettings():
            self._senders["sms"] = self._sms = SmsSender(settings.sms, clock, public_url)

    @property
    def channels(self) -> list[Channel]:
        """The channels with a provider that somebody set up: webhooks need none."""
        needs_none = (*DEVICE_CHANNELS, "webhook")
        return [one for one in self._senders if one not in needs_none]

    def record_of(self, provider: Channel | Platform) -> ProviderRecord:
        """Return what was answered last: by a channel's provider, or that of a push platform."""
        return self._records.of(provider)

    def resting(self, provider: Channel | Platform) -> dict[str, float]:
        """Return which services are left alone because they were down, and for how many seconds."""
        if provider == "sms":
            return self._sms.resting() if self._sms is not None else {}
        if provider in ("android", "ios", "web") and self._push is not None:
            return self._push.resting(provider)
        return {}

    @property
    def web_push_key(self) -> str | None:
        """The key that browsers subscribe with; None where web push is not set up."""
        return self._push.web_key if self._push is not None else None

    def keep_for_devices(self, inbox: Sender) -> None:
        """Let an inbox take what devices fetch."""
        for channel in DEVICE_CHANNELS:
            self._senders[channel] = inbox

    def keep_on_phones(self, phone: Sender) -> None:
        """Let virtual phones take the messages of those who have one."""
        self._phone = phone

    async def send(self, message: Rendered) -> Answer:
        """Hand a message to its channel's sender; without one it is refused, with how to set it.

        One for a virtual phone goes there whatever is set up, and nowhere else.
        """
        if message.for_phone:
            if self._phone is None:
                return Refused("it is for a virtual phone, and nobody keeps those here")
            return await self._phone.send(message)
        channel = channel_of(message)
        sender = self._senders.get(channel)
        if sender is None:
            hint = _HOW_TO.get(channel, _NO_WAY)
            return Refused(f"no provider is set up for {channel}; {hint}")
        answer = await sender.send(message)
        self._records.note(channel, answer)
        return answer

    def turn(self, message: Rendered, now: int) -> int:
        """Return when the message's provider takes it, `now` or later; the turn is kept for it."""
        if message.for_phone:
            return now
        match message:
            case RenderedPush() if self._push is not None:
                return self._push.turn(message, now)
            case RenderedSms() if self._sms is not None:
                return self._sms.turn(message, now)
            case _:
                return now

    async def close(self) -> None:
        """Close all senders, each once."""
        phone = [] if self._phone is None else [self._phone]
        senders = {id(sender): sender for sender in (*phone, *self._senders.values())}
        await asyncio.gather(*(sender.close() for sender in senders.values()))


def channel_of(message: Rendered) -> Channel:
    """Return the channel a message is for."""
    match message:
        case RenderedEmail():
            return "email"
        case RenderedWebhook():
            return "webhook"
        case RenderedPush():
            return "push"
        case RenderedSms():
            return "sms"
        case RenderedNote():
            return message.channel
        case _:
            assert_never(message)
