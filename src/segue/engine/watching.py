"""What a decision looked at, for explanations. Nothing is noted unless somebody watches.

Notes are made where the decision is made, from the same values, in the order it is made.
"""

from typing import TYPE_CHECKING, Final, Literal, Protocol, get_args

from msgspec import Struct

from segue.engine.listeners import Role
from segue.model.traces import Facts

if TYPE_CHECKING:
    from segue.engine.draft import Act, Draft
    from segue.model.events import Cause
    from segue.model.verdicts import Verdict

# The checks that the engine makes; each is the reason recorded when it fails.
CheckReason = Literal[
    "campaign_archived",
    "campaign_stopped",
    "published_after_event",
    "outside_window",
    "not_in_audience",
    "not_re_eligible",
    "already_waiting",
    "chain_limit",
    "control_group",
    "outside_time_of_day",
    "quiet_hours",
    "unsubscribed",
    "not_opted_in",
    "unreachable",
    "frequency_cap",
]
CHECK_REASONS: Final[tuple[CheckReason, ...]] = get_args(CheckReason)

# What came of an act that has the key of a trigger, an exception or a conversion event.
Hearing = Literal[
    "unmatched",  # a condition failed
    "considered",  # a trigger: the entry checks follow
    "passed_over",  # a trigger: another one of the campaign was taken already
    "cancelled",  # an exception: the wait is over
    "nobody_waiting",
    "before_wait",
    "after_due",
    "other_version",  # an exception that the version which entered the user does not have
    "credited",  # a conversion
    "no_receipt",
    "already_credited",
    "before_receipt",
    "window_closed",
    # the campaign was not listening; found by explanations only
    "not_published",
    "stopped",
    "archived",
    "target_archived",
    "not_delivered",  # handed over, where the receipt of delivery is wanted
]


class Check(Struct, frozen=True):
    """One check of a campaign: the reason it stands for, whether it held, and what it compared."""

    campaign: str
    reason: CheckReason
    is_passed: bool
    facts: Facts


class Heard(Struct, frozen=True):
    """An act that has the key of something the campaign listens to, and what came of it."""

    campaign: str
    role: Role
    path: str
    outcome: Hearing
    facts: Facts


class Remark(Struct, frozen=True):
    """How a decision came about that is no check: a wait that began, or a send that is held."""

    campaign: str
    what: Literal["entered", "held"]
    facts: Facts


class Watch:
    """Collects what `decide` handled and looked at, in order, as far as it is about a campaign.

    Causes and acts are noted whatever they are about.
    """

    def __init__(self, campaign: str | None = None) -> None:
        self.campaign = campaign
        self.seen: list[Cause | Act | Heard | Check | Remark | Verdict] = []

    def is_about(self, campaign: str) -> bool:
        """Return whether notes about the campaign are wanted."""
        return self.campaign is None or self.campaign == campaign


class Onlooker(Protocol):
    """Is told what happens while a decision is made, and changes nothing about it.

    What follows from a decision stands in no log: to see it one must look on.
    """

    def happens(self, draft: "Draft", act: "Act") -> None:
        """Look at an act before it is handled; the draft is as it was left by those before it."""
