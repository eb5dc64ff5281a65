"""What the engine remembers of one user: a plain, small, versioned value.

Written as arrays, so a field may only be added at the end of its struct, with a default.
Keys of `memberships` are slugs, which never change once a campaign was published.
"""

from typing import Any, Final

from msgspec import Struct, field

STATE_VERSION: Final = 1


class TriggerContext(Struct, frozen=True, array_like=True, gc=False):
    """What started a wait; a template reads it as `trigger` and `event_properties`."""

    name: str
    time: int
    event_id: str
    properties: dict[str, Any] | None = None
    campaign: str | None = None
    interaction: str | None = None
    variant: str | None = None
    link: str | None = None
    alias: str | None = None
    button: str | None = None
    page: str | None = None
    conversion_event: str | None = None


class Wait(Struct, frozen=True, array_like=True, gc=False):
    """A waiting send. It keeps the version, and so the delay and exceptions, that entered it."""

    send_id: str
    entered_at: int  # T' of semantics.md 3: when the entering event happened
    due_at: int
    version: int
    variant: str
    hops: int
    trigger: TriggerContext


class Handed(Struct, frozen=True, array_like=True, gc=False):
    """A send that was decided, and whose messages are not all settled yet."""

    send_id: str
    variant: str
    hops: int
    cause: str
    open_channels: list[str]
    is_received: bool = False


class Receipt(Struct, frozen=True, array_like=True, gc=False):
    """The campaign's latest receipt, from which conversions are counted (semantics.md 6)."""

    send_id: str
    at: int
    variant: str
    is_control: bool = False
    converted: int = 0  # bit n is set when conversion event n has been credited


class Membership(Struct, frozen=True, array_like=True, gc=False):
    """Everything one campaign and one user have had to do with each other."""

    wait: Wait | None = None
    handed: Handed | None = None
    sent_at: int | None = None  # last accepted hand-over
    sent_count: int = 0
    control_at: int | None = None  # last enrolment in the control group
    receipt: Receipt | None = None
    done: int = 0  # bits of `segue.engine.counting`: what was counted once already


class UserState(Struct, frozen=True, array_like=True, gc=False):
    """One user as the log has made them."""

    version: int = STATE_VERSION
    attributes: dict[str, Any] = field(default_factory=dict)
    memberships: dict[str, Membership] = field(default_factory=dict)
    # channel to "opted_in" or "unsubscribed"; a channel that is missing is subscribed
    subscriptions: dict[str, str] = field(default_factory=dict)
    # address that bounced for good, by channel: no send until the address changes
    dead_addresses: dict[str, str] = field(default_factory=dict)


EMPTY_STATE: Final = UserState()
