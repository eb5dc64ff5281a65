"""What Amazon SES reports through SNS: whose message it is, and what it means."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from msgspec.structs import replace

from segue.channels.email_hooks import ForgedError, HookCall, UnreadableError
from segue.channels.http import HttpAnswer, HttpClient
from segue.channels.receipts import Receipt
from segue.channels.ses import AmazonHttp, SesHook
from segue.channels.settings import SesSettings
from segue.clock import FixedClock
from segue.errors import BusyError, SegueError
from segue.model.instants import HOUR, from_datetime
from tests.channels.fake_http import WebServer, web_server
from tests.support.provider_calls import CERTIFICATE_PATH, CERTIFICATE_URL, TOPIC, Sns, posted

NOW = datetime(2026, 11, 1, 10, tzinfo=UTC)
AT = NOW - timedelta(minutes=1)
PERSON = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"
SNS = Sns()


class Amazon:
    """A hook whose Amazon is a server of this test."""

    def __init__(self, web: WebServer, client: HttpClient) -> None:
        self.web = web
        self.clock = FixedClock(from_datetime(NOW))
        self._client = client
        self.hook = SesHook(SesSettings([TOPIC]), self.clock, self.fetch)

    async def fetch(self, url: str) -> HttpAnswer:
        """Fetch the same path from the server that plays Amazon."""
        path = url.removeprefix("https://sns.eu-west-1.amazonaws.com")
        assert path != url
        return await self._client.call("GET", f"{self.web.url}{path}", {}, None)

    def shows(self, certificate: bytes, status: int = 200) -> None:
        self.web.say(status, body=certificate)

    async def one(self, message: Any, **more: str) -> Any:
        (only,) = (await self.hook.read(SNS.call(message, AT, **more))).reports
        return only


@pytest_asyncio.fixture
async def amazon() -> AsyncIterator[Amazon]:
    client = HttpClient(5, ["127.0.0.0/8"])
    async with web_server() as web:
        made = Amazon(web, client)
        made.shows(SNS.certificate())
        yield made
    await client.close()


def mail(**more: Any) -> dict[str, Any]:
    """Return the mail of an event in the shape of SES's documentation."""
    return {
        "timestamp": "2026-11-01T09:58:00.000Z",
        "source": "hi@shop.test",
        "messageId": "0102018b-ses",
        "destination": ["ann@people.test"],
        "headersTruncated": False,
        "headers": [
            {"name": "From", "value": "hi@shop.test"},
            {"name": "Message-ID", "value": "<tok-1@shop.test>"},
        ],
        "commonHeaders": {"messageId": "<tok-1@shop.test>", "subject": "Sale"},
        "tags": {"ses:configuration-set": ["shop"]},
        **more,
    }


def event(type_: str, **more: Any) -> dict[str, Any]:
    return {"eventType": type_, "mail": mail(), **more}


def bounce(type_: str = "Permanent", status: str = "5.1.1", code: str = "") -> dict[str, Any]:
    recipient = {"emailAddress": "ann@people.test", "action": "failed", "status": status}
    detail = {
        "bounceType": type_,
        "bounceSubType": "General",
        "bouncedRecipients": [{**recipient, "diagnosticCode": code}],
        "timestamp": "2026-11-01T09:59:00.000Z",
        "feedbackId": "0102-fb",
    }
    return event("Bounce", bounce=detail)


def outcome(found: Any) -> Any:
    return found.act if isinstance(found, Receipt) else found


async def test_a_delivery_names_the_message_by_its_message_id(amazon: Amazon) -> None:
    detail = {
        "timestamp": "2026-11-01T09:59:00.123Z",
        "recipients": ["ann@people.test"],
        "smtpResponse": "250 2.6.0 ok",
        "reportingMTA": "a8-70.smtp-out.amazonses.com",
    }
    found = await amazon.one(event("Delivery", delivery=detail))
    expected = Receipt(
        "email_delivered", "tok-1", found.id, from_datetime(AT) + 123_000, detail="250 2.6.0 ok"
    )
    assert found == expected
    assert found.id.startswith("sns-")


@pytest.mark.parametrize(
    ("headers", "common", "token"),
    [
        ([{"name": "MESSAGE-ID", "value": "<a@x>"}], {}, "a"),
        ([], {"messageId": "<b@x>"}, "b"),
        ([{"name": "Message-ID", "value": None}], {"messageId": "b@x"}, "b"),
        ([], {}, ""),
    ],
)
async def test_the_message_id_is_in_either_of_two_places(
    amazon: Amazon, headers: Any, common: Any, token: str
) -> None:
    told = {**event("Delivery"), "mail": mail(headers=headers, commonHeaders=common)}
    assert (await amazon.one(told)).token == token


async def test_the_older_notifications_are_read_as_well(amazon: Amazon) -> None:
    told = {**bounce(), "notificationType": "Bounce"}
    del told["eventType"]
    assert outcome(await amazon.one(told)) == "email_bounce"


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (bounce(code="smtp; 550 5.1.1 unknown"), "email_bounce"),
        (bounce(status=""), "email_bounce"),
        (event("Bounce", bounce={"bounceType": "Permanent"}), "email_bounce"),
        (bounce("Transient", "5.2.2"), "soft_bounce"),
        (bounce("Transient", "4.4.7"), "soft_bounce"),
        (bounce("Undetermined", "5.1.1"), "soft_bounce"),
        (bounce(status="5.2.2"), "soft_bounce"),
        (bounce(status="", code="smtp; 552 5.2.2 full"), "soft_bounce"),
        (event("DeliveryDelay", deliveryDelay={"delayType": "MailboxFull"}), "unused"),
        (event("Complaint", complaint={"complaintFeedbackType": "abuse"}), "email_spam_report"),
        (event("Complaint", complaint={}), "email_spam_report"),
        (event("Complaint", complaint={"complaintFeedbackType": "not-spam"}), "unused"),
        (
            event("Subscription", subscription={"newTopicPreferences": {"unsubscribeAll": True}}),
            "email_unsubscribe",
        ),
        (
            event("Subscription", subscription={"newTopicPreferences": {"unsubscribeAll": False}}),
            "unused",
        ),
        (event("Send", send={}), "unused"),
        (event("Reject", reject={"reason": "Bad content"}), "unused"),
        (event("Rendering Failure", failure={}), "unused"),
        (event("New in 2031"), "unused"),
        ("Successfully validated SNS topic for Amazon SES event publishing.", "unused"),
        ('{"eventType":', "faulty"),
        ({"eventType": 7}, "faulty"),
    ],
)
async def test_every_event_has_its_meaning(amazon: Amazon, told: Any, expected: str) -> None:
    assert outcome(await amazon.one(told)) == expected


async def test_opens_and_clicks_by_machines_are_told_apart(amazon: Amazon) -> None:
    for agent, machine in ((PERSON, None), ("Mozilla/5.0", True)):
        opened = await amazon.one(event("Open", open={"userAgent": agent}))
        assert (opened.act, opened.machine) == ("email_open", machine)
    click = {"link": "https://shop.test/a", "userAgent": PERSON}
    assert (await amazon.one(event("Click", click=click))).link == "https://shop.test/a"
    click["userAgent"] = "Proofpoint"
    assert await amazon.one(event("Click", click=click)) == "unused"


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("more", [{}, {"Subject": "Amazon SES Email Event Notification"}])
async def test_both_versions_of_the_signature_are_verified(
    amazon: Amazon, version: str, more: dict[str, str]
) -> None:
    assert outcome(await amazon.one(bounce(), SignatureVersion=version, **more)) == "email_bounce"


async def test_the_certificate_is_fetched_once_a_day(amazon: Amazon) -> None:
    for _ in range(3):
        await amazon.one(bounce())
    assert [asked.path for asked in amazon.web.asked] == [CERTIFICATE_PATH]
    amazon.clock.advance(25 * HOUR)
    amazon.shows(SNS.certificate())
    later = NOW + timedelta(hours=25)
    assert (await amazon.hook.read(SNS.call(bounce(), later))).reports
    assert len(amazon.web.asked) == 2


async def test_what_another_signed_or_changed_is_refused(amazon: Amazon) -> None:
    good = SNS.envelope(bounce(), AT)
    for envelope in (
        Sns().envelope(bounce(), AT),
        {**good, "Message": good["Message"].replace("tok-1", "tok-2")},
        {**good, "MessageId": "another"},
        {**good, "Subject": "added"},
        {**good, "Signature": ""},
        {**good, "Signature": "no base64"},
        {**good, "SignatureVersion": "1"},
        {**good, "SignatureVersion": "3"},
        {**good, "Type": "SubscriptionConfirmation"},
    ):
        with pytest.raises(ForgedError):
            await amazon.hook.read(posted(envelope))


async def test_a_topic_that_is_not_listed_is_refused_before_anything_is_fetched(
    amazon: Amazon,
) -> None:
    stranger = Sns("arn:aws:sns:eu-west-1:999999999999:mail-events")
    for envelope in (stranger.envelope(bounce(), AT), stranger.subscription(AT)):
        with pytest.raises(ForgedError, match="topic_arns"):
            await amazon.hook.read(posted(envelope))
    assert amazon.web.asked == []


async def test_a_message_of_long_ago_is_refused(amazon: Amazon) -> None:
    for age in (timedelta(hours=25), timedelta(minutes=-10)):
        with pytest.raises(ForgedError, match="clock"):
            await amazon.hook.read(SNS.call(bounce(), NOW - age))
    with pytest.raises(ForgedError, match="Timestamp"):
        await amazon.one(bounce(), Timestamp="yesterday")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://evil.test/SimpleNotificationService-1.pem",
        "http://sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem",
        "https://sns.eu-west-1.amazonaws.com.evil.test/SimpleNotificationService-1.pem",
        "https://sns.evil.test/sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem",
        "https://user@sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem",
        "https://sns.eu-west-1.amazonaws.com:8443/SimpleNotificationService-1.pem",
        "https://sns.eu-west-1.amazonaws.com/../SimpleNotificationService-1.pem",
        "https://sns.eu-west-1.amazonaws.com/bucket/SimpleNotificationService-1.pem",
        "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem?x=1",
        "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem\n",
        "https://s3.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem",
        "https://sns.a.b.amazonaws.com/SimpleNotificationService-1.pem",
        "https://sns.eu-west-1.amazonaws.com.cn.evil/SimpleNotificationService-1.pem",
    ],
)
async def test_a_certificate_from_anywhere_else_is_not_fetched(amazon: Amazon, url: str) -> None:
    with pytest.raises(ForgedError, match="no address of a certificate"):
        await amazon.one(bounce(), SigningCertURL=url)
    assert amazon.web.asked == []


async def test_the_certificates_of_china_have_their_own_domain() -> None:
    async def fetch(url: str) -> HttpAnswer:
        assert url == CERTIFICATE_URL.replace(".com", ".com.cn")
        return HttpAnswer(200, {}, SNS.certificate())

    hook = SesHook(SesSettings([TOPIC]), FixedClock(from_datetime(NOW)), fetch)
    call = SNS.call(bounce(), AT, SigningCertURL=CERTIFICATE_URL.replace(".com", ".com.cn"))
    assert (await hook.read(call)).reports


@pytest.mark.parametrize(
    ("status", "body"), [(404, b"nothing"), (200, b"no certificate"), (500, b"")]
)
async def test_what_is_no_certificate_verifies_nothing(
    amazon: Amazon, status: int, body: bytes
) -> None:
    amazon.web.planned.clear()
    amazon.shows(body, status)
    with pytest.raises(ForgedError, match="there is no certificate"):
        await amazon.one(bounce())
    amazon.shows(SNS.certificate())
    assert outcome(await amazon.one(bounce())) == "email_bounce"


async def test_while_amazon_does_not_answer_the_call_is_to_come_again() -> None:
    async def fetch(_url: str) -> HttpAnswer:
        raise SegueError("nobody is there")

    hook = SesHook(SesSettings([TOPIC]), FixedClock(from_datetime(NOW)), fetch)
    with pytest.raises(BusyError, match="nobody is there") as busy:
        await hook.read(SNS.call(bounce(), AT))
    assert busy.value.retry_after_s > 1


async def test_a_subscription_to_a_listed_topic_is_confirmed(amazon: Amazon) -> None:
    found = await amazon.hook.read(posted(SNS.subscription(AT)))
    assert found.reports == ["unused"]
    assert amazon.web.asked[-1].method == "GET"
    assert amazon.web.asked[-1].path.startswith("/?Action=ConfirmSubscription&TopicArn=arn:aws")


async def test_a_confirmation_that_did_not_arrive_is_asked_for_again(amazon: Amazon) -> None:
    amazon.web.say(500)
    with pytest.raises(BusyError, match="500"):
        await amazon.hook.read(posted(SNS.subscription(AT)))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=1",
        "https://169.254.169.254/?Action=ConfirmSubscription&Token=1",
        "https://sns.eu-west-1.amazonaws.com@evil.test/?Action=ConfirmSubscription&Token=1",
        "https://sns.eu-west-1.amazonaws.com:22/?Action=ConfirmSubscription&Token=1",
        "https://sns.eu-west-1.amazonaws.com.evil.test/?Action=ConfirmSubscription&Token=1",
        "https://sns.eu-west-1.amazonaws.com/?Action=DeleteTopic&Token=1",
    ],
)
async def test_a_subscription_is_confirmed_at_amazon_only(amazon: Amazon, url: str) -> None:
    with pytest.raises(ForgedError, match="confirm"):
        await amazon.hook.read(posted(SNS.subscription(AT, SubscribeURL=url)))
    assert [asked.path for asked in amazon.web.asked] == [CERTIFICATE_PATH]


async def test_the_end_of_a_subscription_changes_nothing(amazon: Amazon) -> None:
    ended = SNS.subscription(AT, Type="UnsubscribeConfirmation")
    assert (await amazon.hook.read(posted(ended))).reports == ["unused"]
    assert [asked.path for asked in amazon.web.asked] == [CERTIFICATE_PATH]


async def test_a_type_that_sns_does_not_have_is_unreadable(amazon: Amazon) -> None:
    with pytest.raises(UnreadableError, match="Surprise"):
        await amazon.hook.read(posted(SNS.subscription(AT, Type="Surprise")))


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b"\xff", b'{"Type":7}', b'{"Message":' + b"[" * 100_000]
)
async def test_a_body_of_another_form_is_unreadable(amazon: Amazon, body: bytes) -> None:
    with pytest.raises(UnreadableError):
        await amazon.hook.read(HookCall({}, body))


async def test_amazon_is_asked_at_public_addresses_only() -> None:
    http = AmazonHttp()
    for url in ("https://127.0.0.1/x", "https://169.254.169.254/latest/meta-data"):
        with pytest.raises(SegueError, match="not a public address"):
            await http.fetch(url)
    await http.close()


async def test_half_a_character_in_a_message_is_no_fault_of_ours(amazon: Amazon) -> None:
    envelope = SNS.envelope("x", AT)
    body = json.dumps(envelope).replace('"x"', '"\\ud800"').encode()
    with pytest.raises((ForgedError, UnreadableError)):
        await amazon.hook.read(replace(posted(envelope), body=body))
