"""How many users a campaign has been sent to, where it may only be sent to so many.

What is being handed over counts as well: a limit is never passed, not even for a moment.
"""

from segue.engine.plan import Plan


class Recipients:
    """Sends by campaign; ask before each, and take back one that came to nothing."""

    def __init__(self) -> None:
        self.sent: dict[str, set[str]] = {}

    def may_send(self, plan: Plan, slug: str, send_id: str, sent_before: int = 0) -> bool:
        """Return whether a send may go, and if so count it.

        `sent_before` are the sends that are not counted here.
        """
        campaign = plan.campaigns.get(slug)
        most = campaign.newest.document.delivery.recipients_max if campaign else None
        if most is None:
            return True
        sent = self.sent.setdefault(slug, set())
        if send_id not in sent and len(sent) + sent_before >= most:
            return False
        sent.add(send_id)
        return True

    def take_back(self, slug: str, send_id: str) -> None:
        """Forget a send none of whose messages was accepted."""
        self.sent.get(slug, set()).discard(send_id)
