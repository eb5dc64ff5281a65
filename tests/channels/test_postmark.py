"""Postmark's webhooks: whose call it is, what its records mean, and how they name a message."""

import json
from base64 import b64encode
from typing import Any

import pytest

from segue.channels.email_hooks import ForgedError, HookCall, UnreadableError
from segue.channels.postmark import PostmarkHook, metadata_of
from segue.channels.receipts import Receipt
from segue.channels.settings import PostmarkSettings
from segue.model.instants import parse_instant
from tests.support.provider_calls import POSTMARK_LOGIN, Postmark

PROVIDER = Postmark()
HOOK = PostmarkHook(PostmarkSettings(*POSTMARK_LOGIN))
AT = "2026-11-01T10:00:00.1234567Z"
PERSON = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"
TOKEN = "".join(f"{number:010}" for number in range(25))


def record(type_: str, **more: Any) -> dict[str, Any]:
    """Return a record in the shape of Postmark's documentation."""
    return {
        "RecordType": type_,
        "ServerID": 23,
        "MessageStream": "broadcast",
        "MessageID": "883953f4-6105-42a2-a16a-77a8eac79483",
        "Tag": "sale",
        "Metadata": {"color": "blue", "segue-1": "tok", "segue-2": "-1"},
        **more,
    }


async def one(data: dict[str, Any]) -> Any:
    (only,) = (await HOOK.read(PROVIDER.call(data))).reports
    return only


def outcome(found: Any) -> Any:
    return found.act if isinstance(found, Receipt) else found


async def test_a_delivery_names_the_message_by_the_pieces_of_its_metadata() -> None:
    delivered = record("Delivery", Recipient="ann@people.test", DeliveredAt=AT, Details="250 ok")
    found = await one(delivered)
    assert (found.act, found.token, found.detail) == ("email_delivered", "tok-1", "250 ok")
    assert found.at == parse_instant("2026-11-01T10:00:00.123456Z")


async def test_the_pieces_of_any_token_come_together_again() -> None:
    for length in (1, 80, 81, 160, 250):
        headers = metadata_of(TOKEN[:length])
        names = [name.removeprefix("X-PM-Metadata-") for name in headers]
        assert all(
            len(name) <= 20 and len(value) <= 80
            for name, value in zip(names, headers.values(), strict=True)
        )
        told = {name.upper(): value for name, value in zip(names, headers.values(), strict=True)}
        assert (await one(record("Delivery", Metadata=told))).token == TOKEN[:length]
    assert metadata_of("x" * 2_000) == {}


@pytest.mark.parametrize(
    ("type_", "details", "expected"),
    [
        ("HardBounce", "smtp;550 5.1.1 unknown", "email_bounce"),
        ("HardBounce", "", "email_bounce"),
        ("BadEmailAddress", "", "email_bounce"),
        ("HardBounce", "smtp;552 5.2.2 mailbox full", "soft_bounce"),
        ("SoftBounce", "smtp;452 4.2.2", "soft_bounce"),
        ("Transient", "", "soft_bounce"),
        ("DnsError", "", "soft_bounce"),
        ("Blocked", "smtp;550 5.7.1", "soft_bounce"),
        ("SpamNotification", "", "soft_bounce"),
        ("ManuallyDeactivated", "", "soft_bounce"),
        ("AutoResponder", "", "unused"),
        ("AddressChange", "", "unused"),
        ("Unsubscribe", "", "email_unsubscribe"),
    ],
)
async def test_a_bounce_is_hard_only_if_it_is_about_the_address(
    type_: str, details: str, expected: str
) -> None:
    bounce = record("Bounce", ID=42, Type=type_, Details=details, BouncedAt=AT, Inactive=True)
    assert outcome(await one(bounce)) == expected


async def test_a_complaint_is_one() -> None:
    complaint = record("SpamComplaint", ID=42, Type="SpamComplaint", BouncedAt=AT)
    assert outcome(await one(complaint)) == "email_spam_report"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("ManualSuppression", "Recipient", True), "email_unsubscribe"),
        (("HardBounce", "Recipient", True), "email_bounce"),
        (("SpamComplaint", "Recipient", True), "email_spam_report"),
        (("ManualSuppression", "Customer", True), "unused"),
        ((None, "Recipient", False), "unused"),
    ],
)
async def test_a_change_of_subscription_counts_if_the_recipient_made_it(
    change: tuple[str | None, str, bool], expected: str
) -> None:
    reason, origin, is_suppressed = change
    told = {"SuppressionReason": reason, "Origin": origin, "SuppressSending": is_suppressed}
    assert outcome(await one(record("SubscriptionChange", ChangedAt=AT, **told))) == expected


async def test_opens_and_clicks_by_machines_are_told_apart() -> None:
    assert (await one(record("Open", ReceivedAt=AT, UserAgent=PERSON))).machine is None
    assert (await one(record("Open", ReceivedAt=AT, UserAgent="Mozilla/5.0"))).machine is True
    link = {"OriginalLink": "https://shop.test/a", "ReceivedAt": AT}
    assert (await one(record("Click", UserAgent=PERSON, **link))).link == "https://shop.test/a"
    assert await one(record("Click", UserAgent="Mimecast URL scanner", **link)) == "unused"


async def test_reports_of_one_message_have_ids_of_their_own_and_a_repeat_has_the_same() -> None:
    later = AT.replace("10:00", "11:00")
    reports = [
        record("Open", ReceivedAt=AT, UserAgent=PERSON),
        record("Open", ReceivedAt=later, UserAgent=PERSON),
        record("Click", ReceivedAt=AT, OriginalLink="https://shop.test/a", UserAgent=PERSON),
        record("Click", ReceivedAt=AT, OriginalLink="https://shop.test/b", UserAgent=PERSON),
        record("Delivery", DeliveredAt=AT),
    ]
    first = [(await one(report)).id for report in reports]
    assert len(set(first)) == len(reports)
    assert [(await one(report)).id for report in reports] == first


async def test_who_signs_in_otherwise_is_refused() -> None:
    body = json.dumps(record("Delivery")).encode()
    user, password = POSTMARK_LOGIN
    for headers in (
        {},
        Postmark(user, "another password here").headers,
        Postmark("another", password).headers,
        {"authorization": "Bearer " + b64encode(f"{user}:{password}".encode()).decode()},
        {"authorization": "Basic"},
        {"authorization": "Basic é"},
    ):
        with pytest.raises(ForgedError) as refused:
            await HOOK.read(HookCall(headers, body))
        assert refused.value.asks_for_login
    lower = {"authorization": PROVIDER.headers["authorization"].replace("Basic", "basic")}
    assert (await HOOK.read(HookCall(lower, body))).reports


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"\xff", b'{"RecordType":7}', b"[" * 100_000])
async def test_a_body_of_another_form_is_unreadable(body: bytes) -> None:
    with pytest.raises(UnreadableError):
        await HOOK.read(HookCall(PROVIDER.headers, body))


async def test_a_record_of_another_mail_names_none() -> None:
    for metadata in (None, {}, {"segue-1": 7}, {"order": "1"}):
        assert (await one(record("Delivery", Metadata=metadata))).token == ""
