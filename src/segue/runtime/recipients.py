"""How many users a campaign has been sent to, where it may only be sent to so many.

What is being handed over counts as well: a limit is never passed, not even for a moment.
"""

from segue.engine.plan import Plan


class Recipients:
    """Sends by campaign, each with the channels it goes by; ask before each hand-over."""

    def __init__(self) -> None:
        self.sent: dict[str, dict[str, set[str]]] = {}

    def may_send(
        self, plan: Plan, slug: str, send_id: str, channel: str, sent_before: int = 0
    ) -> bool:
        """Return whether a message of a send may go, and if so count the send.

        `sent_before` are the sends that are not counted here.
        """
        most = most_recipients(plan, slug)
        if most is None:
            return True
        sent = self.sent.setdefault(slug, {})
        if send_id not in sent and len(sent) + sent_before >= most:
            return False
        sent.setdefault(send_id, set()).add(channel)
        return True

    def is_counted(self, slug: str, send_id: str) -> bool:
        """Return whether a send is counted here."""
        return send_id in self.sent.get(slug, {})

    def take_back(self, slug: str, send_id: str, channel: str) -> None:
        """Take back a message that was not accepted; a send without any is no send."""
        sent = self.sent.get(slug, {})
        if send_id in sent:
            sent[send_id].discard(channel)
            if not sent[send_id]:
                del sent[send_id]


def most_recipients(plan: Plan, slug: str) -> int | None:
    """Return how many users a campaign may be sent to; None: any number."""
    campaign = plan.campaigns.get(slug)
    return campaign.newest.document.delivery.recipients_max if campaign is not None else None
