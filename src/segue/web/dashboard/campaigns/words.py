"""What campaigns are shown with: tones of states, pictures of channels, names of deliveries."""

from typing import Any, Final
from urllib.parse import quote

from segue.model.channels import Channel
from segue.services.explanations.words import channel_word

STATE_TONES: Final = {
    "active": "good",
    "draft": "neutral",
    "stopped": "warning",
    "archived": "quiet",
}
CHANNEL_ICONS: Final[dict[Channel, str]] = {
    "email": "mail",
    "push": "bell",
    "sms": "message-square",
    "webhook": "webhook",
    "in_app_message": "smartphone",
    "content_card": "inbox",
}
DELIVERY_WORDS: Final = {
    "action": "action-based",
    "scheduled": "scheduled",
    "api": "by a program",
}
DECISION_TONES: Final = {
    "send": "good",
    "convert": "good",
    "enter": "neutral",
    "control": "neutral",
    "cancel": "warning",
    "skip": "warning",
    "refuse": "quiet",
}
DECISION_WORDS: Final = {
    "send": "sent",
    "convert": "converted",
    "enter": "entered",
    "control": "in control group",
    "cancel": "cancelled",
    "skip": "skipped",
    "refuse": "refused",
}


def path_of(slug: str, tab: str = "") -> str:
    """Return where a campaign is shown, or one of its tabs."""
    return f"/campaigns/{quote(slug, safe='')}{f'/{tab}' if tab else ''}"


def show_words() -> dict[str, Any]:
    """Return what every template about campaigns asks for."""
    return {
        "state_tones": STATE_TONES,
        "channel_icons": CHANNEL_ICONS,
        "channel_word": channel_word,
        "delivery_words": DELIVERY_WORDS,
        "path_of": path_of,
    }
