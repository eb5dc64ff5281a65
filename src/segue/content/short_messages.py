"""Push notifications and text messages filled in for one user."""

from collections.abc import Callable, Sequence
from typing import Any

from msgspec import to_builtins

from segue.content.links import Origin
from segue.content.liquid import LiquidError
from segue.content.short_links import Shortener
from segue.model.devices import RegisteredDevice
from segue.model.messages import Button, Push, Sms, StoryPage
from segue.model.rendered import RenderedPush, RenderedSms, ShortLink

# (templates all the way down, where they stand) -> the same with every text filled in
Fill = Callable[[Any, str], Any]

_WEB = ("http://", "https://")


def render_push(
    fill: Fill, body: Push, devices: Sequence[RegisteredDevice], origin: Origin, token: str
) -> RenderedPush:
    """Return a push for devices; they report what is done with it by `token`.

    Raises:
        LiquidError: a template goes wrong, or nothing is left to show.
    """
    filled = fill(to_builtins(body), "push")
    title, text = filled["title"].strip(), filled.get("body", "").strip()
    if not title and not text:
        raise LiquidError("push.title", "title and body came out empty")
    return RenderedPush(
        send_id=origin.send_id,
        user_id=origin.user_id,
        campaign=origin.campaign,
        variant=origin.variant,
        devices=list(devices),
        title=title,
        body=text,
        deep_link=_given(filled.get("deep_link")),
        image_url=_given(filled.get("image_url")),
        buttons=[
            Button(one["id"], one["text"], _given(one.get("link")))
            for one in filled.get("buttons", [])
        ],
        pages=[
            StoryPage(
                one["id"],
                one["image_url"].strip(),
                _given(one.get("title")),
                _given(one.get("body")),
                _given(one.get("deep_link")),
            )
            for one in filled.get("pages", [])
        ],
        extra=filled.get("extra", {}),
        token=token,
    )


def render_sms(
    fill: Fill, body: Sms, to: str, origin: Origin, token: str, shortener: Shortener | None
) -> RenderedSms:
    """Return a text message to a number; its provider reports of it by `token`.

    Raises:
        LiquidError: a template goes wrong, or nothing is left to send.
    """
    filled = fill(to_builtins(body), "sms")
    text = filled["body"].strip()
    if not text:
        raise LiquidError("sms.body", "it came out empty")
    links: list[ShortLink] = []
    if body.shorten_links and shortener is not None:
        text, links = shortener.shorten(text, origin)
    media = [url.strip() for url in filled.get("media_urls", [])]
    return RenderedSms(
        send_id=origin.send_id,
        user_id=origin.user_id,
        campaign=origin.campaign,
        to=to,
        body=text,
        from_=_given(filled.get("from")),
        media_urls=[url for url in media if url.lower().startswith(_WEB)],
        variant=origin.variant,
        short_links=links,
        token=token,
    )


def _given(text: str | None) -> str | None:
    """Return an optional text; one that came out empty was not given."""
    return (text or "").strip() or None
