"""An explanation: why a user got a campaign, or did not; facts for programs, sentences for people.

Times inside sentences are of `time_zone`; those beside them are instants.
"""

from datetime import datetime
from typing import Any, Literal

from msgspec import Struct, field

from segue.model.traces import Condition, Facts

# How it stands between user and campaign, in one word.
Standing = Literal[
    "waiting",
    "sending",
    "sent",
    "cancelled",
    "skipped",
    "control",
    "refused",
    "not_matched",
    "not_listening",
    "nothing",
    "draft",
    "unknown_user",
]
StepKind = Literal[
    "published", "edited", "stopped", "archived", "happened", "due", "settled", "deferred",
    "retried",    "profile", "schedule", "erased",
]  # fmt: skip


class ExplainedHearing(Struct, frozen=True, omit_defaults=True, tag_field="line", tag="hearing"):
    """What a happening was to a trigger, an exception or a conversion event of the campaign."""

    role: str
    path: str
    outcome: str
    sentence: str
    conditions: list[Condition] = field(default_factory=list)
    facts: Facts = field(default_factory=dict)


class ExplainedCheck(Struct, frozen=True, tag_field="line", tag="check"):
    """One check: the reason it stands for, whether it held, and what it compared."""

    reason: str
    is_passed: bool
    sentence: str
    facts: Facts


class ExplainedChange(Struct, frozen=True, tag_field="line", tag="change"):
    """A part of the profile that the campaign reads became another."""

    kind: str
    name: str
    before: Any
    after: Any
    sentence: str


class ExplainedResult(Struct, frozen=True, tag_field="line", tag="result"):
    """What came of it: a decision, or until when a send is held."""

    sentence: str


ExplainedLine = ExplainedHearing | ExplainedCheck | ExplainedChange | ExplainedResult


class ExplainedStep(Struct, frozen=True, omit_defaults=True):
    """One thing that touched the pair. `at` is when Segue took it, `happened_at` when it was.

    `lines` are in the order in which things were looked at and decided; `decisions` are the
    decision lines (interface.md) of those decided.
    """

    at: datetime
    kind: StepKind
    sentence: str
    happened_at: datetime | None = None
    event: dict[str, Any] | None = None
    version: int | None = None
    lines: list[ExplainedLine] = field(default_factory=list)
    decisions: list[dict[str, Any]] = field(default_factory=list)

    def checks(self) -> list[ExplainedCheck]:
        """Return the checks that were made."""
        return [line for line in self.lines if isinstance(line, ExplainedCheck)]

    def hearings(self) -> list[ExplainedHearing]:
        """Return what of the campaign heard it."""
        return [line for line in self.lines if isinstance(line, ExplainedHearing)]


class ExplainedCampaign(Struct, frozen=True, omit_defaults=True):
    """The campaign as it is at the end."""

    slug: str
    name: str
    id: str
    status: str
    version: int
    published_at: datetime | None = None
    ended_at: datetime | None = None


class Waiting(Struct, frozen=True):
    """The wait that goes on at the end."""

    since: datetime
    due_at: datetime
    is_held: bool
    version: int
    variant: str


class Explanation(Struct, frozen=True, omit_defaults=True):
    """The answer first, then how things stand, then every step in order.

    `log_begins_at` is there where the log no longer has its beginning, and `left_out` counts the
    oldest steps where there are too many to tell.
    """

    user_id: str
    campaign: ExplainedCampaign
    standing: Standing
    summary: str
    as_of: datetime
    time_zone: str
    steps: list[ExplainedStep]
    reason: str | None = None
    waiting: Waiting | None = None
    last_sent_at: datetime | None = None
    log_begins_at: datetime | None = None
    left_out: int = 0
