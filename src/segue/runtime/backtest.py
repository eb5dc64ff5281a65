"""A draft over the recorded log: what it would have done, had it been published at an instant.

The draft is a guest. What others did stays as it was recorded, whatever the draft does; of what
was recorded of a campaign of the same slug, only what people did with it remains.
"""

from collections.abc import Callable
from typing import Generic, TypeVar

from msgspec.structs import replace

from segue.engine.guests import campaigns_needed
from segue.engine.plan import Plan
from segue.model.campaigns import Campaign
from segue.model.log_records import CampaignPublished, Record, SendsRequested, UserErased
from segue.runtime.fold import Outcomes
from segue.runtime.guest import Guest
from segue.runtime.host_records import HostRecords
from segue.runtime.in_memory import RunOutcomes
from segue.runtime.recorded import Place, Progress, RecordedLog, Unheard, no_progress
from segue.runtime.schedules import Schedules

Told = TypeVar("Told", bound=Outcomes)
# Given the guest, once it is there, what becomes of its decisions.
MakeOutcomes = Callable[[Callable[[], Guest]], Told]


def accepted_at_once(guest: Callable[[], Guest]) -> RunOutcomes:
    """Return outcomes that collect decisions and accept each send when it is decided."""
    return RunOutcomes("accepted", lambda: guest().plan)


class Backtest(Generic[Told]):
    """One draft and one log; `run` it once."""

    def __init__(
        self,
        log: RecordedLog,
        document: Campaign,
        make_outcomes: MakeOutcomes[Told],
        since: int | None = None,
        campaign_id: str = "",
    ) -> None:
        self.since = log.begin.received_at if since is None else since
        self._log = log
        self._schedules = Schedules()
        self._is_scheduled = document.delivery.schedule is not None
        self._plans: tuple[Plan, Plan] | None = None  # the guest's, and with the guest alone
        self._records = HostRecords(campaigns_needed(document, log.changes), document.slug)
        filters = [document.audience] if document.audience is not None else []
        changes = self._records.changes(log.changes)
        self._host = log.new_fold(Unheard(), changes, filters)
        published = CampaignPublished(self.since, campaign_id, 1, document)
        self.outcomes = make_outcomes(lambda: self.guest)
        self.guest = Guest(published, self._host, self.outcomes)

    def run(self, progress: Progress = no_progress) -> None:
        """Fold the log, and tell the outcomes what the draft decides on the way."""
        for record, place in self._log.records(progress=progress):
            if not self.guest.is_present and record.received_at >= self.since:
                self._host.advance(self.since)
                self.guest.is_present = True
            if record.received_at != self._host.now:
                self._walk_schedules(record.received_at)
            self._apply(record, place)
        end = self._log.end.received_at
        self._walk_schedules(end)
        self._host.advance(end)

    def count_waiting(self) -> int:
        """Return how many users wait for the draft when the log ends."""
        return sum(one.wait is not None for one in self.guest.own.memberships.values())

    def _apply(self, record: Record, place: Place) -> None:
        self._records.apply(self._host, record, place.ordinal)
        match record:
            case SendsRequested() if self.guest.knows(record.campaign):
                self.guest.apply(record, place.ordinal)
            case UserErased():
                self.guest.own.erase(record.user_id)
            case _:
                return

    def _walk_schedules(self, until: int) -> None:
        """Come to all users with the draft, if it is scheduled, as `segue run` does."""
        if not self._is_scheduled or not self.guest.is_present:
            return
        while (walk := self._schedules.next_walk(self._alone(), self.guest.walks)) is not None:
            if walk.walk_at > until:
                return
            self._host.advance(walk.walk_at)
            self.guest.apply(walk, -1)

    def _alone(self) -> Plan:
        """Return the guest's plan without the others, whose walks stand in the log."""
        plan, slug = self.guest.plan, self.guest.slug
        if self._plans is None or self._plans[0] is not plan:
            alone = replace(plan, campaigns={slug: plan.campaigns[slug]})
            self._plans = (plan, alone)
        return self._plans[1]
