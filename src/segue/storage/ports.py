"""What the program remembers, as protocols with one contract suite.

Two stores: the *journal* commits at once (the log, and what people set up: campaigns, keys,
secrets); the *snapshot* holds what the log was folded into up to a position, is written at
checkpoints, and can be rebuilt from the log as long as the log reaches back to its beginning.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, Literal, Protocol, Self

from msgspec import Struct, field

from segue.content.addresses import AddressedChannel
from segue.content.tokens import Tracked
from segue.model.campaigns import Campaign
from segue.model.channels import Channel
from segue.model.effects import Count
from segue.model.instants import HOUR
from segue.model.log_records import Block, PlanChange, ScheduleWalked
from segue.model.state import STATE_PARTS, StatePart, UserState
from segue.model.verdicts import Verdict
from segue.storage.account_ports import Accounts, Audit
from segue.storage.composition_ports import Compositions
from segue.storage.hold_ports import Hold
from segue.storage.outbox_items import DeadLetter, OutboxItem
from segue.storage.phones import Phones
from segue.storage.suppression_ports import Suppressions

CampaignStatus = Literal["draft", "active", "stopped", "archived"]


class LogEnd(Struct, frozen=True):
    """Where the log ends: its last block, the next entry's ordinal, the last instant in it."""

    seq: int = 0
    next_ordinal: int = 0
    received_at: int = 0


class StoredCampaign(Struct, frozen=True):
    """A campaign as people see and edit it; what is published of it stands in the log."""

    id: str
    document: Campaign
    status: CampaignStatus
    version: int  # of the newest publication; 0 before the first
    created_at: int
    updated_at: int
    published_at: int | None = None

    @property
    def slug(self) -> str:
        """The name it goes by in documents, in the engine and in the log."""
        return self.document.slug


class StoredKey(Struct, frozen=True):
    """An API key: only the hash of its secret is kept."""

    id: str
    secret_hash: bytes
    scopes: list[str]
    created_at: int
    name: str = ""
    revoked_at: int | None = None


class InboxItem(Struct, frozen=True):
    """A message that waits for its user's devices: they fetch it, show it and report what was done.

    `ended_at` is when it was dismissed, or shown if it is shown once; it is kept beyond that,
    since devices that were offline report late.
    """

    user_id: str
    channel: Channel
    send_id: str
    campaign: str
    variant: str
    available_at: int
    expires_at: int
    content: dict[str, Any]
    ended_at: int | None = None


class Inbox(Protocol):
    """Messages that are shown on devices. What a user's erasure finds here goes with its append."""

    def put(self, items: Sequence[InboxItem], expired_before: int) -> None:
        """Keep messages; one that is there already, by user, channel and send, stays as it is.

        Each user keeps the newest `INBOX_MAX` of a channel. What expired before an instant goes.
        """

    def of_user(self, user_id: str) -> list[InboxItem]:
        """Return all messages kept for a user, newest first."""

    def end(self, user_id: str, keys: Sequence[tuple[Channel, str]], at: int) -> None:
        """Note that messages, by channel and send, are not to be shown again."""


class StoredCode(Struct, frozen=True):
    """A short code, and what it stands for until it expires."""

    code: str
    tracked: Tracked
    expires_at: int


class Codes(Protocol):
    """What short codes stand for. What a user's erasure finds here goes with its append."""

    def put(self, codes: Sequence[StoredCode], now: int) -> list[StoredCode]:
        """Keep codes; return those that stand for something else already, which stays.

        One that is there already and stands for the same stays as it is. Some of what expired by
        `now` goes; and of more than `CODES_MAX` those that came first.
        """

    def find(self, code: str, now: int) -> Tracked | None:
        """Return what a code stands for at an instant; None: nothing, or no longer."""


class Journal(Protocol):
    """The log and what people set up. Every write is durable when it returns.

    One thread writes; reads may come from any thread and see only what is durable.
    """

    @property
    def inbox(self) -> Inbox:
        """The messages that wait for devices."""

    @property
    def codes(self) -> Codes:
        """What short codes stand for."""

    @property
    def accounts(self) -> Accounts:
        """Those who sign in."""

    @property
    def audit(self) -> Audit:
        """Who changed what."""

    @property
    def suppressions(self) -> Suppressions:
        """The addresses that get nothing."""

    @property
    def phones(self) -> Phones:
        """The messages that lie on virtual phones."""

    @property
    def compositions(self) -> Compositions:
        """The campaigns that are being written."""

    @property
    def hold(self) -> Hold:
        """Whether all sending is held."""

    def append(self, block: Block, campaigns: Sequence[StoredCampaign] = ()) -> None:
        """Append a block, and save the campaigns it is about, in one transaction.

        The inbox, the short codes and the phone of users that it erases go with it.

        Raises:
            ConflictError: the block's `seq` is not the next one: somebody else writes here.
        """

    def log_end(self) -> LogEnd:
        """Return where the log ends."""

    def read_log(self, after_seq: int = 0) -> Iterator[Block]:
        """Yield the blocks after `after_seq` in order, a few at a time in memory."""

    def read_blocks(self, seqs: Iterable[int]) -> Iterator[Block]:
        """Yield the named blocks in order, passing over those that are gone."""

    def first_seq(self) -> int:
        """Return the oldest block's number; 0 when the log is empty."""

    def log_bytes(self) -> int:
        """Return how many bytes the blocks take."""

    def forget_log(self, bytes_max: int, before_seq: int) -> int:
        """Drop the oldest blocks below `before_seq` until the rest fit; return how many.

        The newest block always stays: it says where the log ends.
        """

    def index_users(self, through_seq: int, pairs: Iterable[tuple[str, int]]) -> None:
        """Note that users occur in blocks, up to and including block `through_seq`."""

    def indexed_seq(self) -> int:
        """Return the last block whose users are noted."""

    def blocks_of_user(self, user_id: str) -> list[int]:
        """Return the noted blocks in which the user occurs, in order."""

    def list_campaigns(self) -> list[StoredCampaign]:
        """Return all campaigns by slug."""

    def find_campaign(self, reference: str) -> StoredCampaign | None:
        """Return a campaign by slug or id."""

    def save_campaign(self, campaign: StoredCampaign) -> None:
        """Insert a campaign, or replace the one with its id.

        Raises:
            ConflictError: another campaign has the slug.
        """

    def delete_campaign(self, campaign_id: str) -> None:
        """Delete a draft."""

    def list_keys(self) -> list[StoredKey]:
        """Return all API keys, oldest first."""

    def save_key(self, key: StoredKey) -> None:
        """Insert or replace an API key."""

    def secret(self, name: str) -> bytes | None:
        """Return a secret of this installation, such as the one that signs links."""

    def save_secret(self, name: str, value: bytes) -> None:
        """Keep a secret; an existing one of that name stays."""

    def close(self) -> None:
        """Close files."""


class TimerKey(Struct, frozen=True, order=True, array_like=True):
    """A timer: due instant, user and campaign (slug); in this order they fire."""

    due_at: int
    user_id: str
    campaign: str


class Counter(Struct, frozen=True, array_like=True):
    """The name of a counter: a metric of a campaign's variant in an hour (its first instant)."""

    campaign: str
    hour: int
    variant: str
    metric: str
    detail: str
    channel: str = ""

    @classmethod
    def of(cls, count: Count, now: int) -> Self:
        """Return the counter that an addition at an instant belongs to."""
        hour = now - now % HOUR
        return cls(count.campaign, hour, count.variant, count.metric, count.detail, count.channel)


class Sums(Struct, frozen=True):
    """Which sums of counters are wanted: one for each counter and span of hours.

    A span reaches from one of the `bounds`, which are in order, up to the next. Only of one
    variant, if it is named; by metric alone, if it is `by_metric`.
    """

    bounds: Sequence[int]
    variant: str | None = None
    by_metric: bool = False


class Position(Struct, frozen=True, array_like=True):
    """How far the fold has come: last block and entry, and the instant that time has reached."""

    seq: int = 0
    next_ordinal: int = 0
    now: int = 0


class Checkpoint(Struct):
    """What changed since the last checkpoint; committed as a whole or not at all.

    First everything of the `erased` users goes; what stands here for them otherwise is new.
    Then what is gone goes, and what is set or put comes. `addressed` are the users whose
    addresses may have changed: of the others the store need not look.
    """

    position: Position
    states: list[tuple[str, UserState]] = field(default_factory=list)
    erased: list[str] = field(default_factory=list)
    timers_set: list[TimerKey] = field(default_factory=list)
    timers_gone: list[TimerKey] = field(default_factory=list)
    outbox_put: list[OutboxItem] = field(default_factory=list)
    outbox_gone: list[str] = field(default_factory=list)
    letters_put: list[DeadLetter] = field(default_factory=list)
    letters_gone: list[str] = field(default_factory=list)
    counts: list[tuple[Counter, float]] = field(default_factory=list)  # to be added
    plan_changes: list[PlanChange] = field(default_factory=list)
    walks: list[ScheduleWalked] = field(default_factory=list)  # the newest of each campaign
    token_owners: list[tuple[str, str | None]] = field(default_factory=list)  # None: nobody's
    addressed: list[str] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)


class Snapshot(Protocol):
    """What the log was folded into, up to a position."""

    def position(self) -> Position:
        """Return how far the snapshot reaches."""

    def commit(self, checkpoint: Checkpoint) -> None:
        """Write a checkpoint in one transaction; it is durable when this returns."""

    def load_states(self, user_ids: Sequence[str]) -> dict[str, UserState]:
        """Return the states of those users that have one."""

    def list_users(self, after: str = "", limit: int = 100) -> list[tuple[str, UserState]]:
        """Return users with a state in the order of their ids, for paging."""

    def list_user_ids(self, after: str = "", limit: int = 100) -> list[str]:
        """Return the ids of users with a state, in order."""

    def scan_states(
        self, parts: Collection[StatePart] = STATE_PARTS
    ) -> Iterator[tuple[str, UserState]]:
        """Yield all users with a state, a few at a time in memory; the first are any of them.

        What is not among the `parts` need not be read: see `segue.storage.partial_states`.
        """

    def count_users(self) -> int:
        """Return how many users have a state."""

    def timers_between(self, after: int, through: int, limit: int | None = None) -> list[TimerKey]:
        """Return the timers with after < due_at <= through, in order, the first `limit`."""

    def timers_of(
        self, campaign: str, limit: int | None = None, after: TimerKey | None = None
    ) -> list[TimerKey]:
        """Return the timers of a campaign in order, those behind `after`, the first `limit`."""

    def count_timers(self) -> int:
        """Return how many timers there are."""

    def outbox(self) -> list[OutboxItem]:
        """Return the outbox in order of decision."""

    def dead_letters(self) -> list[DeadLetter]:
        """Return the messages that failed, in the order in which they did."""

    def plan_changes(self) -> list[PlanChange]:
        """Return every change of the plan, in the order of the log."""

    def walks(self) -> list[ScheduleWalked]:
        """Return how far each scheduled campaign has come: its newest walk."""

    def token_owner(self, token: str) -> str | None:
        """Return whose a push token is, if it is somebody's."""

    def users_at(
        self, channel: AddressedChannel, address: str, after: str = "", limit: int = 100
    ) -> list[str]:
        """Return the ids of users behind `after` with an address, in order, the first `limit`.

        Addresses are told apart by a hash: a user of another one may be among them.
        """

    def counters(
        self, campaign: str, from_hour: int = 0, to_hour: int = 1 << 62
    ) -> list[tuple[Counter, float]]:
        """Return a campaign's counters of the hours from_hour <= hour < to_hour."""

    def sum_counters(self, campaign: str, sums: Sums) -> list[tuple[Counter, float]]:
        """Return a campaign's counters added up, in order; `hour` is the bound of the span.

        What is not told apart is empty.
        """

    def read_verdicts(self, limit_blocks: int | None = None) -> Iterator[Verdict]:
        """Yield the recorded verdicts in the order they were made.

        With `limit_blocks` only the newest: a checkpoint's verdicts are a block, or several.
        """

    def verdict_block(self, before: int | None = None) -> tuple[int, list[Verdict]] | None:
        """Return the newest block of verdicts and its number; with `before`, one below that.

        Numbers rise from block to block by one, from 1.
        """

    def forget_verdicts(self, bytes_max: int) -> None:
        """Drop the oldest verdicts until the rest fit.

        The newest block always stays: it says whether there were others.
        """

    def has_lost_verdicts(self) -> bool:
        """Return whether the oldest verdicts were dropped."""

    def close(self) -> None:
        """Close files."""
