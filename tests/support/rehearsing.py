"""A live application in this process, on stores in memory, whose rehearsals are looked at."""

from typing import Any

from segue.channels.registry import Senders
from segue.channels.settings import ChannelSettings
from segue.clock import SystemClock
from segue.model.events import AttributeChange
from segue.services.actors import Actor
from segue.services.application import Application
from segue.services.phone_taps import Tap
from segue.services.publishing import PublishSetWish
from segue.services.rehearsals import Rehearsal
from segue.services.secrets import secrets_of
from segue.services.settings import Settings
from segue.storage.open import Stores, open_memory
from tests.support.documents import email, follower, interaction

PERSON = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
MAIL = [email(**{"from": "Shop <hi@shop.test>", "html": "<p>{{ unsubscribe_url }}</p>"})]


class IdleClock(SystemClock):
    """The machine's clock, beside which a test lets nobody do anything for a while."""

    def __init__(self) -> None:
        self.idle_s = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.idle_s


def author(name: str = "ada") -> Actor:
    return Actor("account", f"id-of-{name}", name, frozenset(("read", "draft")))


def mail(slug: str, *triggers: dict[str, Any], **parts: Any) -> dict[str, Any]:
    """Return a campaign of one email, which a user gets once."""
    return follower(slug, *triggers, **{"messages": MAIL, "re_eligibility": "never", **parts})


def after(target: str, delay: str, *exceptions: dict[str, Any]) -> dict[str, Any]:
    """Return the delivery of who received a campaign some time ago."""
    return {
        "triggers": [interaction("email_receive", target)],
        "delay": {"after": delay},
        "exceptions": list(exceptions),
    }


class LiveShop:
    """An application with what people do to it."""

    def __init__(
        self, channels: ChannelSettings | None = None, stores: Stores | None = None
    ) -> None:
        self.clock = IdleClock()
        self.stores = stores or open_memory()
        settings = Settings(data="memory:", channels=channels or ChannelSettings())
        secrets = secrets_of(self.stores.journal, self.clock)
        senders = Senders(settings.channels, self.clock, secrets)
        self.application = Application(settings, self.stores, senders, self.clock)

    async def draft(self, document: dict[str, Any]) -> None:
        self.application.campaigns.create(document)

    async def publish(self, *documents: dict[str, Any]) -> None:
        ids = [self.application.campaigns.create(one).id for one in documents]
        await self.application.publishing.publish_set(PublishSetWish(ids=ids))

    async def user(self, user_id: str, **attributes: Any) -> None:
        await self.application.users.change([AttributeChange(user_id, attributes)])


async def does(rehearsal: Rehearsal, user_id: str, name: str = "signed_up") -> None:
    """Let somebody do something, and what comes of it at once happen."""
    await rehearsal.application.phone_taps.send_event(user_id, name, {})
    await rehearsal.time.settle()


async def opens(rehearsal: Rehearsal, user_id: str, slug: str) -> None:
    """Let somebody open a campaign's mail."""
    for message in await rehearsal.application.phones.messages(user_id):
        if message.campaign == slug:
            tap = Tap(message.id, "email_open")
            await rehearsal.application.phone_taps.tap(user_id, tap, PERSON)
    await rehearsal.time.settle()


async def came(rehearsal: Rehearsal, user_id: str) -> list[str]:
    """Return the campaigns of which something lies on a phone, the oldest first."""
    messages = await rehearsal.application.phones.messages(user_id)
    return [one.campaign for one in reversed(messages)]
