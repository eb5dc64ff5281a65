"""Addresses that get nothing, whoever has them."""

from typing import Final, Literal

from msgspec import Struct

# Channels whose addresses say where a message goes; others reach devices, or no person.
SuppressedChannel = Literal["email", "sms"]
SuppressionReason = Literal["bounce", "complaint", "manual", "import"]

# Why an address is on the list, as a clause.
WHY_SUPPRESSED: Final[dict[SuppressionReason, str]] = {
    "bounce": "messages to it came back",
    "complaint": "it was reported as spam",
    "manual": "somebody put it there",
    "import": "it was imported",
}


class Suppression(Struct, frozen=True):
    """One reason why an address gets nothing; it may have several.

    `address` is written as `segue.content.addresses` has it, so that each has one spelling.
    """

    channel: SuppressedChannel
    address: str
    reason: SuppressionReason
    since: int
    campaign: str | None = None  # whose message it was that bounced, or was reported

    @property
    def key(self) -> tuple[str, str, str]:
        """Its place on the list: by channel, address and reason."""
        return self.channel, self.address, self.reason
