"""What comes back on text messages, on a live runtime: reports, STOP, START, HELP and answers."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
import pytest_asyncio
from msgspec.structs import replace

from segue.channels.settings import SmsReplySettings, SmsSettings
from segue.channels.sms_callbacks import InboundSms, Keyword, Outcome, SmsReport
from segue.engine.checks import decode_campaign
from segue.errors import BusyError
from segue.model.events import AttributeChange, Event
from segue.model.instants import HOUR, parse_instant
from segue.model.log_records import Block, CampaignPublished, UserErased
from segue.model.rendered import RenderedSms
from segue.services import sms_replies
from segue.services.sms_replies import SmsReplies
from segue.storage.ports import StoredCampaign
from tests.support.documents import follower, interaction
from tests.support.live import SIGNER, LiveRuntime

START = parse_instant("2026-11-01T00:00:00Z")
PHONE = "+32470123456"
TEXT = [{"sms": {"body": "Hello"}}]
SAID = SmsReplySettings(stop="Stopped", start="Started", help="Helped")


class Operator:
    """A live runtime, and the provider that calls it."""

    def __init__(self) -> None:
        self.live = LiveRuntime(START)
        self.ids = 0

    async def open(self) -> None:
        await self.live.start()
        settings = SmsSettings(replies=SAID)
        self.replies = SmsReplies(self.live.runtime, SIGNER, settings)

    async def publish(self, slug: str, *triggers: dict[str, Any], **more: Any) -> None:
        parts = {"messages": TEXT, "re_eligibility": "always", **more}
        document = decode_campaign(follower(slug, *(triggers or [{"event": slug}]), **parts))
        now = self.live.clock.now()
        await self.live.hand_in([CampaignPublished(now, f"id-{slug}", 1, document)])

    async def know(self, *users: str, **attributes: Any) -> None:
        changes = [AttributeChange(user, {"phone": PHONE, **attributes}) for user in users]
        await self.live.runtime.ingest.take_attributes(changes)
        await self.live.settle()

    async def does(self, name: str, *users: str) -> None:
        await self.live.move_to(self.live.clock.now() + HOUR)
        await self.live.runtime.ingest.take_events([Event(user, name) for user in users])
        await self.live.settle()

    async def reports(self, outcome: Outcome | None, **more: str) -> None:
        """Report on the newest message."""
        sent = self.live.mailbox.delivered[-1].message
        assert isinstance(sent, RenderedSms)
        report = SmsReport("twilio", sent.token, f"SM-{sent.send_id}", outcome, PHONE)
        await self.replies.take(replace(report, **more))
        await self.live.settle()

    async def texts(
        self, text: str, keyword: Keyword | None = None, from_: str = PHONE, name: str = ""
    ) -> str:
        self.ids += 1
        sms = InboundSms("twilio", name or f"SM{self.ids}", from_, text, keyword)
        answer = await self.replies.take(sms)
        await self.live.settle()
        return answer

    def acts(self, user_id: str) -> list[tuple[str, str | None]]:
        """Return what is logged of a user's doings: the name, and the campaign."""
        return [
            (event.name, event.campaign)
            for block in self.live.stores.journal.read_log()
            for record in block.records
            for event in getattr(record, "events", [])
            if event.user_id == user_id and event.name.startswith("sms_")
        ]

    def properties(self, user_id: str) -> list[dict[str, Any] | None]:
        return [
            event.properties
            for block in self.live.stores.journal.read_log()
            for record in block.records
            for event in getattr(record, "events", [])
            if event.user_id == user_id and event.name.startswith("sms_")
        ]

    def sent(self) -> list[tuple[str, str]]:
        return [(one.message.user_id, one.message.campaign) for one in self.live.mailbox.delivered]

    def subscription(self, user_id: str) -> str:
        state = self.live.runtime.state_of(user_id)
        return state.subscriptions.get("sms", "subscribed") if state is not None else ""

    def numbers(self, campaign: str) -> dict[str, float]:
        found: dict[str, float] = {}
        for counter, amount in self.live.runtime.counters.since(campaign, 0):
            found[counter.metric] = found.get(counter.metric, 0) + amount
        return found


@pytest_asyncio.fixture
async def operator() -> AsyncIterator[Operator]:
    made = Operator()
    await made.open()
    yield made
    await made.live.stop()


# Reports


async def test_a_delivery_is_followed_once_however_often_and_late_it_is_reported(
    operator: Operator,
) -> None:
    await operator.publish("sale")
    await operator.publish("next", interaction("sms_receive", "sale", outcome="delivered"))
    await operator.know("ann")
    await operator.does("sale", "ann")
    for outcome in (None, "delivered", None, "delivered", "delivered"):
        assert operator.sent() == [("ann", "sale"), ("ann", "next")][: len(operator.sent())]
        sent = next(
            one.message for one in operator.live.mailbox.delivered if one.message.campaign == "sale"
        )
        assert isinstance(sent, RenderedSms)
        await operator.replies.take(SmsReport("twilio", sent.token, "SM1", outcome, PHONE))
        await operator.live.settle()
    assert operator.sent() == [("ann", "sale"), ("ann", "next")]
    assert operator.acts("ann") == [("sms_delivered", "sale")]
    assert operator.numbers("sale")["delivered"] == 1


@pytest.mark.parametrize(
    ("outcome", "act", "next_decision"),
    [
        ("failed", "sms_undelivered", "sent"),
        ("dead", "sms_bounce", "unreachable"),
        ("stopped", "sms_undelivered", "unsubscribed"),
    ],
)
async def test_a_failure_counts_as_bounced_and_closes_what_its_code_says(
    operator: Operator, outcome: Outcome, act: str, next_decision: str
) -> None:
    await operator.publish("sale")
    await operator.know("ann")
    await operator.does("sale", "ann")
    for _ in range(10):
        await operator.reports(outcome, code="30005")
    assert operator.acts("ann") == [(act, "sale")]
    assert operator.properties("ann") == [{"code": "30005"}]
    assert operator.numbers("sale")["bounced"] == 1
    await operator.does("sale", "ann")
    decided = [v.reason or "sent" for v in await operator.live.stop()]
    assert decided[-1] == next_decision
    await operator.live.start()


async def test_a_number_that_is_dead_is_not_held_against_the_one_that_followed(
    operator: Operator,
) -> None:
    await operator.publish("sale")
    await operator.know("ann")
    await operator.does("sale", "ann")
    await operator.know("ann", phone="+32499999999")
    await operator.reports("dead")
    assert operator.acts("ann") == [("sms_undelivered", "sale")]
    await operator.does("sale", "ann")
    assert len(operator.sent()) == 2


async def test_a_failure_that_is_reported_twice_in_other_words_counts_once(
    operator: Operator,
) -> None:
    await operator.publish("sale")
    await operator.know("ann")
    await operator.does("sale", "ann")
    await operator.reports("failed")
    await operator.reports("dead")
    assert operator.acts("ann") == [("sms_undelivered", "sale")]


async def test_a_report_of_an_erased_user_or_of_no_message_of_ours_leaves_no_trace(
    operator: Operator,
) -> None:
    await operator.publish("sale")
    await operator.know("ann")
    await operator.does("sale", "ann")
    sent = operator.live.mailbox.delivered[-1].message
    assert isinstance(sent, RenderedSms)
    await operator.reports("delivered", token=sent.token[::-1])
    await operator.reports("delivered", token="")
    await operator.live.hand_in([UserErased(operator.live.clock.now(), "ann")])
    await operator.reports("delivered")
    assert operator.acts("ann") == []
    assert operator.live.runtime.state_of("ann") is None


# Words


async def test_stop_reaches_every_user_of_the_number_and_start_opens_it_again(
    operator: Operator,
) -> None:
    await operator.publish("sale")
    await operator.know("ann", "bob")
    await operator.know("cat", phone="+32499999999")
    assert await operator.texts(" Stop ") == "Stopped"
    assert [operator.subscription(one) for one in ("ann", "bob", "cat")] == [
        *("unsubscribed", "unsubscribed", "subscribed")
    ]
    await operator.does("sale", "ann", "bob", "cat")
    assert operator.sent() == [("cat", "sale")]
    assert await operator.texts("start") == "Started"
    await operator.does("sale", "ann", "bob")
    assert operator.sent()[1:] == [("ann", "sale"), ("bob", "sale")]
    assert operator.subscription("ann") == "opted_in"


async def test_a_stop_counts_for_the_campaign_of_the_newest_text(operator: Operator) -> None:
    await operator.publish("first")
    await operator.publish("second")
    await operator.publish("mail", messages=[{"email": {"subject": "Hi", "text": "Hi"}}])
    await operator.know("ann", email="ann@people.test")
    await operator.know("bob")
    for name in ("first", "second", "mail"):
        await operator.does(name, "ann")
    await operator.texts("UNSUBSCRIBE")
    assert operator.acts("ann") == [("sms_unsubscribe", "second")]
    assert operator.acts("bob") == [], "nothing was ever sent to him"
    assert operator.subscription("bob") == "unsubscribed"
    assert operator.numbers("second")["unsubscribes"] == 1
    assert "unsubscribes" not in operator.numbers("first")


async def test_a_text_that_is_passed_on_twice_changes_nothing_twice(operator: Operator) -> None:
    await operator.know("ann")
    await operator.texts("STOP", name="SM-a")
    await operator.texts("START", name="SM-b")
    assert await operator.texts("STOP", name="SM-a") == "Stopped"
    assert operator.subscription("ann") == "opted_in"


async def test_help_and_numbers_of_nobody_are_answered_alike(operator: Operator) -> None:
    await operator.know("ann")
    before = operator.live.runtime.commits.last_seq
    assert await operator.texts("help") == "Helped"
    for number in ("+32499999999", "Shop", "whatsapp:+32470123456", ""):
        assert await operator.texts("STOP", from_=number) == "Stopped"
        assert await operator.texts("START", from_=number) == "Started"
        assert await operator.texts("What?", from_=number) == ""
    assert operator.live.runtime.commits.last_seq == before
    assert operator.subscription("ann") == "subscribed"


async def test_what_the_provider_answered_is_done_and_not_answered_again(
    operator: Operator,
) -> None:
    await operator.know("ann")
    assert await operator.texts("Arrêt", "stop") == ""
    assert operator.subscription("ann") == "unsubscribed"
    assert await operator.texts("help", "help") == ""


async def test_a_stop_works_while_too_much_is_waiting_for_anything_else(
    operator: Operator,
) -> None:
    await operator.know("ann")
    operator.live.runtime.ingest.backlog_max = -1
    with pytest.raises(BusyError):
        await operator.know("bob")
    assert await operator.texts("STOP") == "Stopped"
    assert operator.subscription("ann") == "unsubscribed"


async def test_a_stop_that_could_not_be_logged_is_taken_when_it_comes_again(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    await operator.know("ann")
    journal = operator.live.stores.journal
    append = journal.append

    def full(block: Block, campaigns: Sequence[StoredCampaign] = ()) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(journal, "append", full)
    with pytest.raises(OSError, match="no space"):
        await operator.texts("STOP", name="SM-a")
    monkeypatch.setattr(journal, "append", append)
    await operator.texts("STOP", name="SM-a")
    assert operator.subscription("ann") == "unsubscribed"


async def test_a_stop_of_a_number_that_many_share_reaches_all_of_them(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sms_replies, "_USERS_AT_ONCE_MAX", 2)
    users = [f"u{number}" for number in range(5)]
    await operator.know(*users)
    await operator.texts("quit")
    assert {operator.subscription(user) for user in users} == {"unsubscribed"}


# Answers


async def test_an_answer_is_an_event_of_who_got_the_newest_text_and_can_be_followed(
    operator: Operator,
) -> None:
    await operator.publish("sale")
    asks = {"event": {"name": "sms_reply", "where": [{"property": "text", "contains": "size"}]}}
    await operator.publish("sizes", asks)
    await operator.know("ann", "bob", "cat")
    await operator.does("sale", "ann")
    await operator.does("sale", "bob")
    assert await operator.texts("Which size? " + "x" * 2_000) == ""
    assert [operator.acts(one) for one in ("ann", "bob", "cat")] == [[], [("sms_reply", None)], []]
    [properties] = operator.properties("bob")
    assert properties is not None
    assert (len(properties["text"]), properties["campaign"]) == (1_600, "sale")
    assert operator.sent()[-1] == ("bob", "sizes")
    await operator.texts("Stop it", name="SM-a")
    await operator.texts("Stop it", name="SM-a")
    assert len(operator.acts("bob")) == 2
