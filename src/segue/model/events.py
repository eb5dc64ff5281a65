"""What can happen to a user, and what may happen to the sends decided for them.

These are the things the engine decides on. An `Event` is also the shape on the wire and in the
log, so that an event of no interest is decoded once and never converted.
"""

from datetime import datetime
from typing import Annotated, Any, Final, Literal

from msgspec import Meta, Struct, field

from segue.model.channels import Channel
from segue.model.devices import Device
from segue.model.effects import Deliver
from segue.model.ids import derive_id
from segue.model.instants import from_datetime
from segue.model.limits import NAME_LENGTH_MAX

UserId = Annotated[str, Meta(min_length=1, max_length=NAME_LENGTH_MAX)]
Name = Annotated[str, Meta(min_length=1, max_length=NAME_LENGTH_MAX)]

PURCHASE: Final = "purchase"
SESSION_START: Final = "session_start"
# What a trigger is called that is no event.
API_TRIGGER: Final = "api_trigger"
SCHEDULE: Final = "schedule"


class Event(Struct, gc=False, omit_defaults=True, forbid_unknown_fields=True):
    """A custom event, a purchase, a session start or an interaction (interface.md, "The log").

    `time` is T, the sender's word for when it happened; without it, it happened when received.
    """

    user_id: UserId
    name: Name
    time: datetime | None = None
    id: Name | None = None
    properties: dict[str, Any] | None = None
    # of a purchase
    product_id: Name | None = None
    price: float | None = None
    currency: Annotated[str, Meta(min_length=3, max_length=3)] | None = None
    quantity: Annotated[int, Meta(ge=1)] | None = None
    # of an interaction
    campaign: Name | None = None
    channel: Channel | None = None
    variant: Name | None = None
    alias: Name | None = None
    link: str | None = None
    button: Name | None = None
    page: Name | None = None
    conversion_event: Literal["A", "B", "C", "D"] | None = None
    machine: bool | None = None
    send_id: str | None = None
    subscription_group: Name | None = None  # of an unsubscribe that is from this group alone


class AttributeChange(Struct, gc=False, omit_defaults=True, forbid_unknown_fields=True):
    """Attributes of a profile to set; a null takes the attribute away."""

    user_id: UserId
    attributes: dict[Name, Any]
    time: datetime | None = None
    id: Name | None = None


class DeviceChanged(Struct, gc=False, omit_defaults=True, forbid_unknown_fields=True):
    """A device of a user that takes push from now on; or, `is_removed`, no longer does.

    To be removed it is found by its token, or, where that is not given, by its id.
    """

    user_id: UserId
    device: Device
    is_removed: bool = False
    time: datetime | None = None
    id: Name | None = None


def event_id(event: Event, now: int, ordinal: int) -> str:
    """Return the client's id, else the one that follows from the event's place in the log."""
    return event.id or derive_id(now, "event", ordinal)


class Occurrence(Struct, frozen=True, gc=False):
    """An event at its place in the log: accepted at `now`, the `ordinal`-th entry of all."""

    event: Event
    now: int
    ordinal: int

    @property
    def happened_at(self) -> int:
        """T: when it happened, never later than now (semantics.md, opening)."""
        time = self.event.time
        return self.now if time is None else min(from_datetime(time), self.now)


class AttributesSet(Struct, frozen=True, gc=False):
    """A profile change at its place in the log."""

    user_id: str
    attributes: dict[str, Any]
    now: int


class DeviceUpdate(Struct, frozen=True, gc=False):
    """A `DeviceChanged` at its place in the log."""

    changed: DeviceChanged
    now: int

    @property
    def user_id(self) -> str:
        """Whose device it is."""
        return self.changed.user_id


class TimerFired(Struct, frozen=True, gc=False):
    """The user's waiting send of a campaign (its slug) is due, at `now`."""

    user_id: str
    campaign: str
    now: int


SettledAs = Literal["accepted", "refused", "skipped"]


class SendSettled(Struct, frozen=True, gc=False, omit_defaults=True):
    """What became of one message of a send: handed over, refused for good, or not made at all.

    `reason` is one of `segue.model.reasons`, and "unreachable" says that the address is dead;
    `detail` is the provider's or the template's word. `dead_tokens` are those of devices that no
    longer take a push.
    """

    user_id: str
    campaign: str
    send_id: str
    channel: Channel
    settled_as: SettledAs
    reason: str | None = None
    detail: str | None = None
    dead_tokens: list[str] = field(default_factory=list)


class Settlement(Struct, frozen=True, gc=False):
    """A `SendSettled` at its place in the log."""

    settled: SendSettled
    now: int


class CampaignEnded(Struct, frozen=True, gc=False):
    """A campaign was stopped or archived while this user waited for it."""

    user_id: str
    campaign: str
    is_archived: bool
    now: int


class SendRequested(Struct, frozen=True, gc=False):
    """A program asked for a campaign to be sent to this user (API-triggered delivery)."""

    user_id: str
    campaign: str
    properties: dict[str, Any] | None
    now: int
    ordinal: int
    id: str | None = None

    def as_event(self) -> Event:
        """Return the request as the event that it is to the campaign."""
        return Event(self.user_id, API_TRIGGER, id=self.id, properties=self.properties)


class ScheduleCame(Struct, frozen=True, gc=False):
    """A scheduled campaign has come to this user; it was to come `at` an instant."""

    user_id: str
    campaign: str
    at: int
    now: int


class BackfillFound(Struct, frozen=True, gc=False):
    """An interaction from before a follower's publication is to enter the user after all."""

    event: Event
    campaign: str
    now: int

    @property
    def user_id(self) -> str:
        """Whose interaction it was."""
        return self.event.user_id


class SendRetried(Struct, frozen=True, gc=False):
    """A message that failed is to be tried once more, as it was decided then."""

    deliver: Deliver
    now: int

    @property
    def user_id(self) -> str:
        """Whose message it is."""
        return self.deliver.user_id


# Everything that can make the engine decide something for one user.
Cause = (
    Occurrence
    | AttributesSet
    | DeviceUpdate
    | TimerFired
    | Settlement
    | CampaignEnded
    | SendRequested
    | ScheduleCame
    | BackfillFound
    | SendRetried
)
