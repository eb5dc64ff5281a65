"""What others report of our messages becomes events of the log."""

from collections import Counter
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, Final

from msgspec import Struct

from segue.channels.receipts import Receipt
from segue.content.tokens import TokenSigner, Tracked, address_mark
from segue.model.events import Event
from segue.model.instants import to_datetime
from segue.runtime.runtime import Runtime

# They happen to a message once, whoever reports them: a provider's webhook, and a returned mail
# of the same bounce. The others may come again.
_ONCE: Final = frozenset(("email_delivered", "email_bounce", "email_spam_report"))
# What a message lets reports count, and the act that counts it.
_COUNTED_IF_REPORTED: Final = {"email_open": "open", "email_click": "click"}


class TakenReceipts(Struct, frozen=True):
    """What became of reports; all that were accepted are durable."""

    accepted: int
    duplicates: int
    unmatched: int  # of no message of ours: providers report of other mails too
    unused: int  # of no use: not the reporter's to count, or of an address of before


class Receipts:
    """The door for reports, wherever they come from."""

    def __init__(self, runtime: Runtime, signer: TokenSigner, base_url: str) -> None:
        self._runtime = runtime
        self._signer = signer
        self._own_links = f"{base_url}/"
        self.counts: Counter[tuple[str, str]] = Counter()  # by source and result

    async def take(self, source: str, receipts: Sequence[Receipt]) -> TakenReceipts:
        """Record reports, in one call; `source` is a word for who reports.

        Raises:
            BusyError: more is waiting to be decided than memory should hold; report again later.
        """
        events: list[Event] = []
        unmatched = unused = outdated = 0
        for receipt in receipts:
            tracked = self._signer.read(receipt.token, "report")
            if tracked is None or tracked.channel != "email":  # pushes have such tokens too
                unmatched += 1
            elif not self._is_to_count(receipt, tracked):
                unused += 1
            elif self._is_outdated(receipt, tracked):
                outdated += 1
            else:
                events.append(_event_of(source, receipt, tracked))
        accepted = duplicates = 0
        if events:
            taken = await self._runtime.ingest.take_events(events)
            accepted, duplicates = taken.accepted, taken.duplicates
        self.note(source, "accepted", accepted)
        self.note(source, "duplicate", duplicates)
        self.note(source, "unmatched", unmatched)
        self.note(source, "unused", unused)
        self.note(source, "outdated", outdated)
        return TakenReceipts(accepted, duplicates, unmatched, unused + outdated)

    def note(self, source: str, result: str, count: int = 1) -> None:
        """Count what became of reports, for those who operate the server."""
        self.counts[source, result] += count

    def _is_to_count(self, receipt: Receipt, tracked: Tracked) -> bool:
        """Return whether an open or click is the reporter's to count, and not ours or nobody's."""
        what = _COUNTED_IF_REPORTED.get(receipt.act)
        if what is None:
            return True
        # A click on a page of ours, such as the one to unsubscribe, is no click (semantics.md 2).
        is_own = (receipt.link or "").startswith(self._own_links)
        return what in tracked.reported and not is_own

    def _is_outdated(self, receipt: Receipt, tracked: Tracked) -> bool:
        """Return whether a bounce is of an address that the user has replaced meanwhile.

        A mail to a mistyped domain is tried for days; the bounce must not close the right one.
        """
        if receipt.act != "email_bounce" or not tracked.address:
            return False
        state = self._runtime.state_of(tracked.user_id)
        address = state.attributes.get("email") if state is not None else None
        return isinstance(address, str) and address_mark(address) != tracked.address


def _event_of(source: str, receipt: Receipt, tracked: Tracked) -> Event:
    properties: dict[str, Any] | None = {"detail": receipt.detail} if receipt.detail else None
    return Event(
        tracked.user_id,
        receipt.act,
        id=_event_id(source, receipt, tracked),
        time=None if receipt.at is None else to_datetime(receipt.at),
        properties=properties,
        campaign=tracked.campaign,
        channel=tracked.channel,
        variant=tracked.variant,
        link=receipt.link,
        machine=receipt.machine,
        send_id=tracked.send_id,
    )


def _event_id(source: str, receipt: Receipt, tracked: Tracked) -> str:
    """Return the id by which a repeated report is known (decision 0010)."""
    if receipt.act in _ONCE:
        return f"{receipt.act}:{tracked.send_id}"
    digest = blake2b("\0".join((receipt.id, receipt.act, tracked.send_id)).encode(), digest_size=16)
    return f"{source}:{digest.hexdigest()}"
