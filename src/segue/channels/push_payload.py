"""What every device is told of a push beside what it shows: enough to act on it, and to report.

An app reads it under the name `segue`, next to the author's `extra`.
"""

from typing import Any, Final

from msgspec import to_builtins
from msgspec.json import encode

from segue.model.limits import PUSH_BYTES_MAX
from segue.model.rendered import RenderedPush

NAME: Final = "segue"


def payload_of(message: RenderedPush) -> dict[str, Any]:
    """Return whose push it is, and what its device shows and opens beyond title and body."""
    payload: dict[str, Any] = {
        "send_id": message.send_id,
        "campaign": message.campaign,
        "variant": message.variant,
        "token": message.token,
    }
    if message.deep_link is not None:
        payload["deep_link"] = message.deep_link
    if message.image_url is not None:
        payload["image_url"] = message.image_url
    if message.buttons:
        payload["buttons"] = to_builtins(message.buttons)
    if message.pages:
        payload["pages"] = to_builtins(message.pages)
    return payload


def encoded(document: dict[str, Any], bytes_max: int = PUSH_BYTES_MAX) -> bytes | str:
    """Return a document in JSON; or, where it is too large for a provider, what to do about it."""
    text = encode(document)
    if len(text) > bytes_max:
        return (
            f"the notification takes {len(text)} bytes of the {bytes_max} that there are; "
            "shorten its texts, pages or extra"
        )
    return text
