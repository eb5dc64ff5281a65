"""Mailgun's webhooks: whose call it is, and what its events mean."""

import json
from typing import Any

import pytest

from segue.channels.email_hooks import ForgedError, HookCall, UnreadableError
from segue.channels.mailgun import MailgunHook
from segue.channels.receipts import Receipt
from segue.channels.settings import MailgunSettings
from segue.clock import FixedClock
from segue.model.instants import HOUR, MINUTE, SECOND, parse_instant
from tests.support.provider_calls import MAILGUN_KEY, Mailgun

NOW = parse_instant("2026-11-01T10:00:00Z")
NOW_S = NOW // SECOND
PROVIDER = Mailgun()
HOOK = MailgunHook(MailgunSettings(MAILGUN_KEY), FixedClock(NOW))
PERSON = {
    "client-info": {"user-agent": "Mozilla/5.0 (X11) Firefox/140.0", "client-type": "browser"}
}


def event(name: str, **more: Any) -> dict[str, Any]:
    """Return an event in the shape of Mailgun's documentation."""
    return {
        "event": name,
        "id": "ev-1",
        "timestamp": NOW_S - 60.5,
        "recipient": "ann@people.test",
        "message": {"headers": {"message-id": "tok-1@shop.test", "to": "ann@people.test"}},
        "tags": [],
        "user-variables": {},
        "campaigns": [],
        **more,
    }


def failed(severity: str = "permanent", reason: str = "bounce", **status: Any) -> dict[str, Any]:
    return event("failed", severity=severity, reason=reason, **{"delivery-status": status})


async def one(data: dict[str, Any], at_s: int = NOW_S) -> Any:
    (only,) = (await HOOK.read(PROVIDER.call(data, at_s))).reports
    return only


def outcome(found: Any) -> Any:
    return found.act if isinstance(found, Receipt) else found


async def test_a_delivery_names_the_message_by_its_message_id() -> None:
    told = {"delivery-status": {"code": 250, "message": "OK", "attempt-no": 1}}
    assert await one(event("delivered", **told)) == Receipt(
        "email_delivered", "tok-1", "ev-1", NOW - MINUTE - SECOND // 2, detail="OK"
    )


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (failed(code=550, message="5.1.1 no such user"), "email_bounce"),
        (failed(code=550, message="no such user"), "email_bounce"),
        (failed(code=605, reason="suppress-bounce"), "email_bounce"),
        (failed(code=605), "email_bounce"),
        (failed(reason="generic", code=550, message="550 5.1.1 unknown"), "email_bounce"),
        (failed(code=552, message="5.2.2 full"), "soft_bounce"),
        (failed(code=550, message="5.7.1 blocked"), "soft_bounce"),
        (failed(**{"enhanced-code": "5.2.2", "message": "x"}), "soft_bounce"),
        (failed(reason="generic", code=550, message="no"), "soft_bounce"),
        (failed(reason="old", code=602, message="too old"), "soft_bounce"),
        (failed(code=606, reason="suppress-unsubscribe"), "email_unsubscribe"),
        (failed(code=607, reason="suppress-complaint"), "email_unsubscribe"),
        (failed(severity="temporary", code=452, message="4.2.2 full"), "unused"),
        (event("failed"), "unused"),
    ],
)
async def test_a_failure_is_a_bounce_only_if_it_is_about_the_address(
    data: dict[str, Any], expected: str
) -> None:
    assert outcome(await one(data)) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("complained", "email_spam_report"),
        ("unsubscribed", "email_unsubscribe"),
        ("opened", "email_open"),
        ("accepted", "unused"),
        ("rejected", "unused"),
        ("stored", "unused"),
    ],
)
async def test_every_other_event_has_its_meaning(name: str, expected: str) -> None:
    assert outcome(await one(event(name, **PERSON))) == expected


async def test_an_open_by_a_bot_is_a_machines_and_a_click_by_one_is_none() -> None:
    bot = {"client-info": {"bot": "apple", "user-agent": "Mozilla/5.0 (X11) Firefox/140.0"}}
    assert (await one(event("opened", **PERSON))).machine is None
    assert (await one(event("opened", **bot))).machine is True
    url = "https://shop.test/a"
    assert (await one(event("clicked", url=url, **PERSON))).link == url
    assert await one(event("clicked", url=url, **bot)) == "unused"


async def test_what_another_signed_is_refused() -> None:
    good = PROVIDER.signature(NOW_S)
    for signature in (
        Mailgun("another key of mine").signature(NOW_S),
        {**good, "timestamp": str(NOW_S + 1)},
        {**good, "token": "0" * 50},
        {**good, "signature": ""},
        {**good, "signature": "é"},
        {**good, "token": "\x00é"},
    ):
        body = json.dumps({"signature": signature, "event-data": event("delivered")}).encode()
        with pytest.raises(ForgedError):
            await HOOK.read(HookCall({}, body))


async def test_a_call_that_was_signed_long_ago_is_refused() -> None:
    assert outcome(await one(event("delivered"), NOW_S - 23 * HOUR // SECOND)) == "email_delivered"
    with pytest.raises(ForgedError, match="clock"):
        await one(event("delivered"), NOW_S - 25 * HOUR // SECOND)


async def test_a_call_may_come_once_by_its_token() -> None:
    first, second = (PROVIDER.call(event("delivered"), NOW_S) for _ in range(2))
    once = [(await HOOK.read(call)).once for call in (first, second, first)]
    assert once[0] == once[2] != once[1]


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b"\xff", b'{"signature":{}}', b'{"signature":' + b"[" * 100_000],
)
async def test_a_body_of_another_form_is_unreadable(body: bytes) -> None:
    with pytest.raises(UnreadableError):
        await HOOK.read(HookCall({}, body))
