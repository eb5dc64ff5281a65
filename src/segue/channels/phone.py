"""The virtual phone: takes the messages of its user on every channel, instead of a provider."""

import re
from typing import Any, Final, assert_never

from msgspec import to_builtins

from segue.channels.sender import Accepted, Answer, Sender, TryLater
from segue.channels.settings import without_credentials
from segue.channels.shared_writes import SharedWrites
from segue.channels.watchers import Watchers
from segue.clock import Clock
from segue.errors import SegueError
from segue.model.channels import Channel
from segue.model.limits import PHONE_STREAMS_MAX
from segue.model.rendered import (
    Rendered,
    RenderedEmail,
    RenderedNote,
    RenderedPush,
    RenderedSms,
    RenderedWebhook,
    ShortLink,
)
from segue.storage.phones import PhoneMessage, Phones

# A header with one of these in its name is a secret: that of a person who looks on, too.
_SECRET_WORDS: Final = (
    "auth",
    "cookie",
    "credential",
    "key",
    "password",
    "secret",
    "signature",
    "token",
)
_HIDDEN: Final = "***"
_FIRST: Final = re.compile("<(https?:[^>]*)>")


class PhoneSender:
    """Keeps messages on their users' phones; what devices show goes to their inbox as well."""

    def __init__(self, phones: Phones, inbox: Sender, clock: Clock) -> None:
        self.phones = phones
        self.watchers = Watchers(PHONE_STREAMS_MAX)
        self._inbox = inbox
        self._clock = clock
        self._writes = SharedWrites(phones.put, "messages for phones")

    async def send(self, message: Rendered) -> Answer:
        """Keep a message. One that is kept already stays as it is, so a repeat is harmless."""
        if isinstance(message, RenderedNote):
            answer = await self._inbox.send(message)
            if not isinstance(answer, Accepted):
                return answer
        try:
            await self._writes.add([self._kept(message)])
        except SegueError as error:
            return TryLater(str(error), was_asked=False)
        self.watchers.tell(message.user_id)
        return Accepted("kept on the user's virtual phone")

    async def close(self) -> None:
        """Finish writing."""
        await self._writes.close()

    def _kept(self, message: Rendered) -> PhoneMessage:
        channel, content = _seen(message)
        return PhoneMessage(
            message.user_id,
            channel,
            message.send_id,
            message.campaign,
            message.variant,
            self._clock.now(),
            content,
        )


def _seen(message: Rendered) -> tuple[Channel, dict[str, Any]]:
    """Return a message's channel, and of the message what a person is to see."""
    match message:
        case RenderedEmail():
            return "email", _mail(message)
        case RenderedPush():
            return "push", {
                "title": message.title,
                "body": message.body,
                "deep_link": message.deep_link,
                "image_url": message.image_url,
                "buttons": to_builtins(message.buttons),
                "pages": to_builtins(message.pages),
                "extra": message.extra,
                "token": message.token,
            }
        case RenderedSms():
            return "sms", {
                "from": message.from_,
                "body": message.body,
                "media_urls": message.media_urls,
                "short_links": [_short_link(message.body, one) for one in message.short_links],
            }
        case RenderedWebhook():
            return "webhook", {
                "method": message.method,
                "url": without_credentials(message.url),
                "headers": {name: _masked(name, text) for name, text in message.headers.items()},
                "body": None if message.body is None else message.body.decode("utf-8", "replace"),
            }
        case RenderedNote():
            content = {k: v for k, v in message.content.items() if k != "expires_after"}
            return message.channel, content
        case _:
            assert_never(message)


def _mail(mail: RenderedEmail) -> dict[str, Any]:
    # By a page, and after it perhaps by a mail.
    unsubscribe = _FIRST.match(mail.headers.get("List-Unsubscribe", ""))
    return {
        "from": mail.from_,
        "reply_to": mail.reply_to,
        "subject": mail.subject,
        "html": mail.html,
        "text": mail.text,
        "unsubscribe_url": unsubscribe[1] if unsubscribe is not None else None,
    }


def _short_link(body: str, link: ShortLink) -> dict[str, Any]:
    start = body.rfind("http", 0, link.at)
    url = body[start : link.at + len(link.code)]
    return {"url": url, "alias": link.alias, "leads_to": link.link}


def _masked(name: str, text: str) -> str:
    return _HIDDEN if any(word in name.lower() for word in _SECRET_WORDS) else text
