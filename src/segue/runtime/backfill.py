"""Missed users: who did what a follower follows before it was published (semantics.md 2).

The follower looks on at the recorded log as if it had always been there, with waits that never
come due: whoever still waits at the end may enter after all, each with the T of the interaction.
"""

from collections import Counter
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from segue.engine.decide import decide
from segue.engine.guests import campaigns_needed
from segue.engine.plan import apply_changes
from segue.engine.versions import Version
from segue.errors import ConflictError
from segue.model.campaigns import Campaign
from segue.model.events import BackfillFound, Event
from segue.model.instants import FOREVER
from segue.model.limits import BACKFILL_USERS_MAX
from segue.model.log_records import CampaignPublished, UserErased
from segue.model.verdicts import Verdict
from segue.runtime.guest import Guest, event_of_trigger
from segue.runtime.host_records import HostRecords
from segue.runtime.recorded import Progress, RecordedLog, Unheard, no_progress

_NO_SLUG: Final = "~missed"  # behind a slug, so that it is none of the log's


class BackfillPreview(Struct, frozen=True):
    """How many users did what the follower follows, and what a backfill would make of them.

    The rest did since what the follower names as an exception.
    """

    users: int
    entering: int
    control: int
    refused: dict[str, int]  # by reason


class Backfill:
    """Finds the interactions in a log that a follower has missed; `read_on` as the log grows.

    What came while it was active, and had happened since its publication, it has not missed.
    """

    def __init__(self, log: RecordedLog, document: Campaign) -> None:
        self._log = log
        self._document = document
        self._seq = 0
        self._found = _Found()
        self._records = HostRecords(campaigns_needed(document, log.changes, with_itself=True))
        filters = [document.audience] if document.audience is not None else []
        self._host = log.new_fold(Unheard(), self._records.changes(log.changes), filters)
        published = CampaignPublished(0, "", 1, _always_waiting(document))
        self._guest = Guest(published, self._host, self._found, self._adapt)
        self._guest.is_present = True

    def read_on(self, through_seq: int | None = None, progress: Progress = no_progress) -> None:
        """Read the log through a block; by default to where it ended when it was opened.

        May run in a thread, as long as one call ends before the next.
        """
        for record, place in self._log.records(self._seq, through_seq, progress):
            self._records.apply(self._host, record, place.ordinal)
            if isinstance(record, UserErased):
                self._guest.own.erase(record.user_id)
                self._found.users.discard(record.user_id)
            self._seq = place.seq

    def events(self) -> list[Event]:
        """Return the interactions that may enter, one for each user, in the order they happened.

        Raises:
            ConflictError: they are more than a record of the log should hold.
        """
        found = self._waiting()
        if len(found) > BACKFILL_USERS_MAX:
            message = (
                f"{len(found)} users have missed {self._document.slug}, and at most "
                f"{BACKFILL_USERS_MAX} can be backfilled; let it follow fewer interactions"
            )
            raise ConflictError(message)
        return found

    def preview(self, now: int) -> BackfillPreview:
        """Return what a backfill at an instant would do, as far as the log was read."""
        plan = self._host.plan
        if not self._is_live(now):
            plan = apply_changes(plan, [CampaignPublished(now, "", 0, self._document)])
        decisions: Counter[str] = Counter()
        refused: Counter[str] = Counter()
        for event in self._waiting():
            state = self._host.states.get(event.user_id)
            cause = BackfillFound(event, self._document.slug, now)
            verdict = decide(state, cause, plan).reasons[0]
            decisions[verdict.decision] += 1
            if verdict.decision == "refuse":
                refused[verdict.reason or ""] += 1
        users = len(self._found.users)
        return BackfillPreview(users, decisions["enter"], decisions["control"], dict(refused))

    def _waiting(self) -> list[Event]:
        waits = [
            (one.wait.entered_at, user_id, one.wait.trigger)
            for user_id, one in self._guest.own.memberships.items()
            if one.wait is not None
        ]
        waits.sort(key=lambda wait: wait[:2])
        return [event_of_trigger(user_id, trigger) for _, user_id, trigger in waits]

    def _adapt(self, version: Version) -> Version:
        """Let everybody in who did it unheard, and wait for ever."""
        return replace(
            version,
            due=lambda _at, _zone: FOREVER,
            audience=lambda _state, at: not self._is_live(at),
        )

    def _is_live(self, at: int) -> bool:
        """Return whether the follower itself looks at what happened at an instant."""
        campaign = self._host.plan.campaigns.get(self._document.slug)
        return campaign is not None and campaign.status == "active" and at >= campaign.published_at


class _Found(Unheard):
    """Notes the users who entered, whatever became of them."""

    def __init__(self) -> None:
        self.users: set[str] = set()

    def decided(self, verdicts: list[Verdict]) -> None:
        self.users.update(one.user_id for one in verdicts if one.decision == "enter")


def _always_waiting(document: Campaign) -> Campaign:
    """Return the follower as far as it decides who waits: its interactions and exceptions."""
    triggers = [
        one
        for one in document.delivery.triggers
        if one.interact_with_campaign is not None or one.did_not is not None
    ]
    return replace(
        document,
        slug=f"{document.slug}{_NO_SLUG}",
        delivery=replace(document.delivery, triggers=triggers, window=None),
        audience=None,
        re_eligibility="always",
        control_percent=0,
        conversions=[],
    )
