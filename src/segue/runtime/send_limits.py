"""What holds back hand-overs: suppressed addresses, pace, most recipients, policies.

These are limits across users, so they are kept where messages leave, and what they stop comes
back to the engine as an outcome in the log.
"""

from collections.abc import Callable
from typing import Protocol

from segue.engine.plan import Plan
from segue.model.channels import Channel
from segue.model.limits import HELD_MAX
from segue.model.rendered import Rendered, RenderedEmail, RenderedSms
from segue.runtime.pace import Pace
from segue.runtime.recipients import Recipients, most_recipients
from segue.storage.outbox_items import OutboxItem


class AddressCheck(Protocol):
    """Tells whether an address may get a message."""

    def __call__(self, channel: Channel, address: str, *, is_for_all: bool) -> str | None:
        """Return why it may not, as a clause; None if it may."""


class SendLimits:
    """Asked about each message before it is handed over.

    `received_by` counts the users who had received a campaign before this process began.
    """

    def __init__(
        self,
        plan: Callable[[], Plan],
        received_by: Callable[[str], int],
        check_address: AddressCheck,
    ) -> None:
        self._plan = plan
        self._received_by = received_by
        self._check_address = check_address
        self._pace = Pace()
        self._slots: dict[str, int] = {}
        self._turns: dict[str, int] = {}
        self._recipients = Recipients()
        self._sent_before: dict[str, int] = {}

    @property
    def kept_count(self) -> int:
        """How many instants are kept for messages that wait for their turn."""
        return len(self._slots) + len(self._turns)

    def slot(self, item: OutboxItem, now: int) -> int | None:
        """Return when the message may go; None if that is so late that it may not go at all."""
        campaign = self._plan().campaigns.get(item.deliver.campaign)
        most = campaign.newest.document.delivery.sends_per_minute_max if campaign else None
        if most is None or item.attempts:
            return now
        at = self._slots.get(item.key)
        if at is None:
            at = self._slots[item.key] = self._pace.slot(item.deliver.campaign, most, now)
        if at - item.deliver.decided_at > HELD_MAX:
            return None
        return max(at, now)

    def suppressed(self, item: OutboxItem, message: Rendered) -> str | None:
        """Return why the message may not go to its address, as a clause; None if it may."""
        if not isinstance(message, RenderedEmail | RenderedSms):
            return None
        campaign = self._plan().campaigns.get(item.deliver.campaign)
        is_for_all = campaign is not None and campaign.newest.document.subscription == "all"
        return self._check_address(item.channel, message.to, is_for_all=is_for_all)

    def turn(self, item: OutboxItem, now: int, take: Callable[[], int]) -> int | None:
        """Return when the provider takes the message; None if that is too late for it.

        A turn is taken for each attempt, and kept until it has come.
        """
        kept = self._turns.pop(item.key, None)
        at = take() if kept is None else kept
        if at <= now:
            return now
        if at - item.deliver.decided_at > HELD_MAX:
            return None
        self._turns[item.key] = at
        return at

    def may_send(self, item: OutboxItem) -> bool:
        """Return whether the campaign may reach one more user, and if so count this one."""
        slug, plan = item.deliver.campaign, self._plan()
        if most_recipients(plan, slug) is None or item.deliver.accepted:
            return True  # in the latter case the send has reached its user, and counts
        if slug not in self._sent_before:
            self._sent_before[slug] = self._received_by(slug)
        return self._recipients.may_send(
            plan, slug, item.deliver.send_id, item.channel, self._sent_before[slug]
        )

    def settled(self, item: OutboxItem, *, is_accepted: bool) -> None:
        """Take in that a message came to its end."""
        self._slots.pop(item.key, None)
        self._turns.pop(item.key, None)
        deliver = item.deliver
        slug, send_id = deliver.campaign, deliver.send_id
        if not is_accepted:
            self._recipients.take_back(slug, send_id, item.channel)
        elif deliver.accepted:
            return
        elif self._recipients.is_counted(slug, send_id) and len(deliver.channels) == 1:
            # Nothing more can come of it, unless it is retried: a number will do.
            self._recipients.take_back(slug, send_id, item.channel)
            self._sent_before[slug] += 1

    def resends_on_unknown(self, channel: Channel) -> bool:
        """Return whether a message goes once more when nobody knows whether it arrived."""
        return self._plan().workspace.on_unknown(channel) == "resend"
