"""What buttons do to the messages of a campaign that is being written; its tree is changed."""

import copy
from typing import Any, Final

from selectolax.lexbor import LexborHTMLParser

from segue.content.html import to_text
from segue.content.markup import MarkupError, bound_markup
from segue.model.channels import Channel
from segue.model.limits import VARIANTS_MAX
from segue.services.message_places import channel_of

Tree = dict[str, Any]

_ALL: Final = 100  # per cent
_NAMES: Final = "ABCDEFGH"
# What a message of a channel cannot do without.
_LEAST: Final[dict[Channel, str]] = {
    "email": "subject",
    "push": "title",
    "sms": "body",
    "webhook": "url",
    "in_app_message": "body",
    "content_card": "title",
}


def blank_message(channel: Channel) -> Tree:
    """Return a message of which nothing is written yet."""
    return {channel: {_LEAST[channel]: ""}}


def is_blank_message(message: Any) -> bool:
    """Return whether nothing is written in a message."""
    channel = channel_of(message)
    body = message.get(channel) if channel is not None else None
    return not isinstance(body, dict) or not any(body.values())


def add_message(messages: list[Any], channel: Channel) -> None:
    """Add a message of a channel, in the place of one in which nothing is written."""
    if len(messages) == 1 and is_blank_message(messages[0]):
        messages.clear()
    messages.append(blank_message(channel))


def add_variant(tree: Tree) -> None:
    """Add a variant that begins as a copy of the last one; shares that were even stay so."""
    variants = tree.get("variants")
    if not isinstance(variants, list) or not variants:
        first = {"name": "A", "percent": _ALL - control_of(tree), "messages": []}
        first["messages"] = tree.pop("messages", None) or [blank_message("email")]
        variants = tree["variants"] = [first]
    if len(variants) >= VARIANTS_MAX:
        return
    was_even = _shares(variants) == _even(tree, len(variants))
    taken = {one.get("name") for one in variants}
    name = next((one for one in _NAMES if one not in taken), f"{len(variants) + 1}")
    rest = max(_ALL - control_of(tree) - sum(_shares(variants)), 0)
    copied = copy.deepcopy(variants[-1].get("messages"))
    variants.append({"name": name, "percent": rest, "messages": copied})
    if was_even:
        share_evenly(tree)


def remove_variant(tree: Tree, index: int) -> None:
    """Remove a variant; the last but one leaves messages that stand in no variant."""
    variants = tree.get("variants")
    if not isinstance(variants, list) or index >= len(variants):
        return
    was_even = _shares(variants) == _even(tree, len(variants))
    del variants[index]
    if len(variants) <= 1:
        tree["messages"] = variants[0].get("messages", []) if variants else []
        del tree["variants"]
    elif was_even:
        share_evenly(tree)


def share_evenly(tree: Tree) -> None:
    """Share what the control group leaves evenly among the variants; first ones get the rest."""
    variants = tree.get("variants") or []
    for variant, percent in zip(variants, _even(tree, len(variants)), strict=True):
        variant["percent"] = percent


def control_of(tree: Tree) -> int:
    """Return the control group's share; 0 where none is said, or none that could be."""
    percent = tree.get("control_percent")
    is_share = isinstance(percent, int) and not isinstance(percent, bool)
    return min(max(int(percent), 0), _ALL) if is_share and percent is not None else 0


def text_from_html(email: Tree) -> None:
    """Write an email's text as its HTML would make it, with the Liquid that is in it."""
    html = email.get("html")
    if not isinstance(html, str):
        return
    try:
        bound_markup(html)
    except MarkupError:
        return  # the message is told of it
    email["text"] = to_text(LexborHTMLParser(html))


def _shares(variants: list[Any]) -> list[int]:
    return [one["percent"] if isinstance(one.get("percent"), int) else 0 for one in variants]


def _even(tree: Tree, count: int) -> list[int]:
    share, more = divmod(_ALL - control_of(tree), count or 1)
    return [share + (index < more) for index in range(count)]
