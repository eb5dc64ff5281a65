"""What a host takes of the recorded log for a guest: as much as the guest can depend on."""

from collections.abc import Iterable
from typing import TypeVar

from segue.engine.profile import with_dead_address
from segue.model.log_records import (
    Backfilled,
    CampaignPublished,
    CampaignStopped,
    PlanChange,
    Record,
    ScheduleWalked,
    SendsRequested,
    SendsRetried,
    SendsSettled,
)
from segue.model.state import EMPTY_STATE
from segue.runtime.fold import Fold

R = TypeVar("R", bound=Record)


class HostRecords:
    """Leaves out what the guest takes the place of, and campaigns that do not matter to it."""

    def __init__(self, needed: frozenset[str] | None, replaced: str | None = None) -> None:
        self._needed = needed  # slugs; None: all
        self._replaced = replaced  # slug

    def takes(self, slug: str) -> bool:
        """Return whether the host decides about a campaign."""
        if slug == self._replaced:
            return False
        return self._needed is None or slug in self._needed

    def changes(self, changes: Iterable[PlanChange]) -> list[PlanChange]:
        """Return those changes of the plan that the host takes."""
        return [one for one in changes if self._of(one) is not None]

    def apply(self, host: Fold, record: Record, ordinal: int) -> None:
        """Let the host take its part of a record."""
        taken = self._of(record)
        if taken is None:
            host.advance(record.received_at)
        else:
            host.apply(taken, ordinal)
        if isinstance(record, SendsSettled) and self._needed is not None:
            self._note_dead_addresses(host, record)

    def _of(self, record: R) -> R | SendsSettled | SendsRetried | None:
        match record:
            case CampaignPublished():
                slug = record.document.slug
            case CampaignStopped() | SendsRequested() | ScheduleWalked() | Backfilled():
                slug = record.campaign
            case SendsSettled():
                # A dead token takes its device away, whatever became of the send.
                mine = [
                    one for one in record.settled if one.dead_tokens or self.takes(one.campaign)
                ]
                return SendsSettled(record.received_at, mine)
            case SendsRetried():
                sends = [one for one in record.sends if self.takes(one.campaign)]
                return SendsRetried(record.received_at, sends)
            case _:
                return record
        return record if self.takes(slug) else None

    def _note_dead_addresses(self, host: Fold, record: SendsSettled) -> None:
        """An address that is dead is dead for all, whoever's message found it so."""
        for one in record.settled:
            if one.reason == "unreachable" and not self.takes(one.campaign):
                state = host.states.get(one.user_id)
                if one.campaign != self._replaced and state is not EMPTY_STATE:
                    host.states.put(one.user_id, with_dead_address(state, one.channel))
