"""What the oracle remembers: acts, users, campaigns, and how users stand with campaigns."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from segue.model.campaigns import Campaign
from segue.model.workspace import Segment, Workspace

CHANNELS = ("email", "push", "sms", "webhook", "in_app_message", "content_card")
PUSHED = ("email", "push", "sms", "webhook")  # the others are shown when the user comes


@dataclass
class Act:
    """An event at its place in the log, or one that the engine derives from it."""

    id: str
    user_id: str
    name: str
    happened_at: int
    hops: int = 0
    campaign: str | None = None
    variant: str | None = None
    is_control: bool = False
    properties: dict[str, Any] = field(default_factory=dict)
    purchase: dict[str, Any] = field(default_factory=dict)
    alias: str | None = None
    button: str | None = None
    page: str | None = None
    conversion_event: str | None = None
    machine: bool | None = None
    subscription_group: str | None = None
    is_backfill: bool = False  # it happened before the publication of what it is to enter


@dataclass
class Receipt:
    """When a user received a campaign, saw it, or entered its control group."""

    at: int
    variant: str | None
    is_control: bool = False
    credited: list[str] = field(default_factory=list)


@dataclass
class Wait:
    """A send that waits for its time, by the document that was newest when the user entered."""

    send_id: str
    entered_at: int  # T' of semantics.md 3
    due: int
    document: Campaign
    variant: str
    hops: int
    cause: str
    is_held: bool = False


@dataclass
class Send:
    """A send that was decided, and its channels that are not accepted yet."""

    wait: Wait
    slug: str
    channels: list[str]


@dataclass
class SentMessage:
    """A message that was handed over, for frequency caps."""

    at: int
    channel: str
    slug: str
    send_id: str


@dataclass
class Standing:
    """How one user stands with one campaign."""

    wait: Wait | None = None
    is_unaccepted: bool = False
    last_sent: int | None = None
    sent_variant: str | None = None
    enrolled_at: int | None = None
    receipt: Receipt | None = None


@dataclass
class User:
    """One user's profile, past and standings."""

    attributes: dict[str, Any] = field(default_factory=dict)
    subscriptions: dict[str, str] = field(default_factory=dict)  # without those by default
    dead_channels: set[str] = field(default_factory=set)
    events: list[Act] = field(default_factory=list)  # custom events, purchases, sessions
    acts: list[Act] = field(default_factory=list)  # what they did with campaigns
    messages: list[SentMessage] = field(default_factory=list)
    standings: dict[str, Standing] = field(default_factory=dict)

    def standing(self, slug: str) -> Standing:
        """Return the standing with a campaign, a blank one at first, to be changed."""
        return self.standings.setdefault(slug, Standing())

    def peek(self, slug: str | None) -> Standing:
        """Return the standing with a campaign, only to be looked at."""
        return self.standings.get(slug or "", Standing())

    def subscription(self, name: str) -> str:
        """Return the subscription to a channel or a group; silence differs between the two."""
        return self.subscriptions.get(name, "subscribed" if name in CHANNELS else "unsubscribed")

    def is_known(self) -> bool:
        """Say whether a schedule comes to this user."""
        return bool(self.attributes or self.standings or self.subscriptions)


@dataclass
class Life:
    """A campaign's status and versions (semantics.md 1)."""

    versions: list[Campaign]
    id: str = ""
    status: str = "draft"
    published_at: int = 0
    version_at: int = 0
    walked_at: int = -1  # when its schedule came to users last
    sent: list[str] = field(default_factory=list)  # sends, for `recipients_max`

    @property
    def newest(self) -> Campaign:
        """The document that holds for whatever enters now."""
        return self.versions[-1]

    def channels(self, variant: str) -> list[str]:
        """Return the channels of a variant's newest content; one that is gone keeps its last."""
        for version in reversed(self.versions):
            for written in version.all_variants():
                if written.name == variant:
                    return [message.channel for message in written.messages]
        raise LookupError(variant)


@dataclass
class Knowledge:
    """What holds for everybody, and how often which rule was looked at with which result."""

    lives: dict[str, Life] = field(default_factory=dict)
    segments: dict[str, Segment] = field(default_factory=dict)
    workspace: Workspace = field(default_factory=Workspace)
    workspace_at: int = 0
    seen: Counter[str] = field(default_factory=Counter)

    def find(self, slug_or_id: str | None) -> str | None:
        """Return the slug of a campaign that goes by its slug or its id."""
        for slug, life in self.lives.items():
            if slug_or_id and slug_or_id in (slug, life.id):
                return slug
        return None
