"""The log folded from its beginning, beside the server: what must have come of it.

Another fold with other ends: states in a dictionary, timers in one heap, nothing ever written
down. What a server knows, at every step and after every restart, is compared with this.
"""

from collections import defaultdict
from collections.abc import Iterable

from segue.model.effects import Count, Deliver
from segue.model.events import SendSettled
from segue.model.log_records import Block, HandOver, UserErased, entry_count
from segue.model.verdicts import Verdict
from segue.runtime.fold import Fold
from segue.runtime.in_memory import DictStates
from segue.runtime.outbox import Outbox
from segue.runtime.read_back import LogReadBack
from segue.runtime.waits import TimerHeap
from segue.simulator.audit import BrokenError
from segue.storage.ports import Counter, Journal, Position, TimerKey


class Book:
    """Who waits for what, as decisions tell: nothing is sent that does not wait, or too early."""

    def __init__(self) -> None:
        # When due, and what entered them, by user and campaign.
        self.waits: dict[tuple[str, str], tuple[int, str]] = {}
        self.due: dict[str, int] = {}  # by send, when it was due

    def decided(self, verdict: Verdict) -> None:
        """Take in a decision, in order.

        Raises:
            BrokenError: it does not follow from those before.
        """
        pair = (verdict.user_id, verdict.campaign)
        match verdict.decision:
            case "enter":
                due = verdict.due if verdict.due is not None else verdict.at
                self.waits[pair] = (due, verdict.cause)
            case "cancel":
                self.waits.pop(pair, None)
            case "skip" if self.waits.get(pair, (0, ""))[1] == verdict.cause:
                del self.waits[pair]  # else it is a message of an earlier send that was not made
            case "send":
                self._sent(pair, verdict)
            case _:
                return

    def forget(self, user_id: str) -> None:
        """Take in that a user was erased."""
        for pair in [pair for pair in self.waits if pair[0] == user_id]:
            del self.waits[pair]

    def copy(self) -> "Book":
        """Return the same, to go on with."""
        book = Book()
        book.waits, book.due = dict(self.waits), dict(self.due)
        return book

    def _sent(self, pair: tuple[str, str], verdict: Verdict) -> None:
        send_id = verdict.send_id or ""
        if send_id in self.due:
            return  # a person had a message of it tried again
        due, _cause = self.waits.pop(pair, (None, ""))
        if due is None:
            raise BrokenError(f"{pair[1]} was sent to {pair[0]}, who did not wait for it")
        if verdict.at < due:
            raise BrokenError(f"{pair[1]} was sent to {pair[0]} before it was due")
        self.due[send_id] = due


class Oracle:
    """The fold of the whole log, as far as it was asked for."""

    def __init__(self, journal: Journal) -> None:
        self.seq = 0
        self.verdicts: list[Verdict] = []
        self.counts: dict[Counter, float] = defaultdict(float)
        self.outbox = Outbox()
        self.book = Book()
        self.states = DictStates()
        self.timers = TimerHeap()
        self._journal = journal
        self.fold = Fold(self.states, self.timers, self, LogReadBack(journal))

    def at(self, position: Position, unfired: TimerKey | None) -> "Oracle":
        """Return what is so at a position: of the log, and of time.

        `unfired` is the first timer that was due by then and has not fired yet.
        """
        self._follow(position.seq)
        next_due = self.timers.next_due()
        if next_due is None or next_due > position.now:
            return self
        ahead = self._copy()
        ahead.fold.advance(position.now, before=unfired)
        return ahead

    def decided(self, verdicts: list[Verdict]) -> None:
        """Keep decisions, in order."""
        self.verdicts += verdicts
        for verdict in verdicts:
            self.book.decided(verdict)

    def count(self, count: Count, now: int) -> None:
        """Add to a counter of the hour."""
        self.counts[Counter.of(count, now)] += count.amount

    def deliver(self, deliver: Deliver) -> Iterable[SendSettled]:
        """Put a send in the outbox; what becomes of it stands in the log."""
        self.outbox.add(deliver)
        return ()

    def handing_over(self, record: HandOver) -> None:
        """Let the outbox follow the log."""
        self.outbox.follow(record)

    def _follow(self, seq: int) -> None:
        if seq > self.seq:
            for block in self._journal.read_log(self.seq):
                if block.seq > seq:
                    return
                self._apply(block)

    def _apply(self, block: Block) -> None:
        ordinal = block.first_ordinal
        for record in block.records:
            self.fold.apply(record, ordinal)
            if isinstance(record, UserErased):
                self.outbox.forget(record.user_id)
                self.book.forget(record.user_id)
            ordinal += entry_count(record)
        self.seq = block.seq

    def _copy(self) -> "Oracle":
        ahead = Oracle(self._journal)
        ahead.seq, ahead.verdicts = self.seq, list(self.verdicts)
        ahead.counts = defaultdict(float, self.counts)
        ahead.book = self.book.copy()
        letters = self.outbox.letters
        ahead.outbox = Outbox(self.outbox.items.values(), letters.newest(0)[::-1])
        ahead.states.states.update(self.states.states)
        for timer in self.timers:
            ahead.timers.add(timer)
        ahead.fold = self.fold.fork(ahead.states, ahead.timers, ahead)
        return ahead
