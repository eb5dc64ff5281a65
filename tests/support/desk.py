"""A live runtime with its campaigns, as an author works on them."""

from typing import Any

from segue.model.events import AttributeChange, Event
from segue.model.instants import HOUR, parse_instant
from segue.model.log_records import AttributesReceived, CampaignPublished, EventsReceived
from segue.runtime.totals import LiveTotals
from segue.services.campaigns import Campaigns
from segue.services.publishing import Publication, Publishing, PublishSetWish, PublishWish
from tests.support.documents import email, follower, interaction
from tests.support.live import LiveRuntime

START = parse_instant("2026-11-01T00:00:00Z")
HTML = [email(html='<a href="{{ unsubscribe_url }}">Bye</a>')]


class Desk:
    """A live runtime with its campaigns, as an author works on them."""

    def __init__(self) -> None:
        self.live = LiveRuntime(START)

    async def open(self) -> None:
        await self.live.start()
        self.campaigns = Campaigns(self.live.runtime)
        self.publishing = Publishing(self.live.runtime, self.campaigns)
        self.totals = LiveTotals(self.live.runtime)

    def draft(self, slug: str, *triggers: dict[str, Any], **parts: Any) -> None:
        self.campaigns.create(follower(slug, *triggers, **{"messages": HTML, **parts}))

    async def publish(self, slug: str, **wish: Any) -> Publication:
        await self.live.move_to(self.live.clock.now() + HOUR)
        return await self.publishing.publish(slug, PublishWish(**wish))

    async def publish_set(self, *ids: str, **wish: Any) -> Publication:
        await self.live.move_to(self.live.clock.now() + HOUR)
        return await self.publishing.publish_set(PublishSetWish(ids=list(ids), **wish))

    async def clicks(self, slug: str, *users: str) -> None:
        """Let users click in a campaign's mail, an hour after what was before."""
        await self.happens("email_click", *users, campaign=slug, alias="cta")

    async def happens(self, name: str, *users: str, **more: Any) -> None:
        """Let something happen to users, an hour after what was before."""
        await self.live.move_to(self.live.clock.now() + HOUR)
        events = [Event(user, name, **more) for user in users]
        await self.live.hand_in([EventsReceived(self.live.clock.now(), events)])

    async def knows(self, *users: str) -> None:
        """Let users have addresses."""
        changes = [AttributeChange(user, {"email": f"{user}@people.test"}) for user in users]
        await self.live.hand_in([AttributesReceived(self.live.clock.now(), changes)])

    def decided(self, slug: str) -> list[tuple[str, str, str | None]]:
        stored = self.live.stores.snapshot.read_verdicts()
        # What a checkpoint is writing may be in both.
        verdicts = dict.fromkeys([*stored, *self.live.runtime.outcomes.pending_verdicts()])
        return [(v.user_id, v.decision, v.reason) for v in verdicts if v.campaign == slug]

    def statuses(self) -> dict[str, str]:
        return {one.slug: one.status for one in self.campaigns.all()}

    def publications(self) -> list[tuple[int, list[str]]]:
        """Return what was published together, by instant."""
        return [
            (records[0].received_at, [one.document.slug for one in records])
            for block in self.live.stores.journal.read_log()
            if (records := [one for one in block.records if isinstance(one, CampaignPublished)])
        ]


def clicked(*targets: str, **options: Any) -> list[dict[str, Any]]:
    """Return triggers on clicks in the mails of campaigns."""
    return [interaction("email_click", target, **options) for target in targets]
