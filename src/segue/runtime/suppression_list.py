"""The suppression list while it runs: what the log tells of addresses, and what may not go out.

It is kept beside the log, not folded from it: people put addresses on it and take them off. A
message that it stops comes to its end in the log, so that a replay needs no list (decision 0022).
"""

import threading
from collections.abc import Callable
from typing import Any, Final, get_args

import structlog

from segue.content.addresses import sendable_address
from segue.engine.profile import ADDRESS_ATTRIBUTES
from segue.model.channels import Channel
from segue.model.log_records import EventsReceived, Record, SendsSettled
from segue.model.suppressions import (
    WHY_SUPPRESSED,
    SuppressedChannel,
    Suppression,
    SuppressionReason,
)
from segue.storage.suppression_ports import Suppressions

_log = structlog.get_logger(__name__)

# Events after which an address gets nothing more.
_REASONS: Final[dict[str, tuple[SuppressedChannel, SuppressionReason]]] = {
    "email_bounce": ("email", "bounce"),
    "email_spam_report": ("email", "complaint"),
    "sms_bounce": ("sms", "bounce"),
}
_CHANNELS: Final[tuple[SuppressedChannel, ...]] = get_args(SuppressedChannel)

_Notes = dict[tuple[str, str, str], Suppression]


class SuppressionList:
    """Follows the log in its turn, and is asked before each hand-over.

    What was noted is in force at once, and written down soon after: at the latest with the
    checkpoint that lets the log be read from behind it.
    """

    def __init__(
        self, stored: Suppressions, attributes_of: Callable[[str], dict[str, Any]]
    ) -> None:
        self.stored = stored
        self._attributes_of = attributes_of
        self._followed_seq = stored.followed_seq()
        self._complete_seq = 0  # the last block that was followed as a whole
        self._lock = threading.Lock()  # notes are made in one thread, and written in another
        self._noted: _Notes = {}
        self._being_written: _Notes = {}

    @property
    def has_news(self) -> bool:
        """Whether something is noted that is not written down yet."""
        return bool(self._noted)

    def follow(self, record: Record, seq: int) -> None:
        """Take in a record of a block, after it was decided about.

        A block that was followed before a restart is passed over: addresses that people have taken
        off since stay off.
        """
        if seq <= self._followed_seq:
            return
        match record:
            case EventsReceived():
                for event in record.events:
                    if event.name in _REASONS:
                        about = _REASONS[event.name]
                        self._note(event.user_id, *about, event.campaign, record.received_at)
            case SendsSettled():
                for settled in record.settled:
                    if settled.reason == "unreachable":
                        channel, campaign = settled.channel, settled.campaign
                        self._note(settled.user_id, channel, "bounce", campaign, record.received_at)
            case _:
                return

    def followed(self, seq: int) -> None:
        """Take in that a block was followed to its end."""
        self._complete_seq = seq

    def obstacle(self, channel: Channel, address: str, *, is_for_all: bool) -> str | None:
        """Return why a message may not go to an address, as a clause; None if it may.

        Who complained still gets messages that go to all, such as a new password: of these there
        is no unsubscribing either (channel-facts.md 1.1).
        """
        suppressed = _suppressed(channel)
        normal = sendable_address(suppressed, address) if suppressed is not None else None
        if suppressed is None or normal is None:
            return None
        reasons = [one.reason for one in self.stored.find(suppressed, normal)]
        with self._lock:
            for notes in (self._being_written, self._noted):
                reasons += [
                    reason for reason in WHY_SUPPRESSED if (suppressed, normal, reason) in notes
                ]
        stopping = [one for one in reasons if not (is_for_all and one == "complaint")]
        return WHY_SUPPRESSED[stopping[0]] if stopping else None

    def write(self) -> None:
        """Write down what was noted. Any thread may call it; one at a time does."""
        with self._lock:
            self._being_written, self._noted = {**self._being_written, **self._noted}, {}
            notes, seq = list(self._being_written.values()), self._complete_seq
        if not notes:
            return
        left_out = self.stored.follow(notes, seq)
        with self._lock:
            self._being_written = {}
        if left_out:
            _log.error("the suppression list is full", left_out=left_out)

    def _note(
        self,
        user_id: str,
        channel: Channel,
        reason: SuppressionReason,
        campaign: str | None,
        at: int,
    ) -> None:
        """Note the address that the user has now."""
        suppressed = _suppressed(channel)
        if suppressed is None:
            return
        given = self._attributes_of(user_id).get(ADDRESS_ATTRIBUTES[suppressed])
        address = sendable_address(suppressed, given)
        if address is not None:
            note = Suppression(suppressed, address, reason, at, campaign)
            with self._lock:
                self._noted.setdefault(note.key, note)


def _suppressed(channel: Channel) -> SuppressedChannel | None:
    return next((one for one in _CHANNELS if one == channel), None)
