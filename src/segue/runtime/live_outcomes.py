"""Where decisions go on a running server: outbox, counters, record, live feed."""

from collections import defaultdict
from collections.abc import Iterable

from segue.model.effects import Count, Deliver
from segue.model.events import SendSettled
from segue.model.log_records import HandOver
from segue.model.verdicts import Verdict
from segue.runtime.live_feed import LiveFeed
from segue.runtime.moments import Moment
from segue.runtime.outbox import Outbox
from segue.storage.ports import Counter


class LiveOutcomes:
    """Collects what a checkpoint writes, and shows it to those who look on."""

    def __init__(self, outbox: Outbox, feed: LiveFeed) -> None:
        self.outbox = outbox
        self.feed = feed
        self.verdict_count = 0
        self.is_recovering = True
        self._verdicts: list[Verdict] = []
        self._counts: dict[Counter, float] = defaultdict(float)
        self._verdicts_being_written: list[Verdict] = []
        self._counts_being_written: dict[Counter, float] = {}

    def decided(self, verdicts: list[Verdict]) -> None:
        """Record decisions, in order."""
        self._verdicts.extend(verdicts)
        self.verdict_count += len(verdicts)
        if self.feed.is_watched:
            self.feed.publish(Moment(verdict.at, verdict) for verdict in verdicts)

    def count(self, count: Count, now: int) -> None:
        """Add to a counter of the hour."""
        self._counts[Counter.of(count, now)] += count.amount

    def deliver(self, deliver: Deliver) -> Iterable[SendSettled]:
        """Put a send in the outbox; what becomes of it will stand in the log."""
        self.outbox.add(deliver)
        return ()

    def handing_over(self, record: HandOver) -> None:
        """Let the outbox follow the log while it is replayed.

        Afterwards it follows commits (`Runtime`), so that hand-overs free it even while deciding
        waits for room in it.
        """
        if self.is_recovering:
            self.outbox.follow(record)

    def pending_counts(
        self, campaign: str, *, are_written: bool = False
    ) -> list[tuple[Counter, float]]:
        """Return what the snapshot's counters of a campaign do not have yet.

        With `are_written`, what a checkpoint is writing is in the snapshot already.
        """
        pending = [self._counts] if are_written else [self._counts_being_written, self._counts]
        return [
            (counter, amount)
            for counts in pending
            for counter, amount in counts.items()
            if counter.campaign == campaign
        ]

    def pending_verdicts(self, *, are_written: bool = False) -> list[Verdict]:
        """Return the verdicts that the snapshot does not have yet.

        With `are_written`, what a checkpoint is writing is in the snapshot already.
        """
        return [*([] if are_written else self._verdicts_being_written), *self._verdicts]

    def begin_writing(self) -> tuple[list[tuple[Counter, float]], list[Verdict]]:
        """Return the counts to add and the verdicts to record."""
        self._counts_being_written, self._counts = self._counts, defaultdict(float)
        self._verdicts_being_written, self._verdicts = self._verdicts, []
        return list(self._counts_being_written.items()), self._verdicts_being_written

    def end_writing(self, is_written: bool) -> None:
        """Forget what was written; after a failure it is written again."""
        if not is_written:
            for counter, amount in self._counts_being_written.items():
                self._counts[counter] += amount
            self._verdicts = self._verdicts_being_written + self._verdicts
        self._counts_being_written, self._verdicts_being_written = {}, []
