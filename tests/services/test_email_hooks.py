"""Calls of email providers, from their signature to the log."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from segue.channels.email_hooks import ForgedError, HookCall, UnreadableError
from segue.channels.http import HttpAnswer
from segue.channels.settings import EmailSettings
from segue.content.tokens import TokenSigner, Tracked
from segue.errors import BusyError, NotFoundError, SegueError
from segue.model.instants import SECOND, parse_instant, to_datetime
from segue.model.limits import INGEST_BACKLOG_EVENTS_MAX
from segue.model.log_records import EventsReceived
from segue.services.email_hooks import EmailHooks, ReplayedError
from segue.services.receipts import Receipts, TakenReceipts
from tests.support.live import LiveRuntime
from tests.support.provider_calls import Mailgun, Postmark, SendGrid, Sns, all_providers

START = parse_instant("2026-11-01T00:00:00Z")
AT = to_datetime(START)
NOW_S = START // SECOND
SIGNER = TokenSigner(b"k" * 32)
SENDGRID, MAILGUN, POSTMARK, SNS = SendGrid(), Mailgun(), Postmark(), Sns()


async def fetch_certificate(_url: str) -> HttpAnswer:
    return HttpAnswer(200, {}, SNS.certificate())


class Hooks:
    """A live runtime, and every provider's hook."""

    def __init__(self) -> None:
        self.live = LiveRuntime(START)

    async def open(self) -> None:
        await self.live.start()
        self.receipts = Receipts(self.live.runtime, SIGNER, "https://go.test")
        settings = all_providers(SENDGRID)
        self.hooks = EmailHooks(settings, self.receipts, self.live.clock, fetch_certificate)

    async def take(self, provider: str, call: HookCall) -> TakenReceipts:
        return await self.hooks.take(provider, call)

    def logged(self) -> list[str]:
        blocks = self.live.stores.journal.read_log()
        return [
            event.name
            for block in blocks
            for record in block.records
            if isinstance(record, EventsReceived)
            for event in record.events
        ]


@pytest_asyncio.fixture
async def hooks() -> AsyncIterator[Hooks]:
    hooks = Hooks()
    await hooks.open()
    yield hooks
    await hooks.hooks.close()
    await hooks.live.stop()


def token(send_id: str = "send-1") -> str:
    return SIGNER.sign(Tracked("report", "u1", "sale", "A", send_id, "email"))


def calls(token: str) -> dict[str, HookCall]:
    """Return each provider's report of a hard bounce."""
    message_id = f"{token}@shop.test"
    bounced = {
        "event": "bounce",
        "smtp-id": f"<{message_id}>",
        "sg_event_id": "1",
        "type": "bounce",
    }
    failed = {
        "event": "failed",
        "severity": "permanent",
        "reason": "bounce",
        "id": "1",
        "message": {"headers": {"message-id": message_id}},
    }
    pieces = {f"segue-{n + 1}": token[n * 80 : n * 80 + 80] for n in range(len(token) // 80 + 1)}
    record = {"RecordType": "Bounce", "ID": 1, "Type": "HardBounce", "Metadata": pieces}
    published = {
        "eventType": "Bounce",
        "mail": {"commonHeaders": {"messageId": message_id}},
        "bounce": {"bounceType": "Permanent"},
    }
    return {
        "sendgrid": SENDGRID.call([bounced], NOW_S),
        "mailgun": MAILGUN.call(failed, NOW_S),
        "postmark": POSTMARK.call(record),
        "ses": SNS.call(published, AT),
    }


PROVIDERS = ("sendgrid", "mailgun", "postmark", "ses")


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_report_of_a_message_of_ours_is_recorded(hooks: Hooks, provider: str) -> None:
    taken = await hooks.take(provider, calls(token())[provider])
    assert taken == TakenReceipts(accepted=1, duplicates=0, unmatched=0, unused=0)
    assert hooks.logged() == ["email_bounce"]


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_report_of_another_mail_is_fine_and_changes_nothing(
    hooks: Hooks, provider: str
) -> None:
    taken = await hooks.take(provider, calls("another")[provider])
    assert (taken.accepted, taken.unmatched) == (0, 1)
    assert hooks.logged() == []


@pytest.mark.parametrize("provider", ["sendgrid", "postmark", "ses"])
async def test_a_call_that_comes_three_times_counts_once(hooks: Hooks, provider: str) -> None:
    call = calls(token())[provider]
    found = [await hooks.take(provider, call) for _ in range(3)]
    assert [(one.accepted, one.duplicates) for one in found] == [(1, 0), (0, 1), (0, 1)]
    assert hooks.logged() == ["email_bounce"]


async def test_a_large_batch_that_comes_three_times_counts_once(hooks: Hooks) -> None:
    event = {"event": "delivered", "timestamp": NOW_S}
    batch = [
        {**event, "smtp-id": f"<{token(f's-{number}')}@x>", "sg_event_id": f"{number}"}
        for number in range(3_000)
    ]
    found = [await hooks.take("sendgrid", SENDGRID.call(batch, NOW_S)) for _ in range(3)]
    assert [one.accepted for one in found] == [3_000, 0, 0]
    assert len(hooks.logged()) == 3_000


async def test_a_call_of_mailgun_comes_once_whatever_it_holds(hooks: Hooks) -> None:
    call = calls(token())["mailgun"]
    await hooks.take("mailgun", call)
    for other in (call, HookCall({}, call.body.replace(b'"permanent"', b'"temporary"'))):
        with pytest.raises(ReplayedError):
            await hooks.take("mailgun", other)
    assert hooks.receipts.counts["mailgun", "replayed"] == 2
    assert hooks.logged() == ["email_bounce"]


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_while_events_wait_to_be_decided_a_call_is_to_come_again(
    hooks: Hooks, provider: str
) -> None:
    call = calls(token())[provider]
    processor = hooks.live.runtime.processor
    before = processor.backlog_entries
    processor.backlog_entries = INGEST_BACKLOG_EVENTS_MAX + 1
    with pytest.raises(BusyError):
        await hooks.take(provider, call)
    processor.backlog_entries = before
    assert (await hooks.take(provider, call)).accepted == 1


async def test_what_is_not_taken_is_counted_by_what_it_was(hooks: Hooks) -> None:
    batch: list[Any] = [
        {"event": "deferred", "smtp-id": f"<{token()}@x>"},
        {"event": "bounce", "type": "blocked", "smtp-id": f"<{token()}@x>"},
        7,
        {"event": "delivered", "smtp-id": "<other@x>"},
        {"event": "open", "smtp-id": f"<{token()}@x>"},
    ]
    taken = await hooks.take("sendgrid", SENDGRID.call(batch, NOW_S))
    assert taken == TakenReceipts(accepted=0, duplicates=0, unmatched=1, unused=4)
    counts = {result: n for (_, result), n in hooks.receipts.counts.items() if n}
    assert counts == {"unmatched": 1, "unused": 2, "soft_bounce": 1, "faulty": 1}


async def test_a_forged_call_is_counted(hooks: Hooks) -> None:
    with pytest.raises(ForgedError):
        await hooks.take("sendgrid", SendGrid().call([], NOW_S))
    with pytest.raises(UnreadableError):
        await hooks.take("mailgun", HookCall({}, b"{}"))
    assert hooks.receipts.counts["sendgrid", "forged"] == 1


async def test_a_provider_that_is_not_set_up_says_how(hooks: Hooks) -> None:
    none = EmailHooks(EmailSettings(), hooks.receipts, hooks.live.clock)
    for provider in PROVIDERS:
        with pytest.raises(NotFoundError, match=rf"\[channels\.email\.{provider}\]"):
            await none.take(provider, HookCall({}, b""))
    with pytest.raises(NotFoundError, match="sendgrid, ses, mailgun, postmark"):
        await none.take("sparkpost", HookCall({}, b""))


async def test_opens_and_clicks_cannot_be_left_to_nobody(hooks: Hooks) -> None:
    settings = EmailSettings(provider_opens_and_clicks=True)
    with pytest.raises(SegueError, match=r"none is set up; set one of \[channels\.email\.sendgrid"):
        EmailHooks(settings, hooks.receipts, hooks.live.clock)
