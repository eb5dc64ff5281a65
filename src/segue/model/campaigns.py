"""The campaign document (interface.md): what an author writes, as frozen structs.

Shapes only. What the parts mean together is checked in `segue.engine.checks` and compiled in
`segue.engine.plan`.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from segue.model.channels import CHANNELS, Channel
from segue.model.filters import Filter, InteractionSpec, PropertyCondition, Tagged
from segue.model.limits import (
    CONVERSIONS_MAX,
    DELAY_DAYS_MAX,
    EXCEPTIONS_MAX,
    TRIGGERS_MAX,
    VARIANTS_MAX,
)
from segue.model.messages import Message, UnsubscribeMode
from segue.model.scalars import ClockTime, Duration, Slug, Text
from segue.model.workspace import Otherwise, QuietHours

Percent = Annotated[int, Meta(ge=0, le=100)]
# Who of its users a campaign goes to, by their subscription to the channel.
Subscription = Literal["subscribed", "opted_in", "all"]
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


class InteractWithCampaign(InteractionSpec, frozen=True):
    """An interaction with another campaign."""


class DidNot(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Received the campaign and did not do the interaction `within` a time."""

    interaction: str
    within: Duration
    campaign: str | Tagged = "any"
    variant: str | None = None
    alias: str | None = None
    button: str | None = None
    page: str | None = None
    conversion_event: Literal["A", "B", "C", "D"] | None = None


class CustomEvent(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A custom event by name, with conditions on its properties."""

    name: Text
    where: list[PropertyCondition] = field(default_factory=list)


class Purchase(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A purchase: any, or of one product, with conditions on its properties."""

    product_id: Text | None = None
    where: list[PropertyCondition] = field(default_factory=list)


class SessionStart(Struct, frozen=True, forbid_unknown_fields=True):
    """The start of a session."""


class Happening(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Something a campaign listens to: exactly one of these.

    Triggers, exceptions and conversions are lists of it.
    """

    event: str | CustomEvent | None = None
    purchase: Purchase | None = None
    session_start: SessionStart | None = None
    interact_with_campaign: InteractWithCampaign | None = None


class Trigger(Happening, frozen=True):
    """A happening that enters a user; or, in short, one that did not come in time."""

    did_not: DidNot | None = None


class Conversion(Happening, frozen=True, kw_only=True):
    """A happening that counts as success within a time after receipt (semantics.md 6)."""

    within: Duration = "3d"


class After(Struct, frozen=True, forbid_unknown_fields=True):
    """A pause counted from the last send."""

    after: Duration


class Delay(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The time between the trigger and the send: one of the three forms of semantics.md 3.

    `after` a duration; on the next weekday, or in a number of calendar days, `at` a local time.
    """

    after: Duration | None = None
    on_next: Weekday | None = None
    in_days: Annotated[int, Meta(ge=0, le=DELAY_DAYS_MAX)] | None = None
    at: ClockTime | None = None


class Schedule(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """When a scheduled campaign begins: once `at` an instant, or again and again by `cron`.

    Local times are of `time_zone`, else of the workspace; with `local`, of each user.
    """

    at: str | None = None
    cron: str | None = None
    time_zone: str | None = None
    local: bool = False


class Window(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """From when until when a campaign sends; with `local`, by each user's own time."""

    start: str | None = None
    end: str | None = None
    local: bool = False


class TimeOfDay(Struct, frozen=True, forbid_unknown_fields=True):
    """The hours, of the user's day, in which a campaign sends."""

    from_: ClockTime = field(name="from")
    to: ClockTime
    otherwise: Otherwise = "skip"


class Delivery(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """What starts the wait, how long it is, what ends it before, and when nothing is sent."""

    type: Literal["action", "scheduled", "api"] = "action"
    triggers: Annotated[list[Trigger], Meta(max_length=TRIGGERS_MAX)] = field(default_factory=list)
    schedule: Schedule | None = None
    delay: Literal["immediately"] | Delay = "immediately"
    exceptions: Annotated[list[Happening], Meta(max_length=EXCEPTIONS_MAX)] = field(
        default_factory=list
    )
    window: Window | None = None
    time_of_day: TimeOfDay | None = None
    quiet_hours: Literal["respect", "ignore"] | QuietHours = "respect"
    sends_per_minute_max: Annotated[int, Meta(ge=1)] | None = None
    recipients_max: Annotated[int, Meta(ge=1)] | None = None


class Variant(Struct, frozen=True, forbid_unknown_fields=True):
    """A version of the campaign's messages, and the share of users who get it."""

    name: Text
    percent: Percent
    messages: Annotated[list[Message], Meta(min_length=1)]


class Campaign(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """A campaign as its author wrote it: `messages` for one variant, or `variants`."""

    slug: Slug
    name: Text
    description: str = ""
    tags: list[Text] = field(default_factory=list)
    delivery: Delivery
    audience: Filter | None = None
    recheck_audience: bool = False
    re_eligibility: Literal["never", "always"] | After = "never"
    frequency_caps: Literal["respect", "ignore", "ignore_but_count"] = "respect"
    subscription_group: Slug | None = None
    subscription: Subscription = "subscribed"
    messages: list[Message] = field(default_factory=list)
    variants: Annotated[list[Variant], Meta(max_length=VARIANTS_MAX)] = field(default_factory=list)
    control_percent: Percent = 0
    conversions: Annotated[list[Conversion], Meta(max_length=CONVERSIONS_MAX)] = field(
        default_factory=list
    )

    def default_unsubscribe(self) -> UnsubscribeMode:
        """Return what the unsubscribe link of an email ends that does not say it itself."""
        if self.subscription == "all":
            return "none"
        return "all" if self.subscription_group is None else "group"

    def all_variants(self) -> list[Variant]:
        """Return the variants; messages at the top are one variant, A, for all but the control."""
        if self.variants:
            return self.variants
        return [Variant(name="A", percent=100 - self.control_percent, messages=self.messages)]

    def channels(self) -> list[Channel]:
        """Return the channels that its messages are for, in the order of channels."""
        found = {
            channel
            for variant in self.all_variants()
            for message in variant.messages
            for channel, _ in message.written()
        }
        return [one for one in CHANNELS if one in found]
