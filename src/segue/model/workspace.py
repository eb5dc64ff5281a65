"""What holds for all campaigns: the time zone, quiet hours, caps, channels, segments.

Changes are entries in the log, like publications: a replay sees them as they were (semantics.md 1).
"""

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct, field

from segue.model.channels import Channel
from segue.model.filters import Filter
from segue.model.limits import (
    CAPS_MAX,
    GROUP_DESCRIPTION_LENGTH_MAX,
    NAME_LENGTH_MAX,
    SUBSCRIPTION_GROUPS_MAX,
)
from segue.model.scalars import ClockTime, Duration, Slug, Text

Otherwise = Literal["skip", "next_available"]
OnUnknown = Literal["resend", "drop"]

# semantics.md 8: the others are dropped, unless the workspace says otherwise. The inbox of devices
# takes a message once, however often it is handed over.
_RESENT: Final[frozenset[Channel]] = frozenset(("webhook", "in_app_message", "content_card"))


class QuietHours(Struct, frozen=True, forbid_unknown_fields=True):
    """Hours of the user's day in which nothing is sent; "00:00" to "00:00" is the whole day."""

    from_: ClockTime = field(name="from")
    to: ClockTime
    otherwise: Otherwise = "next_available"


class Cap(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A frequency cap: at most so many messages of a channel, or of a tag, in a time, per user.

    Minutes and hours roll; days and weeks are those of the user's calendar, today included.
    """

    slug: Slug
    messages_max: Annotated[int, Meta(ge=1)]
    within: Duration
    channel: Channel | Literal["any"] = "any"
    tag: Text | None = None


class ChannelPolicy(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What to do about a channel's messages when the answer of its provider is not known."""

    on_unknown: OnUnknown | None = None  # None: as semantics.md 8 has it


class SubscriptionGroup(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A kind of messages that users subscribe to by itself, such as a newsletter."""

    slug: Slug
    name: Text
    description: Annotated[str, Meta(max_length=GROUP_DESCRIPTION_LENGTH_MAX)] = ""


class Workspace(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Everything that holds for all campaigns, but for segments.

    `name` is who users get messages from: pages that they see say it.
    """

    name: Annotated[str, Meta(max_length=NAME_LENGTH_MAX)] = ""
    time_zone: Text = "UTC"
    quiet_hours: QuietHours | None = None
    caps: Annotated[list[Cap], Meta(max_length=CAPS_MAX)] = field(default_factory=list)
    channels: dict[Channel, ChannelPolicy] = field(default_factory=dict)
    subscription_groups: Annotated[
        list[SubscriptionGroup], Meta(max_length=SUBSCRIPTION_GROUPS_MAX)
    ] = field(default_factory=list)

    def on_unknown(self, channel: Channel) -> OnUnknown:
        """Return what to do when a provider's answer is not known."""
        policy = self.channels.get(channel)
        if policy is not None and policy.on_unknown is not None:
            return policy.on_unknown
        return "resend" if channel in _RESENT else "drop"


class Segment(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """A saved audience with a name; audiences and other segments may refer to it."""

    slug: Slug
    name: Text
    description: str = ""
    filter: Filter
