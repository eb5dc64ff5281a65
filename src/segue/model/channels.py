"""The channels, and which of them report a receipt at hand-over."""

from typing import Final, Literal

Channel = Literal["email", "push", "sms", "webhook", "in_app_message", "content_card"]

CHANNELS: Final[tuple[Channel, ...]] = (
    "email",
    "push",
    "sms",
    "webhook",
    "in_app_message",
    "content_card",
)

# A user has received one of these when it was handed over (semantics.md 2); the others when
# they were displayed.
RECEIVED_AT_HAND_OVER: Final[frozenset[Channel]] = frozenset(("email", "push", "sms", "webhook"))

# Fetched by the user's devices, which report that they were displayed.
DEVICE_CHANNELS: Final[tuple[Channel, ...]] = ("in_app_message", "content_card")

# Sent to the user rather than shown when they come: quiet hours and caps are about these.
PUSHED_CHANNELS: Final = RECEIVED_AT_HAND_OVER
