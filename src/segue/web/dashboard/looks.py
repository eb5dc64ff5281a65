"""How things look wherever they are shown: tones of states and decisions, pictures of channels."""

from collections.abc import Mapping
from typing import Any, Final

from segue.model.channels import Channel
from segue.services.moment_words import DECISION_TONES, Tone
from segue.storage.ports import CampaignStatus

_STATE_TONES: Final[Mapping[CampaignStatus, Tone]] = {
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
# Under these names every template has them.
LOOKS: Final[Mapping[str, Mapping[Any, str]]] = {
    "state_tones": _STATE_TONES,
    "decision_tones": DECISION_TONES,
    "channel_icons": CHANNEL_ICONS,
}
