"""Records of the log: what was accepted together, at one instant.

A block of the log is a list of records, appended and synced as one. Their order is the order
of everything.
"""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct, field

from segue.model.campaigns import Campaign
from segue.model.channels import Channel
from segue.model.devices import DevicesTried
from segue.model.effects import Deliver
from segue.model.events import AttributeChange, DeviceChanged, Event, SendSettled
from segue.model.workspace import Segment, Workspace


class EventsReceived(Struct, frozen=True, gc=False, array_like=True, tag=1):
    """Events of one call."""

    received_at: int
    events: list[Event]


class AttributesReceived(Struct, frozen=True, gc=False, array_like=True, tag=2):
    """Profile changes of one call."""

    received_at: int
    changes: list[AttributeChange]


class CampaignPublished(Struct, frozen=True, array_like=True, tag=3):
    """A campaign became active, or an active one got a new version (then `is_edit`)."""

    received_at: int
    id: str
    version: int
    document: Campaign
    is_edit: bool = False


class CampaignStopped(Struct, frozen=True, array_like=True, tag=4):
    """A campaign was stopped or archived."""

    received_at: int
    campaign: str
    is_archived: bool = False


class SendsAttempted(Struct, frozen=True, array_like=True, tag=5):
    """These messages are about to be handed over: an id and a channel each."""

    received_at: int
    attempts: list[tuple[str, Channel]]


class SendsSettled(Struct, frozen=True, array_like=True, tag=6):
    """What became of messages."""

    received_at: int
    settled: list[SendSettled]


class SendsDeferred(Struct, frozen=True, array_like=True, tag=9):
    """These messages were not taken now; each is tried again at an instant, with why.

    `tried` are the pushes, by their send's id, that some devices need not get again.
    """

    received_at: int
    deferred: list[tuple[str, Channel, int, str]]
    tried: list[tuple[str, DevicesTried]] = field(default_factory=list)


class TimeAdvanced(Struct, frozen=True, array_like=True, tag=7):
    """Time has come to here; nothing else happened."""

    received_at: int


class UserErased(Struct, frozen=True, array_like=True, tag=8):
    """A user was deleted: forget the state, and start anew if they come back."""

    received_at: int
    user_id: str


class WorkspaceSet(Struct, frozen=True, array_like=True, tag=10):
    """What holds for all campaigns is from now on this."""

    received_at: int
    workspace: Workspace


class SegmentSet(Struct, frozen=True, array_like=True, tag=11):
    """A segment is new, or from now on this."""

    received_at: int
    segment: Segment


class SegmentDeleted(Struct, frozen=True, array_like=True, tag=12):
    """A segment is gone."""

    received_at: int
    slug: str


class Recipient(Struct, frozen=True, array_like=True, gc=False):
    """A user of an API-triggered send, with what its templates see."""

    user_id: str
    properties: dict[str, Any] | None = None
    id: str | None = None  # of the request, where it is not to follow from its place in the log


class SendsRequested(Struct, frozen=True, array_like=True, tag=13):
    """A program asked for a campaign to be sent to users."""

    received_at: int
    campaign: str
    recipients: list[Recipient]


class ScheduleWalked(Struct, frozen=True, array_like=True, tag=14):
    """A scheduled campaign has come to the users with after < id <= through (None: to all left).

    `walk_at` and `wall` name the occurrence: when users are looked at, and the local time it is
    meant for, if it is meant for one.
    """

    received_at: int
    campaign: str
    walk_at: int
    wall: str | None = None
    after: str = ""
    through: str | None = None


class Backfilled(Struct, frozen=True, array_like=True, tag=15):
    """These interactions, from before a follower's publication, enter it after all."""

    received_at: int
    campaign: str
    events: list[Event]


class DevicesChanged(Struct, frozen=True, gc=False, array_like=True, tag=16):
    """Devices that were registered or removed by one call."""

    received_at: int
    changes: list[DeviceChanged]


class SendsRetried(Struct, frozen=True, array_like=True, tag=17):
    """A person asks for messages that failed to be tried once more: each as it was decided.

    Each has one channel. Whether it goes is decided by what holds at this instant.
    """

    received_at: int
    sends: list[Deliver]


class LettersDismissed(Struct, frozen=True, array_like=True, tag=18):
    """Nobody wants these messages of the dead-letter list any more: an id and a channel each."""

    received_at: int
    letters: list[tuple[str, Channel]]


# What the outbox follows, and with it the list of messages that failed.
HandOver = SendsAttempted | SendsDeferred | SendsSettled | LettersDismissed

# What changes the plan, for everybody.
PlanChange = CampaignPublished | CampaignStopped | WorkspaceSet | SegmentSet | SegmentDeleted

Record = (
    EventsReceived
    | AttributesReceived
    | PlanChange
    | SendsAttempted
    | SendsSettled
    | SendsDeferred
    | TimeAdvanced
    | UserErased
    | SendsRequested
    | ScheduleWalked
    | Backfilled
    | DevicesChanged
    | SendsRetried
    | LettersDismissed
)


def entries_in(record: Record) -> Sequence[object]:
    """Return what takes an ordinal each: events, changes or recipients, else the record itself."""
    match record:
        case EventsReceived() | Backfilled():
            return record.events
        case SendsRequested():
            return record.recipients
        case AttributesReceived() | DevicesChanged():
            return record.changes
        case _:
            return (record,)


def entry_count(record: Record) -> int:
    """Return how many ordinals a record takes."""
    return len(entries_in(record))


class Block(Struct, frozen=True, array_like=True):
    """Records appended and synced together; `first_ordinal` numbers their entries."""

    seq: int
    first_ordinal: int
    records: list[Record]
