"""A message as a device is given it: what to show, and links that are safe to open."""

import re
from typing import Any, Final

from segue.model.instants import format_instant
from segue.storage.ports import InboxItem

_SCHEME: Final = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)
_CONTROLS: Final = re.compile(r"[\x00-\x20\x7f]")  # browsers drop some, and find a scheme then
# These run or read something in the page that shows the message; an app's own schemes do not.
_UNSAFE_SCHEMES: Final = frozenset(
    ("javascript", "data", "vbscript", "file", "blob", "filesystem", "about", "view-source")
)
_WEB: Final = frozenset(("http", "https"))
_LINKS: Final = ("link", "image_url")


def shown(item: InboxItem) -> dict[str, Any]:
    """Return a message as its device is given it."""
    content = {name: value for name, value in item.content.items() if name not in _LINKS}
    link, image_url = item.content.get("link"), item.content.get("image_url")
    if link and is_safe_link(link):
        content["link"] = link
    if image_url and is_safe_image(image_url):
        content["image_url"] = image_url
    if "buttons" in content:
        content["buttons"] = [_button(button) for button in content["buttons"]]
    return {
        "send_id": item.send_id,
        "available_at": format_instant(item.available_at),
        "expires_at": format_instant(item.expires_at),
        **content,
    }


def is_safe_link(link: str) -> bool:
    """Return whether following the link leads somewhere, and runs nothing."""
    if _CONTROLS.search(link):
        return False
    scheme = _SCHEME.match(link)
    return scheme is None or scheme[1].lower() not in _UNSAFE_SCHEMES


def is_safe_image(url: str) -> bool:
    """Return whether the URL is a web address, or one relative to the page."""
    scheme = _SCHEME.match(url)
    return not _CONTROLS.search(url) and (scheme is None or scheme[1].lower() in _WEB)


def _button(button: dict[str, Any]) -> dict[str, Any]:
    link = button.get("link")
    if link and is_safe_link(link):
        return button
    return {name: value for name, value in button.items() if name != "link"}
