"""What the engine remembers of one user: a plain, small, versioned value.

Written as arrays, so a field may only be added at the end of its struct, with a default.
Keys of `memberships` are slugs, which never change once a campaign was published.
"""

from typing import Any, Final, Literal, get_args

from msgspec import Struct, field

from segue.model.devices import RegisteredDevice

STATE_VERSION: Final = 2
CONTROL_VARIANT: Final = "control"  # of receipts and acts that belong to the control group


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
    is_held: bool = False  # it was due, and waits for its hours


class Handed(Struct, frozen=True, array_like=True, gc=False):
    """A send that was decided, and whose messages are not all settled yet."""

    send_id: str
    variant: str
    hops: int
    cause: str
    open_channels: list[str]
    is_received: bool = False
    has_receipt: bool = False  # of a retry: another message of the send gave it


class Receipt(Struct, frozen=True, array_like=True, gc=False):
    """The campaign's latest receipt, from which conversions are counted (semantics.md 6)."""

    send_id: str
    at: int
    variant: str
    is_control: bool = False
    converted: int = 0  # bit n is set when conversion event n has been credited


class Done(Struct, frozen=True, array_like=True, gc=False):
    """An act that the user did with a campaign: what retargeting filters read.

    `detail` is what the act was done to: an alias, a button, a page, a conversion event.
    `receipt_count` is the membership's when it was last done: unique counts are per receipt.
    """

    act: str
    detail: str
    variant: str
    is_machine: bool
    last_at: int
    receipt_count: int


class Membership(Struct, frozen=True, array_like=True, gc=False):
    """Everything one campaign and one user have had to do with each other."""

    wait: Wait | None = None
    handed: Handed | None = None
    sent_at: int | None = None  # last accepted hand-over
    control_at: int | None = None  # last enrolment in the control group
    receipt: Receipt | None = None
    receipt_count: int = 0
    done: list[Done] = field(default_factory=list)
    sent_variant: str = ""  # of the last accepted hand-over
    arm: str = ""  # the variant of the first receipt: which group the user is compared in
    counted: int = 0  # bit n is set when `COUNTED_ONCE[n]` was counted for the latest receipt
    converted: int = 0  # bit n is set when conversion event n was ever credited


class History(Struct, frozen=True, array_like=True, gc=False):
    """How often something happened that a filter asks about, and when: first, last, and lately.

    `recent` are the newest instants in order, as many as `COUNTED_MAX` asks for.
    """

    count: int
    first_at: int
    recent: list[int]

    @property
    def last_at(self) -> int:
        """When it happened last."""
        return self.recent[-1]


class SentMessage(Struct, frozen=True, array_like=True, gc=False):
    """A message that was handed over, as frequency caps count it."""

    at: int
    channel: str
    campaign: str
    send_id: str


class UserState(Struct, frozen=True, array_like=True, gc=False):
    """One user as the log has made them."""

    version: int = STATE_VERSION
    attributes: dict[str, Any] = field(default_factory=dict)
    memberships: dict[str, Membership] = field(default_factory=dict)
    # channel or subscription group to its state; a channel that is missing is subscribed
    subscriptions: dict[str, str] = field(default_factory=dict)
    # address that bounced for good, by channel: no send until the address changes
    dead_addresses: dict[str, str] = field(default_factory=dict)
    # by the key of a tracker: what filters on events, purchases and sessions ask about
    histories: dict[str, History] = field(default_factory=dict)
    messages: list[SentMessage] = field(default_factory=list)  # of the last days, in order
    devices: list[RegisteredDevice] = field(default_factory=list)  # by when they were registered


EMPTY_STATE: Final = UserState()

# Fields of a state that may be read without the others.
StatePart = Literal[
    "attributes",
    "memberships",
    "subscriptions",
    "dead_addresses",
    "histories",
    "messages",
    "devices",
]
STATE_PARTS: Final[frozenset[StatePart]] = frozenset(get_args(StatePart))
