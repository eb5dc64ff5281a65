"""Follows a simulated world's log as it lies on the disk, and says what must not be in it.

It knows records by their looks alone: nothing here is shared with the engine or the runtime.
"""

from collections import Counter
from typing import Final, Literal

from msgspec import Struct

from segue.errors import SegueError
from segue.model.channels import CHANNELS, Channel
from segue.model.limits import DUPLICATE_WINDOW
from segue.model.log_records import (
    AttributesReceived,
    Block,
    CampaignPublished,
    CampaignStopped,
    DevicesChanged,
    EventsReceived,
    Record,
    SendsAttempted,
    SendsDeferred,
    SendsRequested,
    SendsRetried,
    SendsSettled,
    WorkspaceSet,
    entry_count,
)
from segue.model.workspace import Workspace
from segue.simulator.disk import Trouble, fingerprint
from segue.storage.ports import Journal

MARK: Final = "mark"  # an attribute that tells one profile change from every other


class BrokenError(SegueError):
    """An invariant does not hold."""


class Message(Struct):
    """What the log says of a message: one channel of a send."""

    phase: Literal["waiting", "attempted", "settled"] = "waiting"
    attempts: int = 0
    attempted_in_life: int = 0
    settled_as: str = ""


class Audit:
    """The log so far."""

    def __init__(self, journal: Journal, trouble: Trouble) -> None:
        self.journal = journal
        self.seq = 0
        self.life = 0  # of processes, the how-manieth this is
        self.marks: set[tuple[str, str]] = set()  # users, and what tells their entries apart
        self.messages: dict[str, Message] = {}  # by send and channel
        self.statuses: dict[str, tuple[str, int]] = {}  # of campaigns; with their versions
        self.may_double: set[str] = set()  # messages that a person had tried again
        self.records: Counter[str] = Counter()
        self._trouble = trouble
        self._accepted_at: dict[tuple[str, str], int] = {}
        self._next_ordinal = 0
        self._last_at = 0
        self._workspace = Workspace()
        self._was_resent = {one for one in CHANNELS if self.resends(one)}

    def catch_up(self) -> None:
        """Read what was synced since.

        Raises:
            BrokenError: something is in the log that must not be.
        """
        end = self.journal.log_end().seq
        if end < self.seq:
            raise BrokenError(f"the log ended at block {self.seq} once, and ends at {end} now")
        if end > self.seq:
            for block in self.journal.read_log(self.seq):
                self._take(block)

    def resends(self, channel: Channel) -> bool:
        """Return whether a message of a channel goes again when nobody knows its outcome."""
        return self._workspace.on_unknown(channel) == "resend"

    def was_resent(self, key: str) -> bool:
        """Return whether a message may have gone again, by the rules or a person's word."""
        return key in self.may_double or key.partition("/")[2] in self._was_resent

    def _take(self, block: Block) -> None:
        if block.seq != self.seq + 1 or block.first_ordinal != self._next_ordinal:
            raise BrokenError(
                f"block {block.seq} begins with entry {block.first_ordinal}; block {self.seq + 1} "
                f"should come, with entry {self._next_ordinal}"
            )
        if fingerprint(block) not in self._trouble.offered.pop(block.seq, ()):
            raise BrokenError(f"block {block.seq} is not what was given to be written")
        for record in block.records:
            if record.received_at < self._last_at:
                raise BrokenError(
                    f"block {block.seq} has a record of {record.received_at} behind one of "
                    f"{self._last_at}: time went back"
                )
            self._last_at = record.received_at
            self._follow(record)
            self.records[type(record).__name__] += 1
            self._next_ordinal += entry_count(record)
        self.seq = block.seq

    def _follow(self, record: Record) -> None:
        match record:
            case EventsReceived():
                self._follow_events(record)
            case AttributesReceived():
                for change in record.changes:
                    self.marks.add((change.user_id, str(change.attributes.get(MARK))))
            case DevicesChanged():
                self.marks.update((one.user_id, one.device.token) for one in record.changes)
            case SendsRequested():
                self.marks.update((one.user_id, one.id or "") for one in record.recipients)
            case WorkspaceSet():
                self._workspace = record.workspace
                self._was_resent |= {one for one in CHANNELS if self.resends(one)}
            case CampaignPublished():
                self.statuses[record.document.slug] = ("active", record.version)
            case CampaignStopped(campaign=slug):
                status = "archived" if record.is_archived else "stopped"
                self.statuses[slug] = (status, self.statuses[slug][1])
            case SendsAttempted() | SendsDeferred() | SendsSettled() | SendsRetried():
                self._follow_sends(record)
            case _:
                return

    def _follow_events(self, record: EventsReceived) -> None:
        for event in record.events:
            if event.id is None:
                continue
            key = (event.user_id, event.id)
            before = self._accepted_at.get(key)
            if before is not None and record.received_at - before < DUPLICATE_WINDOW:
                raise BrokenError(
                    f"event {event.id} of {event.user_id} is in the log twice within a day"
                )
            self._accepted_at[key] = record.received_at
            self.marks.add(key)

    def _follow_sends(
        self, record: SendsAttempted | SendsDeferred | SendsSettled | SendsRetried
    ) -> None:
        match record:
            case SendsAttempted():
                for send_id, channel in record.attempts:
                    self._attempted(f"{send_id}/{channel}")
            case SendsDeferred():
                for send_id, channel, *_ in record.deferred:
                    message = self._message(f"{send_id}/{channel}")
                    if message.phase != "attempted":
                        raise BrokenError(f"{send_id}/{channel} was put off, and never attempted")
                    message.phase = "waiting"
            case SendsSettled():
                for settled in record.settled:
                    key = f"{settled.send_id}/{settled.channel}"
                    message = self._message(key)
                    if message.phase == "settled":
                        raise BrokenError(
                            f"{key} was settled twice: {message.settled_as}, {settled.settled_as}"
                        )
                    message.phase, message.settled_as = "settled", settled.settled_as
            case SendsRetried():
                for deliver in record.sends:
                    key = f"{deliver.send_id}/{deliver.channels[0]}"
                    if self._message(key).phase == "settled":
                        self.messages[key].phase = "waiting"
                        self.may_double.add(key)

    def _attempted(self, key: str) -> None:
        message = self._message(key)
        if message.phase == "settled":
            raise BrokenError(f"{key} was attempted after it was settled")
        if message.phase == "attempted":
            if message.attempted_in_life == self.life:
                raise BrokenError(f"{key} was attempted twice with no outcome in between")
            if not self.was_resent(key):
                raise BrokenError(f"{key} was attempted again, though nobody knew its outcome")
        message.phase = "attempted"
        message.attempts += 1
        message.attempted_in_life = self.life

    def _message(self, key: str) -> Message:
        return self.messages.setdefault(key, Message())
