"""SendGrid's event webhook: whose call it is, and what its events mean."""

import json
from typing import Any

import pytest

from segue.channels.email_hooks import ForgedError, HookCall, Reports, UnreadableError
from segue.channels.receipts import Receipt
from segue.channels.sendgrid import SendGridHook
from segue.channels.settings import SendGridSettings
from segue.clock import FixedClock
from segue.errors import SegueError
from segue.model.instants import HOUR, MINUTE, SECOND, parse_instant
from tests.support.provider_calls import SendGrid

NOW = parse_instant("2026-11-01T10:00:00Z")
NOW_S = NOW // SECOND
PROVIDER = SendGrid()
HOOK = SendGridHook(SendGridSettings(PROVIDER.verification_key), FixedClock(NOW))
PERSON = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def event(name: str, **more: Any) -> dict[str, Any]:
    """Return an event in the shape of SendGrid's documentation."""
    return {
        "email": "ann@people.test",
        "timestamp": NOW_S - 60,
        "smtp-id": "<tok-1@shop.test>",
        "event": name,
        "category": ["sale"],
        "sg_event_id": "ev-1",
        "sg_message_id": "14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0",
        **more,
    }


async def read(*events: Any, at_s: int = NOW_S) -> Reports:
    return await HOOK.read(PROVIDER.call(list(events), at_s))


async def one(name: str, **more: Any) -> Any:
    (only,) = (await read(event(name, **more))).reports
    return only


async def test_a_delivery_names_the_message_by_its_message_id() -> None:
    assert await one("delivered", response="250 OK", tls=1) == Receipt(
        "email_delivered", "tok-1", "ev-1", NOW - MINUTE + SECOND - 1, detail="250 OK"
    )


@pytest.mark.parametrize(
    ("more", "outcome"),
    [
        ({"status": "5.1.1", "type": "bounce"}, "email_bounce"),
        ({"status": "5.0.0", "type": "bounce", "reason": "550 5.1.1 no such user"}, "email_bounce"),
        ({"type": "bounce", "reason": "unknown"}, "email_bounce"),
        ({"type": "bounce", "bounce_classification": "Invalid Address"}, "email_bounce"),
        ({"status": "5.2.2", "type": "bounce"}, "soft_bounce"),
        ({"status": "5.7.1", "type": "bounce"}, "soft_bounce"),
        ({"status": "4.4.7", "type": "bounce"}, "soft_bounce"),
        ({"status": "5.0.0", "type": "bounce", "reason": "552 5.2.2 full"}, "soft_bounce"),
        ({"type": "bounce", "bounce_classification": "Reputation"}, "soft_bounce"),
        ({"status": "5.1.1", "type": "blocked"}, "soft_bounce"),
    ],
)
async def test_a_bounce_is_hard_only_if_it_is_about_the_address(
    more: dict[str, str], outcome: str
) -> None:
    found = await one("bounce", **more)
    assert (found.act if isinstance(found, Receipt) else found) == outcome


@pytest.mark.parametrize(
    ("reason", "outcome"),
    [
        ("Bounced Address", "email_bounce"),
        ("Invalid", "email_bounce"),
        ("Unsubscribed Address", "email_unsubscribe"),
        ("Spam Reporting Address", "email_unsubscribe"),
        ("Recipient List over Package Quota", "unused"),
    ],
)
async def test_a_drop_tells_what_sendgrid_knew_of_the_address(reason: str, outcome: str) -> None:
    found = await one("dropped", reason=reason, status="5.0.0")
    assert (found.act if isinstance(found, Receipt) else found) == outcome


@pytest.mark.parametrize(
    ("name", "act"),
    [
        ("spamreport", "email_spam_report"),
        ("unsubscribe", "email_unsubscribe"),
        ("group_unsubscribe", "email_unsubscribe"),
    ],
)
async def test_what_a_person_asks_for_is_reported(name: str, act: str) -> None:
    assert (await one(name, asm_group_id=7)).act == act


@pytest.mark.parametrize("name", ["processed", "deferred", "group_resubscribe", "new_in_2031"])
async def test_what_says_nothing_of_use_is_passed_over(name: str) -> None:
    assert await one(name, attempt="3") == "unused"


async def test_an_open_is_a_machines_where_sendgrid_or_its_agent_says_so() -> None:
    assert (await one("open", useragent=PERSON, sg_machine_open=False)).machine is None
    assert (await one("open", useragent=PERSON, sg_machine_open=True)).machine is True
    assert (await one("open", useragent="Mozilla/5.0")).machine is True


async def test_a_click_has_its_link_and_a_scanners_is_none() -> None:
    clicked = await one("click", url="https://shop.test/a", useragent=PERSON)
    assert (clicked.act, clicked.link) == ("email_click", "https://shop.test/a")
    assert await one("click", url="https://shop.test/a", useragent="Barracuda Sentinel") == "unused"


async def test_the_argument_of_the_mail_names_it_where_the_message_id_is_missing() -> None:
    bare = event("open", segue="tok-2", useragent=PERSON)
    del bare["smtp-id"]
    (opened,) = (await read(bare)).reports
    assert isinstance(opened, Receipt)
    assert opened.token == "tok-2"


async def test_an_event_that_cannot_be_read_does_not_lose_the_others() -> None:
    good = event("delivered")
    bad: list[Any] = [7, {}, {"event": 7}, None, {"event": "open", "timestamp": "x"}, [[]]]
    found = await read(good, *bad, good)
    assert [one if isinstance(one, str) else one.act for one in found.reports] == [
        "email_delivered",
        *["faulty"] * len(bad),
        "email_delivered",
    ]


async def test_thousands_of_events_are_read_at_once() -> None:
    events = [event("delivered", sg_event_id=f"ev-{number}") for number in range(5_000)]
    assert (
        len({one.id for one in (await read(*events)).reports if isinstance(one, Receipt)}) == 5_000
    )


async def test_a_whole_second_is_its_end_so_that_no_report_is_before_its_cause() -> None:
    for seconds, instant in ((60, 61 * SECOND - 1), (60.25, 60 * SECOND + SECOND // 4)):
        assert (await one("delivered", timestamp=seconds)).at == instant


async def test_numbers_beyond_any_time_are_no_error() -> None:
    for number in (1e308, -1e308, 10**30, -1):
        assert (await one("delivered", timestamp=number)).act == "email_delivered"


async def test_the_public_example_of_a_signature_is_verified() -> None:
    # The example of SendGrid's own libraries: what was signed is no array, but it is theirs.
    key = (
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEDr2LjtURuePQzplybdC+u4CwrqDqBaWjcMMsTbhdbcwHBce"
        "pxo7yAQGhHPTnlvFYPAZFceEu/1FwCM/QmGUhA=="
    )
    signature = (
        "MEUCIQCtIHJeH93Y+qpYeWrySphQgpNGNr/U+UyUlBkU6n7RAwIgJTz2C+8a8xonZGi6BpSzoQsbVRamr2nl"
        "xFDWYNH2j/0="
    )
    text = '{"category":"example_payload","event":"test_event","message_id":"message_id"}'
    headers = {
        "x-twilio-email-event-webhook-signature": signature,
        "x-twilio-email-event-webhook-timestamp": "1588788367",
    }
    hook = SendGridHook(SendGridSettings(key), FixedClock(1_588_788_367 * SECOND))
    with pytest.raises(UnreadableError):
        await hook.read(HookCall(headers, text.encode()))
    with pytest.raises(ForgedError):
        await hook.read(HookCall(headers, text.replace("test", "text").encode()))


async def test_what_another_signed_is_refused() -> None:
    body = json.dumps([event("bounce", status="5.1.1")]).encode()
    good = PROVIDER.headers(body, NOW_S)
    stamp, signature = "x-twilio-email-event-webhook-timestamp", next(iter(good))
    for headers in (
        {},
        SendGrid().headers(body, NOW_S),
        {**good, stamp: str(NOW_S + 1)},
        {**good, stamp: ""},
        {**good, stamp: "1٢"},
        {**good, signature: ""},
        {**good, signature: "no base64!"},
        {**good, signature: "é"},
        {**good, signature: "AAAA"},
    ):
        with pytest.raises(ForgedError):
            await HOOK.read(HookCall(headers, body))
    with pytest.raises(ForgedError):
        await HOOK.read(HookCall(good, body + b" "))


async def test_a_call_that_was_signed_long_ago_is_refused() -> None:
    assert (await read(event("delivered"), at_s=NOW_S - 23 * HOUR // SECOND)).reports
    for seconds in (-25 * HOUR // SECOND, 10 * MINUTE // SECOND):
        with pytest.raises(ForgedError, match="clock"):
            await read(event("delivered"), at_s=NOW_S + seconds)


@pytest.mark.parametrize(
    "body", [b"", b"nonsense", b"{}", b"7", b"\xff", b"[" * 100_000, b'[{"event":"open"}']
)
async def test_a_body_that_is_no_array_is_unreadable(body: bytes) -> None:
    with pytest.raises(UnreadableError):
        await HOOK.read(PROVIDER.call(body, NOW_S))


@pytest.mark.parametrize("key", ["", "nonsense", "AAAA", "é"])
def test_a_key_that_is_none_is_refused_at_once(key: str) -> None:
    with pytest.raises(SegueError, match=r"channels\.email\.sendgrid\.verification_key"):
        SendGridHook(SendGridSettings(key), FixedClock(NOW))
