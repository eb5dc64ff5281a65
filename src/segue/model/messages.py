"""What an author writes, one struct per channel. Every text may hold Liquid."""

from collections.abc import Iterator
from typing import Any, Literal

from msgspec import Struct, field

from segue.model.channels import CHANNELS, Channel
from segue.model.scalars import Duration, Text

# What an email's unsubscribe link ends: all email, the campaign's group; or there is no header.
UnsubscribeMode = Literal["all", "group", "none"]


class Email(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """HTML, or text, or both. Links and the open pixel are added when it is sent."""

    subject: Text
    from_: Text | None = field(default=None, name="from")
    reply_to: Text | None = None
    preheader: str | None = None
    html: Text | None = None
    text: Text | None = None
    headers: dict[str, str] = field(default_factory=dict)
    inline_css: bool = True
    track_opens: bool = True
    track_clicks: bool = True
    unsubscribe: UnsubscribeMode | None = None  # None: as the campaign has it


class Button(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A button of a push notification or an in-app message; its id is what a follower names."""

    id: Text
    text: Text
    link: str | None = None


class StoryPage(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One page of a push story."""

    id: Text
    image_url: Text
    title: str | None = None
    body: str | None = None
    deep_link: str | None = None


class Push(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A push notification, with action buttons or story pages where there are any."""

    title: Text
    body: str = ""
    deep_link: str | None = None
    image_url: str | None = None
    buttons: list[Button] = field(default_factory=list)
    pages: list[StoryPage] = field(default_factory=list)
    extra: dict[str, str] = field(default_factory=dict)


class Sms(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A text message; its links are shortened unless it says otherwise."""

    body: Text
    from_: Text | None = field(default=None, name="from")
    media_urls: list[str] = field(default_factory=list)
    shorten_links: bool = True


class Webhook(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An HTTP call. A `body` that is not text is sent as JSON, its strings filled in."""

    url: Text
    method: Literal["POST", "PUT", "PATCH", "DELETE", "GET"] = "POST"
    headers: dict[str, str] = field(default_factory=dict)
    body: str | dict[str, Any] | list[Any] | None = None


class InAppMessage(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A message shown inside an app or page."""

    body: Text
    title: str | None = None
    style: Literal["modal", "slide_up", "full"] = "modal"
    priority: Literal["high", "medium", "low"] = "medium"
    image_url: str | None = None
    link: str | None = None
    buttons: list[Button] = field(default_factory=list)
    expires_after: Duration | None = None


class ContentCard(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A card in a feed, there until it expires or is dismissed."""

    title: Text
    body: str = ""
    image_url: str | None = None
    link: str | None = None
    pinned: bool = False
    expires_after: Duration | None = None


MessageBody = Email | Push | Sms | Webhook | InAppMessage | ContentCard


class Message(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One message: exactly one of the channels."""

    email: Email | None = None
    push: Push | None = None
    sms: Sms | None = None
    webhook: Webhook | None = None
    in_app_message: InAppMessage | None = None
    content_card: ContentCard | None = None

    def written(self) -> Iterator[tuple[Channel, MessageBody]]:
        """Yield the channels that are written, with what is written for them."""
        for channel in CHANNELS:
            body: MessageBody | None = getattr(self, channel)
            if body is not None:
                yield channel, body

    @property
    def channel(self) -> Channel:
        """The message's channel; the document's checks have seen to it that there is one."""
        return next(self.written())[0]
