"""What a sender is handed: one message for one user, with every template filled in.

One that is `for_phone` goes to the user's virtual phone, and to no provider.
"""

from typing import Any, Literal

from msgspec import Struct, field

from segue.model.devices import RegisteredDevice
from segue.model.messages import Button, StoryPage


class RenderedEmail(Struct, frozen=True):
    """An email ready for SMTP; `headers` holds those beyond From, To, Subject and Reply-To.

    A `return_code` names it in the address that it bounces to.
    """

    send_id: str
    user_id: str
    campaign: str  # the slug
    to: str
    from_: str
    subject: str
    html: str | None = None
    text: str | None = None
    reply_to: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    return_code: str = ""
    variant: str = ""
    for_phone: bool = False


class RenderedWebhook(Struct, frozen=True):
    """An HTTP call ready to be made."""

    send_id: str
    user_id: str
    campaign: str  # the slug
    url: str
    method: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    variant: str = ""
    for_phone: bool = False


class RenderedPush(Struct, frozen=True):
    """A push notification, and the user's devices that are to get it.

    A device reports what the user did with it by its send, or by `token`, which is signed and
    still known when later sends have taken this one's place.
    """

    send_id: str
    user_id: str
    campaign: str  # the slug
    variant: str
    devices: list[RegisteredDevice]
    title: str
    body: str = ""
    deep_link: str | None = None
    image_url: str | None = None
    buttons: list[Button] = field(default_factory=list)
    pages: list[StoryPage] = field(default_factory=list)
    extra: dict[str, str] = field(default_factory=dict)
    token: str = ""
    for_phone: bool = False


class ShortLink(Struct, frozen=True):
    """A link of a text message, and the code that stands for it there."""

    code: str
    alias: str
    link: str
    at: int  # where the code stands in the message's body


class RenderedSms(Struct, frozen=True):
    """A text message to a number with its country code, such as +32470123456.

    Whoever hands it over keeps what its short links lead to first.
    """

    send_id: str
    user_id: str
    campaign: str  # the slug
    to: str
    body: str
    from_: str | None = None
    media_urls: list[str] = field(default_factory=list)
    variant: str = ""
    short_links: list[ShortLink] = field(default_factory=list)
    token: str = ""  # names the message in what its provider reports of it
    for_phone: bool = False


class RenderedNote(Struct, frozen=True):
    """An in-app message or content card: its document with the texts filled in."""

    send_id: str
    user_id: str
    campaign: str  # the slug
    channel: Literal["in_app_message", "content_card"]
    content: dict[str, Any]
    variant: str = ""
    for_phone: bool = False


Rendered = RenderedEmail | RenderedWebhook | RenderedPush | RenderedSms | RenderedNote
