"""How many messages of each channel wait for one user's devices."""

from collections.abc import Mapping
from typing import Final

from segue.model.channels import Channel
from segue.model.limits import INBOX_CARDS_MAX, INBOX_IN_APP_MAX

INBOX_MAX: Final[Mapping[Channel, int]] = {
    "in_app_message": INBOX_IN_APP_MAX,
    "content_card": INBOX_CARDS_MAX,
}
