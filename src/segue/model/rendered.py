"""What a sender is handed: one message for one user, with every template filled in."""

from typing import Any

from msgspec import Struct, field

from segue.model.channels import Channel


class RenderedEmail(Struct, frozen=True):
    """An email ready for SMTP; `headers` holds those beyond From, To, Subject and Reply-To."""

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


class RenderedWebhook(Struct, frozen=True):
    """An HTTP call ready to be made."""

    send_id: str
    user_id: str
    campaign: str  # the slug
    url: str
    method: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None


class RenderedNote(Struct, frozen=True):
    """A push, SMS, in-app message or content card: its document with the texts filled in."""

    send_id: str
    user_id: str
    campaign: str  # the slug
    channel: Channel
    content: dict[str, Any]


Rendered = RenderedEmail | RenderedWebhook | RenderedNote
