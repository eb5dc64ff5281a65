"""What campaigns are shown with: words of channels, deliveries and decisions."""

from typing import Any, Final

from segue.services.explanations.words import channel_word

DELIVERY_WORDS: Final = {
    "action": "action-based",
    "scheduled": "scheduled",
    "api": "by a program",
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


def show_words() -> dict[str, Any]:
    """Return what every template about campaigns asks for."""
    return {
        "channel_word": channel_word,
        "delivery_words": DELIVERY_WORDS,
    }
