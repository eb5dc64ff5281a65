"""All senders behind one face: a message goes to the sender of its channel."""

import asyncio
from collections.abc import Mapping
from typing import Final, assert_never

from segue.channels.sandbox import SandboxMailbox
from segue.channels.sender import Answer, Refused, Sender
from segue.channels.settings import ChannelSettings
from segue.channels.smtp import SmtpSender
from segue.channels.webhook import WebhookSender
from segue.clock import Clock
from segue.model.channels import CHANNELS, Channel
from segue.model.rendered import Rendered, RenderedEmail, RenderedNote, RenderedWebhook

_HOW_TO: Final[Mapping[Channel, str]] = {
    "email": "set SEGUE_CHANNELS__EMAIL__SMTP_URL, or smtp_url under [channels.email]",
}
_NO_WAY: Final = "this version sends email and webhooks"


class Senders:
    """The senders that the settings give."""

    def __init__(self, settings: ChannelSettings, clock: Clock) -> None:
        """Set the senders up; nothing is connected yet.

        Raises:
            SegueError: a setting is unusable.
        """
        self._senders: dict[Channel, Sender] = {"webhook": WebhookSender(settings.webhook, clock)}
        if settings.email.smtp_url is not None:
            self._senders["email"] = SmtpSender(settings.email, clock)

    @classmethod
    def sandboxed(cls, mailbox: SandboxMailbox) -> "Senders":
        """Return senders that keep every message in a mailbox: nothing leaves the machine."""
        senders = cls.__new__(cls)
        senders._senders = dict.fromkeys(CHANNELS, mailbox)
        return senders

    async def send(self, message: Rendered) -> Answer:
        """Hand a message to its channel's sender; without one it is refused, with how to set it."""
        channel = channel_of(message)
        sender = self._senders.get(channel)
        if sender is None:
            hint = _HOW_TO.get(channel, _NO_WAY)
            return Refused(f"no provider is set up for {channel}; {hint}")
        return await sender.send(message)

    async def close(self) -> None:
        """Close all senders, each once."""
        senders = {id(sender): sender for sender in self._senders.values()}
        await asyncio.gather(*(sender.close() for sender in senders.values()))


def channel_of(message: Rendered) -> Channel:
    """Return the channel a message is for."""
    match message:
        case RenderedEmail():
            return "email"
        case RenderedWebhook():
            return "webhook"
        case RenderedNote():
            return message.channel
        case _:
            assert_never(message)
