"""The ways into a campaign that an account tells of, each with how it ended."""

from msgspec import Struct

from segue.engine.watching import Check, Remark
from segue.model.events import SendRetried, SendSettled, Settlement
from segue.model.instants import from_datetime
from segue.model.verdicts import Verdict
from segue.runtime.account import Step


class Entry(Struct):
    """What came to a trigger at a step, and what has been decided about it so far.

    `check` is the one that failed, `settled` what became of the last message.
    """

    step: Step
    due_at: int = 0
    ended: Verdict | None = None
    ended_by: Step | None = None
    check: Check | None = None
    settled: SendSettled | None = None
    is_accepted: bool = False

    @property
    def reason(self) -> str | None:
        """Why it ended without a message."""
        return self.ended.reason if self.ended is not None else None


class Entries(Struct):
    """Those that ended, in the order in which they did, and the one that goes on."""

    ended: list[Entry]
    going_on: Entry | None


def entries_of(steps: list[Step]) -> Entries:
    """Return every way into the campaign that the steps tell of."""
    reader = _Reader()
    for step in steps:
        reader.read(step)
    return Entries(reader.ended, reader.going_on or reader.retried())


class _Reader:
    def __init__(self) -> None:
        self.ended: list[Entry] = []
        self.going_on: Entry | None = None
        self._failed: list[Check] = []
        self._sent: dict[str, Entry] = {}  # by the id of the send
        self._retried: dict[str, Entry] = {}  # those that failed, and are under way again

    def read(self, step: Step) -> None:
        """Take in one step."""
        self._failed = []
        if isinstance(step.touch, Settlement):
            self._settle(step, step.touch.settled)
        for note in step.notes:
            match note:
                case Check(is_passed=False):
                    self._failed.append(note)
                case Remark(what="entered", facts=facts):
                    self.going_on = Entry(step, from_datetime(facts["due_at"]))
                case Remark(what="held", facts=facts) if self.going_on is not None:
                    self.going_on.due_at = from_datetime(facts["until"])
                case Verdict():
                    self._decide(step, note)

    def retried(self) -> Entry | None:
        """Return the last of those that failed and are under way again."""
        return next(reversed(self._retried.values()), None)

    def _settle(self, step: Step, settled: SendSettled) -> None:
        entry = self._retried.get(settled.send_id, self.going_on)
        if entry is None:
            return
        entry.settled = settled
        if settled.settled_as == "accepted":
            entry.is_accepted = True
            self._end(entry, step, entry.ended)

    def _decide(self, step: Step, verdict: Verdict) -> None:
        if isinstance(step.touch, SendRetried):
            self._retry(verdict)
            return
        entry = self.going_on
        if isinstance(step.touch, Settlement):
            entry = self._retried.get(step.touch.settled.send_id, entry)
        match verdict.decision:
            case "refuse" | "control":
                refused = Entry(step)
                self._end(refused, step, verdict)
            case "cancel" | "skip" if entry is not None:
                self._end(entry, step, verdict)
            case "send" if entry is not None:
                entry.ended = verdict
                self._sent[verdict.send_id or ""] = entry

    def _retry(self, verdict: Verdict) -> None:
        """Take up again what came in and failed, unless the log has lost how."""
        failed = self._sent.get(verdict.send_id or "")
        if verdict.decision == "send" and failed is not None and verdict.send_id is not None:
            self._retried[verdict.send_id] = Entry(failed.step, failed.due_at, verdict)

    def _end(self, entry: Entry, step: Step, verdict: Verdict | None) -> None:
        reason = verdict.reason if verdict is not None else None
        entry.ended, entry.ended_by = verdict, step
        entry.check = next((one for one in self._failed if one.reason == reason), None)
        self.ended.append(entry)
        if entry is self.going_on:
            self.going_on = None
        self._retried = {key: one for key, one in self._retried.items() if one is not entry}
