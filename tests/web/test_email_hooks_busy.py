"""The webhooks of email providers in this process: Amazon is played by the test."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from tests.support.mailbox import KeptMessages
from tests.support.provider_calls import SendGrid, Sns, all_providers, posted

from segue.channels.http import HttpAnswer
from segue.channels.settings import ChannelSettings
from segue.clock import SystemClock
from segue.content.tokens import TokenSigner, Tracked
from segue.model.limits import INGEST_BACKLOG_EVENTS_MAX
from segue.services.application import Application
from segue.services.email_hooks import EmailHooks
from segue.services.secrets import installation_secret
from segue.services.settings import Settings
from segue.storage.open import open_memory
from segue.web.app import create_app

# Of the framework to us, at each start; tests with servers see them as little as users do.
pytestmark = pytest.mark.filterwarnings(
    "ignore::litestar.exceptions.base_exceptions.LitestarDeprecationWarning"
)

SNS = Sns()
NOW = datetime.now(UTC)
URL = "/hooks/email/ses"


class Served:
    """An application, a client of it, and what was fetched from Amazon."""

    def __init__(self) -> None:
        clock, stores = SystemClock(), open_memory()
        signer = TokenSigner(installation_secret(stores.journal, clock, "link-signing-key"))
        self.token = signer.sign(Tracked("report", "u1", "sale", "A", "send-1", "email"))
        email = all_providers(SendGrid())
        settings = Settings(channels=ChannelSettings(email=email))
        self.application = Application(settings, stores, KeptMessages(clock), clock)
        self.application.email_hooks = EmailHooks(
            email, self.application.receipts, clock, self.fetch
        )
        self.fetched: list[str] = []
        transport = httpx2.ASGITransport(create_app(self.application))
        self.client = httpx2.AsyncClient(transport=transport, base_url="http://segue.test")

    async def fetch(self, url: str) -> HttpAnswer:
        self.fetched.append(url)
        return HttpAnswer(200, {}, SNS.certificate())

    async def post(self, envelope: dict[str, str]) -> httpx2.Response:
        call = posted(envelope)
        return await self.client.post(URL, content=call.body, headers=dict(call.headers))


@pytest_asyncio.fixture
async def served() -> AsyncIterator[Served]:
    served = Served()
    await served.application.start()
    yield served
    await served.client.aclose()
    await served.application.stop()


def bounce(**mail: Any) -> dict[str, Any]:
    return {"eventType": "Bounce", "mail": mail, "bounce": {"bounceType": "Permanent"}}


async def test_a_subscription_is_confirmed_and_reports_come_as_plain_text(served: Served) -> None:
    assert (await served.post(SNS.subscription(NOW))).status_code == 200
    assert served.fetched[-1].startswith("https://sns.eu-west-1.amazonaws.com/?Action=Confirm")
    answer = await served.post(SNS.envelope(bounce(), NOW))
    assert answer.status_code == 200
    assert answer.json()["unmatched"] == 1


async def test_what_cannot_be_taken_now_is_to_be_sent_again(served: Served) -> None:
    envelope = SNS.envelope(bounce(commonHeaders={"messageId": f"{served.token}@x"}), NOW)
    processor = served.application.runtime.processor
    before, processor.backlog_entries = processor.backlog_entries, INGEST_BACKLOG_EVENTS_MAX + 1
    busy = await served.post(envelope)
    assert busy.status_code == 429
    assert int(busy.headers["retry-after"]) >= 1
    processor.backlog_entries = before
    assert (await served.post(envelope)).json()["accepted"] == 1
    assert (await served.post(envelope)).json()["duplicates"] == 1


async def test_a_forged_message_of_sns_is_refused(served: Served) -> None:
    answer = await served.post(Sns().envelope(bounce(), NOW))
    assert answer.status_code == 403
    assert "not Amazon's" in answer.json()["detail"]
